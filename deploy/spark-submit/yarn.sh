#!/usr/bin/env bash
# Runs a command on YARN: yarn.sh train --model MODEL --data DATA --output OUTPUT. HADOOP_CONF_DIR names the cluster. Ends with the command's exit code
# in client mode; in cluster mode with 0 or 1.
# shellcheck source=preamble.sh
source "$(dirname "$0")/preamble.sh"

: "${HADOOP_CONF_DIR:=${YARN_CONF_DIR:-}}"
need HADOOP_CONF_DIR "the folder of the cluster's core-site.xml and yarn-site.xml"
export HADOOP_CONF_DIR
submit=$(spark spark-submit)
application=$(jar "$submit")
gather yarn
"$submit" --master yarn --deploy-mode "$QLORA_DEPLOY_MODE" --queue "$QLORA_QUEUE" --properties-file "$settings" "$application" "$@"
