#!/usr/bin/env bash
# Counts the secrets that are still in a program's memory after its calls; Linux only.
#   residue.sh            how many copies of each
#   residue.sh --where    each place too, with the text before it
# PROFILE=release measures an optimized build.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run -q --profile "${PROFILE:-dev}" -p cumulo-examples --example memory_residue -- "$@"
