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
# Cargo hands the packages to each other through a registry that it makes below the target directory, and
# keeps what it unpacked and built from there by name and version alone: where an earlier run left the same
# version, the others would be built with the old core. A new directory makes a new registry.
target=$(mktemp -d)
trap 'rm -rf "$target" "${CARGO_HOME:-$HOME/.cargo}"/registry/{src,cache}/-*/cumulo-*' EXIT
cargo package -q --target-dir "$target" "${packages[@]}" "$@"
