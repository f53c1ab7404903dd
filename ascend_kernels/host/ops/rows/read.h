// SPDX-License-Identifier: Apache-2.0
// From tensors of any strides to rows of consecutive elements.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "meta/executor.h"

namespace aclq {

// Reads rows of a tensor as consecutive elements of the same type.
class RowReader {
  public:
    explicit RowReader(const View& view);
    // n elements from `offset` on, `step` apart (in elements, without the view's own offset). With `beside` interleaved
    // rows, this one the first (their offsets are consecutive), they are read together, cache line by cache line, and
    // kept for the next calls.
    const void* read(std::int64_t offset, std::int64_t step, std::int64_t n, std::int64_t beside = 1);

  private:
    const View& view_;
    const std::int64_t size_;
    std::vector<unsigned char> buffer_;
    // The rows in the buffer.
    std::int64_t offset_ = 0;
    std::int64_t step_ = 0;
    std::int64_t length_ = 0;
    std::int64_t rows_ = 0;
};

// Memory that begins at a cache line, which makes wide loads faster. Small blocks are not aligned: that would cost more
// than it saves. One function frees both: Clang 14 calls both of two forms of operator delete between which a condition
// decides.
template <class T>
struct CacheLineAllocator {
    using value_type = T;
    static constexpr std::size_t kCacheLine = 64;
    static constexpr std::size_t kSmall = 1024;  // elements
    CacheLineAllocator() = default;
    template <class Other>
    CacheLineAllocator(const CacheLineAllocator<Other>&) {}
    T* allocate(std::size_t n) {
        const std::size_t bytes = n * sizeof(T);
        void* const memory = n < kSmall ? std::malloc(bytes)
                                        : std::aligned_alloc(kCacheLine, (bytes + kCacheLine - 1) & ~(kCacheLine - 1));
        if (memory == nullptr) {
            throw std::bad_alloc{};
        }
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t) { std::free(memory); }
    bool operator==(const CacheLineAllocator&) const = default;
};
using Floats = std::vector<float, CacheLineAllocator<float>>;

// All elements in logical order, as floats. None for a tensor that was left out.
Floats readFloats(const View& view);
std::vector<std::int64_t> readIntegers(const View& view);  // INT32

}  // namespace aclq
