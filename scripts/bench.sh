#!/bin/sh
# Make the benchmark's environments and run it: bench.sh PYTHON [arguments of tests/benchmarks/run.py]
# Bytecode is compiled beforehand, as pip does it: imports are measured without compiling.
set -eu
python=$1
shift

environment() { # NAME REQUIREMENTS
	.venv/bin/uv venv --quiet --clear --python "$python" ".venvs/$1"
	.venv/bin/uv pip install --quiet --compile-bytecode --python ".venvs/$1" --require-hashes --requirement "$2"
}

environment bench requirements/runtime.txt
environment bench-fast requirements/fast.txt
environment bench-old requirements/compat.txt
for name in bench bench-fast; do
	.venv/bin/uv pip install --quiet --compile-bytecode --python ".venvs/$name" --no-deps dist/*.whl
done
runner=bench
case " $* " in
*" --plot"*)
	runner=bench-plot
	environment bench-plot requirements/plot.txt
	;;
esac
exec ".venvs/$runner/bin/python" tests/benchmarks/run.py "$@"
