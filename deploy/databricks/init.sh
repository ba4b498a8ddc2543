#!/usr/bin/env bash
# Runs on every node before Spark starts. Volumes are mounted by then for a cluster of one user.
set -euo pipefail

cp "$SPARK_QLORA_JAR" /databricks/jars/spark-qlora.jar
