#!/usr/bin/env bash
# kafka-broker.sh KAFKA_HOME DATA_DIR NODE_ID NODES BASE_PORT CONTROLLER_BASE_PORT
# Runs broker NODE_ID (from 1) of a KRaft cluster of NODES combined brokers and controllers on 127.0.0.1: broker n listens on
# BASE_PORT+n-1, its controller on CONTROLLER_BASE_PORT+n-1. The first start formats DATA_DIR; all nodes derive the same cluster id
# from the ports. SIGTERM stops it in order. What the broker logs goes to DATA_DIR/server.log.
set -euo pipefail
[ $# -eq 6 ] || { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 1; }
home="$1" data="$2" id="$3" nodes="$4" base="$5" controllers="$6"
fail() { echo "error: $*" >&2; exit 1; }

[ -x "$home/bin/kafka-server-start.sh" ] || fail "KAFKA_HOME=$home is no Apache Kafka distribution: bin/kafka-server-start.sh is missing there"
java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
command -v "$java" >/dev/null || fail "Java is missing: Kafka needs 17 or newer (Debian package default-jre-headless)"

mkdir -p "$data"
data="$(cd "$data" && pwd)"
log="$data/server.log"
properties="$data/server.properties"
voters="" replicas=$(( nodes < 3 ? nodes : 3 ))
for n in $(seq "$nodes"); do voters+="${voters:+,}$n@127.0.0.1:$((controllers + n - 1))"; done

cat >"$properties" <<P
process.roles=broker,controller
node.id=$id
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:$((base + id - 1)),CONTROLLER://127.0.0.1:$((controllers + id - 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$((base + id - 1))
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$data/log
auto.create.topics.enable=false
num.partitions=1
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=6
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$(( replicas < 3 ? 1 : 2 ))
transaction.state.log.num.partitions=6
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
controlled.shutdown.enable=true
P

# A cluster id is 16 bytes in URL-safe base64: the nodes agree on it without talking, since it follows from what they share.
cluster_id="$(printf 'streammetrics-%05d' "$controllers" | head -c 16 | base64 | tr '+/' '-_' | tr -d '=')"
[ -f "$data/log/meta.properties" ] || "$home/bin/kafka-storage.sh" format -t "$cluster_id" -c "$properties" >>"$log" 2>&1 ||
  { tail -n 5 "$log" >&2; fail "the data folder $data could not be formatted (lines above)"; }

# A small heap: three brokers share the machine with everything else.
export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xmx512m -Xms256m}" LOG_DIR="$data/logs"
echo "broker $id on 127.0.0.1:$((base + id - 1)), log in $log"
exec "$home/bin/kafka-server-start.sh" "$properties" >>"$log" 2>&1
