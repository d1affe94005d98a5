#!/bin/sh
# Have Schemathesis send the stand-in, or a gateway in front of it, at least 1,000 requests made from the contract, with
# all of its checks: test_stand_in.sh PYTHON [gateway]
set -eu
bin=$(cd "$(dirname "$1")" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
wanted=1000
# It leaves files behind where it runs.
work=$(mktemp -d)
server=
gateway=
trap 'test -z "$server" || kill $server $gateway; rm -rf "$work"' EXIT
cd "$work"
: >address

"$bin/python" -m anthropic_completions serve --port 0 --api-key stand-in-key >address 2>log &
server=$!
tries=0
until grep -q ^export address; do
    tries=$((tries + 1))
    test "$tries" -le 100 || { echo "The stand-in did not start:"; cat log; exit 1; }
    sleep 0.1
done
url=$(sed -n 's/^export ANTHROPIC_BASE_URL=\([^ ]*\) .*/\1/p' address)

who="The stand-in"
if [ "${2:-}" = gateway ]; then
    who="The gateway"
    port=$("$bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$bin/python" -m anthropic_completions gateway --upstream "$url" --port "$port" >log 2>errors &
    gateway=$!
    url=http://127.0.0.1:$port
    tries=0
    until "$bin/python" -c "import urllib.request; urllib.request.urlopen('$url/healthz')" 2>/dev/null; do
        tries=$((tries + 1))
        test "$tries" -le 100 || { echo "The gateway did not start:"; cat errors; exit 1; }
        sleep 0.1
    done
fi

TESTED="${2:-stand-in}" SCHEMATHESIS_HOOKS=hooks PYTHONPATH="$root/tests/stand_in" "$bin/schemathesis" run "$root/openapi.yaml" \
    --url "$url" --header "x-api-key: stand-in-key" --checks all --max-examples 900 --seed "${SEED:-1}"

sent=$(grep -c -e '^[A-Z]* /' -e '"path"' log)
test "$sent" -ge "$wanted" || { echo "Only $sent requests were sent, not $wanted."; exit 1; }
echo "$who answered $sent requests as the contract says."
