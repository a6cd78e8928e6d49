// Excerpts are of what a reader sees, without code; none where the page was opened from a file.
{
  const offline = location.protocol === "file:";
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = !offline;
  document.getElementById("search-offline").hidden = !offline;
  const toText = Search.htmlToText;
  Search.htmlToText = (source, anchor) => {
    const page = new DOMParser().parseFromString(source, "text/html");
    const extras = ".cell_input, details, pre, .msct-label, .msct-rows, .msct-files, .onlyprint, footer, header";
    page.querySelectorAll(`${extras}, .bd-header-article, .bd-sidebar-secondary`)
      .forEach((part) => part.remove());
    return toText(page.documentElement.outerHTML, anchor);
  };
  document.querySelector("#main-content input[name=q]").focus();
}
