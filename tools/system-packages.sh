#!/bin/sh
# Install Debian packages that tests need, where we may; otherwise say what is missing and go on:
# the tests that need it are then skipped with the same words (with CI=true they fail instead).
# Usage: sh tools/system-packages.sh chromium ...
set -u
for package in "$@"; do
    case "$package" in
        chromium) program=chromium ;;
        poppler-utils) program=pdftotext ;;
        latexmk) program=latexmk ;;
        texlive-xetex) program=xelatex ;;
        *) program=/usr/share/doc/$package ;;
    esac
    if command -v "$program" >/dev/null 2>&1 || [ -e "$program" ]; then
        continue
    fi
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        if [ -z "${updated:-}" ]; then
            echo "Updating the list of Debian packages"
            apt-get update -qq && updated=yes
        fi
        echo "Installing $package"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            "$package" >/dev/null || echo "Could not install $package"
    else
        echo "Missing: $package. Install it (Debian: sudo apt-get install $package) for all tests."
    fi
done
