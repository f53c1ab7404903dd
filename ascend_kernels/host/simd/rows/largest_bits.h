// SPDX-License-Identifier: Apache-2.0
// The largest bits of rows, from which min_max.h finds their smallest and largest values.
#pragma once

#include <algorithm>
#include <type_traits>

#include "simd/rows/interleave.h"

namespace aclq::ACLQ_ISA {

// The largest bits of several rows, one row in each lane. Floats of one sign are ordered like their bits, negative ones
// in reverse. So the largest bits as signed integers (above) belong to the largest value, unless all values are
// negative; the largest bits as unsigned integers (below) belong to the smallest value, unless none is negative.
template <class Bits>
struct LargestBits {
    using Signed = std::make_signed_t<Bits>;
    Bits above[Lanes::kCount];
    Bits below[Lanes::kCount];

    // Unused lanes are 0.
    ACLQ_INLINE explicit LargestBits(std::int64_t count) {
        for (std::int64_t row = count; row < Lanes::kCount; ++row) {
            above[row] = below[row] = 0;
        }
    }

    // Sets interleaved rows from `row` on. value(number, i) gives the bits of element i; those from `first` on are not
    // in `minMaxBits` yet.
    template <class E, int interleaved, class Value>
    ACLQ_INLINE void set(std::int64_t row, const E (&minMaxBits)[interleaved], std::int64_t first, std::int64_t n,
                         Value&& value) {
        if constexpr (requires { largestOfFour(minMaxBits, above, below); }) {
            largestOfFour(minMaxBits, above + row, below + row);
        } else {
            for (int number = 0; number < interleaved; ++number) {
                above[row + number] = static_cast<Bits>(minMaxBits[number].largest());
                below[row + number] = minMaxBits[number].largestUnsigned();
            }
        }
        if (first < n) {
            for (int number = 0; number < interleaved; ++number) {
                for (std::int64_t i = first; i < n; ++i) {
                    const Bits bits = value(number, i);
                    above[row + number] = static_cast<Bits>(
                        std::max(static_cast<Signed>(above[row + number]), static_cast<Signed>(bits)));
                    below[row + number] = std::max(below[row + number], bits);
                }
            }
        }
    }
};

// 16-bit floats are compared as they are in memory.
template <int interleaved, class X>
ACLQ_INLINE inline void largestOf(const X* x, std::int64_t n, std::int64_t row, LargestBits<std::uint16_t>& largest) {
    MinMaxBits16 minMaxBits[interleaved];
    std::int64_t i = 0;
    for (; i + MinMaxBits16::kCount <= n; i += MinMaxBits16::kCount) {
        unroll<interleaved>([&](auto number) ACLQ_INLINE { minMaxBits[number].include(x + number * n + i); });
    }
    largest.set(row, minMaxBits, i, n,
                [&](int number, std::int64_t rest) { return static_cast<std::uint16_t>(x[number * n + rest]); });
}

// Products with factors, in interleaved rows. They are also stored in `kept`, unless it is null.
template <bool each, int interleaved, class X>
ACLQ_INLINE inline void largestOf(const X* x, const float* factor, std::int64_t n, std::int64_t row,
                                  LargestBits<std::uint32_t>& largest, float* kept) {
    MinMaxBits minMaxBits[interleaved];
    const Factors<false> same(factor);
    std::int64_t i = 0;
    for (; i + Lanes::kCount <= n; i += Lanes::kCount) {
        const Lanes factors = each ? load(factor + i) : same.part(0);
        unroll<interleaved>([&](auto number) ACLQ_INLINE {
            const Lanes products = load(x + number * n + i) * factors;
            minMaxBits[number].template include<interleaved>(products);
            if (kept != nullptr) {
                store(products, kept + number * n + i);
            }
        });
    }
    largest.set(row, minMaxBits, i, n, [&](int number, std::int64_t rest) {
        return bitCast<std::uint32_t>(widen(x[number * n + rest]) * factor[each ? rest : 0]);
    });
}

}  // namespace aclq::ACLQ_ISA
