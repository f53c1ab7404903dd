// SPDX-License-Identifier: Apache-2.0
// Threads that share the work of a large kernel.
#pragma once

#include <cstdint>
#include <functional>

namespace aclq {

void shareOut(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body);

// Calls body(begin, end) for parts of [0, count), each of at least `grain` (but the last), on several threads if there
// is enough work and the threads are free. Returns when all is done, or throws what a body threw.
template <class Body>
void parallelFor(std::int64_t count, std::int64_t grain, Body&& body) {
    if (count < 2 * grain) {
        body(std::int64_t{0}, count);  // small work pays for nothing else
    } else {
        shareOut(count, grain, body);
    }
}

// How many threads work on a kernel, the calling one included.
void setThreadCount(std::uint32_t count);
std::uint32_t threadCount();

}  // namespace aclq
