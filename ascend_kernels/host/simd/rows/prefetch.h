// SPDX-License-Identifier: Apache-2.0
// Prefetch. Hardware prefetchers stop at the ends of pages, so loops prefetch the block that they reach later.
#pragma once

#include "simd/rows/blocks.h"
#include "simd/rows/elements.h"

namespace aclq::ACLQ_ISA {

constexpr std::int64_t kCacheLine = 64;  // bytes
// How far ahead of the work blocks are prefetched. 4 KiB ahead still came too late, and more than 16 KiB changed
// nothing. They go to L2 first, so that scales stay in L1, and to L1 shortly before they are used.
constexpr std::int64_t kAheadOfL2 = 16 * 1024;
constexpr std::int64_t kAheadOfL1 = 2 * 1024;

enum class Cache { L1, L2 };

// Prefetches the block that begins `bytes` after x. It may lie past the end of the row: a prefetch is not an access.
template <Cache cache, class X>
ACLQ_INLINE inline void prefetch(X x, std::int64_t bytes) {
    const auto from = reinterpret_cast<std::uintptr_t>(bytesOf(x)) + static_cast<std::uintptr_t>(bytes);
    for (std::int64_t line = 0; line < sizeOf(x, kBlock); line += kCacheLine) {
        __builtin_prefetch(reinterpret_cast<const void*>(from + static_cast<std::uintptr_t>(line)), 0,
                           cache == Cache::L1 ? 3 : 2);
    }
}

// Prefetches for a loop that reads each block once.
template <class X>
ACLQ_INLINE inline void prefetchAhead(X x) {
    prefetch<Cache::L2>(x, kAheadOfL2);
    prefetch<Cache::L1>(x, kAheadOfL1);
}

// Prefetches when a loop reaches the block of an element, at these distances.
template <class X>
class Prefetcher {
  public:
    ACLQ_INLINE explicit Prefetcher(const X* x, std::int64_t aheadOfL2 = kAheadOfL2,
                                    std::int64_t aheadOfL1 = kAheadOfL1)
        : x_(x), aheadOfL2_(aheadOfL2), aheadOfL1_(aheadOfL1) {}
    ACLQ_INLINE void at(std::int64_t element) const {
        prefetch<Cache::L2>(x_ + element, aheadOfL2_);
        prefetch<Cache::L1>(x_ + element, aheadOfL1_);
    }

  private:
    const X* const x_;
    const std::int64_t aheadOfL2_;
    const std::int64_t aheadOfL1_;
};

}  // namespace aclq::ACLQ_ISA
