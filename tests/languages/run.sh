#!/bin/sh
# Run the vectors through a generated client in each language whose tools are here: run.sh [LANGUAGE ...]
# Each language generates its client from the contract and installs what it needs by its own package manager.
# It runs in the archive that `make dist-contract` packs, where the contract is beside this folder.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
[ -f ../openapi.json ] || { echo "Run it in the archive: make test-languages" >&2; exit 2; }

# Print why a language cannot run here, if it cannot.
lacking() {
	case $1 in
	typescript) tools="node npm" ;;
	java | kotlin) tools="java mvn" ;;
	rust) tools=cargo ;;
	*) tools=$1 ;;
	esac
	for tool in $tools; do
		command -v "$tool" >/dev/null || { echo "$tool is not here"; return; }
	done
	case $1 in
	typescript) node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || echo "Node is older than 20" ;;
	java | kotlin) java --add-modules java.net.http --version >/dev/null 2>&1 &&
		[ "$(java -XshowSettings:properties -version 2>&1 | sed -n 's/.*java.specification.version = //p')" -ge 17 ] ||
		echo "Java is older than 17" ;;
	esac
}

# Generate and build, in the language's folder. What it says is shown where it fails.
prepare() {
	case $1 in
	typescript) npm ci --silent && npm run --silent generate && npm run --silent compile ;;
	go) go generate . && go vet . && go build -buildvcs=false -o build/vectors . ;;
	java | kotlin) mvn --quiet --batch-mode process-classes ;;
	rust) cargo build --quiet --locked ;;
	esac
}

# Run the vectors beside the server, in the language's folder.
vectors() {
	case $1 in
	typescript) set -- npm run --silent vectors ;;
	go) set -- build/vectors ;;
	java) set -- java -Dfile.encoding=UTF-8 -classpath "target/classes:target/lib/*" completions.Vectors ;;
	kotlin) set -- java -Dfile.encoding=UTF-8 -classpath "target/classes:target/lib/*" completions.VectorsKt ;;
	rust) set -- target/debug/completions ;;
	esac
	"$python" ../server.py "$@"
}

skipped=
failed=
for language in ${*:-typescript go java kotlin rust}; do
	reason=$(lacking "$language")
	if [ -n "$reason" ]; then
		skipped="$skipped
$language: skipped, as $reason"
		continue
	fi
	echo "$language: generating and building the client in $PWD/$language"
	(
		cd "$language"
		mkdir -p build
		prepare "$language" >build/log 2>&1 || { cat build/log >&2; exit 1; }
		echo "$language: running the vectors"
		vectors "$language"
	) || failed="$failed $language"
done
[ -z "$skipped" ] || echo "${skipped#?}"
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
