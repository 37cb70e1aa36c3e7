#!/usr/bin/env bash
# Counts instructions and allocations of each kind of call, and fails beyond what bench/counts.txt has;
# skipped where valgrind is missing.
#   counts.sh             compares: 10 % more instructions are allowed, and no more allocations
#   counts.sh --record    writes the counts of today
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 -B bench/counts.py "$@"
