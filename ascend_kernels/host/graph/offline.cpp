// SPDX-License-Identifier: Apache-2.0
// Offline models, which a CPU cannot run. The functions exist so that programs that can use them load.
#include <complex>
#include <cstdio>

#include "graph/failure.h"
#include "graph/ge.h"

namespace {

ge::Status refuse(const char* function) {
    return aclq::graph::guarded([&] {
        throw aclq::graph::Failure(
            std::string(function) +
            ": the host device has no way to compile or read offline models; run operators one by "
            "one instead (ONNX Runtime: enable_cann_graph=0)");
    });
}

}  // namespace

namespace ge {

Status aclgrphBuildInitialize(Options&) {
    return refuse(__func__);
}
void aclgrphBuildFinalize() {}
Status aclgrphBuildModel(const Graph&, const Options&, ModelBufferData&) {
    return refuse(__func__);
}
Status aclgrphSaveModel(const char*, const ModelBufferData&) {
    return refuse(__func__);
}
Status aclgrphParseONNXFromMem(const char*, std::size_t, const Options&, Graph&) {
    return refuse(__func__);
}

}  // namespace ge

// A member of CANN's aclScalar, here because its type is (the others are in api/acl_members.cpp).
struct aclScalar;
std::complex<double> numberOf(const aclScalar& scalar) __asm__("_ZNK9aclScalar12ToComplex128Ev");
GE_API ge::AscendString textOf(const aclScalar& scalar) __asm__("_ZNK9aclScalar8ToStringEv");

ge::AscendString textOf(const aclScalar& scalar) {
    const std::complex<double> value = numberOf(scalar);
    char text[64];
    if (value.imag() != 0) {
        std::snprintf(text, sizeof text, "(%.9g, %.9g)", value.real(), value.imag());
    } else {
        std::snprintf(text, sizeof text, "%.17g", value.real());
    }
    return ge::AscendString(text);
}
