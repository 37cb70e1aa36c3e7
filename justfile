# What people do here. `just` without a name lists it; each recipe is a line or two that runs by itself too.

[private]
default:
    @just --list

# the gate, as CI runs it
gate:
    .ci/run

# all tests; or of one crate, and those of a name: `just test tests retries`
test crate="" *filter:
    cargo test {{ if crate == "" { "--workspace" } else { "-p cumulo-" + crate } }} {{ filter }}

# formats, lints and tests one crate: `just check smc`
check crate:
    cargo fmt -p cumulo-{{ crate }}
    cargo clippy -p cumulo-{{ crate }} --all-targets -- -D warnings
    cargo test -p cumulo-{{ crate }}

# writes the generated code from models/
regenerate:
    cargo run -p cumulo-codegen

# compiles every ZStack group alone; `just features sample` a few of them
features which="all":
    scripts/features.sh {{ which }}

# lines, dependencies and compile cost against their limits; `quick` and `counts` for less
budget mode="all":
    scripts/budget.sh {{ mode }}

# instructions and allocations of each kind of call against bench/counts.txt; `--record` writes it
counts *args:
    scripts/counts.sh {{ args }}

# one table of all contenders, others' clients too: `just bench --markdown`
bench *args:
    bench/run.py {{ args }}

# fuzzes what reads other people's bytes: `just fuzz 100000 yaml`
fuzz count="100000" *targets:
    scripts/fuzz.sh {{ count }} {{ targets }}

# the vendors' own SDKs against the local cloud
interop:
    tests/interop/run.sh

# the tests of logins against a real Keystone
keystone:
    tests/keystone/run.sh

# the local cloud as a process; Ctrl-C ends it
local *args:
    cargo run -q -p cumulo-cli -- local {{ args }}

# the crates' documentation as docs.rs shows it
docs *args:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features {{ args }}

# packs every published crate and builds it from its package
package *args:
    scripts/package.sh {{ args }}

# takes the texts of today as snapshots, and shows what changed
snapshots:
    INSTA_UPDATE=always cargo test -q -p cumulo-tests --test it snapshots
    INSTA_UPDATE=always cargo test -q -p cumulo-cli --test it help
    git diff --stat -p -- '*.snap'
    git status --short -- '*.snap'
