#!/bin/sh
# Run the suite on each Python from 3.11 on that this machine has; say which were skipped.
set -eu
# pyenv's python3.x runs only where that version is switched on: all are, for this script.
if command -v pyenv >/dev/null; then
    PYENV_VERSION=$(pyenv versions --bare | paste -sd : -)
    export PYENV_VERSION
fi
ran=""
skipped=""
for version in 3.11 3.12 3.13 3.14 3.15; do
    python=python$version
    if ! "$python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
        skipped="$skipped $version"
        continue
    fi
    echo "== $python =="
    venv=.venvs/$version
    "$python" -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement requirements/test.txt
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps .
    # Without tests/pipeline, which needs the generator.
    "$venv/bin/pytest" -n auto tests/unit tests/client tests/contract tests/cli
    ran="$ran $version"
done
echo "Ran on:${ran:- none}. Skipped, as this machine has none:${skipped:- none}."
test -n "$ran"
