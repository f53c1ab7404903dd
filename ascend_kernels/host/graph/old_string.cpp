// SPDX-License-Identifier: Apache-2.0
// Compiled for itself: its client expects the string type of before C++11 here, and only here.
#define _GLIBCXX_USE_CXX11_ABI 0
#include <string>

#include "graph/ge.h"

namespace aclq::graph {
const char* lastReport() noexcept;
}

// Never an empty string: that one is shared in static memory, of which the client's C++ runtime has its own.
std::string ge::GEGetErrorMsg() {
    return aclq::graph::lastReport();
}
