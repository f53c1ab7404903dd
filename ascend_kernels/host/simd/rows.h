// SPDX-License-Identifier: Apache-2.0
// The row kernels, written once over sixteen lanes; each variant's file chooses the lanes, includes this and compiles it
// with its instructions. What the operations on lanes mean is said in lanes_scalar.h.
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

// A call for every sixteen elements would cost more than the work.
#define ACLQ_INLINE __attribute__((always_inline))

namespace aclq::ACLQ_ISA {

// Calls block(i, count) for each sixteen elements and once for the rest; block works on sixteen elements in any case.
template <class Block>
ACLQ_INLINE inline void forBlocks(std::int64_t n, Block&& block) {
    std::int64_t i = 0;
    for (; i + Lanes::kCount <= n; i += Lanes::kCount) {
        block(i, Lanes::kCount);
    }
    if (i < n) {
        block(i, n - i);
    }
}

// How far ahead of the work memory is asked for: processors do not do it themselves across the ends of pages.
constexpr std::int64_t kAheadBytes = 4096;

// Sixteen elements of which only the first `count` may be read.
template <class T>
ACLQ_INLINE inline Lanes loadSome(const T* x, std::int64_t count) {
    if (count == Lanes::kCount) {
        return load(x);
    }
    T padded[Lanes::kCount] = {};
    std::memcpy(padded, x, static_cast<std::size_t>(count) * sizeof(T));
    return load(padded);
}

// The same, and asks for what lies `ahead` elements further on. That may be past the end: asking is no access.
template <class T>
ACLQ_INLINE inline Lanes loadAhead(const T* x, std::int64_t count, std::int64_t ahead = kAheadBytes / static_cast<std::int64_t>(sizeof(T))) {
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(x) + static_cast<std::uintptr_t>(ahead) * sizeof(T)));
    return loadSome(x, count);
}

// Calls write(target) with room for sixteen elements, of which only the first `count` reach y.
template <class T, class Write>
ACLQ_INLINE inline void storeSome(T* y, std::int64_t count, Write&& write) {
    if (count == Lanes::kCount) {
        write(y);
        return;
    }
    T padded[Lanes::kCount];
    write(padded);
    std::memcpy(y, padded, static_cast<std::size_t>(count) * sizeof(T));
}

// Factors of a row: one each for its elements, or one for all.
template <bool each>
class Factors {
  public:
    explicit Factors(const float* values) : values_(values), same_(broadcast(*values)) {}
    ACLQ_INLINE Lanes at(std::int64_t i, std::int64_t count) const {
        if constexpr (each) {
            return loadSome(values_ + i, count);
        } else {
            return same_;
        }
    }

  private:
    const float* const values_;
    const Lanes same_;
};

enum class Scaling { Multiply, MultiplyTwice, Divide };

template <Scaling scaling>
ACLQ_INLINE inline Lanes scaled(Lanes x, Lanes scale) {
    if constexpr (scaling == Scaling::Divide) {
        return x / scale;
    } else {
        return scaling == Scaling::MultiplyTwice ? x * scale * scale : x * scale;
    }
}

// Calls body(value, i, count) with x scaled and shifted; the choices are made outside the loop.
template <Scaling scaling, bool each, class X, class Body>
ACLQ_INLINE inline void forScaled(const QuantizeRow& row, const X* x, std::int64_t n, Body&& body) {
    const Factors<each> scale(row.scale);
    const auto at = [&](std::int64_t i, std::int64_t count) ACLQ_INLINE { return scaled<scaling>(loadAhead(x + i, count), scale.at(i, count)); };
    if (row.offset == nullptr) {
        forBlocks(n, [&](std::int64_t i, std::int64_t count) ACLQ_INLINE { body(at(i, count), i, count); });
    } else {
        const Factors<each> offset(row.offset);
        forBlocks(n, [&](std::int64_t i, std::int64_t count) ACLQ_INLINE { body(at(i, count) + offset.at(i, count), i, count); });
    }
}

template <Scaling scaling, class X, class Body>
ACLQ_INLINE inline void forScaled(const QuantizeRow& row, const X* x, std::int64_t n, Body&& body) {
    row.step == 0 ? forScaled<scaling, false>(row, x, n, body) : forScaled<scaling, true>(row, x, n, body);
}

template <class X, class Body>
ACLQ_INLINE inline void forScaled(const QuantizeRow& row, const X* x, std::int64_t n, Body&& body) {
    if (row.divide) {
        forScaled<Scaling::Divide>(row, x, n, body);
    } else if (row.scaleTwice) {
        forScaled<Scaling::MultiplyTwice>(row, x, n, body);
    } else {
        forScaled<Scaling::Multiply>(row, x, n, body);
    }
}

