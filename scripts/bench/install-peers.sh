#!/bin/sh
# Installs what the benchmark measures beside mydocker, on Debian, as root. No service is started: the benchmark starts what it needs.
set -eu

PACKAGES='docker.io podman containerd runc bubblewrap skopeo umoci docker-registry busybox-static pigz curl tar btrfs-progs'
POLICY=/usr/sbin/policy-rc.d # its exit code 101 forbids packages to start their services: see invoke-rc.d(8)

if [ ! -e "$POLICY" ]; then
  trap 'rm -f "$POLICY"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
for package in $PACKAGES; do # one by one: what a distribution lacks is left out
  apt-get install -qq -y --no-install-recommends "$package" >/dev/null || echo "not installed: $package" >&2
done
