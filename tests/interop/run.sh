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
cloud=
stop() {
  status=$?
  trap - EXIT
  trap '' INT TERM HUP
  [ -z "$cloud" ] || kill "$cloud" 2>/dev/null || true
  wait 2>/dev/null || true
  if [ "$status" -ne 0 ] && [ -s "$work/cloud.log" ]; then
    say "last lines of the local cloud:"
    tail -n 20 "$work/cloud.log" >&2
  fi
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
: >"$work/endpoints.json"
# Each call of the walk stands alone: nothing that it names was made before.
"$binary" local --json --samples always >"$work/endpoints.json" 2>"$work/cloud.log" </dev/null &
cloud=$!
tries=300
until grep -q . "$work/endpoints.json"; do
  kill -0 "$cloud" 2>/dev/null || die "the local cloud ended before it listened"
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || die "the local cloud does not listen after 30 seconds"
  sleep 0.1
done

# --- the checks --------------------------------------------------------------

# No proxy of the caller's may stand between an SDK and loopback.
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
export no_proxy=$NO_PROXY

status=0
"$venv/bin/python" -B -E -s "$here/main.py" "$work/endpoints.json" || status=$?
kill -0 "$cloud" 2>/dev/null || die "the local cloud ended while it was being used"
# It starts a cloud that keeps what is made.
"$venv/bin/python" -B -E -s "$here/huawei_invoke.py" "$binary" || status=$?
exit "$status"
