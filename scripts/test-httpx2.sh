#!/bin/sh
# Run the suite over httpx2, the maintained fork of httpx, in its place: test-httpx2.sh PYTHON
set -eu
venv=.venvs/httpx2
"$1" -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement requirements/httpx2.txt
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps .
# Without tests/pipeline, which needs the generator.
PYTHONPATH=tests "$venv/bin/pytest" -n auto -p httpx2_alias tests/unit tests/client tests/contract tests/cli
