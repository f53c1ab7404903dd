// SPDX-License-Identifier: Apache-2.0
// Dynamic quantisation: scales and offsets from the data, then the results, while the rows are in L1.
#pragma once

#include "simd/rows/affine.h"

namespace aclq::ACLQ_ISA {

// The products of this many elements with smooth scales stay in L1 until they are quantised.
constexpr std::int64_t kKeptProducts = 2048;

// Scales, offsets and factors of several rows, one row in each lane, and whether all their results are within the
// limits.
struct ParametersOfRows {
    float scale[Lanes::kCount];
    float offset[Lanes::kCount];
    float factor[Lanes::kCount];
    bool within;
};

// Loops run over all lanes, so that they are vectorised; unused lanes have no effect.
template <bool shifted>
ACLQ_INLINE inline void findParameters(const MinMaxOfRows& all, bool scaleByProduct, Integers type,
                                       ParametersOfRows& found) {
    // Products below this are products of finite values, and exact enough that the smallest and largest values round to
    // the limits or to integers between them.
    constexpr float kExact = 0x1p14F;
    const Limits limits = limitsOf(type);
    int beyond = 0;
    for (std::int64_t row = 0; row < Lanes::kCount; ++row) {
        const MinMax minMax{all.low[row], all.high[row]};
        const Parameters parameters = shifted ? asymmetric(minMax, limits) : symmetric(minMax, limits, scaleByProduct);
        found.scale[row] = parameters.scale;
        found.offset[row] = parameters.offset;
        // A row of zeros gets the factor 0: with an infinite factor its products would be NaN. Both become 0.
        const bool zeros = both(minMax.low == 0.0F, minMax.high == 0.0F);
        found.factor[row] = zeros ? 0.0F : parameters.factor;
        const bool exact = both(std::fabs(minMax.low * found.factor[row]) < kExact,
                                std::fabs(minMax.high * found.factor[row]) < kExact);
        beyond |= exact ? 0 : 1;
    }
    found.within = beyond == 0;
}

// Keep: products with smooth scales are computed once. Rows with results beyond the limits or NaN, and the rows that
// were reduced together with them, are handed to quantizeAffine.
template <bool smoothed, bool keep, bool shifted, bool pack, class X>
inline void quantizeDynamic(const DynamicRows& rows, Source source, const X* x, std::int64_t count, std::int64_t n,
                            const Output& y) {
    constexpr Integers kType = pack ? Integers::Int4 : Integers::Int8;
    // As many rows as stay in L1 until they are read again.
    const std::int64_t together =
        std::clamp<std::int64_t>((keep ? kKeptProducts : kFitsL1) / n,
                                 smoothed && Lanes::kShare && n > kFitsL1 ? kInterleaved : 1, Lanes::kCount);
    const std::int64_t next = sizeOf(x, together * n);
    const std::int64_t ahead = std::max(kAheadOfL2, next);
    const std::int64_t soon = n <= kFitsL1 ? next : kAheadOfL1;
    const std::int64_t bytesOfRow = pack ? n / 2 : n;
    ResultsOfRows<IntegerVector<pack>, smoothed && Lanes::kShare> put(y, bytesOfRow);
    alignas(64) float kept[keep ? kKeptProducts : 1];
    for (std::int64_t row = 0; row < count; row += together) {
        const std::int64_t some = std::min(together, count - row);
        const X* const from = x + row * n;
        const Prefetcher prefetcher(from, ahead, soon);
        MinMaxOfRows all;
        findMinMax<smoothed, smoothed, keep>(from, rows.smooth, some, n, all, kept);
        ParametersOfRows found;
        findParameters<shifted>(all, rows.scaleByProduct, kType, found);
        copySome(found.scale, some, rows.scale + row);
        if (rows.offset != nullptr) {
            copySome(found.offset, some, rows.offset + row);
        }
        const AffineRows affine{.smooth = rows.smooth,
                                .smoothStep = 1,
                                .factor = found.factor,
                                .shift = shifted ? found.offset : nullptr,
                                .step = 0,
                                .rowStep = 1};
        if constexpr (keep) {
            if (found.within) {
                quantizeAffine<false, false, false, shifted, pack, true>(affine, kept, row, some, n, kType, put,
                                                                         prefetcher);
                continue;
            }
        } else {
            if (found.within && n % kBlock == 0) {
                quantizeAffine<smoothed, smoothed, false, shifted, pack, true>(affine, from, row, some, n, kType, put,
                                                                               prefetcher);
                continue;
            }
        }
        quantizeAffine(affine, source, from, some, n,
                       {{static_cast<unsigned char*>(y.data) + row * bytesOfRow, y.streamed}, kType, pack});
    }
}

inline void quantizeDynamic(const DynamicRows& rows, Source source, const void* data, std::int64_t count,
                            std::int64_t n, const Output& y, bool packed) {
    const bool smooth = rows.smooth != nullptr;
    const bool keeps = smooth && n % kBlock == 0 && n <= kKeptProducts / kInterleaved;
    withHalves(source, data, [&](const auto* x) {
        withConstants(
            [&](auto smoothed, auto keep, auto shifted, auto pack) {
                constexpr bool kKeep = keep() && !Lanes::kDefinition;
                if constexpr (smoothed() || !keep()) {
                    quantizeDynamic<smoothed(), kKeep, shifted(), pack()>(rows, source, x, count, n, y);
                }
            },
            smooth, keeps, !rows.symmetric, packed);
    });
}

inline void smoothRow(Source source, const void* data, const float* factor, std::int64_t step, std::int64_t n,
                      float* values) {
    withSource(source, data, [&](const auto* x) {
        for (std::int64_t i = 0; i < n; ++i) {
            values[i] = factor == nullptr ? widen(x[i]) : widen(x[i]) * factor[i * step];
        }
    });
}

}  // namespace aclq::ACLQ_ISA
