#!/usr/bin/env bash
# Fuzzes what reads other people's bytes, on a stable toolchain.
#   fuzz.sh                       100,000 executions of each target
#   fuzz.sh COUNT [TARGET..]      so many, of these targets
# FUZZ_MAX_LEN bounds the inputs (4096 bytes), FUZZ_SEED repeats a run (1). Needs a C++ compiler.
# A crash is written to fuzz/artifacts/TARGET, and its line of the log says how to run it again.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-100000}
[ $# -gt 0 ] && shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(sed -n 's/^name = "\(.*\)"/\1/p' fuzz/Cargo.toml | tail -n +2)
fi
cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked

# libFuzzer's hooks are unstable flags of the compiler. The code has no `unsafe`, so that the address
# sanitizer would find nothing and cost half the speed.
export RUSTC_BOOTSTRAP=1
build=(cargo fuzz build --fuzz-dir fuzz --sanitizer none)
"${build[@]}"
triple=$(rustc -vV | sed -n 's/^host: //p')
found=$(cargo metadata --no-deps --format-version 1 --manifest-path fuzz/Cargo.toml |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/$triple/release

failed=0
for target in "${targets[@]}"; do
    # New inputs go beside the seeds that are kept.
    grown=$found/corpus/$target
    log=$found/$target.log
    mkdir -p "$grown" "fuzz/artifacts/$target"
    from=$SECONDS
    if "$found/$target" "$grown" "fuzz/corpus/$target" -dict="fuzz/dictionaries/$target" \
        -runs="$count" -max_len="${FUZZ_MAX_LEN:-4096}" -seed="${FUZZ_SEED:-1}" -timeout=10 \
        -rss_limit_mb=2048 -artifact_prefix="fuzz/artifacts/$target/" -print_final_stats=1 \
        >"$log" 2>&1; then
        outcome=passed
    else
        outcome=FAILED
        failed=1
        grep -E 'panicked|ERROR|assertion|left:|right:|Test unit written' "$log" | head -20
    fi
    printf '%-12s %s: %s executions in %d s, %s\n' "$target" "$outcome" \
        "$(sed -n 's/^stat::number_of_executed_units: //p' "$log")" $((SECONDS - from)) \
        "$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$log" | tail -1)"
done
exit $failed
