#!/bin/sh
# Builds the host device with AddressSanitizer and UndefinedBehaviorSanitizer and runs its tests under them.
#
#     tests/sanitize/run.sh [BUILD_DIRECTORY]      (default: build/sanitize)
#
# PYTHON names the interpreter (default: python3), with the package's dependencies and the test extras. The package
# under test is the one built here, installed or not. Any finding ends the process it is in, and so the run, with a
# stack trace.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/sanitize}
python=${PYTHON:-python3}
compiler=${CXX:-c++}

mkdir -p "$build"
cmake -S "$root" -B "$build" -DACLQUANT_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug -DPython_EXECUTABLE="$(command -v "$python")" \
    -DCMAKE_INSTALL_PREFIX="$build/prefix" > "$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --parallel "$(nproc)" > "$build.log" 2>&1 || { cat "$build.log"; exit 1; }
# A package of its own beside the build: neither an installed one nor the folder in the tree, built or not, is meant. By
# itself, CMake would keep a library copied from the tree in the second in which it built its own.
rm -rf "$build/prefix"
mkdir "$build/prefix"
cp -r "$root/aclquant" "$build/prefix"
CMAKE_INSTALL_ALWAYS=1 cmake --install "$build" > "$build.log"
libraries=$build/prefix/aclquant/_lib

UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export UBSAN_OPTIONS

# C and C++ programs, themselves sanitized, with leak detection.
for source in client.c client.cpp graph.cpp; do
    more=
    case $source in
        *.c) compile="${CC:-cc} -std=c11" ;;
        graph.cpp) compile="$compiler -std=c++20 -I $root/ascend_kernels/host" more="$root/tests/c_clients/graph_error.cpp -lge_runner" ;;
        *) compile="$compiler -std=c++20" ;;
    esac
    # shellcheck disable=SC2086
    $compile -g -fsanitize=address,undefined -fno-sanitize=enum,vptr -fno-sanitize-recover=all "$root/tests/c_clients/$source" $more \
        -o "$build/client" -I "$root/include" -L "$libraries" -Wl,-rpath-link,"$libraries" -lascendcl -lnnopbase -lopapi
    LD_LIBRARY_PATH=$libraries ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 "$build/client"
    echo "$source: clean"
done

# The tests of the C interface and the vectors. Python itself keeps memory until the end: no leak detection. The
# largest allocations are refused, as they are without the sanitizer.
runtime() { "$compiler" -print-file-name="$1"; }
cd "$build"
LD_PRELOAD="$(runtime libasan.so) $(runtime libubsan.so) $(runtime libstdc++.so)" \
    ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
    PYTHONPATH="$build/prefix" ACLQUANT_BACKEND=host PYTHONMALLOC=malloc \
    "$python" -m pytest -q -W error -p no:cacheprovider "$root/tests/runtime" "$root/tests/ops/test_vectors.py" \
    "$root/tests/ops/test_everyday.py" "$root/tests/python/test_plans.py"
