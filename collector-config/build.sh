#!/usr/bin/env bash
# Build the collector that builder.yaml describes, and print where it is.
#
# Needs Go. Built once for each builder.yaml: the next call only prints the path.
# XDG_CACHE_HOME says where it is kept, ~/.cache by default.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

release=$(awk '$1 == "version:" { print $2 }' builder.yaml)
digest=$(cksum <builder.yaml | cut -d ' ' -f 1)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/prs-otel/collector"
collector="$cache/otelcol-prs-$release-$digest"

if [[ ! -x $collector ]]; then
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/building.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  export CGO_ENABLED=0
  GOBIN="$work" go install "go.opentelemetry.io/collector/cmd/builder@v$release" >&2
  # Stripped of what only a debugger reads: half the size, and less to link.
  sed "s|^dist:|dist:\n  output_path: $work/source|" builder.yaml >"$work/builder.yaml"
  "$work/builder" --config="$work/builder.yaml" --ldflags='-s -w' >&2
  # Whole or not at all, also when two build at once.
  mv "$work/source/otelcol-prs" "$collector"
fi
echo "$collector"
