#!/bin/sh
# Sets simstudy up in .venv and runs the quickstart study. Needs Python 3.11 or newer and pip (or uv).
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/scripts/environment.sh"

[ $# -eq 0 ] || fail "takes no arguments; your own study: .venv/bin/simstudy run CONFIG"
prepare requirements.lock

cd "$root"
"$venv/bin/simstudy" run configs/quickstart.yaml
[ -f results/quickstart/report.html ] || fail "the run left no results/quickstart/report.html"
say "the report is $root/results/quickstart/report.html"
