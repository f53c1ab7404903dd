// SPDX-License-Identifier: Apache-2.0
// A separate file, because only this function has the string type of the ABI before C++11.
#define _GLIBCXX_USE_CXX11_ABI 0
#include <string>

#include "graph/ge.h"

namespace aclq::graph {
const char* lastReport() noexcept;
}

// Never an empty string: it would live in static memory, which the client's C++ runtime does not share.
std::string ge::GEGetErrorMsg() {
    return aclq::graph::lastReport();
}
