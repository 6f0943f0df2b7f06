#!/usr/bin/env bash
# redis.sh DATA_DIR PORT: runs Redis on 127.0.0.1:PORT until it is asked to stop (SIGTERM). The data only speed things up and may be
# lost: a snapshot now and then, no append-only file.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: redis.sh DATA_DIR PORT" >&2; exit 1; }
data="$1" port="$2"
command -v redis-server >/dev/null || { echo "error: redis-server is missing: install it (Debian package redis-server)" >&2; exit 1; }
mkdir -p "$data"
data="$(cd "$data" && pwd)"
exec redis-server --port "$port" --bind 127.0.0.1 --protected-mode yes --daemonize no --dir "$data" \
  --appendonly no --save 300 1 --loglevel warning --stop-writes-on-bgsave-error no
