# Compare this package with the last anthropic release that had completions: sh scripts/test-compat.sh PYTHON
# The old client gets an environment of its own, and talks to nothing but this machine.
set -eu
cd "$(dirname "$0")/.."

environment=.venvs/compat
if [ -z "$(find "$environment/.installed" -newer requirements/compat.txt -newer pyproject.toml 2>/dev/null)" ]; then
	"${1:-python3}" -m venv --clear "$environment"
	pip="$environment/bin/pip --quiet --disable-pip-version-check"
	$pip install --require-hashes --requirement requirements/compat.txt
	$pip install --no-build-isolation --no-deps --editable .
	touch "$environment/.installed"
fi
exec "$environment/bin/pytest" -n auto tests/compat
