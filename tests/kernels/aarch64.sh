#!/usr/bin/env bash
# Compares the NEON kernels with the definition under qemu-user. Installs the cross compiler and the emulator if they
# are missing and it may (as root, with apt-get).
set -euo pipefail
cd "$(dirname "$0")"
if ! { command -v aarch64-linux-gnu-g++ && command -v qemu-aarch64; } > /dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "needs aarch64-linux-gnu-g++ and qemu-aarch64 (Debian: g++-aarch64-linux-gnu, qemu-user)" >&2
    exit 77
  fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user > /dev/null
fi
program=$(mktemp)
trap 'rm -f "$program"' EXIT
bash compile.sh aarch64-linux-gnu-g++ "$program"
qemu-aarch64 "$program" --sparse
