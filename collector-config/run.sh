#!/usr/bin/env bash
# Start the whole set on this machine, without Docker: agent, gateway, Prometheus, Alertmanager.
#
#   run.sh RULES INHIBITION     as `manage_monitoring export-rules` has written them
#
# Needs Go (for what build.sh builds) and Alertmanager on the PATH. Everything listens on 127.0.0.1
# only, keeps its data in collector-config/.state, and ends with Ctrl-C.
# WEBHOOK_URL and WEBHOOK_SECRET say where Alertmanager tells the application what fires.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ $# -eq 2 ]] || { sed -n 's/^# \{0,1\}//p' "$here/run.sh" >&2; exit 2; }
rules=$(realpath "$1") inhibition=$(realpath "$2")
cd "$here"

collector=$(./build.sh collector)
prometheus=$(./build.sh prometheus)
alertmanager=$(command -v prometheus-alertmanager || command -v alertmanager)

state="$PWD/.state"
mkdir -p "$state"
cp "$rules" "$state/rules.yml"
cp prometheus.yml "$state/prometheus.yml"
cat alertmanager.yml "$inhibition" |
  sed "s|http://127.0.0.1:8000/api/alerting/webhook/|${WEBHOOK_URL:-&}|" >"$state/alertmanager.yml"
printf '%s' "${WEBHOOK_SECRET:-}" >"$state/webhook-secret"
chmod 600 "$state/webhook-secret"

trap 'trap - EXIT; kill $(jobs -p) 2>/dev/null; wait' EXIT
export AGENT_QUEUE="$state/agent"

start() { # a name, then its command
  "${@:2}" >"$state/$1.log" 2>&1 &
  printf '%-14s %s\n' "$1" "$state/$1.log"
}
start gateway "$collector" --config=gateway.yaml
start agent "$collector" --config=agent.yaml
start prometheus "$prometheus" --config.file="$state/prometheus.yml" \
  --storage.tsdb.path="$state/prometheus" --web.listen-address=127.0.0.1:9090
start alertmanager "$alertmanager" --config.file="$state/alertmanager.yml" \
  --storage.path="$state/alertmanager" --cluster.listen-address= --web.listen-address=127.0.0.1:9093
cat <<'TEXT'

OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 sends an application's telemetry here.
Prometheus answers at http://127.0.0.1:9090, Alertmanager at http://127.0.0.1:9093.
TEXT
# One that ends takes all with it: a set with a hole tells nobody what it misses.
wait -n
echo "One of them has ended; its log says why." >&2
exit 1
