#!/bin/sh
# Build the site into build/docs/site: sh scripts/docs.sh PYTHON
# Needs Node's npm, for the viewer of the contract, which the site ships.
set -eu
cd "$(dirname "$0")/.."
command -v npm >/dev/null || { echo "make docs needs npm, for the viewer of the contract" >&2; exit 2; }

environment=.venvs/docs
if [ -z "$(find "$environment/.installed" -newer requirements/docs.txt 2>/dev/null)" ]; then
	"${1:-python3}" -m venv --clear "$environment"
	"$environment/bin/pip" --quiet --disable-pip-version-check install --require-hashes --requirement requirements/docs.txt
	touch "$environment/.installed"
fi
modules=tools/site/node_modules
if [ -z "$(find "$modules/.installed" -newer tools/site/package-lock.json 2>/dev/null)" ]; then
	(cd tools/site && npm ci --silent)
	touch "$modules/.installed"
fi
exec "$environment/bin/python" scripts/docs.py
