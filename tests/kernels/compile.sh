#!/usr/bin/env bash
# Compiles variants.cpp with the row kernels of the machine that a compiler makes programs for.
#   compile.sh <compiler> <output> [emulated]
# Emulated: those of AVX-512 in plain C++ (avx512_emulated/), for processors without it.
set -euo pipefail
compiler=$1 output=$2 emulated=${3:-}
root=$(cd "$(dirname "$0")/../.." && pwd)
host=$root/ascend_kernels/host
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# As in ascend_kernels/host/CMakeLists.txt.
flags=(-std=c++20 -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math "-I$host")
avx2=(-falign-loops=32 -mavx2 -mf16c -mfma)
avx512=("${avx2[@]}" -mavx512f -mavx512bw -mavx512vl -mavx512dq)

compile() { # <name> <source> [flags]
  "$compiler" "${flags[@]}" "${@:3}" -c "$2" -o "$work/$1.o" &
  jobs+=($!)
}
jobs=()
compile variants "$root/tests/kernels/variants.cpp" -Wall -Wextra -Werror
compile scalar "$host/simd/scalar.cpp"
supported=()
case $("$compiler" -dumpmachine)$emulated in
  x86_64*emulated)
    # Compiled in little time: nothing here is about speed.
    supported=("-D__builtin_cpu_supports(name)=true")
    compile avx2 "$host/simd/avx2.cpp" "${avx2[@]}" -O1 -DACLQ_INLINE=
    compile avx512 "$host/simd/avx512.cpp" "${avx2[@]}" -O1 -DACLQ_INLINE= "-I$root/tests/kernels/avx512_emulated" -Wno-psabi
    ;;
  x86_64*)
    compile avx2 "$host/simd/avx2.cpp" "${avx2[@]}"
    compile avx512 "$host/simd/avx512.cpp" "${avx512[@]}"
    ;;
  aarch64*) compile neon "$host/simd/neon.cpp" -falign-loops=32 ;;
esac
compile dispatch "$host/simd/dispatch.cpp" "${supported[@]}"
for job in "${jobs[@]}"; do wait "$job"; done
"$compiler" -static "$work"/*.o -o "$output"
