#!/usr/bin/env bash
# What the project's build.sh does, as far as it shows: a header for each operator and an installer. Nothing is compiled.
set -e
vendor=$(python3 -c "import json; print(json.load(open('CMakePresets.json'))['configurePresets'][0]['cacheVariables']['vendor_name']['value'])")
test -f op_host/CMakeLists.txt && test -f op_kernel/CMakeLists.txt
mkdir -p build_out/package/op_api/include build_out/package/op_api/lib build_out/package/bin
for host in op_host/*.cpp; do
  name=$(basename "$host" .cpp)
  test -f "op_kernel/$name.cpp"  # one kernel for each definition
  echo "/* generated from $name */" > "build_out/package/op_api/include/aclnn_$name.h"
done
cp "${STAND_IN_LIBRARY:-/dev/null}" build_out/package/op_api/lib/libcust_opapi.so
echo "export ASCEND_CUSTOM_OPP_PATH=\$(cd \"\$(dirname \"\${BASH_SOURCE[0]}\")/..\" && pwd):\$ASCEND_CUSTOM_OPP_PATH" > build_out/package/bin/set_env.bash
cat > build_out/custom_opp_linux_test.run <<RUN
#!/usr/bin/env bash
set -e
case "\$1" in --install-path=*) to="\${1#--install-path=}/vendors/$vendor" ;; *) echo "unknown option \$1" >&2; exit 3 ;; esac
mkdir -p "\$to"
cp -r "$PWD/build_out/package/." "\$to"
RUN
