#!/bin/sh
# Installs what the tests use beside Node and npm: Debian packages, and the two ordinary users of the rootless tests.
# Run it as root on Debian or a derivative. It can be run again: what is there stays as it is.
set -eu

# program or file that tells whether it is there | package
NEEDED='
/bin/busybox|busybox-static
docker-registry|docker-registry
skopeo|skopeo
umoci|umoci
mmdebstrap|mmdebstrap
strace|strace
tmux|tmux
newuidmap|uidmap
openssl|openssl
zstd|zstd
setfattr|attr
setcap|libcap2-bin
as|binutils
aarch64-linux-gnu-as|binutils-aarch64-linux-gnu
qemu-aarch64-static|qemu-user-static
cc|gcc
/usr/include/stdio.h|libc6-dev
bsdtar|libarchive-tools
python3|python3
script|bsdutils
faketime|faketime
runc|runc
crun|crun
pasta|passt
slirp4netns|slirp4netns
ip|iproute2
'
USER_WITH_RANGE=mydocker-subid
USER_WITHOUT_RANGE=mydocker-plain

main() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "install-test-deps: run this as root, it installs packages and makes users" >&2
    exit 1
  fi
  install_missing
  make_users
}

install_missing() {
  missing=''
  for line in $NEEDED; do
    command -v "${line%%|*}" >/dev/null 2>&1 || missing="$missing ${line##*|}"
  done
  # The dynamic busybox has the same path, but cannot run alone in an image.
  dpkg-query -W -f '${Status}' busybox-static 2>/dev/null | grep -q 'ok installed' || missing="$missing busybox-static"
  [ -n "$missing" ] || return 0

  if ! command -v apt-get >/dev/null 2>&1; then
    echo "install-test-deps: no apt-get here; install by hand:$missing" >&2
    exit 1
  fi
  echo "install-test-deps: installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update
  # shellcheck disable=SC2086 # a list of names on purpose
  quietly apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing
  case $missing in *docker-registry*) stop_registry_service ;; esac
}

# Debian's docker-registry starts itself where systemd runs; the tests start their own on ports of their choice.
stop_registry_service() {
  if [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; then
    systemctl disable --now docker-registry.service >/dev/null 2>&1 || true
  fi
}

make_users() {
  # useradd gives out subordinate ids only where these files exist.
  touch /etc/subuid /etc/subgid
  for user in "$USER_WITH_RANGE" "$USER_WITHOUT_RANGE"; do
    id "$user" >/dev/null 2>&1 || useradd --create-home --user-group --shell /bin/sh "$user"
  done
  if ! grep -q "^$USER_WITH_RANGE:" /etc/subuid || ! grep -q "^$USER_WITH_RANGE:" /etc/subgid; then
    usermod --add-subuids 1000000000-1000065535 --add-subgids 1000000000-1000065535 "$USER_WITH_RANGE"
  fi
  sed -i "/^$USER_WITHOUT_RANGE:/d" /etc/subuid /etc/subgid
}

# Runs a command; its output is shown only where it fails.
quietly() {
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    echo "install-test-deps: failed: $*" >&2
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
}

main "$@"
