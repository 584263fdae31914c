#!/bin/sh
# Writes requirements.lock (run time) and requirements-dev.lock (every extra) from pyproject.toml, with the hashes of all files
# of each version. Needs uv. Pins are kept where they still fit; arguments go on to uv:
#     sh scripts/lock.sh --upgrade
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
command -v uv >/dev/null || {
    echo "lock.sh: uv is missing: pip install uv" >&2
    exit 1
}

# One version of each package for every Python from 3.11 on, so that all of them are tested by testing one.
compile() {
    uv pip compile --quiet --no-config --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --custom-compile-command 'sh scripts/lock.sh' --group build "$@" pyproject.toml
}

compile "$@" --output-file requirements.lock
compile "$@" --all-extras --constraint requirements.lock --output-file requirements-dev.lock
