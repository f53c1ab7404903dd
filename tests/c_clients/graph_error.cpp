// SPDX-License-Identifier: Apache-2.0
// The one function with the string type of before C++11, for graph.cpp, which has the other one.
#define _GLIBCXX_USE_CXX11_ABI 0
#include <cstdio>
#include <string>

#include "graph/ge.h"

void copyGraphError(char* text, std::size_t size) {
    std::snprintf(text, size, "%s", ge::GEGetErrorMsg().c_str());
}
