#!/bin/sh
# Sets simstudy up with its development tools in .venv and runs every check. Arguments go on to pytest:
#     sh scripts/test.sh                      all but the slow tests
#     sh scripts/test.sh -m slow              the slow tests
#     sh scripts/test.sh -n 0 -k weibull -x   one process, some tests, stop at the first failure
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/scripts/environment.sh"

prepare requirements-dev.lock
PATH=$venv/bin:$PATH
export PATH
cd "$root"

failed=
check() {
    printf '\n$ %s\n' "$*"
    "$@" || failed="$failed, $*"
}

check ruff check .
check ruff format --check .
check mypy --strict simstudy
check pytest -n 2 "$@"
[ -z "$failed" ] || fail "failed: ${failed#, }"
