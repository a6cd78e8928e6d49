// Light or dark, before the page is drawn: as chosen here before, or else as the system is set.
{
  const root = document.documentElement;
  const mode = localStorage.getItem("mode") || "auto";
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.mode = mode;
  root.dataset.theme = mode === "auto" ? (dark ? "dark" : "light") : mode;
}
