#!/bin/sh
# Makes the figures of README.md again: runs each study whose figures it shows and copies those to results/gallery/<study>.
# What each figure was made of is kept as checksums in results/gallery/identity.json; tests/test_gallery.py says which are stale.
# A figure is shown there as results/gallery/<study>/<scenario>-<figure>.svg, and its study is configs/<study>.yaml.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/scripts/environment.sh"

[ $# -eq 0 ] || fail "takes no arguments; the figures it makes are those that README.md shows"
prepare requirements.lock

cd "$root"
shown=$(grep -o 'results/gallery/[^)]*\.svg' README.md | sort -u)
[ -n "$shown" ] || fail "README.md shows no figure of results/gallery"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

for study in $(printf '%s\n' "$shown" | cut -d / -f 3 | sort -u); do
    "$venv/bin/simstudy" run "configs/$(printf %s "$study" | tr - _).yaml" --results "$work"
done

mkdir "$work/gallery"
for figure in $shown; do
    study=$(printf %s "$figure" | cut -d / -f 3)
    mkdir -p "$work/gallery/$study"
    cp "$work/$study/figures/${figure##*/}" "$work/gallery/$study/" || fail "no such figure: $figure in README.md"
done
rm -rf results/gallery
mkdir -p results
mv "$work/gallery" results/gallery
"$venv/bin/python" scripts/gallery_identity.py . >"$work/identity.json"
mv "$work/identity.json" results/gallery/identity.json
say "made $(printf '%s\n' "$shown" | wc -l | tr -d ' ') figures in results/gallery"
