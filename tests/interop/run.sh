#!/usr/bin/env bash
# Drives the local cloud with the vendors' official Python SDKs, and with clients of other makers.
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
  [ "${#clouds[@]}" -eq 0 ] || kill "${clouds[@]}" 2>/dev/null || true
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

mkdir -p "$base"
# The lock belongs to file descriptor 9 of this shell, so it outlives the Python that takes it.
exec 9>"$base/lock"
"$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
environment() { # venv requirements
  local stamp log=$base/install.log
  stamp=$("$python" -c 'import hashlib, sys
print(sys.version.split()[0], sys.base_prefix, hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$2")
  [ "$(cat "$1/stamp" 2>/dev/null || true)" != "$stamp" ] || return 0
  rm -rf "$1"
  { "$python" -m venv "$1" &&
    "$1/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input -r "$2"; } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "could not install the clients from PyPI into $1"
  }
  printf '%s\n' "$stamp" >"$1/stamp"
}
environment "$venv" "$here/requirements.txt"
others=
if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  others=$base/others
  environment "$others" "$here/others.txt"
else
  say "skipped: OpenStack's command and otcextensions need Python 3.11 or later"
fi
node=
if command -v node >/dev/null && command -v npm >/dev/null; then
  node=$base/node
  mkdir -p "$node"
  if ! cmp -s "$here/package.json" "$node/package.json"; then
    rm -rf "$node/node_modules"
    cp "$here/package.json" "$node/wanted.json"
    (cd "$node" && cp wanted.json package.json &&
      npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts) >"$base/npm.log" 2>&1 || {
      rm -f "$node/package.json"
      tail -n 20 "$base/npm.log" >&2
      die "could not install Huawei Cloud's SDK for Node from npm into $node"
    }
  fi
else
  say "skipped: Huawei Cloud's SDK for Node needs node and npm"
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
serve() { # name options.. -> $work/NAME.json
  local name=$1 tries=300 cloud
  shift
  : >"$work/$name.json"
  "$binary" local --json "$@" >"$work/$name.json" 2>>"$work/cloud.log" </dev/null &
  cloud=$!
  clouds+=("$cloud")
  until grep -q . "$work/$name.json"; do
    kill -0 "$cloud" 2>/dev/null || die "the local cloud ended before it listened"
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || die "the local cloud does not listen after 30 seconds"
    sleep 0.1
  done
}
# Each call of the walk through the operations stands alone: nothing that it names was made before.
serve endpoints --samples always
# The walk through the rows of resources finds again what it made.
serve keeping
# What the others make is there afterwards, and nothing else.
serve others

# --- the checks --------------------------------------------------------------

# No proxy of the caller's may stand between an SDK and loopback.
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
export no_proxy=$NO_PROXY

status=0
"$venv/bin/python" -B -E -s "$here/main.py" "$work/endpoints.json" "$work/keeping.json" || status=$?
[ -z "$others" ] || "$others/bin/python" -B -E -s "$here/others.py" "$work/others.json" || status=$?
[ -z "$node" ] || node "$here/node.js" "$work/others.json" "$node/node_modules" || status=$?
# It starts a cloud that keeps what is made.
"$venv/bin/python" -B -E -s "$here/huawei_invoke.py" "$binary" || status=$?
kill -0 "${clouds[@]}" 2>/dev/null || die "a local cloud ended while it was being used"
exit "$status"
