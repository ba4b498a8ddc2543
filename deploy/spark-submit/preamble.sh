# shellcheck shell=bash
# What the scripts of this folder share; each begins with it.
set -euo pipefail

readonly BAD_CONFIGURATION=64 # as the program itself ends: not to be retried
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
conf=$root/spark-conf
# shellcheck source=names.sh
source "$here/names.sh"

refuse() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit "$BAD_CONFIGURATION"
}

# need NAME WHAT: refuses where the variable NAME is empty.
need() {
  [ -n "${!1}" ] || refuse "Cannot submit: expected $1 ($2), found nothing. Set it in deploy/spark-submit/names.sh or in the environment."
}

# is_spark4 SPARK_SUBMIT: whether it is of Spark 4, as far as its jars lie where Apache's distribution has them.
is_spark4() {
  compgen -G "$(dirname "$(readlink -f "$1")")/../jars/spark-core_2.13-4.*.jar" >/dev/null
}

# jar SPARK_SUBMIT: the one that QLORA_JAR names, or that of its line of Spark, beside deploy/ or where Maven makes it. The program refuses a wrong one.
jar() {
  local file
  local candidates=("$root/spark-qlora.jar" "$root/target/spark-qlora.jar")
  local of_spark4=("$root/spark-qlora-spark4.jar" "$root/target/spark4/spark-qlora-spark4.jar")
  if is_spark4 "$1"; then
    candidates=("${of_spark4[@]}" "${candidates[@]}")
  else
    candidates+=("${of_spark4[@]}")
  fi
  for file in "$QLORA_JAR" "${candidates[@]}"; do
    if [ -f "$file" ]; then
      printf '%s\n' "$file"
      return
    fi
  done
  refuse "Cannot find the jar: expected it at QLORA_JAR or at one of ${candidates[*]}."
}

# spark PROGRAM: where it is.
spark() {
  if [ -n "$SPARK_HOME" ]; then
    printf '%s/bin/%s\n' "$SPARK_HOME" "$1"
  else
    command -v "$1" || refuse "Cannot find $1: expected SPARK_HOME, or $1 on the PATH."
  fi
}

# put FILE: appends it to the settings.
put() {
  [ -r "$1" ] || refuse "Cannot read $1."
  { cat "$1"; printf '\n'; } >>"$settings"
}

# put_secret: appends the secret of a standalone cluster. A command line would show it to all users of this host.
put_secret() {
  need QLORA_SECRET_FILE "a file with the cluster's secret"
  [ -s "$QLORA_SECRET_FILE" ] || refuse "Cannot read a secret: $QLORA_SECRET_FILE is empty or missing."
  [ -z "$(find -L "$QLORA_SECRET_FILE" -perm /077)" ] || refuse "Cannot use $QLORA_SECRET_FILE: others may read it. chmod 600 it."
  printf 'spark.authenticate.secret %s\n' "$(cat "$QLORA_SECRET_FILE")" >>"$settings"
}

# gather NAME: settings become the cluster's own defaults, the file NAME, the one for GPUs and the user's; of two values the later counts. A
# properties file hides spark-defaults.conf from spark-submit, and there a cluster keeps paths that it cannot do without.
gather() {
  settings=$(umask 077 && mktemp "${TMPDIR:-/tmp}/spark-qlora-conf.XXXXXX")
  trap 'rm -f "$settings"' EXIT
  local defaults=${SPARK_CONF_DIR:-${SPARK_HOME:+$SPARK_HOME/conf}}/spark-defaults.conf
  if [ -r "$defaults" ]; then put "$defaults"; fi
  put "$conf/$1.conf"
  if [ "$QLORA_GPU" = 1 ]; then put "$conf/$1-gpu.conf"; fi
  if [ -n "$QLORA_CONF" ]; then put "$QLORA_CONF"; fi
}
