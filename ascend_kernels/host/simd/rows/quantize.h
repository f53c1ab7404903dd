// SPDX-License-Identifier: Apache-2.0
// round(x / scale + offset), or with x * scale, of whole blocks.
#pragma once

#include <cmath>

#include "simd/rows/any_length.h"
#include "simd/rows/constants.h"
#include "simd/rows/interleave.h"
#include "simd/rows/prefetch.h"

namespace aclq::ACLQ_ISA {

// Whether the quick division (quotient() of the lanes) may be used for 16-bit floats over this divisor. It is exact
// unless the quotient is so small that it rounds to 0 anyway, or too large for int32.
inline bool isTame(float divisor) {
    return std::fabs(divisor) >= 0x1p-60F && std::fabs(divisor) <= 0x1p60F;
}

// Calls finish(results, block) for each block of x, scaled and shifted. block(exact) computes it; with exact as
// std::true_type it does not use the quick division. divide, twice and mode mean what they mean in QuantizeRows; passed
// as constants they make a loop without those branches.
template <class Vector, bool each, class Divide, class Twice, class Mode, class X, class Finish>
ACLQ_INLINE inline void forScaled(const QuantizeRows& rows, Divide divide, Twice twice, Mode mode, const X* x,
                                  std::int64_t count, std::int64_t n, const Output& y, std::int64_t bytesOfRow,
                                  Finish&& finish) {
    constexpr bool kQuick = kQuickDivision && !each && sizeof(X) == sizeof(std::uint16_t);
    const bool shifted = rows.offset != nullptr;
    forRows<Vector, each && Lanes::kShare>(
        y, bytesOfRow, count, n > kFitsL1, [&](auto& results, std::int64_t row, auto interleaved) ACLQ_INLINE {
            const std::int64_t at = each ? 0 : row * rows.rowStep;
            const Factors<each> scales(rows.scale + at);
            const Factors<each> offsets((shifted ? rows.offset : rows.scale) + at);
            const bool quick = kQuick && divide && mode == Round::Rint && isTame(rows.scale[at]);
            const float inverse = 1.0F / rows.scale[at];
            const Factors<false> reciprocal(&inverse);
            for (std::int64_t i = 0; i < n; i += kBlock) {
                forInterleaved<interleaved()>([&](auto number) ACLQ_INLINE {
                    const X* const from = x + (row + number) * n + i;
                    prefetchAhead(from);
                    finish(results[number], [&](auto exact) ACLQ_INLINE {
                        const Factors<each> scale = scales.block(i, exact);
                        Block block = loadBlock(reloaded(from, exact));
                        if (!divide) {
                            block = block * scale;
                            if (twice) {
                                block = block * scale;
                            }
                        } else if (kQuick && !exact() && quick) {
                            block = makeBlock([&](int part) ACLQ_INLINE {
                                return quotient(block.part[part], scale.part(part), reciprocal.part(part));
                            });
                        } else {
                            block = block / scale;
                        }
                        return shifted ? block + offsets.block(i, exact) : block;
                    });
                });
            }
        });
}

inline void quantizeBlocks(const QuantizeRows& rows, Source source, const void* data, std::int64_t count,
                           std::int64_t n, const IntegerOutput& y) {
    withSource(source, data, [&](const auto* x) {
        withConstants(
            [&](auto each, auto pack) {
                using Vector = IntegerVector<pack()>;
                const auto run = [&](auto divide, auto twice, auto mode, auto type) {
                    forScaled<Vector, each()>(
                        rows, divide, twice, mode, x, count, n, y.to, pack() ? n / 2 : n,
                        [&](auto& results, const auto& block) ACLQ_INLINE {
                            const auto make = [&](auto exact) ACLQ_INLINE {
                                return mode == Round::Rint ? block(exact) : rounded(block(exact), mode);
                            };
                            results.put(integers<pack(), false>(make(std::false_type{}), type,
                                                                [&]() ACLQ_INLINE { return make(std::true_type{}); }));
                        });
                };
                // Branches for each block cost up to a tenth of the time: the usual cases have loops without them.
                constexpr Integers kUsual = pack() ? Integers::Int4 : Integers::Int8;
                if (rows.scaleTwice || rows.mode != Round::Rint || y.type != kUsual) {
                    run(rows.divide, rows.scaleTwice, rows.mode, y.type);
                } else if (rows.divide) {
                    run(std::true_type{}, std::false_type{}, Constant<Round::Rint>{}, Constant<kUsual>{});
                } else {
                    run(std::false_type{}, std::false_type{}, Constant<Round::Rint>{}, Constant<kUsual>{});
                }
            },
            rows.step != 0, y.packed);
    });
}

inline void quantizeBlocksToInt32(const QuantizeRows& rows, Source source, const void* data, std::int64_t count,
                                  std::int64_t n, const Output& y) {
    withSource(source, data, [&](const auto* x) {
        withConstants(
            [&](auto each) {
                using Vector = VectorOf<decltype(toInt32(Block{}))>;
                forScaled<Vector, each()>(rows, rows.divide, rows.scaleTwice, rows.mode, x, count, n, y, 4 * n,
                                          [](auto& results, const auto& block)
                                              ACLQ_INLINE { results.put(toInt32(block(std::true_type{}))); });
            },
            rows.step != 0);
    });
}

inline void quantize(const QuantizeRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                     const IntegerOutput& y) {
    forAnyLength(
        rows, x, bitsOf(source), count, n, y.to, y.packed ? 4 : 8,
        [&](const QuantizeRows& some, const void* from, std::int64_t number, std::int64_t length, const Output& to) {
            quantizeBlocks(some, source, from, number, length, {to, y.type, y.packed});
        });
}

inline void quantizeToInt32(const QuantizeRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                            const Output& y) {
    forAnyLength(rows, x, bitsOf(source), count, n, y, 32,
                 [&](const QuantizeRows& some, const void* from, std::int64_t number, std::int64_t length,
                     const Output& to) { quantizeBlocksToInt32(some, source, from, number, length, to); });
}

}  // namespace aclq::ACLQ_ISA
