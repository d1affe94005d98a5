# Restore completions to an anthropic package that has none, and let a framework use them: sh scripts/test-restore.sh PYTHON
# The list of requirements is whole; the framework itself would refuse that package.
set -eu
cd "$(dirname "$0")/.."

environment=.venvs/restore
if [ -z "$(find "$environment/.installed" -newer requirements/restore.txt -newer pyproject.toml 2>/dev/null)" ]; then
	"${1:-python3}" -m venv --clear "$environment"
	pip="$environment/bin/pip --quiet --disable-pip-version-check"
	$pip install --require-hashes --no-deps --requirement requirements/restore.txt
	$pip install --no-build-isolation --no-deps --editable .
	touch "$environment/.installed"
fi
exec "$environment/bin/pytest" -n auto tests/restore
