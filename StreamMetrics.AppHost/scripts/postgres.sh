#!/usr/bin/env bash
# postgres.sh DATA_DIR PORT DATABASE: runs PostgreSQL on 127.0.0.1:PORT, with DATABASE there and everybody on this machine trusted as
# user postgres, until it is asked to stop (SIGTERM or SIGINT: fast shutdown). The first start creates DATA_DIR.
#
# PostgreSQL refuses to run as root. Started as root, this runs it as user postgres, or nobody where that does not exist; an ordinary
# user needs no root at all.
set -euo pipefail
[ $# -eq 3 ] || { echo "usage: postgres.sh DATA_DIR PORT DATABASE" >&2; exit 1; }
data="$1" port="$2" database="$3"
fail() { echo "error: $*" >&2; exit 1; }
case "$database" in *[!a-zA-Z0-9_]*|'') fail "DATABASE '$database' must be of letters, digits and _";; esac

# Debian keeps the server programs of each version apart from PATH; the newest is taken.
find_bin() {
  local found
  found="$(command -v postgres || true)"
  [ -n "$found" ] || found="$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -n 1)"
  [ -n "$found" ] || fail "PostgreSQL is missing: install it (Debian package postgresql)"
  dirname "$(readlink -f "$found")"
}
bin="$(find_bin)"

as=()                       # what runs a program as the unprivileged user
if [ "$(id -u)" = 0 ]; then
  user=nobody
  ! id postgres >/dev/null 2>&1 || user=postgres
  group="$(id -gn "$user")"
  command -v setpriv >/dev/null || fail "setpriv is missing, which it takes to leave root (Debian package util-linux)"
  as=(setpriv "--reuid=$user" "--regid=$group" --clear-groups --inh-caps=-all)
fi
run() { ${as[@]+"${as[@]}"} "$@"; }

mkdir -p "$data"
data="$(cd "$data" && pwd)"
if [ "$(id -u)" = 0 ]; then
  # A folder above may be closed to that user (/root is): nobody can work below it then.
  if ! run test -x "$data"; then
    short="/var/lib/streammetrics/$(printf %s "$data" | sha256sum | head -c 16)"
    echo "user $user cannot reach $data: the database is kept in $short instead"
    data="$short"
    mkdir -p "$data"
  fi
  chown -R "$user:$group" "$data"
  chmod 700 "$data"
fi

cd /                        # the current folder may be closed to that user as well
if [ ! -f "$data/PG_VERSION" ]; then
  problem="$(run "$bin/initdb" -D "$data" -U postgres -E UTF8 --no-locale --auth-local=reject --auth-host=trust --no-instructions 2>&1 >/dev/null)" ||
    { printf '%s\n' "$problem" >&2; fail "initdb could not create the database in $data (lines above)"; }
fi
found="$(cat "$data/PG_VERSION")" have="$("$bin/postgres" --version | sed 's/.* \([0-9]*\).*/\1/')"
[ "$found" = "${have%%.*}" ] || fail "the database in $data is of PostgreSQL $found, and $bin is version $have"

# Single-user mode needs no port; that the database exists already is the usual case and no error.
if ! printf "SELECT 1 FROM pg_database WHERE datname = '%s'\n" "$database" | run "$bin/postgres" --single -c log_checkpoints=off -D "$data" postgres 2>/dev/null | grep -q '= "1"'; then
  printf 'CREATE DATABASE "%s"\n' "$database" | run "$bin/postgres" --single -c log_checkpoints=off -D "$data" postgres >/dev/null
fi

# Not through run(): in the background that would be a shell of its own, and the signals below would end there.
${as[@]+"${as[@]}"} "$bin/postgres" -D "$data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c log_checkpoints=off -c shared_buffers=128MB -c max_connections=100 &
server=$!
# To PostgreSQL, SIGTERM means "wait until every client has left" and SIGINT "now, in order".
trap 'kill -INT "$server" 2>/dev/null || true' TERM INT HUP
code=0
wait "$server" || code=$?
while kill -0 "$server" 2>/dev/null; do code=0; wait "$server" || code=$?; done
exit "$code"