// Calls body with x as a pointer to its own type.
template <class Body>
ACLQ_INLINE inline void withSource(Source source, const void* x, Body&& body) {
    switch (source) {
        case Source::Float:
            return body(static_cast<const float*>(x));
        case Source::Half:
            return body(static_cast<const Half*>(x));
        case Source::BFloat16:
            return body(static_cast<const BFloat16*>(x));
    }
}

template <Round mode, class X, class Y>
inline void quantizeSmall(const QuantizeRow& row, Limits limits, const X* x, std::int64_t n, Y* y) {
    forScaled(row, x, n, [=](Lanes v, std::int64_t i, std::int64_t count) ACLQ_INLINE {
        storeSome(y + i, count, [&](Y* to) ACLQ_INLINE { storeRounded<mode>(v, limits, to); });
    });
}

template <class Y>
inline void quantizeSmall(const QuantizeRow& row, Limits limits, Source source, const void* data, std::int64_t n, Y* y) {
    withSource(source, data, [&](const auto* x) {
        switch (row.mode) {
            case Round::Rint:
                return quantizeSmall<Round::Rint>(row, limits, x, n, y);
            case Round::Floor:
                return quantizeSmall<Round::Floor>(row, limits, x, n, y);
            case Round::Ceil:
                return quantizeSmall<Round::Ceil>(row, limits, x, n, y);
            case Round::Trunc:
                return quantizeSmall<Round::Trunc>(row, limits, x, n, y);
        }
    });
}

inline void quantizeToInt8(const QuantizeRow& row, Limits limits, Source source, const void* x, std::int64_t n, std::int8_t* y) {
    quantizeSmall(row, limits, source, x, n, y);
}

inline void quantizeToUint8(const QuantizeRow& row, Source source, const void* x, std::int64_t n, std::uint8_t* y) {
    quantizeSmall(row, Limits{0.0F, 255.0F}, source, x, n, y);
}

inline void quantizeToInt32(const QuantizeRow& row, Source source, const void* data, std::int64_t n, std::int32_t* y) {
    withSource(source, data, [&](const auto* x) {
        forScaled(row, x, n, [=](Lanes v, std::int64_t i, std::int64_t count) ACLQ_INLINE {
            storeSome(y + i, count, [&](std::int32_t* to) ACLQ_INLINE { storeInt32(v, to); });
        });
    });
}

template <Overflow overflow, bool twice, bool each, class Y>
inline void antiQuantize(const AntiQuantizeRow& row, const std::int8_t* x, std::int64_t n, Y* y) {
    const Factors<each> scale(row.scale);
    const auto finish = [&](Lanes v, std::int64_t i, std::int64_t count) ACLQ_INLINE {
        v = scaled<twice ? Scaling::MultiplyTwice : Scaling::Multiply>(v, scale.at(i, count));
        storeSome(y + i, count, [&](Y* to) ACLQ_INLINE { store<overflow>(v, to); });
    };
    if (row.offset == nullptr) {
        forBlocks(n, [&](std::int64_t i, std::int64_t count) ACLQ_INLINE { finish(loadAhead(x + i, count), i, count); });
    } else {
        const Factors<each> offset(row.offset);
        forBlocks(n, [&](std::int64_t i, std::int64_t count) ACLQ_INLINE { finish(loadAhead(x + i, count) + offset.at(i, count), i, count); });
    }
}

template <Overflow overflow, bool twice, class Y>
inline void antiQuantize(const AntiQuantizeRow& row, const std::int8_t* x, std::int64_t n, Y* y) {
    row.step == 0 ? antiQuantize<overflow, twice, false>(row, x, n, y) : antiQuantize<overflow, twice, true>(row, x, n, y);
}

template <class Y>
inline void antiQuantizeTo(const AntiQuantizeRow& row, const std::int8_t* x, std::int64_t n, Y* y) {
    if (row.saturate) {
        row.scaleTwice ? antiQuantize<Overflow::Saturate, true>(row, x, n, y) : antiQuantize<Overflow::Saturate, false>(row, x, n, y);
    } else {
        row.scaleTwice ? antiQuantize<Overflow::InfNan, true>(row, x, n, y) : antiQuantize<Overflow::InfNan, false>(row, x, n, y);
    }
}

