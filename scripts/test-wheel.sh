#!/bin/sh
# Run the suite against the built wheel, in a clean environment: test-wheel.sh PYTHON
set -eu
venv=.venvs/wheel
"$1" -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement requirements/test.txt
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps dist/*.whl
"$venv/bin/python" - <<'CODE'
import anthropic_completions, anthropic_completions_api
for package in (anthropic_completions, anthropic_completions_api):
    assert "site-packages" in package.__file__, f"not from the wheel: {package.__file__}"
CODE
# Without tests/pipeline, which needs the generator.
"$venv/bin/pytest" -n auto tests/unit tests/client tests/contract tests/cli
