#!/usr/bin/env bash
# Compiles what features switch on, each alone, and nothing of it: the rooms of the common crate, and ZStack's groups,
# `features.sh all` of them or `features.sh sample`.
# A warning counts as a failure: an unused import shows a type in the wrong file.
set -euo pipefail
cd "$(dirname "$0")/.."
groups=$(sed -n '/^all = \[/,/^\]/s/ *"\(.*\)",/\1/p' crates/zstack/Cargo.toml)
case ${1:-all} in
all) ;;
sample) groups="access-key vm-instance zwatch hybrid-aliyun license" ;;
*) echo "features.sh [all|sample]" >&2; exit 2 ;;
esac
export RUSTFLAGS="${RUSTFLAGS:-} -D warnings"
for room in "" alibaba huawei zstack; do
    echo "room ${room:-(none)}"
    cargo check -q -p cumulo-core --no-default-features --features "$room"
done
for group in $groups; do
    echo "group $group"
    cargo check -q -p cumulo-zstack --no-default-features --features "$group"
done
for crate in smc smartag apig zstack; do
    echo "$crate without the search for credentials"
    cargo check -q -p "cumulo-$crate" --no-default-features
    echo "serde for $crate"
    cargo check -q -p "cumulo-$crate" --features serde
    echo "blocking for $crate"
    cargo check -q -p "cumulo-$crate" --features blocking
done
