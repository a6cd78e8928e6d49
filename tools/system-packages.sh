#!/bin/sh
# Install Debian packages that tests need, where we may; otherwise say what is missing and go on:
# the tests that need it are then skipped with the same words (with CI=true they fail instead).
# Usage: sh tools/system-packages.sh chromium ...
set -u
missing=""
for package in "$@"; do
    case "$package" in
        chromium) program=chromium ;;
        poppler-utils) program=pdftotext ;;
        latexmk) program=latexmk ;;
        texlive-xetex) program=xelatex ;;
        *) program="" ;;
    esac
    if [ -n "$program" ] && command -v "$program" >/dev/null 2>&1; then
        continue
    fi
    # A package that was removed keeps an entry: only "ii" is installed.
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing Debian packages:$missing"
    # shellcheck disable=SC2086
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $missing >/dev/null || echo "Could not install all of:$missing"
else
    echo "Missing for all tests:$missing (Debian: sudo apt-get install$missing)"
fi
exit 0
