// SPDX-License-Identifier: Apache-2.0
// Threads that share the work of a large kernel.
#pragma once

#include <cstdint>
#include <functional>

namespace aclq {

void shareOut(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body);

// Calls body(begin, end) for parts of [0, count), on several threads if there is enough work and the threads are free.
// All parts except the last have at least `grain` elements. Returns when all are done, or rethrows an exception of a
// body.
template <class Body>
void parallelFor(std::int64_t count, std::int64_t grain, Body&& body) {
    if (count < 2 * grain) {
        body(std::int64_t{0}, count);  // small work has no other cost
    } else {
        shareOut(count, grain, body);
    }
}

// The number of threads that work on a kernel, including the calling one.
void setThreadCount(std::uint32_t count);
std::uint32_t threadCount();

}  // namespace aclq
