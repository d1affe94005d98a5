#!/bin/sh
# Report what of the contract broke since a git ref: check_contract.sh [BASE [CONTRACT]]
# BASE may be a file too; without it, it is the last release or, before there is one, the first contract.
# A change that is meant to break is declared in tools/oasdiff/declared.txt.
set -eu
cd "$(dirname "$0")/.."

base=${1:-}
if [ -z "$base" ]; then
	base=$(git describe --tags --abbrev=0 2>/dev/null ||
		git log --reverse --format=%h --diff-filter=A -- openapi.yaml | head -n 1)
fi
command -v go >/dev/null || { echo "check-contract needs Go, for oasdiff" >&2; exit 2; }

tool=build/tools/oasdiff
if [ -z "$(find $tool -newer tools/oasdiff/go.mod 2>/dev/null)" ]; then
	(cd tools/oasdiff && go build -buildvcs=false -o "../../$tool" github.com/oasdiff/oasdiff)
fi

old=$base
if [ ! -f "$base" ]; then
	old=$(mktemp)
	trap 'rm -f "$old"' EXIT
	git show "$base:openapi.yaml" >"$old"
fi
$tool breaking "$old" "${2:-openapi.yaml}" --fail-on WARN --format singleline --color never \
	--severity-levels tools/oasdiff/severity-levels.txt \
	--err-ignore tools/oasdiff/declared.txt --warn-ignore tools/oasdiff/declared.txt
