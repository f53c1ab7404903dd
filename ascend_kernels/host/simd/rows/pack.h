// SPDX-License-Identifier: Apache-2.0
// Unpacks int4, and packs scales and offsets for the matrix unit.
#pragma once

#include <cstring>

#include "simd/rows/constants.h"
#include "simd/rows/prefetch.h"
#include "simd/rows/results.h"

namespace aclq::ACLQ_ISA {

inline void unpackInt4(const std::uint8_t* x, std::int64_t n, std::int8_t* y) {
    for (std::int64_t i = 0; i < n / 2; ++i) {
        const std::uint32_t first = ((x[i] & 0x0FU) ^ 0x08U) - 0x08U;
        const std::uint32_t second = (x[i] >> 4 ^ 0x08U) - 0x08U;
        const auto pair = static_cast<std::uint16_t>((first & 0xFFU) | second << 8);
        std::memcpy(y + 2 * i, &pair, sizeof pair);
    }
}

template <bool nearest, bool shifted, std::int64_t scaleStep, std::int64_t offsetStep>
inline void packSome(const float* scale, const float* offset, std::int64_t n, unsigned char* packed) {
    for (std::int64_t i = 0; i < n; ++i) {
        // Half a bits at a time: 32 bits vectorise better.
        const std::uint32_t low = toNineteenBits<nearest>(scale[i * scaleStep]);
        std::uint32_t high = 1U << 14;
        if constexpr (shifted) {
            high |= (static_cast<std::uint32_t>(toSmallInteger(offset[i * offsetStep], -256.0F, 255.0F)) & 0x1FFU) << 5;
        }
        const std::uint64_t bits = static_cast<std::uint64_t>(high) << 32 | low;
        std::memcpy(packed + i * 8, &bits, sizeof bits);
    }
}

inline void packScales(const ScalesToPack& from, std::int64_t n, const Output& y) {
    withConstants(
        [&](auto nearest, auto shifted, auto scaleEach, auto offsetEach) {
            using Vector = VectorOf<decltype(toInt32(Block{}))>;  // bytes as they are in memory
            constexpr std::int64_t kScaleStep = scaleEach() ? 1 : 0;
            constexpr std::int64_t kOffsetStep = offsetEach() ? 1 : 0;
            const auto pack = [&](std::int64_t first, std::int64_t count, unsigned char* packed) {
                const float* const offset = shifted() ? from.offset + first * kOffsetStep : nullptr;
                packSome<nearest(), shifted(), kScaleStep, kOffsetStep>(from.scale + first * kScaleStep, offset, count,
                                                                        packed);
            };
            std::int64_t done = 0;
            Results<Vector> results(y);
            for (; done + kBlock <= n; done += kBlock) {
                Vectors<Vector, 8 * kBlock / sizeof(Vector)> packed;
                if (scaleEach()) {
                    prefetchAhead(from.scale + done);
                }
                if (shifted() && offsetEach()) {
                    prefetchAhead(from.offset + done);
                }
                pack(done, kBlock, reinterpret_cast<unsigned char*>(&packed));
                results.put(packed);
            }
            results.close();
            pack(done, n - done, static_cast<unsigned char*>(y.data) + 8 * done);
        },
        from.nearest, from.offset != nullptr, from.scaleStep != 0, from.offsetStep != 0);
}

}  // namespace aclq::ACLQ_ISA