inline void antiQuantizeToHalf(const AntiQuantizeRow& row, const std::int8_t* x, std::int64_t n, Half* y) { antiQuantizeTo(row, x, n, y); }
inline void antiQuantizeToBFloat16(const AntiQuantizeRow& row, const std::int8_t* x, std::int64_t n, BFloat16* y) { antiQuantizeTo(row, x, n, y); }

template <bool smoothed, class X>
inline Extent extentOfRow(const X* x, const float* factor, std::int64_t step, std::int64_t n) {
    Lanes low = broadcast(__builtin_inff());
    Lanes high = broadcast(-__builtin_inff());
    bool nan = false;
    std::int64_t i = 0;
    for (; i + Lanes::kCount <= n; i += Lanes::kCount) {
        Lanes v = load(x + i);
        if constexpr (smoothed) {
            v = v * (step == 0 ? broadcast(*factor) : load(factor + i));
        }
        low = lower(v, low);
        high = higher(v, high);
        nan |= unordered(v);
    }
    Extent extent{lowest(low), highest(high)};
    for (; i < n; ++i) {
        const float v = smoothed ? widen(x[i]) * factor[i * step] : widen(x[i]);
        extent.low = v < extent.low ? v : extent.low;
        extent.high = v > extent.high ? v : extent.high;
        nan |= v != v;
    }
    // Adding 0 makes the sign of a zero the same for every variant.
    return nan ? Extent{__builtin_nanf(""), __builtin_nanf("")} : Extent{extent.low + 0.0F, extent.high + 0.0F};
}

