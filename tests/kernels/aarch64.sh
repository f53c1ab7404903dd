#!/usr/bin/env bash
# Builds the host device for aarch64 and runs the programs of this folder under qemu-user.
#     aarch64.sh [BUILD_DIRECTORY]
# Installs the cross compiler and the emulator if they are missing and it may (as root, with apt-get).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/aarch64}
if ! { command -v aarch64-linux-gnu-g++ && command -v qemu-aarch64; } > /dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "needs aarch64-linux-gnu-g++ and qemu-aarch64 (Debian: g++-aarch64-linux-gnu, qemu-user)" >&2
    exit 77
  fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user > /dev/null
fi
cmake -S "$root" -B "$build" -DCMAKE_TOOLCHAIN_FILE="$root/cmake/aarch64.cmake" -DACLQUANT_TESTS=ON -DACLQUANT_WERROR=ON > "$build.log" 2>&1 \
  && cmake --build "$build" --parallel "$(nproc)" --target variants products > "$build.log" 2>&1 || { cat "$build.log"; exit 1; }
qemu-aarch64 -L /usr/aarch64-linux-gnu "$build/tests/kernels/variants" --sparse
qemu-aarch64 -L /usr/aarch64-linux-gnu "$build/tests/kernels/products"
