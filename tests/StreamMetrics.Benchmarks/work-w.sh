#!/usr/bin/env bash
# Work W on three real brokers: ours exactly once, ours at least once and, where it is there, Kafka Streams, in turns on the same topic.
# One line of JSON a run, then the medians and their ratios by events per CPU second.
#   tests/StreamMetrics.Benchmarks/work-w.sh [--events N=8000000] [--rounds N=3]
# Needs KAFKA_HOME (or ../shared/kafka beside the repository) and PEERS, a folder with kafka-streams/run.sh (or ../shared/peers), which
# writes the input as well. Data go to a new folder in TMPDIR and are removed at the end.
set -euo pipefail
here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
root="$(cd "$here/../.." && pwd)"
home="${KAFKA_HOME:-$root/../shared/kafka}" peer="${PEERS:-$root/../shared/peers}/kafka-streams/run.sh"
events=8000000 rounds=3 port=21092
while [ $# -gt 0 ]; do
  case "$1" in
    --events) events="$2"; shift 2 ;;
    --rounds) rounds="$2"; shift 2 ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 1 ;;
  esac
done
[ -x "$home/bin/kafka-server-start.sh" ] || { echo "error: no Apache Kafka in $home (set KAFKA_HOME)" >&2; exit 1; }
[ -x "$peer" ] || { echo "error: no $peer (set PEERS)" >&2; exit 1; }

dotnet build "$here" -c Release -v q -nologo >&2
folder="$(mktemp -d)" pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
servers=""
for n in 1 2 3; do
  "$root/StreamMetrics.AppHost/scripts/kafka-broker.sh" "$home" "$folder/$n" "$n" 3 "$port" $((port + 10)) >&2 &
  pids+=($!)
  servers+="${servers:+,}127.0.0.1:$((port + n - 1))"
done

peer() { KS_SCRATCH="$folder" "$peer" --bootstrap "$servers" --events "$events" "$@"; }
ours() { dotnet "$here/bin/Release/net10.0/StreamMetrics.Benchmarks.dll" aggregator --bootstrap "$servers" --events "$events" --mode "$1"; }
until "$home/bin/kafka-broker-api-versions.sh" --bootstrap-server "$servers" 2>/dev/null | grep -q 'id: 3 '; do sleep 1; done
peer --restamp --preload-only >&2
for round in $(seq "$rounds"); do
  echo "round $round, load $(cut -d' ' -f1-3 /proc/loadavg)" >&2
  ours eos | tee -a "$folder/eos"
  ours alo | tee -a "$folder/alo"
  peer --reuse-input --mode eos | tee -a "$folder/peer"
done

median() { sed -n 's/.*"eventsPerCpuSecond": *\([0-9]*\).*/\1/p' "$folder/$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
awk -v eos="$(median eos)" -v alo="$(median alo)" -v peer="$(median peer)" 'BEGIN {
  printf "median events per CPU second: exactly once %d, at least once %d, Kafka Streams exactly once %d\n", eos, alo, peer
  printf "exactly once is %.2f x Kafka Streams and costs %.1f %% against at least once\n", eos / peer, 100 * (1 - eos / alo) }'
