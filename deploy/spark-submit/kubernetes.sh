#!/usr/bin/env bash
# Runs a command on Kubernetes: kubernetes.sh train --model MODEL --data DATA --output OUTPUT, with the driver in the cluster. Wants kubectl, as
# spark-submit ends with 0 whatever the driver ended with; this script ends with the driver's own exit code.
# shellcheck source=preamble.sh
source "$(dirname "$0")/preamble.sh"

need QLORA_KUBERNETES 'https://HOST:PORT of the API server'
need QLORA_IMAGE 'image with Spark and the jar'
need QLORA_SERVICE_ACCOUNT 'service account of the driver'
command -v kubectl >/dev/null || refuse 'Cannot find kubectl on the PATH.'
submit=$(spark spark-submit)
gather kubernetes
run=$(date +%s)-$$
"$submit" --master "k8s://$QLORA_KUBERNETES" --deploy-mode cluster --properties-file "$settings" \
  --name spark-qlora --class org.sparkqlora.cli.Main \
  --conf "spark.kubernetes.container.image=$QLORA_IMAGE" \
  --conf "spark.kubernetes.namespace=$QLORA_NAMESPACE" \
  --conf "spark.kubernetes.authenticate.driver.serviceAccountName=$QLORA_SERVICE_ACCOUNT" \
  --conf "spark.kubernetes.driver.label.spark-qlora-run=$run" \
  "${QLORA_IMAGE_JAR:-local:///opt/spark-qlora/spark-qlora.jar}" "$@"

code=$(kubectl --namespace "$QLORA_NAMESPACE" get pods --selector "spark-qlora-run=$run" \
  --output 'jsonpath={.items[0].status.containerStatuses[0].state.terminated.exitCode}')
[ -n "$code" ] || { echo "Failed to read the driver's exit code: its pod is gone" >&2; exit 75; }
exit "$code"
