"""Sphinx extension of the book, the part of who cites or shares a page: tags in its head.

`msct_helpers.sphinx.ext` loads it. Names of tags are those of Google Scholar and of Open Graph.
"""

import html
import os
import time
from typing import Any

from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.config import Config

from msct_helpers.sphinx.results import find_basis


def list_tags(config: Config, title: str, basis: str) -> dict[str, str]:
    """Return what the head of a page says of it, by name of the tag.

    Parameters
    ----------
    config
        Sphinx configuration, with the study's description in ``msct_study``.
    title
        Title of the page; blank for that of the report.
    basis
        What the page says it rests on, where that is not the data set.
    """
    study = config.msct_study
    about = basis or " ".join(study[name] for name in ("label", "population", "treatment"))
    dated = {"citation_publication_date": config.msct_date} if config.msct_date else {}
    return {
        "description": about,
        "version": config.release,
        "citation_title": study["title"],
        "citation_author": config.author,
        **dated,
        "og:type": "article" if title else "website",
        "og:site_name": study["short_title"],
        "og:title": title or study["title"],
        "og:description": about,
    }


def write_tags(tags: dict[str, str]) -> str:
    """Return tags as HTML; all that they say is text."""
    kinds = {name: "property" if name.startswith("og:") else "name" for name in tags}
    lines = [f'<meta {kinds[n]}="{n}" content="{html.escape(tags[n])}" />' for n in tags]
    return "\n".join(["", *lines, ""])


def add_tags(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Say in the head of a page how to cite and to show it."""
    if "body" not in context:
        return
    front, named = pagename == app.config.root_doc, app.env.titles.get(pagename)
    title = named.astext() if named else Markup(context.get("title", "")).striptags()
    tags = list_tags(app.config, "" if front else title, find_basis(app, pagename))
    context["metatags"] = context.get("metatags", "") + write_tags(tags)


def date_pages(app: Sphinx, config: Config) -> None:
    """Date the pages where the build has a day of its own, as a release has."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    config.msct_date = time.strftime("%Y/%m/%d", time.gmtime(float(epoch))) if epoch else ""


def setup_citation(app: Sphinx) -> None:
    """Register the tags."""
    # Pages are written again on another day.
    app.add_config_value("msct_date", "", "html", [str])
    app.connect("config-inited", date_pages)
    app.connect("html-page-context", add_tags)
