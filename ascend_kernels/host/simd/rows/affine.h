// SPDX-License-Identifier: Apache-2.0
// round(x * smooth * factor + shift), of whole blocks.
#pragma once

#include "simd/rows/any_length.h"
#include "simd/rows/min_max.h"
#include "simd/rows/prefetch.h"

namespace aclq::ACLQ_ISA {

// `first` is the row that results are written from; x and the factors start at that row. Within: no result is beyond
// the limits of its type. prefetchFrom(element) prefetches when the loop reaches the block of that element.
template <bool smoothed, bool smoothEach, bool each, bool shifted, bool pack, bool within, class X, class Put,
          class Ask>
ACLQ_INLINE inline void quantizeAffine(const AffineRows& rows, const X* x, std::int64_t first, std::int64_t count,
                                       std::int64_t n, Integers type, Put& put, Ask&& prefetchFrom) {
    const Factors<smoothEach> smooths(smoothed ? rows.smooth : rows.factor);
    const float* const shiftOfRow = shifted ? rows.shift : rows.factor;
    put.forRows(first, count, n > kFitsL1, [&](auto& results, std::int64_t row, auto interleaved) ACLQ_INLINE {
        const auto factors = forEachInterleaved<interleaved()>(
            [&](int number) ACLQ_INLINE { return Factors<each>(rows.factor + (row - first + number) * rows.rowStep); });
        const auto shifts = forEachInterleaved<interleaved()>(
            [&](int number) ACLQ_INLINE { return Factors<each>(shiftOfRow + (row - first + number) * rows.rowStep); });
        for (std::int64_t i = 0; i < n; i += kBlock) {
            forInterleaved<interleaved()>([&](auto number) ACLQ_INLINE {
                const std::int64_t element = (row - first + number) * n + i;
                const X* const from = x + element;
                const auto make = [&](auto again) ACLQ_INLINE {
                    Block block = loadBlock(reloaded(from, again));
                    if constexpr (smoothed) {
                        block = block * smooths.block(i, again);
                    }
                    block = block * factors[number].block(i, again);
                    if constexpr (shifted) {
                        block = block + shifts[number].block(i, again);
                    }
                    return block;
                };
                prefetchFrom(element);
                results[number].put(integers<pack, within>(make(std::false_type{}), type,
                                                           [&]() ACLQ_INLINE { return make(std::true_type{}); }));
            });
        }
    });
}

inline void quantizeBlocksAffine(const AffineRows& rows, Source source, const void* data, std::int64_t count,
                                 std::int64_t n, const IntegerOutput& y) {
    AffineRows smoothed = rows;
    if (rows.smooth == nullptr) {  // a product with 1 is exact, and cheaper than separate loops
        smoothed.smooth = &kOne;
        smoothed.smoothStep = 0;
    }
    withSource(source, data, [&](const auto* x) {
        withConstants(
            [&](auto smoothEach, auto each, auto shifted, auto pack) {
                ResultsOfRows<IntegerVector<pack()>, (smoothEach() || each()) && Lanes::kShare> put(y.to,
                                                                                                    pack() ? n / 2 : n);
                quantizeAffine<true, smoothEach(), each(), shifted(), pack(), false>(
                    smoothed, x, 0, count, n, y.type, put,
                    [x](std::int64_t element) ACLQ_INLINE { prefetchAhead(x + element); });
            },
            smoothed.smoothStep != 0, smoothed.step != 0, smoothed.shift != nullptr, y.packed);
    });
}

inline void quantizeAffine(const AffineRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                           const IntegerOutput& y) {
    forAnyLength(
        rows, x, bitsOf(source), count, n, y.to, y.packed ? 4 : 8,
        [&](const AffineRows& some, const void* from, std::int64_t number, std::int64_t length, const Output& to) {
            quantizeBlocksAffine(some, source, from, number, length, {to, y.type, y.packed});
        });
}

}  // namespace aclq::ACLQ_ISA
