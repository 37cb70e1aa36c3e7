#!/usr/bin/env bash
# Packs every published crate and builds each from its package, beside the packages of the others: what
# a user gets, and nothing that stands in the repository only.
#   package.sh [OPTION..]     further options of `cargo package`, such as --allow-dirty or --no-verify
set -euo pipefail
cd "$(dirname "$0")/.."
packages=()
for manifest in crates/*/Cargo.toml; do
    grep -q '^publish = false' "$manifest" || packages+=(-p "$(sed -n '0,/^name/s/^name = "\(.*\)"/\1/p' "$manifest")")
done
cargo package -q "${packages[@]}" "$@"
