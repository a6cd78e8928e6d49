#!/bin/sh
# Build the same book by plain sphinx-build, without Jupyter Book's command, into a folder (default _build/sphinx). Its
# conf.py is generated there from _config.yml, so that there is one configuration.
set -eu
cd "$(dirname "$0")/.."
out=${1:-_build/sphinx}
bin=.venv/bin/
[ -x "${bin}sphinx-build" ] || bin=""
mkdir -p "$out"
cp _config.yml "$out/"
"${bin}jupyter-book" config sphinx . --config "$out/_config.yml"
# Sphinx looks beside conf.py for what the configuration names.
for folder in assets data; do
    ln -sfn "$PWD/$folder" "$out/$folder"
done
"${bin}sphinx-build" -b html -c "$out" -d "$out/_build/.doctrees" \
    --fail-on-warning --nitpicky --keep-going --quiet . "$out/_build/html"
echo "The book is at $out/_build/html/index.html"
