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

// How a block is scaled and rounded; the members mean what they mean in QuantizeRows. Branches for each block cost up
// to a tenth of the time, so the usual ways have constants for members, and loops without branches.
template <class Divide, class Twice, class Mode>
struct Scaling {
    Divide divide;
    Twice twice;
    Mode mode;
};
using AnyScaling = Scaling<bool, bool, Round>;
template <bool divide>
using UsualScaling = Scaling<std::bool_constant<divide>, std::false_type, Constant<Round::Rint>>;

// The scales and offsets of a row, or of interleaved rows, which share them.
template <bool each, class Way, class X>
class ScaledRow {
  public:
    ACLQ_INLINE ScaledRow(const QuantizeRows& rows, Way way, std::int64_t row)
        : way_(way),
          shifted_(rows.offset != nullptr),
          scale_(rows.scale + (each ? 0 : row * rows.rowStep)),
          scales_(scale_),
          offsets_(shifted_ ? rows.offset + (each ? 0 : row * rows.rowStep) : scale_),
          quick_(kQuick && way.divide && way.mode == Round::Rint && isTame(*scale_)),
          inverse_(1.0F / *scale_),
          reciprocal_(&inverse_) {}

    // The block from element i on. First may use the quick division.
    template <Loads loads>
    ACLQ_INLINE Block block(const X* x, std::int64_t i) const {
        const Factors<each> scale = scales_.template block<loads>(i);
        Block block = loadBlock(reloaded<loads>(x));
        if (!way_.divide) {
            block = block * scale;
            if (way_.twice) {
                block = block * scale;
            }
        } else if (kQuick && loads == Loads::First && quick_) {
            block = makeBlock([&](int part) ACLQ_INLINE {
                return quotient(block.part[part], scale.part(part), reciprocal_.part(part));
            });
        } else {
            block = block / scale;
        }
        if (shifted_) {
            block = block + offsets_.template block<loads>(i);
        }
        return way_.mode == Round::Rint ? block : rounded(block, way_.mode);
    }

  private:
    static constexpr bool kQuick = kQuickDivision && !each && sizeof(X) == sizeof(std::uint16_t);
    const Way way_;
    const bool shifted_;
    const float* const scale_;
    const Factors<each> scales_;
    const Factors<each> offsets_;
    const bool quick_;
    const float inverse_;
    const Factors<false> reciprocal_;
};

// One block of such a row.
template <class Row, class X>
struct ScaledBlock {
    const Row& row;
    const X* x;
    const std::int64_t i;
    ACLQ_INLINE Block quick() const { return row.template block<Loads::First>(x, i); }
    ACLQ_INLINE Block exact() const { return row.template block<Loads::Again>(x, i); }
};

// The two kinds of results.
template <bool pack, class Type>
struct ToIntegers {
    using Vector = IntegerVector<pack>;
    Type type;
    template <class Policy>
    ACLQ_INLINE auto operator()(const Policy& policy) const {
        return integers<pack, false>(policy, type);
    }
};
struct ToInt32 {
    using Vector = VectorOf<decltype(toInt32(Block{}))>;
    template <class Policy>
    ACLQ_INLINE auto operator()(const Policy& policy) const {
        return toInt32(policy.exact());
    }
};

template <bool each, class Way, class Finish, class X>
ACLQ_INLINE inline void quantizeScaled(const QuantizeRows& rows, Way way, Finish finish, const X* x, std::int64_t count,
                                       std::int64_t n, const Output& y, std::int64_t bytesOfRow) {
    forRows<typename Finish::Vector, each && Lanes::kShare>(
        y, bytesOfRow, count, n > kFitsL1, [&](auto& results, std::int64_t row, auto interleaved) ACLQ_INLINE {
            const ScaledRow<each, Way, X> scaled(rows, way, row);
            for (std::int64_t i = 0; i < n; i += kBlock) {
                forInterleaved<interleaved()>([&](auto number) ACLQ_INLINE {
                    const X* const from = x + (row + number) * n + i;
                    prefetchAhead(from);
                    results[number].put(finish(ScaledBlock<ScaledRow<each, Way, X>, X>{scaled, from, i}));
                });
            }
        });
}

inline void quantizeBlocks(const QuantizeRows& rows, Source source, const void* data, std::int64_t count,
                           std::int64_t n, const IntegerOutput& y) {
    withSource(source, data, [&](const auto* x) {
        withConstants(
            [&](auto each, auto pack) {
                constexpr Integers kUsual = pack() ? Integers::Int4 : Integers::Int8;
                constexpr ToIntegers<pack(), Constant<kUsual>> kToUsual{};
                const std::int64_t bytesOfRow = pack() ? n / 2 : n;
                if (rows.scaleTwice || rows.mode != Round::Rint || y.type != kUsual) {
                    quantizeScaled<each()>(rows, AnyScaling{rows.divide, rows.scaleTwice, rows.mode},
                                           ToIntegers<pack(), Integers>{y.type}, x, count, n, y.to, bytesOfRow);
                } else if (rows.divide) {
                    quantizeScaled<each()>(rows, UsualScaling<true>{}, kToUsual, x, count, n, y.to, bytesOfRow);
                } else {
                    quantizeScaled<each()>(rows, UsualScaling<false>{}, kToUsual, x, count, n, y.to, bytesOfRow);
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
                const Scaling<bool, bool, Constant<Round::Rint>> way{rows.divide, rows.scaleTwice, {}};
                quantizeScaled<each()>(rows, way, ToInt32{}, x, count, n, y, 4 * n);
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
