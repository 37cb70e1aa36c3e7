#!/usr/bin/env bash
# Counts instructions per call and per decoded list with valgrind's callgrind, ours against plain
# reqwest and serde. The server runs as another process and is not counted.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_PROFILE_RELEASE_STRIP=none cargo build -q --release -p cumulo-bench
out=$(mktemp -d)
"$target/release/answers" >"$out/address" &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$out"' EXIT
until [ -s "$out/address" ]; do sleep 0.1; done
address=$(cat "$out/address")

# Instructions of one run; the difference of two runs leaves start-up out.
count() {
    valgrind --tool=callgrind --callgrind-out-file="$out/callgrind" "$@" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
per() {
    local name=$1 few=$2 many=$3
    shift 3
    local first second
    first=$(count "$@" "$few")
    second=$(count "$@" "$many")
    printf '%-28s %12d\n' "$name" $(((second - first) / (many - few)))
}
for kind in v3 v3-alone v1 v1-form reqwest reqwest-form; do
    per "call, $kind" 100 600 "$target/release/calls" "$address" "$kind"
done
for kind in ours serde; do
    per "decode 1000 items, $kind" 2 7 "$target/release/decode" "$kind"
done
