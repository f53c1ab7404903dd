// SPDX-License-Identifier: Apache-2.0
// Copies past the caches.
#pragma once

#include <algorithm>
#include <cstring>

#include "simd/rows/prefetch.h"
#include "simd/rows/results.h"

namespace aclq::ACLQ_ISA {

inline void streamTo(void* to, const void* from, std::int64_t bytes) {
    using Vector = VectorOf<decltype(toInt32(Block{}))>;  // bytes as they are in memory
    constexpr auto kSize = static_cast<std::int64_t>(sizeof(Vector));
    auto* const target = static_cast<unsigned char*>(to);
    const auto* const source = static_cast<const unsigned char*>(from);
    // What is before the first line is copied.
    std::int64_t done =
        std::min(bytes, static_cast<std::int64_t>(-reinterpret_cast<std::uintptr_t>(target) % kCacheLine));
    std::memcpy(target, source, static_cast<std::size_t>(done));
    Results<Vector> results(Output{target + done, true});
    for (; done + kSize <= bytes; done += kSize) {
        Vectors<Vector, 1> vector;
        std::memcpy(&vector, source + done, sizeof vector);
        results.put(vector);
    }
    results.close();
    std::memcpy(target + done, source + done, static_cast<std::size_t>(bytes - done));
}

}  // namespace aclq::ACLQ_ISA
