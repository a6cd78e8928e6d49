"""README, CONTRIBUTING and the chapter on rebuilding tell of what is there."""

import re
import textwrap

import pytest

from msct_helpers import Chapter
from msct_helpers.check.cli import main
from tests.conftest import ROOT
from tests.test_rooms import FLOORS

GUIDES = ("README.md", "CONTRIBUTING.md", "chapters/how-to-rebuild.md")
CHAPTERS = [path.relative_to(ROOT).as_posix() for path in (ROOT / "chapters").glob("*.md")]


def read_guide(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted({*GUIDES, *CHAPTERS}))
def test_commands_that_are_named_exist(name: str) -> None:
    made = re.findall(r"^([\w-]+):", read_guide("Makefile"), re.M)
    code = "\n".join(re.findall(r"`[^`\n]+`|^    .*", read_guide(name), re.M))
    commands = re.findall(r"\bmsct (\w+)", code)
    modules = re.findall(r"`python -m (benchmarks[\w.]+)", code)
    assert set(re.findall(r"\bmake ([\w-]+)", code)) <= set(made)
    assert [m for m in modules if not (ROOT / f"{m.replace('.', '/')}.py").is_file()] == []
    assert set(commands) <= main.commands.keys()
    options = {
        option for command in main.commands.values() for p in command.params for option in p.opts
    }
    named = set(re.findall(r"(?<=\s)--[\w-]+", re.sub(r"uv .*|conda .*", "", code)))
    assert named <= options


def test_every_command_and_room_is_told() -> None:
    told = " ".join(read_guide(name) for name in GUIDES)
    assert [n for n in main.commands if not re.search(rf"\b(msct|make) {n}\b", told)] == []
    rooms = re.findall(r"^\| (`.*?) \|", read_guide("CONTRIBUTING.md"), re.M)
    assert set(re.findall(r"\w+", " ".join(rooms))) == set(FLOORS)


def test_files_that_contributors_are_sent_to_exist() -> None:
    named = re.findall(
        r"`([\w./-]+/[\w./-]*|[\w.-]+\.(?:md|toml|yml|cff|json))`", read_guide("CONTRIBUTING.md")
    )
    own = ("chapters/NAME.md", "_build/")
    assert [n for n in named if n not in own and not (ROOT / n).exists() and n != "study.yml"] == []


def test_the_chapter_of_the_guide_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    block = re.search(
        r"^    from msct_helpers import Chapter\n(?:    .*\n|\n)*",
        read_guide("CONTRIBUTING.md"),
        re.M,
    )
    monkeypatch.setenv("MSCT_DATA", str(ROOT / "data/msct_synthetic"))
    names: dict[str, object] = {}
    exec(textwrap.dedent(block[0]), names)
    book = names["book"]
    assert isinstance(book, Chapter)
    assert [row["id"] for row in book.own_rows] == ["entry-age.median"]


def test_a_release_has_its_entry() -> None:
    heads = re.findall(r"^## (.*)", read_guide("CHANGELOG.md"), re.M)
    assert heads[0] == "Unreleased"
