#!/bin/sh
# Builds the host device with sanitizers and runs its tests under them.
#
#     tests/sanitize/run.sh [BUILD_DIRECTORY]                     AddressSanitizer and UndefinedBehaviorSanitizer
#     SANITIZE=thread tests/sanitize/run.sh [BUILD_DIRECTORY]     ThreadSanitizer
#
# The directory is build/sanitize-... by default. PYTHON names the interpreter (default: python3), with the package's
# dependencies and the test extras. The package under test is the one built here, installed or not. Any finding ends the
# process it is in, and so the run, with a stack trace.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
sanitize=${SANITIZE:-address,undefined}
build=${1:-$root/build/sanitize-$sanitize}
python=${PYTHON:-python3}
compiler=${CXX:-c++}

mkdir -p "$build"
cmake -S "$root" -B "$build" -DACLQUANT_SANITIZE="$sanitize" -DCMAKE_BUILD_TYPE=Debug -DPython_EXECUTABLE="$(command -v "$python")" \
    -DCMAKE_INSTALL_PREFIX="$build/prefix" > "$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --parallel "$(nproc)" > "$build.log" 2>&1 || { cat "$build.log"; exit 1; }
# A separate package beside the build, so that neither an installed package nor the folder in the tree is used. Without the
# removal, CMake would keep a library copied from the tree in the same second in which it built its own.
rm -rf "$build/prefix"
mkdir "$build/prefix"
cp -r "$root/src/aclquant" "$build/prefix"
CMAKE_INSTALL_ALWAYS=1 cmake --install "$build" > "$build.log"
libraries=$build/prefix/aclquant/_toolkit/lib64

UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS TSAN_OPTIONS ASAN_OPTIONS

# Compiles a client, itself sanitized, and runs it: SOURCE STANDARD [COMPILER FLAG...] -- [ARGUMENT...]
client() {
    source=$1 standard=$2
    shift 2
    flags=
    while [ "$1" != -- ]; do
        flags="$flags $1"
        shift
    done
    shift
    case $source in
        *.c) compile=${CC:-cc} ;;
        *) compile=$compiler ;;
    esac
    # shellcheck disable=SC2086
    $compile "-std=$standard" -g "-fsanitize=$sanitize" -fno-sanitize=enum,vptr -fno-sanitize-recover=all \
        "$root/tests/c_clients/$source" $flags -o "$build/client" -I "$root/include" -L "$libraries" \
        -Wl,-rpath-link,"$libraries" -lascendcl -lnnopbase -lopapi -pthread
    LD_LIBRARY_PATH=$libraries "$build/client" "$@"
    echo "$source $*: clean"
}

# Many threads, and what unlucky programs do.
client threads.cpp c++20 -- 5
for what in settings unregister threads lateshape graphs; do
    client hostile.cpp c++20 -- "$what" 20
done
client exit.cpp c++20 --
if [ "$sanitize" = thread ]; then
    exit 0
fi

# C and C++ programs, with leak detection.
client client.c c11 --
client client.cpp c++20 --
client graph.cpp c++20 "-I$root/ascend_kernels/host" "$root/tests/c_clients/graph_error.cpp" -lge_runner --

# The tests of the C interface and the vectors. Python itself keeps memory until the end: no leak detection. The
# largest allocations are refused, as they are without the sanitizer.
runtime() { "$compiler" -print-file-name="$1"; }
cd "$build"
LD_PRELOAD="$(runtime libasan.so) $(runtime libubsan.so) $(runtime libstdc++.so)" \
    ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
    PYTHONPATH="$build/prefix" ACLQUANT_BACKEND=host PYTHONMALLOC=malloc \
    "$python" -m pytest -q -W error -p no:cacheprovider "$root/tests/runtime" "$root/tests/ops/test_vectors.py" \
    "$root/tests/ops/test_everyday.py" "$root/tests/python/test_plans.py"
