#!/usr/bin/env bash
# YARN gives GPUs to containers by version 1 of cgroups; Amazon Linux 2023 mounts version 2 alone.
set -euo pipefail

sudo mkdir -p /spark-rapids-cgroup/devices
sudo mount -t cgroup -o devices cgroupv1-devices /spark-rapids-cgroup/devices
# YARN's user makes a group for each container.
sudo chmod a+rwx -R /spark-rapids-cgroup
