#!/bin/sh
# Have Schemathesis send the stand-in at least 1,000 requests made from the contract, with all of its checks:
# test_stand_in.sh PYTHON
set -eu
bin=$(cd "$(dirname "$1")" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
wanted=1000
# It leaves files behind where it runs.
work=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$work"' EXIT
cd "$work"

"$bin/python" -m anthropic_completions serve --port 0 --api-key stand-in-key >address 2>log &
server=$!
tries=0
until grep -q ^export address; do
    tries=$((tries + 1))
    test "$tries" -le 100 || { echo "The stand-in did not start:"; cat log; exit 1; }
    sleep 0.1
done
url=$(sed -n 's/^export ANTHROPIC_BASE_URL=\([^ ]*\) .*/\1/p' address)

SCHEMATHESIS_HOOKS=hooks PYTHONPATH="$root/tests/stand_in" "$bin/schemathesis" run "$root/openapi.yaml" \
    --url "$url" --header "x-api-key: stand-in-key" --checks all --max-examples 900 --seed "${SEED:-1}"

sent=$(grep -c '^[A-Z]* /' log)
test "$sent" -ge "$wanted" || { echo "Only $sent requests were sent, not $wanted."; exit 1; }
echo "The stand-in answered $sent requests as the contract says."
