#!/usr/bin/env bash
# YARN gives GPUs to containers by version 1 of cgroups; Amazon Linux 2023 mounts version 2 alone.
set -euo pipefail

sudo mkdir -p /spark-rapids-cgroup/devices
sudo mount -t cgroup -o devices cgroupv1-devices /spark-rapids-cgroup/devices
# YARN's user, whose group is hadoop, makes a group for each container. All others may only look.
sudo chgrp -R hadoop /spark-rapids-cgroup
sudo chmod -R g+rwX,o-w /spark-rapids-cgroup
