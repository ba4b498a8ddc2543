#!/usr/bin/env bash
# Prints the GPUs that this process may use, as Spark wants them of a discovery script: {"name": "gpu", "addresses": ["0", "1"]}.
set -euo pipefail

indexes=$(nvidia-smi --query-gpu=index --format=csv,noheader)
[ -n "$indexes" ] || { echo "Cannot find a GPU: nvidia-smi lists none" >&2; exit 1; }
addresses=$(printf '%s\n' "$indexes" | sed 's/.*/"&"/' | paste -sd, -)
printf '{"name": "gpu", "addresses": [%s]}\n' "$addresses"