// The order of halves is that of their bits, read as integers with the negative ones turned around: no conversion, and
// NaN come to lie outside the infinities.
template <class X>
inline Extent extentOfBits(const X* x, std::int64_t n) {
    static_assert(sizeof(X) == sizeof(std::int16_t));
    const auto turned = [](std::int16_t bits) ACLQ_INLINE { return static_cast<std::int16_t>(bits ^ (bits >> 15 & 0x7FFF)); };
    constexpr std::int16_t kInfinity = std::is_same_v<X, Half> ? 0x7C00 : 0x7F80;
    std::int16_t low = INT16_MAX;
    std::int16_t high = INT16_MIN;
    for (std::int64_t i = 0; i < n; ++i) {
        const std::int16_t key = turned(static_cast<std::int16_t>(x[i]));
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    if (low < static_cast<std::int16_t>(~kInfinity) || high > kInfinity) {
        return Extent{__builtin_nanf(""), __builtin_nanf("")};
    }
    const auto value = [&](std::int16_t key) { return widen(static_cast<X>(static_cast<std::uint16_t>(turned(key)))); };
    return Extent{value(low) + 0.0F, value(high) + 0.0F};
}

inline void extentsOfRows(Source source, const void* data, const float* factor, std::int64_t step, std::int64_t rows, std::int64_t n, Extent* extents) {
    withSource(source, data, [&](const auto* x) {
        for (std::int64_t row = 0; row < rows; ++row, x += n) {
            if (factor != nullptr) {
                extents[row] = extentOfRow<true>(x, factor, step, n);
            } else if constexpr (Lanes::kDefinition || sizeof(*x) != sizeof(std::int16_t)) {
                extents[row] = extentOfRow<false>(x, factor, step, n);
            } else {
                extents[row] = n > 0 ? extentOfBits(x, n) : extentOfRow<false>(x, factor, step, n);
            }
        }
    });
}

// Which parts of the work there are: one smooth factor for each element or for the row; the same for factor and shift.
template <bool smoothed, bool smoothEach, bool shifted, bool each, bool bounded, class X>
inline void affineToInt8(const AffineRows& rows, Limits limits, const X* x, std::int64_t count, std::int64_t n, std::int8_t* y) {
    const Factors<smoothEach> smooth(smoothed ? rows.smooth : rows.factor);
    for (std::int64_t row = 0; row < count; ++row, x += n, y += n) {
        const Factors<each> factor(rows.factor + row * rows.rowStep);
        const Factors<each> shift((shifted ? rows.shift : rows.factor) + row * rows.rowStep);
        forBlocks(n, [&](std::int64_t i, std::int64_t some) ACLQ_INLINE {
            Lanes v = loadAhead(x + i, some, rows.ahead);
            if constexpr (smoothed) {
                v = v * smooth.at(i, some);
            }
            v = v * factor.at(i, some);
            if constexpr (shifted) {
                v = v + shift.at(i, some);
            }
            storeSome(y + i, some, [&](std::int8_t* to) ACLQ_INLINE {
                bounded ? storeBounded(v, limits, to) : storeRounded<Round::Rint>(v, limits, to);
            });
        });
    }
}

// Calls body with the truth of each condition as a constant.
template <bool... known, class Body>
inline void withConstants(Body&& body) {
    body(std::bool_constant<known>{}...);
}
template <bool... known, class Body, class... Rest>
inline void withConstants(Body&& body, bool first, Rest... rest) {
    first ? withConstants<known..., true>(body, rest...) : withConstants<known..., false>(body, rest...);
}

inline void affineToInt8(const AffineRows& rows, Limits limits, Source source, const void* data, std::int64_t count, std::int64_t n, std::int8_t* y) {
    withSource(source, data, [&](const auto* x) {
        withConstants([&](auto smoothed, auto smoothEach, auto shifted, auto each, auto bounded) {
            affineToInt8<smoothed(), smoothEach(), shifted(), each(), bounded()>(rows, limits, x, count, n, y);
        }, rows.smooth != nullptr, rows.smooth != nullptr && rows.smoothStep != 0, rows.shift != nullptr, rows.step != 0, rows.bounded);
    });
}

inline void smoothRow(Source source, const void* data, const float* factor, std::int64_t step, std::int64_t n, float* values) {
    withSource(source, data, [&](const auto* x) {
        for (std::int64_t i = 0; i < n; ++i) {
            values[i] = factor == nullptr ? widen(x[i]) : widen(x[i]) * factor[i * step];
        }
    });
}

// Two bytes as one word of 16 bits, the first the lower half: loops over words vectorise.
inline void packInt4(const std::int8_t* x, std::int64_t n, std::uint8_t* y) {
    for (std::int64_t i = 0; i < n / 2; ++i) {
        std::uint16_t pair;
        std::memcpy(&pair, x + 2 * i, sizeof pair);
        y[i] = static_cast<std::uint8_t>((pair & 0x0F) | (pair >> 4 & 0xF0));
    }
}

inline void unpackInt4(const std::uint8_t* x, std::int64_t n, std::int8_t* y) {
    for (std::int64_t i = 0; i < n / 2; ++i) {
        const std::uint32_t first = ((x[i] & 0x0FU) ^ 0x08U) - 0x08U;
        const std::uint32_t second = (x[i] >> 4 ^ 0x08U) - 0x08U;
        const auto pair = static_cast<std::uint16_t>((first & 0xFFU) | second << 8);
        std::memcpy(y + 2 * i, &pair, sizeof pair);
    }
}

template <bool nearest, bool shifted>
inline void packScales(const float* scale, const float* offset, std::int64_t n, std::uint8_t* words) {
    for (std::int64_t i = 0; i < n; ++i) {
        // Half a word at a time: 32 bits vectorise better.
        const std::uint32_t low = toNineteenBits<nearest>(scale[i]);
        std::uint32_t high = 1U << 14;
        if constexpr (shifted) {
            high |= (static_cast<std::uint32_t>(toSmallInteger<Round::Rint>(offset[i], -256.0F, 255.0F)) & 0x1FFU) << 5;
        }
        const std::uint64_t word = static_cast<std::uint64_t>(high) << 32 | low;
        std::memcpy(words + i * 8, &word, sizeof word);
    }
}

inline void packScales(const float* scale, const float* offset, bool nearest, std::int64_t n, std::uint8_t* words) {
    if (offset == nullptr) {
        nearest ? packScales<true, false>(scale, offset, n, words) : packScales<false, false>(scale, offset, n, words);
    } else {
        nearest ? packScales<true, true>(scale, offset, n, words) : packScales<false, true>(scale, offset, n, words);
    }
}

inline void streamTo(void* to, const void* from, std::int64_t bytes) {
    auto* target = static_cast<unsigned char*>(to);
    const auto* source = static_cast<const unsigned char*>(from);
    // Whole lines are streamed, what is before and behind them is copied.
    const std::int64_t head = std::min(bytes, static_cast<std::int64_t>(-reinterpret_cast<std::uintptr_t>(target) % kLine));
    std::memcpy(target, source, static_cast<std::size_t>(head));
    std::int64_t done = head;
    for (; done + kLine <= bytes; done += kLine) {
        streamLine(target + done, source + done);
    }
    std::memcpy(target + done, source + done, static_cast<std::size_t>(bytes - done));
}

inline constexpr Kernels table(const char* name) {
    return Kernels{name,        quantizeToInt8, quantizeToUint8, quantizeToInt32, antiQuantizeToHalf, antiQuantizeToBFloat16,
                   extentsOfRows, affineToInt8, smoothRow,       packInt4,        unpackInt4,         packScales, streamTo, streamFence};
}

}  // namespace aclq::ACLQ_ISA
