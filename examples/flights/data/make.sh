#!/usr/bin/env bash
# Makes flights.jsonl.gz anew, from the npm package that carries the flights.
# Needs npm, tar and Go. The result is the same, byte for byte, on every run.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$work" && npm pack --silent vega-datasets@3.2.1 >/dev/null)
tar -xzf "$work/vega-datasets-3.2.1.tgz" -C "$work" package/data/flights-20k.json
go run ../internal/makedata "$work/package/data/flights-20k.json" flights.jsonl.gz
sha256sum flights.jsonl.gz
