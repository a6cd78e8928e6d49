#!/bin/sh
# Build the PDF book into a folder (default _build/pdf): msct-trial-report.pdf. Has a build folder of its own, so that
# _build/html stays as it is; executed chapters come from the cache that both share.
set -eu
cd "$(dirname "$0")/.."
name=msct-trial-report
out=${1:-_build/pdf}
work=$out/work
book=.venv/bin/jupyter-book
[ -x "$book" ] || book=jupyter-book

missing=""
for program in xelatex latexmk kpsewhich; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
if [ -z "$missing" ]; then
    for file in tabulary.sty varwidth.sty fancyhdr.sty etoolbox.sty cmap.sty FreeSerif.otf; do
        kpsewhich "$file" >/dev/null 2>&1 || missing="$missing $file"
    done
fi
if [ -n "$missing" ]; then
    cat >&2 <<END
The PDF needs TeX Live; missing here:$missing
  Debian, Ubuntu: sudo apt-get install latexmk texlive-xetex texlive-latex-recommended \\
                  texlive-latex-extra texlive-fonts-recommended texlive-plain-generic \\
                  fonts-freefont-otf
  Fedora:         sudo dnf install latexmk texlive-scheme-medium texlive-collection-latexextra \\
                  texlive-gnu-freefont
  macOS:          brew install --cask mactex
  conda:          has no complete TeX Live; install one of the above
END
    exit 1
fi

export FORCE_SOURCE_DATE=1
status=0
"$book" build . --builder pdflatex --path-output "$work" \
    --warningiserror --nitpick --keep-going || status=$?
log="$work/_build/latex/$name.log"
if [ "$status" != 0 ] || [ ! -f "$work/_build/latex/$name.pdf" ]; then
    echo "The PDF was not built; see $log" >&2
    exit 1
fi
cp "$work/_build/latex/$name.pdf" "$out/"
cp "$work/_build/latex/digest.txt" "$out/$name.digest"
echo "The PDF is at $out/$name.pdf"
