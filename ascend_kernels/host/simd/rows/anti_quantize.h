// SPDX-License-Identifier: Apache-2.0
// (x + offset) * scale, of whole blocks.
#pragma once

#include "simd/rows/any_length.h"
#include "simd/rows/constants.h"
#include "simd/rows/interleave.h"
#include "simd/rows/prefetch.h"

namespace aclq::ACLQ_ISA {

// Usual: the factors are finite, so that no result is NaN, and the scale is applied once.
template <Overflow overflow, bool usual, bool each, class Y, class X>
inline void antiQuantize(const AntiQuantizeRows& rows, X x, std::int64_t count, std::int64_t n, const Output& y) {
    using Vector = VectorOf<decltype(toHalves<overflow, usual, Y>(Block{}))>;
    const bool twice = !usual && rows.scaleTwice;
    const bool shifted = rows.offset != nullptr;
    const Factors<each> scales(rows.scale);
    const Factors<each> offsets(shifted ? rows.offset : rows.scale);
    forRows<Vector, each && Lanes::kShare>(y, 2 * n, count, n > kFitsL1,
                                           [&](auto& results, std::int64_t row, auto interleaved) ACLQ_INLINE {
                                               for (std::int64_t i = 0; i < n; i += kBlock) {
                                                   const Factors<each> scale = scales.block(i);
                                                   const Factors<each> offset = offsets.block(i);
                                                   forInterleaved<interleaved()>([&](auto number) ACLQ_INLINE {
                                                       const X from = at(x, (row + number) * n + i);
                                                       prefetchAhead(from);
                                                       Block block = loadBlock(from);
                                                       if (shifted) {
                                                           block = block + offset;
                                                       }
                                                       block = block * scale;
                                                       if (twice) {
                                                           block = block * scale;
                                                       }
                                                       results[number].put(toHalves<overflow, usual, Y>(block));
                                                   });
                                               }
                                           });
}

inline void antiQuantizeEach(const AntiQuantizeRows& rows, const void* data, bool isPacked, std::int64_t count,
                             std::int64_t n, const Output& y, bool isHalf) {
    withConstants(
        [&](auto saturate, auto usual, auto each, auto half, auto pack) {
            using X = std::conditional_t<pack(), PackedInt4, const std::int8_t*>;
            using Y = std::conditional_t<half(), Half, BFloat16>;
            const X x = like(X{}, static_cast<const unsigned char*>(data));
            antiQuantize<saturate() ? Overflow::Saturate : Overflow::InfNan, usual(), each(), Y>(rows, x, count, n, y);
        },
        rows.saturate, rows.finite && !rows.scaleTwice, rows.step != 0, isHalf, isPacked);
}

inline void antiQuantizeBlocks(const AntiQuantizeRows& rows, const void* data, bool isPacked, std::int64_t count,
                               std::int64_t n, const Output& y, bool isHalf) {
    if (Lanes::kDefinition || !isPacked || rows.step != 0 || count * n <= kBlock) {
        antiQuantizeEach(rows, data, isPacked, count, n, y, isHalf);
        return;
    }
    // With one factor for all there are sixteen results: they are computed once, and looked up.
    const std::uint8_t all[kBlock / 2] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE};
    std::uint16_t found[kBlock];
    antiQuantizeEach(rows, all, true, 1, kBlock, Output{found}, isHalf);
    const Sixteen table(found);
    const PackedInt4 x{static_cast<const std::uint8_t*>(data)};
    Results<VectorOf<decltype(table.lookUp(x))>> results(y);
    for (std::int64_t i = 0; i < count * n; i += kBlock) {
        prefetchAhead(at(x, i));
        results.put(table.lookUp(at(x, i)));
    }
    results.close();
}

inline void antiQuantize(const AntiQuantizeRows& rows, const void* x, bool isPacked, std::int64_t count, std::int64_t n,
                         const Output& y, bool isHalf) {
    forAnyLength(rows, x, isPacked ? 4 : 8, count, n, y, 16,
                 [&](const AntiQuantizeRows& some, const void* from, std::int64_t number, std::int64_t length,
                     const Output& to) { antiQuantizeBlocks(some, from, isPacked, number, length, to, isHalf); });
}

}  // namespace aclq::ACLQ_ISA
