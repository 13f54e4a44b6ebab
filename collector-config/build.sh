#!/usr/bin/env bash
# Build a program that Debian does not have, and print where it is.
#
#   build.sh collector     the OpenTelemetry Collector that builder.yaml describes
#   build.sh prometheus    Prometheus 3, which takes metrics over OTLP
#
# Needs Go. Built once for each release: the next call only prints the path. With --find before
# the name nothing is built, and what is not there yet is an error.
# XDG_CACHE_HOME says where it is kept, ~/.cache by default.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

prometheus_release=0.316.0 # 3.16.0, as the Go module is called

build_collector() {
  local release
  release=$(awk '$1 == "version:" { print $2 }' builder.yaml)
  GOBIN="$work" go install "go.opentelemetry.io/collector/cmd/builder@v$release"
  sed "s|^dist:|dist:\n  output_path: $work/source|" builder.yaml >"$work/builder.yaml"
  # Stripped of what only a debugger reads: half the size, and less to link.
  "$work/builder" --config="$work/builder.yaml" --ldflags='-s -w'
  mv "$work/source/otelcol-prs" "$work/program"
}

build_prometheus() {
  local package=github.com/prometheus/prometheus/cmd/prometheus
  cd "$work"
  # Not `go install`, which refuses a module that replaces others.
  go mod init built
  printf '//go:build tools\n\npackage tools\n\nimport _ "%s"\n' "$package" >tools.go
  go get "$package@v$prometheus_release"
  # Without the clouds whose hosts it could discover.
  go build -tags 'remove_all_sd netgo' -ldflags '-s -w' -o program "$package"
}

build=true
[[ ${1:-} == --find ]] && build=false && shift
case ${1:-} in
collector) name=otelcol-prs-$(cksum <builder.yaml | cut -d ' ' -f 1) ;;
prometheus) name=prometheus-$prometheus_release ;;
*) sed -n 's/^# \{0,1\}//p' build.sh | tail -n +2 >&2 && exit 2 ;;
esac

cache="${XDG_CACHE_HOME:-$HOME/.cache}/prs-otel"
if [[ ! -x $cache/$name ]]; then
  $build || exit 1
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/building.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  CGO_ENABLED=0
  export CGO_ENABLED
  ("build_$1") >&2
  # Whole or not at all, also when two build at once.
  mv "$work/program" "$cache/$name"
fi
echo "$cache/$name"
