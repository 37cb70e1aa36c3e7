#!/usr/bin/env bash
# Measures what the project promises to keep small, and fails beyond the limits that are counts.
#   budget.sh counts   generated lines per operation, crates in the dependency tree
#   budget.sh quick    these, and the CPU seconds of one check and one build
#   budget.sh          these, best of three, and of a release build too
set -euo pipefail
cd "$(dirname "$0")/.."
mode=${1:-all}
case $mode in
    all | quick | counts) ;;
    *)
        sed -n 's/^# \?//p; /^set/q' "$0" | tail -n +2
        [ "$mode" = --help ] || [ "$mode" = -h ] || { echo "budget: no such mode: $mode" >&2; exit 2; }
        exit
        ;;
esac
failed=0

# name, value, limit
limit() {
    printf '%-52s %8s  (limit %s)\n' "$1" "$2" "$3"
    if awk "BEGIN { exit !($2 > $3) }"; then
        echo "over the limit: $1" >&2
        failed=1
    fi
}

declare -A operations=([smc]=24 [smartag]=205 [apig]=216 [zstack]=2043) allowed=([smc]=75 [smartag]=60 [apig]=60 [zstack]=40)
total=0
for crate in smc smartag apig zstack; do
    lines=$(cat crates/$crate/src/generated/*.rs | wc -l)
    total=$((total + lines))
    limit "generated lines per operation, $crate" "$(awk "BEGIN { printf \"%.1f\", $lines / ${operations[$crate]} }")" "${allowed[$crate]}"
done
all=$((operations[smc] + operations[smartag] + operations[apig] + operations[zstack]))
limit "generated lines per operation, all" "$(awk "BEGIN { printf \"%.1f\", $total / $all }")" 40

# Crates that a client brings in: reqwest with rustls and ring, serde_json and tokio would be 80.
tree() { cargo tree -q -e normal,no-proc-macro --prefix none --target "$(rustc -vV | sed -n 's/host: //p')" "$@" | sed 's/ (.*//' | sort -u; }
for crate in smc apig zstack; do
    limit "crates in the tree, $crate" "$(tree -p "cumulo-$crate" | grep -vc '^cumulo')" 98
done

if [ "$mode" != counts ]; then
    runs=3
    [ "$mode" = quick ] && runs=1
    # CPU seconds of rustc for the crate alone, with all features: what it depends on is compiled before.
    cpu() {
        local best=
        cargo "$@" -q -p cumulo-core --features blocking,serde,zstack >/dev/null 2>&1
        for _ in $(seq "$runs"); do
            touch crates/zstack/src/lib.rs
            local spent
            spent=$( { TIMEFORMAT='%U %S'; time cargo "$@" -q -p cumulo-zstack --all-features >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }')
            if [ -z "$best" ] || awk "BEGIN { exit !($spent < $best) }"; then best=$spent; fi
        done
        awk "BEGIN { printf \"%.2f\", $best * 100 / ${operations[zstack]} }"
    }
    export CARGO_INCREMENTAL=0
    printf '%-52s %8s  (budget 1.2)\n' "CPU seconds per 100 operations, zstack, check" "$(cpu check)"
    printf '%-52s %8s  (budget 1.75)\n' "CPU seconds per 100 operations, zstack, build" "$(cpu build)"
    if [ "$mode" = all ]; then
        printf '%-52s %8s  (budget 1.6)\n' "CPU seconds per 100 operations, zstack, release" "$(cpu build --release)"
    fi
fi
exit $failed
