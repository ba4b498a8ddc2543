#!/usr/bin/env bash
# Runs a command on Spark's own cluster manager: standalone.sh train --model MODEL --data DATA --output OUTPUT. Ends with the command's exit code.
# shellcheck source=preamble.sh
source "$(dirname "$0")/preamble.sh"

need QLORA_MASTER 'spark://HOST:PORT'
submit=$(spark spark-submit)
application=$(jar "$submit")
gather standalone
put_secret
"$submit" --master "$QLORA_MASTER" --properties-file "$settings" "$application" "$@"
