# shellcheck shell=bash
# What the scripts here are told. Fill in what your cluster needs, or set the same names in the environment, which counts before this file.

# Spark's distribution, 3.5 with Scala 2.12 (4.0 with Scala 2.13 for spark-qlora-spark4.jar); where it is empty, the spark-submit on the PATH.
: "${SPARK_HOME:=}"
# The jar; by default the one for that Spark beside deploy/ or in target/.
: "${QLORA_JAR:=}"
# A properties file to be put after the one of spark-conf/, such as the output of plan --spark-conf.
: "${QLORA_CONF:=}"
# 1 puts the file for GPUs after the one of the cluster.
: "${QLORA_GPU:=0}"

# standalone.sh
: "${QLORA_MASTER:=}"           # spark://HOST:7077
: "${QLORA_SECRET_FILE:=}"      # the cluster's secret, in a file that only you can read

# yarn.sh
: "${QLORA_DEPLOY_MODE:=client}" # cluster: the driver runs in YARN, and its exit code is lost there
: "${QLORA_QUEUE:=default}"

# kubernetes.sh
: "${QLORA_KUBERNETES:=}"       # https://HOST:6443
: "${QLORA_IMAGE:=}"            # made from deploy/kubernetes
: "${QLORA_NAMESPACE:=default}"
: "${QLORA_SERVICE_ACCOUNT:=}"  # may create, list and delete pods in that namespace
