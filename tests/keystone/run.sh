#!/usr/bin/env bash
# Runs a command beside a real OpenStack Keystone on loopback, then removes it.
#
#   tests/keystone/run.sh [command...]
#
# Needs python3 (3.11 or later, with venv) and PyPI; see README.md beside this
# file for what the command finds in its environment.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
token_seconds=${KEYSTONE_TOKEN_SECONDS:-3600}
short_seconds=${KEYSTONE_SHORT_TOKEN_SECONDS:-0}
apigv2_url=${KEYSTONE_APIGV2_URL:-}

target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
base=$target/keystone
venv=$base/venv

say() { printf 'keystone: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

work=
servers=()
child=
stop() {
  status=$?
  trap - EXIT
  trap '' INT TERM HUP
  [ -z "$child" ] || kill "$child" 2>/dev/null || true
  for pid in "${servers[@]:-}"; do
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  if [ "$status" -ne 0 ] && [ -n "$work" ]; then
    for log in "$work"/*.log; do
      [ -s "$log" ] || continue
      say "last lines of $(basename "$log"):"
      tail -n 30 "$log" >&2
    done
  fi
  [ -z "$work" ] || rm -rf "$work"
  exit "$status"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- the virtual environment, kept between runs ------------------------------

command -v "$python" >/dev/null || die "no $python: install Python 3.11 or later, or name one in PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  die "$("$python" --version) is too old: Keystone needs 3.11 or later; name another interpreter in PYTHON"
"$python" -c 'import ensurepip, sqlite3, venv' 2>/dev/null ||
  die "this Python lacks venv, ensurepip or sqlite3 (Debian and Ubuntu: apt-get install python3-venv)"

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
    die "could not install Keystone from PyPI into $venv"
  }
  printf '%s\n' "$stamp" >"$venv/stamp"
fi
exec 9>&-

# --- configuration and database, new each time -------------------------------

work=$(mktemp -d)
mkdir -m 700 "$work/fernet" "$work/credential"
# Four rounds of bcrypt and no fsync: this database lives for one test run.
cat >"$work/keystone.conf" <<CONF
[DEFAULT]
use_stderr = false
[database]
connection = sqlite:///$work/keystone.db
sqlite_synchronous = false
[auth]
methods = password,token,totp,application_credential
[token]
provider = fernet
[fernet_tokens]
key_repository = $work/fernet
[fernet_receipts]
key_repository = $work/fernet
[credential]
key_repository = $work/credential
[identity]
password_hash_rounds = 4
[cache]
enabled = false
CONF
# One overlay per process: its log, and how long the tokens live that it issues.
overlay() { # name seconds
  printf '[DEFAULT]\nlog_file = %s\n[token]\nexpiration = %s\n' "$work/$1.log" "$2" >"$work/$1.conf"
}
overlay setup 3600
# Only the process that fills the database may cache: what one server revokes, the other must see.
printf '[cache]\nenabled = true\nbackend = dogpile.cache.memory\n' >>"$work/setup.conf"
overlay server "$token_seconds"
overlay short "$short_seconds"

py() { "$venv/bin/python" -I -W ignore "$@"; }
manage() {
  py -c 'from keystone.cmd.manage import main; main()' \
    --config-file "$work/keystone.conf" --config-file "$work/setup.conf" "$@" >>"$work/setup.out.log" 2>&1 ||
    die "keystone-manage $1 failed"
}
OS_BOOTSTRAP_PASSWORD=$(py -c 'import secrets; print(secrets.token_urlsafe(18))')
export OS_BOOTSTRAP_PASSWORD
owner=(--keystone-user "$(id -un)" --keystone-group "$(id -gn)")
manage db_sync
manage fernet_setup "${owner[@]}"
manage credential_setup "${owner[@]}"
manage bootstrap

# --- servers, each on a port that the system picks ---------------------------

start() { # name command...
  local name=$1
  shift
  # exec, so that the id kept is Python's own and not that of a subshell around it.
  (
    export OS_KEYSTONE_CONFIG_FILES="$work/keystone.conf;$work/$name.conf"
    exec "$venv/bin/python" -I -W ignore "$@" "$work/$name.port"
  ) >>"$work/$name.out.log" 2>&1 </dev/null &
  servers+=("$!")
}
port() { # name pid -> sets $address once the server listens
  local tries=600
  until [ -s "$work/$1.port" ]; do
    kill -0 "$2" 2>/dev/null || die "the process $1 ended before it listened"
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || die "the process $1 does not listen after a minute"
    sleep 0.1
  done
  address=http://127.0.0.1:$(cat "$work/$1.port")
}
start server "$here/serve.py"
start short "$here/serve.py"
port server "${servers[0]}"
export CUMULO_KEYSTONE_URL=$address/v3
port short "${servers[1]}"
export CUMULO_KEYSTONE_SHORT_URL=$address/v3
start gateway "$here/gateway.py" "$CUMULO_KEYSTONE_URL"
port gateway "${servers[2]}"
export CUMULO_KEYSTONE_GATEWAY_URL=$address
export CUMULO_KEYSTONE_APIGV2_URL=${apigv2_url:-$address}
export CUMULO_KEYSTONE_TOKEN_SECONDS=$token_seconds
export CUMULO_KEYSTONE_SHORT_TOKEN_SECONDS=$short_seconds

OS_KEYSTONE_CONFIG_FILES="$work/keystone.conf;$work/setup.conf" \
  py "$here/seed.py" >"$work/environment" 2>>"$work/setup.out.log" || die "could not fill Keystone"
# shellcheck source=/dev/null
. "$work/environment"
unset OS_BOOTSTRAP_PASSWORD
# From here on a failure is the command's or the servers': their logs are the ones to show.
rm -f "$work"/setup*.log

# --- the command -------------------------------------------------------------

# No proxy of the caller's may stand between the command and loopback.
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
export no_proxy=$NO_PROXY

if [ "$#" -eq 0 ]; then
  cd "$root"
  set -- cargo test -p cumulo-tests --features keystone --test keystone
fi
# In the background, so that a signal to this script ends the command at once.
"$@" <&0 &
child=$!
status=0
wait "$child" || status=$?
child=
exit "$status"
