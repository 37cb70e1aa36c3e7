#!/usr/bin/env bash
# Drives the local cloud with the vendors' official Python SDKs.
#
#   tests/interop/run.sh
#
# Needs cargo, python3 (3.9 or later, with venv) and, on the first run, PyPI; see README.md.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}

target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
base=$target/interop
venv=$base/venv

say() { printf 'interop: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

work=
clouds=()
stop() {
  status=$?
  trap - EXIT
  trap '' INT TERM HUP
  kill "${clouds[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  for log in "$work"/*.log; do
    if [ "$status" -ne 0 ] && [ -s "$log" ]; then
      say "last lines of $(basename "$log"):"
      tail -n 20 "$log" >&2
    fi
  done
  [ -z "$work" ] || rm -rf "$work"
  exit "$status"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d)

# --- the SDKs, kept between runs ---------------------------------------------

command -v "$python" >/dev/null || die "no $python: install Python 3.9 or later, or name one in PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' ||
  die "$("$python" --version) is too old: 3.9 or later is needed; name another interpreter in PYTHON"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  die "this Python lacks venv or ensurepip (Debian and Ubuntu: apt-get install python3-venv)"

stamp=$("$python" -c 'import hashlib, sys
print(sys.version.split()[0], sys.base_prefix, hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$here/requirements.txt")
mkdir -p "$base"
# The lock belongs to file descriptor 9 of this shell, so it outlives the Python that takes it.
exec 9>"$base/lock"
"$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
if [ "$(cat "$venv/stamp" 2>/dev/null || true)" != "$stamp" ]; then
  log=$base/install.log
  rm -rf "$venv"
  { "$python" -m venv "$venv" &&
    "$venv/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input \
      -r "$here/requirements.txt"; } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "could not install the SDKs from PyPI into $venv"
  }
  printf '%s\n' "$stamp" >"$venv/stamp"
fi
exec 9>&-

# --- the local cloud, on ports that the system picks -------------------------

binary=${CUMULO:-}
if [ -z "$binary" ]; then
  cargo build --quiet --manifest-path "$root/Cargo.toml" --target-dir "$target" -p cumulo-cli >"$work/build.log" 2>&1 || {
    cat "$work/build.log" >&2
    die "could not build the cumulo command"
  }
  binary=$target/debug/cumulo
fi
# start NAME SAMPLES: writes where it listens to $work/NAME.json.
start() {
  : >"$work/$1.json"
  "$binary" local --json --samples "$2" >"$work/$1.json" 2>"$work/$1.log" </dev/null &
  clouds+=($!)
  tries=300
  until grep -q . "$work/$1.json"; do
    kill -0 "${clouds[-1]}" 2>/dev/null || die "the local cloud ended before it listened"
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || die "the local cloud does not listen after 30 seconds"
    sleep 0.1
  done
}
# Each call of the walk through the operations stands alone: nothing that it names was made before.
start forgetful always
# The walk through the rows of resources finds again what it made.
start keeping until-created

# --- the checks --------------------------------------------------------------

# No proxy of the caller's may stand between an SDK and loopback.
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
export no_proxy=$NO_PROXY

status=0
"$venv/bin/python" -B -E -s "$here/main.py" "$work/forgetful.json" "$work/keeping.json" || status=$?
kill -0 "${clouds[@]}" 2>/dev/null || die "the local cloud ended while it was being used"
exit "$status"
