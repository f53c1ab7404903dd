// SPDX-License-Identifier: Apache-2.0
// round(x * smooth * factor + shift), of whole blocks.
#pragma once

#include "simd/rows/any_length.h"
#include "simd/rows/min_max.h"
#include "simd/rows/prefetch.h"

namespace aclq::ACLQ_ISA {

// The block x * smooth * factor + shift. i is the number of its first element in the row, for factors of each element.
template <bool smoothed, bool smoothEach, bool each, bool shifted, class X>
struct AffineBlock {
    const X* x;
    const Factors<smoothEach>& smooth;
    const Factors<each>& factor;
    const Factors<each>& shift;
    const std::int64_t i;

    ACLQ_INLINE Block quick() const { return make<Loads::First>(); }
    ACLQ_INLINE Block exact() const { return make<Loads::Again>(); }

  private:
    template <Loads loads>
    ACLQ_INLINE Block make() const {
        Block block = loadBlock(reloaded<loads>(x));
        if constexpr (smoothed) {
            block = block * smooth.template block<loads>(i);
        }
        block = block * factor.template block<loads>(i);
        if constexpr (shifted) {
            block = block + shift.template block<loads>(i);
        }
        return block;
    }
};

// `first` is the row that results are written from; x and the factors start at that row. Within: no result is beyond
// the limits of its type.
template <bool smoothed, bool smoothEach, bool each, bool shifted, bool pack, bool within, class X, class Put, class Y>
ACLQ_INLINE inline void quantizeAffine(const AffineRows& rows, const X* x, std::int64_t first, std::int64_t count,
                                       std::int64_t n, Integers type, Put& put, const Prefetcher<Y>& prefetcher) {
    const Factors<smoothEach> smooths(smoothed ? rows.smooth : rows.factor);
    const float* const shiftOfRow = shifted ? rows.shift : rows.factor;
    put.forRows(first, count, n > kFitsL1, [&](auto& results, std::int64_t row, auto interleaved) ACLQ_INLINE {
        const auto factorsOf = [&](const float* values) ACLQ_INLINE {
            return forEachInterleaved<interleaved()>(
                [&](int number) ACLQ_INLINE { return Factors<each>(values + (row - first + number) * rows.rowStep); });
        };
        const auto factors = factorsOf(rows.factor);
        const auto shifts = factorsOf(shiftOfRow);
        for (std::int64_t i = 0; i < n; i += kBlock) {
            forInterleaved<interleaved()>([&](auto number) ACLQ_INLINE {
                const std::int64_t element = (row - first + number) * n + i;
                prefetcher.at(element);
                results[number].put(integers<pack, within>(
                    AffineBlock<smoothed, smoothEach, each, shifted, X>{x + element, smooths, factors[number],
                                                                        shifts[number], i},
                    type));
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
    withHalves(source, data, [&](const auto* x) {
        withConstants(
            [&](auto smoothEach, auto each, auto shifted, auto pack) {
                ResultsOfRows<IntegerVector<pack()>, (smoothEach() || each()) && Lanes::kShare> put(y.to,
                                                                                                    pack() ? n / 2 : n);
                quantizeAffine<true, smoothEach(), each(), shifted(), pack(), false>(smoothed, x, 0, count, n, y.type,
                                                                                     put, Prefetcher(x));
            },
            smoothed.smoothStep != 0, smoothed.step != 0, smoothed.shift != nullptr, y.packed);
    });
}

inline void quantizeAffine(const AffineRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                           const IntegerOutput& y) {
    forAnyLength(
        rows, x, 16, count, n, y.to, y.packed ? 4 : 8,
        [&](const AffineRows& some, const void* from, std::int64_t number, std::int64_t length, const Output& to) {
            quantizeBlocksAffine(some, source, from, number, length, {to, y.type, y.packed});
        });
}

}  // namespace aclq::ACLQ_ISA
