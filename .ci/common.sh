# Shared by the scripts of this folder: a working folder that goes away, and steps with names and times.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
work=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$work"' EXIT
if command -v ccache > /dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

step() { printf '\n=== %s (at %d s)\n' "$*" "$SECONDS"; }

# environment NAME [PACKAGE]...: a fresh virtual environment "$work/NAME" with these packages.
environment() {
  python3 -m venv "$work/$1"
  "$work/$1/bin/pip" install --quiet --upgrade pip
  if [ $# -gt 1 ]; then
    "$work/$1/bin/pip" install --quiet "${@:2}"
  fi
}

# build_wheel: the wheel as users build it, with warnings as errors and the C++ test programs beside it.
build_wheel() {
  "$work/venv/bin/pip" wheel --quiet --no-deps --wheel-dir "$work/dist" \
    -C cmake.define.ACLQUANT_WERROR=ON -C cmake.define.ACLQUANT_TESTS=ON -C build-dir="$work/build" .
  wheel=$(echo "$work"/dist/aclquant-*.whl)
  export KERNEL_TESTS_BUILD=$work/build
}

# tests_elsewhere: a copy of the tests and of the pages they read, so that a checkout cannot stand in for the installed package.
tests_elsewhere() {
  mkdir "$work/elsewhere"
  cp -r "$root/tests" "$root/docs" "$root/pyproject.toml" "$work/elsewhere"
}
