#!/bin/sh
# Make the benchmark's environments and run it: bench.sh PYTHON [arguments of tests/benchmarks/run.py]
set -eu
python=$1
shift
quiet="--quiet --disable-pip-version-check"
"$python" -m venv --clear .venvs/bench
.venvs/bench/bin/pip install $quiet --require-hashes --requirement requirements/runtime.txt
.venvs/bench/bin/pip install $quiet --no-deps dist/*.whl
"$python" -m venv --clear .venvs/bench-old
.venvs/bench-old/bin/pip install $quiet --require-hashes --requirement requirements/compat.txt
.venvs/bench/bin/python tests/benchmarks/run.py "$@"
