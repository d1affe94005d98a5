#!/bin/sh
# Pack the contract, unpack the archive into build/languages, and run the vectors there: test_languages.sh [LANGUAGE ...]
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
echo "Packing the contract"
"$python" scripts/dist_contract.py --unpack build/languages
PYTHON=$python exec sh build/languages/languages/run.sh "$@"
