// SPDX-License-Identifier: Apache-2.0
#include "graph/failure.h"

namespace aclq::graph {
namespace {
thread_local std::string last;
}

std::uint32_t report(const char* sentence) noexcept {
    try {
        last = sentence;
    } catch (const std::exception&) {
        last.clear();
    }
    return kFailed;
}

const char* lastReport() noexcept {
    return last.empty() ? "no graph has failed in this thread" : last.c_str();
}

}  // namespace aclq::graph
