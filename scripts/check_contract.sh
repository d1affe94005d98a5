#!/bin/sh
# Report what of the contract broke since a git ref: check_contract.sh [BASE [CONTRACT]]
# BASE may be a file too; without it, it is the last release or, before there is one, the first contract.
# A change that is meant to break is declared in tools/oasdiff/declared.txt.
set -eu
cd "$(dirname "$0")/.."

base=${1:-}
if [ ! -f "$base" ] && ! git rev-parse --verify --quiet HEAD >/dev/null 2>&1; then
	echo "check-contract: there is no git history here to compare with; name an older contract: make check-contract BASE=old-openapi.yaml" >&2
	exit 2
fi
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
	git show "$base:openapi.yaml" >"$old" 2>/dev/null || {
		echo "check-contract: git has no openapi.yaml of '$base'; name a commit, a tag or a file: make check-contract BASE=..." >&2
		exit 2
	}
fi
if $tool breaking "$old" "${2:-openapi.yaml}" --fail-on WARN --format singleline --color never \
	--severity-levels tools/oasdiff/severity-levels.txt \
	--err-ignore tools/oasdiff/declared.txt --warn-ignore tools/oasdiff/declared.txt; then
	echo "check-contract: nothing broke since $base"
else
	cat <<-END
		check-contract: this breaks what was made for the contract of $base. Either take the change back in openapi.yaml,
		then make generate; or, where it is meant, add each line to tools/oasdiff/declared.txt as
		    POST /v1/complete <the sentence after it>
		and say so in CHANGELOG.md. tools/oasdiff/README.md tells more.
	END
	exit 1
fi
