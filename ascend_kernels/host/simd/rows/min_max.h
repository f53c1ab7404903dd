// SPDX-License-Identifier: Apache-2.0
// The smallest and largest value of rows.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>

#include "simd/rows/constants.h"
#include "simd/rows/largest_bits.h"

namespace aclq::ACLQ_ISA {

// Rows of at most this length are interleaved while their smallest and largest values are found.
constexpr std::int64_t kInterleavedMinMax = 1024;

template <bool smoothed, class X>
inline float product(const float* factor, std::int64_t step, X x, std::int64_t i) {
    return smoothed ? widen(x[i]) * factor[i * step] : widen(x[i]);
}

// The definition.
template <bool smoothed, class X>
inline MinMax minMaxByValue(const X* x, const float* factor, std::int64_t step, std::int64_t n) {
    MinMax minMax{__builtin_inff(), -__builtin_inff()};
    bool nan = false;
    for (std::int64_t i = 0; i < n; ++i) {
        const float v = product<smoothed>(factor, step, x, i);
        minMax.low = v < minMax.low ? v : minMax.low;
        minMax.high = v > minMax.high ? v : minMax.high;
        nan |= v != v;
    }
    // Adding 0 makes the sign of a zero the same for every variant.
    return nan ? MinMax{__builtin_nanf(""), __builtin_nanf("")} : MinMax{minMax.low + 0.0F, minMax.high + 0.0F};
}

// The least bits of values of one sign: those of the value nearest to zero.
template <class Bits, class Value>
inline Bits leastOf(std::int64_t n, Value&& value) {
    Bits least = std::numeric_limits<Bits>::max();
    for (std::int64_t i = 0; i < n; ++i) {
        least = std::min(least, bitCast<Bits>(value(i)));
    }
    return least;
}

// Copies the first `count` lanes.
ACLQ_INLINE inline void copySome(const float (&from)[Lanes::kCount], std::int64_t count, float* to) {
    if (count == Lanes::kCount) {
        std::memcpy(to, from, sizeof from);
    } else {
        std::copy_n(from, count, to);
    }
}

// Smallest and largest value of each row, one row in each lane; NaN where a value is NaN, 0 in unused lanes.
struct MinMaxOfRows {
    float low[Lanes::kCount];
    float high[Lanes::kCount];
};

// a && b without a branch, so that loops are vectorised.
constexpr bool both(bool a, bool b) {
    return (static_cast<int>(a) & static_cast<int>(b)) != 0;
}

// Turns the largest bits into values. least(row) gives the least bits of a row whose values all have one sign: the
// other end of its range.
template <class Format, class Bits, class Least>
ACLQ_INLINE inline void minMaxOf(const LargestBits<Bits>& largest, std::int64_t count, MinMaxOfRows& minMax,
                                 Least&& least) {
    const auto widened = [](const Bits* bits, float* to)
                             ACLQ_INLINE { store(load(reinterpret_cast<const Format*>(bits)) + broadcast(0.0F), to); };
    widened(largest.below, minMax.low);
    widened(largest.above, minMax.high);
    int odd = 0;
#pragma GCC unroll 1  // unrolled, it would not become lanes
    for (std::int64_t row = 0; row < Lanes::kCount; ++row) {
        odd |= both(minMax.low[row] <= 0.0F, minMax.high[row] >= 0.0F) ? 0 : 1;
    }
    for (std::int64_t row = 0; odd != 0 && row < count; ++row) {
        float& low = minMax.low[row];
        float& high = minMax.high[row];
        if (low != low || high != high) {  // NaN lie outside the infinities
            low = high = __builtin_nanf("");
        } else if (low > 0.0F) {
            low = widen(bitCast<Format>(least(row))) + 0.0F;
        } else if (high < 0.0F) {
            high = widen(bitCast<Format>(least(row))) + 0.0F;
        }
    }
}

inline constexpr float kOne = 1.0F;

// At most Lanes::kCount rows. Keep: products with factors are stored in `kept`.
template <bool smoothed, bool each, bool keep, class X>
ACLQ_INLINE inline void findMinMax(const X* x, const float* factor, std::int64_t count, std::int64_t n,
                                   MinMaxOfRows& minMax, float* kept) {
    constexpr std::int64_t kStep = each ? 1 : 0;
    if (Lanes::kDefinition || n == 0) {
        minMax = {};
        for (std::int64_t row = 0; row < count; ++row) {
            const MinMax one = minMaxByValue<smoothed>(x + row * n, factor, kStep, n);
            minMax.low[row] = one.low;
            minMax.high[row] = one.high;
        }
        return;
    }
    if constexpr (!smoothed) {
        LargestBits<std::uint16_t> largest(count);
        forRowsInterleaved<!Lanes::kDefinition>(count, n <= kInterleavedMinMax,
                                                [&](std::int64_t row, auto interleaved) ACLQ_INLINE {
                                                    largestOf<interleaved()>(x + row * n, n, row, largest);
                                                });
        minMaxOf<X>(largest, count, minMax, [&](std::int64_t row) {
            return leastOf<std::uint16_t>(n, [&](std::int64_t i) { return x[row * n + i]; });
        });
    } else {
        LargestBits<std::uint32_t> largest(count);
        forRowsInterleaved<!Lanes::kDefinition>(
            count, n <= kInterleavedMinMax || (each && Lanes::kShare && n > kFitsL1),
            [&](std::int64_t row, auto interleaved) ACLQ_INLINE {
                largestOf<each, interleaved()>(x + row * n, factor, n, row, largest, keep ? kept + row * n : nullptr);
            });
        minMaxOf<float>(largest, count, minMax, [&](std::int64_t row) {
            return leastOf<std::uint32_t>(n,
                                          [&](std::int64_t i) { return product<true>(factor, kStep, x + row * n, i); });
        });
    }
}

template <bool smoothed, bool each, class X>
inline void minMaxOfRows(const X* x, const float* factor, std::int64_t count, std::int64_t n, MinMax* minMax) {
    for (std::int64_t first = 0; first < count; first += Lanes::kCount) {
        const std::int64_t some = std::min(Lanes::kCount, count - first);
        MinMaxOfRows found;
        findMinMax<smoothed, each, false>(x + first * n, factor, some, n, found, nullptr);
        for (std::int64_t row = 0; row < some; ++row) {
            minMax[first + row] = {found.low[row], found.high[row]};
        }
    }
}

inline void minMaxOfRows(Source source, const void* data, const float* factor, std::int64_t step, std::int64_t count,
                         std::int64_t n, MinMax* minMax) {
    withHalves(source, data, [&](const auto* x) {
        withConstants(
            [&](auto smoothed, auto each) {
                if constexpr (smoothed() || !each()) {
                    minMaxOfRows<smoothed(), each()>(x, factor, count, n, minMax);
                }
            },
            factor != nullptr, factor != nullptr && step != 0);
    });
}

}  // namespace aclq::ACLQ_ISA
