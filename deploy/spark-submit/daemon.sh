#!/usr/bin/env bash
# Runs a master or a worker of Spark's own cluster manager, with authentication and encryption, in the foreground, as a service manager wants it:
# daemon.sh master --host HOST, daemon.sh worker spark://HOST:7077. With QLORA_GPU=1 the worker offers its GPUs.
# shellcheck source=preamble.sh
source "$(dirname "$0")/preamble.sh"

case "${1:-}" in
  master) class=org.apache.spark.deploy.master.Master ;;
  worker) class=org.apache.spark.deploy.worker.Worker ;;
  *) refuse "Cannot start '${1:-}': expected master or worker." ;;
esac
shift

program=$(spark spark-class)
gather standalone-daemon
put_secret
"$program" "$class" --properties-file "$settings" "$@" &
daemon=$!
trap 'kill "$daemon"' TERM INT
# A signal ends the first wait; the second one gets the exit code.
wait "$daemon" || wait "$daemon"
