// SPDX-License-Identifier: Apache-2.0
// The row kernels, written once over sixteen lanes; each variant's file chooses the lanes, includes this and compiles it
// with its instructions. What the operations on lanes mean is said in lanes_scalar.h.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>


namespace aclq::ACLQ_ISA {

// Elements of a block.
constexpr std::int64_t kBlock = 4 * Lanes::kCount;
// How far ahead of the work memory is asked for: processors do not do it themselves across the ends of pages.
constexpr std::int64_t kAheadBytes = 4096;

// Rows are pointers, or int4 packed in bytes.
template <class T>
constexpr std::int64_t sizeOf(const T*, std::int64_t n) { return n * static_cast<std::int64_t>(sizeof(T)); }
constexpr std::int64_t sizeOf(PackedInt4, std::int64_t n) { return (n + 1) / 2; }
template <class T>
ACLQ_INLINE inline const T* at(const T* x, std::int64_t i) { return x + i; }
ACLQ_INLINE inline PackedInt4 at(PackedInt4 x, std::int64_t i) { return {x.data + i / 2}; }
template <class T>
ACLQ_INLINE inline const unsigned char* bytesOf(const T* x) { return reinterpret_cast<const unsigned char*>(x); }
ACLQ_INLINE inline const unsigned char* bytesOf(PackedInt4 x) { return x.data; }
template <class T>
ACLQ_INLINE inline const T* like(const T*, const unsigned char* bytes) { return reinterpret_cast<const T*>(bytes); }
ACLQ_INLINE inline PackedInt4 like(PackedInt4, const unsigned char* bytes) { return {bytes}; }

// A block of elements, of which only the first `count` may be read.
template <class X>
class Elements {
  public:
    ACLQ_INLINE Elements(X x, std::int64_t count) : at_(x) {
        if (count < kBlock) {
            std::memset(padded_, 0, sizeof padded_);
            std::memcpy(padded_, bytesOf(x), static_cast<std::size_t>(sizeOf(x, count)));
            at_ = like(x, padded_);
        }
    }
    Elements(const Elements&) = delete;
    Elements& operator=(const Elements&) = delete;
    ACLQ_INLINE Lanes part(int number) const { return load(at(at_, number * Lanes::kCount)); }

  private:
    X at_;
    alignas(64) unsigned char padded_[sizeOf(X{}, kBlock)];
};

ACLQ_INLINE inline void askForLine(const void* x, std::int64_t bytes) {
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(x) + static_cast<std::uintptr_t>(bytes)));
}

// Asks for the block that lies so many bytes further on. That may be past the end: asking is no access.
template <class X>
ACLQ_INLINE inline void askFor(X x, std::int64_t bytes) {
    for (std::int64_t line = 0; line < sizeOf(x, kBlock); line += kLine) {
        askForLine(bytesOf(x), bytes + line);
    }
}

// Calls block(i, count) for each whole block and once for the rest; it works on a whole block in any case.
template <class Work>
ACLQ_INLINE inline void forBlocks(std::int64_t n, Work&& work) {
    std::int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
        work(i, kBlock);
    }
    if (i < n) {
        work(i, n - i);
    }
}

// The block whose parts make(number) gives.
template <class Make>
ACLQ_INLINE inline Block makeBlock(Make&& make) {
    return Block{{make(0), make(1), make(2), make(3)}};
}

// Factors of a row: one each for its elements, or one for all.
template <bool each>
class Factors {
  public:
    explicit Factors(const float* values) : same_(*values) {}
    ACLQ_INLINE Factors(const Factors& row, std::int64_t, std::int64_t) : same_(row.same_) {}
    ACLQ_INLINE Lanes part(int) const { return broadcast(same_); }

  private:
    const float same_;  // compilers keep its lanes in a register; lanes that are copied, some do not
};

template <>
class Factors<true> {
  public:
    explicit Factors(const float* values) : values_(values), block_(values, kBlock) {}
    // Those of a block of the row.
    ACLQ_INLINE Factors(const Factors& row, std::int64_t i, std::int64_t count) : values_(row.values_), block_(row.values_ + i, count) {}
    ACLQ_INLINE Lanes part(int number) const { return block_.part(number); }

  private:
    const float* const values_;
    const Elements<const float*> block_;
};

// Puts results behind each other. Those to be streamed are, where they are aligned enough.
class Results {
  public:
    ACLQ_INLINE explicit Results(const Output& y) : to_(static_cast<unsigned char*>(y.data)), streamed_(y.streamed) {}
    Results(const Results&) = delete;
    Results& operator=(const Results&) = delete;

    // write(place, streamed) writes `most` bytes, of which the first `bytes` are results.
    template <std::int64_t most, class Write>
    ACLQ_INLINE void put(std::int64_t bytes, Write&& write) {
        if (bytes == most) {
            write(to_, streamed_ && reinterpret_cast<std::uintptr_t>(to_) % kStreamAlignment == 0);
        } else {
            alignas(64) unsigned char padded[most];
            write(padded, false);
            std::memcpy(to_, padded, static_cast<std::size_t>(bytes));
        }
        to_ += bytes;
    }

  private:
    unsigned char* to_;
    const bool streamed_;
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

// Calls body(block, i, count) with x scaled and shifted; the choices are made outside the loop.
template <Scaling scaling, bool each, class X, class Body>
ACLQ_INLINE inline void forScaled(const QuantizeRow& row, const X* x, std::int64_t n, Body&& body) {
    const Factors<each> scales(row.scale);
    const auto at = [&](std::int64_t i, std::int64_t count) ACLQ_INLINE {
        if constexpr (!each) {  // else early lines would push the factors out of the nearest cache
            askFor(x + i, kAheadBytes);
        }
        const Elements<const X*> elements(x + i, count);
        const Factors<each> scale(scales, i, count);
        return makeBlock([&](int part) ACLQ_INLINE { return scaled<scaling>(elements.part(part), scale.part(part)); });
    };
    if (row.offset == nullptr) {
        forBlocks(n, [&](std::int64_t i, std::int64_t count) ACLQ_INLINE { body(at(i, count), i, count); });
    } else {
        const Factors<each> offsets(row.offset);
        forBlocks(n, [&](std::int64_t i, std::int64_t count) ACLQ_INLINE {
            const Block product = at(i, count);
            const Factors<each> offset(offsets, i, count);
            body(makeBlock([&](int part) ACLQ_INLINE { return product.part[part] + offset.part(part); }), i, count);
        });
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

// How a block is rounded: chosen for each block, which costs little beside its sixty-four elements.
ACLQ_INLINE inline Bytes narrow(const Block& block, Round mode, const Saturation& saturation) {
    switch (mode) {
        case Round::Floor:
            return narrow<Round::Floor>(block, saturation);
        case Round::Ceil:
            return narrow<Round::Ceil>(block, saturation);
        case Round::Trunc:
            return narrow<Round::Trunc>(block, saturation);
        default:
            return narrow<Round::Rint>(block, saturation);
    }
}

ACLQ_INLINE inline void put(Results& results, const Bytes& bytes, std::int64_t count, bool packed) {
    if (packed) {
        results.put<kBlock / 2>(count / 2, [&](std::uint8_t* to, bool streamed) ACLQ_INLINE { storeNibbles(bytes, to, streamed); });
    } else {
        results.put<kBlock>(count, [&](std::uint8_t* to, bool streamed) ACLQ_INLINE { storeBytes(bytes, to, streamed); });
    }
}

inline void quantize(const QuantizeRow& row, Source source, const void* data, std::int64_t n, const IntegerOutput& y) {
    withSource(source, data, [&](const auto* x) {
        Results results(y.to);
        const Saturation saturation(y.limits);
        forScaled(row, x, n, [&, mode = row.mode, packed = y.packed](const Block& block, std::int64_t, std::int64_t count) ACLQ_INLINE {
            put(results, narrow(block, mode, saturation), count, packed);
        });
    });
}

inline void quantizeToInt32(const QuantizeRow& row, Source source, const void* data, std::int64_t n, const Output& y) {
    withSource(source, data, [&](const auto* x) {
        Results results(y);
        forScaled(row, x, n, [&](const Block& block, std::int64_t, std::int64_t count) ACLQ_INLINE {
            results.put<4 * kBlock>(4 * count, [&](std::uint8_t* to, bool streamed) ACLQ_INLINE {
                for (int part = 0; part < 4; ++part) {
                    storeInt32(block.part[part], reinterpret_cast<std::int32_t*>(to) + part * Lanes::kCount, streamed);
                }
            });
        });
    });
}

template <Overflow overflow, bool twice, bool each, class Y, class X>
inline void antiQuantize(const AntiQuantizeRow& row, X x, std::int64_t n, const Output& y) {
    Results results(y);
    const Factors<each> scales(row.scale);
    const auto finish = [&](const Block& block, std::int64_t i, std::int64_t count) ACLQ_INLINE {
        const Factors<each> scale(scales, i, count);
        results.put<2 * kBlock>(2 * count, [&](std::uint8_t* to, bool streamed) ACLQ_INLINE {
            for (int part = 0; part < 4; ++part) {
                const Lanes v = scaled<twice ? Scaling::MultiplyTwice : Scaling::Multiply>(block.part[part], scale.part(part));
                store<overflow>(v, reinterpret_cast<Y*>(to) + part * Lanes::kCount, streamed);
            }
        });
    };
    const auto elements = [&](std::int64_t i, std::int64_t count, const auto& add) ACLQ_INLINE {
        askFor(at(x, i), kAheadBytes);
        const Elements<X> from(at(x, i), count);
        finish(makeBlock([&](int part) ACLQ_INLINE { return add(from.part(part), part); }), i, count);
    };
    if (row.offset == nullptr) {
        forBlocks(n, [&](std::int64_t i, std::int64_t count) ACLQ_INLINE { elements(i, count, [](Lanes v, int) ACLQ_INLINE { return v; }); });
    } else {
        const Factors<each> offsets(row.offset);
        forBlocks(n, [&](std::int64_t i, std::int64_t count) ACLQ_INLINE {
            const Factors<each> offset(offsets, i, count);
            elements(i, count, [&](Lanes v, int part) ACLQ_INLINE { return v + offset.part(part); });
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

inline void antiQuantize(const AntiQuantizeRow& row, const void* data, bool isPacked, std::int64_t n, const Output& y, bool isHalf) {
    withConstants([&](auto saturate, auto twice, auto each, auto half, auto packed) {
        using X = std::conditional_t<packed(), PackedInt4, const std::int8_t*>;
        const X x = like(X{}, static_cast<const unsigned char*>(data));
        antiQuantize<saturate() ? Overflow::Saturate : Overflow::InfNan, twice(), each(), std::conditional_t<half(), Half, BFloat16>>(row, x, n, y);
    }, row.saturate, row.scaleTwice, row.step != 0, isHalf, isPacked);
}

template <bool smoothed, class X>
inline float product(const float* factor, std::int64_t step, X x, std::int64_t i) {
    return smoothed ? widen(x[i]) * factor[i * step] : widen(x[i]);
}

// The definition.
template <bool smoothed, class X>
inline Extent extentByValue(const X* x, const float* factor, std::int64_t step, std::int64_t n) {
    Extent extent{__builtin_inff(), -__builtin_inff()};
    bool nan = false;
    for (std::int64_t i = 0; i < n; ++i) {
        const float v = product<smoothed>(factor, step, x, i);
        extent.low = v < extent.low ? v : extent.low;
        extent.high = v > extent.high ? v : extent.high;
        nan |= v != v;
    }
    // Adding 0 makes the sign of a zero the same for every variant.
    return nan ? Extent{__builtin_nanf(""), __builtin_nanf("")} : Extent{extent.low + 0.0F, extent.high + 0.0F};
}

// Largest value found by comparing bits as integers, which orders floats of one sign, the negative ones backwards.
template <class Bits>
struct Largest {
    std::make_signed_t<Bits> above;  // read as signed: the largest value, unless all are negative
    Bits below;                      // read as unsigned: the smallest value, unless none is negative
};

template <class Bits>
ACLQ_INLINE inline void include(Largest<Bits>& bits, Bits value) {
    bits.above = std::max(bits.above, static_cast<std::make_signed_t<Bits>>(value));
    bits.below = std::max(bits.below, value);
}

// The bits of 16-bit values need no conversion; those of products do.
template <class X>
inline Largest<std::uint16_t> largestOf(const X* x, std::int64_t n) {
    Largest<std::uint16_t> bits{INT16_MIN, 0};
    for (std::int64_t i = 0; i < n; ++i) {
        include(bits, static_cast<std::uint16_t>(x[i]));
    }
    return bits;
}

template <class X>
inline Largest<std::uint32_t> largestOf(const X* x, const float* factor, std::int64_t step, std::int64_t n) {
    Extremes extremes;
    const Factors<false> same(factor);
    std::int64_t i = 0;
    for (; i + Lanes::kCount <= n; i += Lanes::kCount) {
        extremes.include(load(x + i) * (step == 0 ? same.part(0) : load(factor + i)));
    }
    Largest<std::uint32_t> bits{extremes.largest(), extremes.largestUnsigned()};
    for (; i < n; ++i) {
        include(bits, bitCast<std::uint32_t>(widen(x[i]) * factor[i * step]));
    }
    return bits;
}

// Of values that all have one sign, the one nearest to zero has the smallest bits.
template <class Bits, class Value>
inline Bits leastOf(std::int64_t n, Value&& value) {
    Bits least = std::numeric_limits<Bits>::max();
    for (std::int64_t i = 0; i < n; ++i) {
        least = std::min(least, bitCast<Bits>(value(i)));
    }
    return least;
}

template <class Format, class Bits, class Least>
inline Extent extentOf(Largest<Bits> bits, Bits infinity, Least&& least) {
    constexpr Bits kSign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
    if (bits.above > static_cast<std::make_signed_t<Bits>>(infinity) || bits.below > (kSign | infinity)) {
        return {__builtin_nanf(""), __builtin_nanf("")};  // NaN lie outside the infinities
    }
    const bool mixed = bits.above >= 0 && bits.below >= kSign;
    const Bits other = mixed ? Bits{0} : least();
    const auto value = [](Bits pattern) { return widen(bitCast<Format>(pattern)) + 0.0F; };
    return {value(bits.below >= kSign ? bits.below : other), value(bits.above >= 0 ? static_cast<Bits>(bits.above) : other)};
}

inline constexpr float kOne = 1.0F;

template <bool smoothed, class X>
inline Extent extentOfRow(const X* x, const float* factor, std::int64_t step, std::int64_t n) {
    constexpr bool kBitsOnly = !smoothed && sizeof(X) == sizeof(std::uint16_t);
    if constexpr (Lanes::kDefinition) {
        return extentByValue<smoothed>(x, factor, step, n);
    } else if (n == 0) {
        return extentByValue<smoothed>(x, factor, step, n);
    } else if constexpr (kBitsOnly) {
        constexpr std::uint16_t kInfinity = std::is_same_v<X, Half> ? 0x7C00 : 0x7F80;
        return extentOf<X>(largestOf(x, n), kInfinity, [&] { return leastOf<std::uint16_t>(n, [&](std::int64_t i) { return x[i]; }); });
    } else {
        // Floats alone are products with 1: those find their lanes.
        const Largest<std::uint32_t> largest = smoothed ? largestOf(x, factor, step, n) : largestOf(x, &kOne, 0, n);
        return extentOf<float>(largest, std::uint32_t{0x7F800000U}, [&] {
            return leastOf<std::uint32_t>(n, [&](std::int64_t i) { return product<smoothed>(factor, step, x, i); });
        });
    }
}

template <bool smoothed, class X>
inline void extentsOfRows(const X* x, const float* factor, std::int64_t step, std::int64_t rows, std::int64_t n, Extent* extents) {
    for (std::int64_t row = 0; row < rows; ++row, x += n) {
        extents[row] = extentOfRow<smoothed>(x, factor, step, n);
    }
}

inline void extentsOfRows(Source source, const void* data, const float* factor, std::int64_t step, std::int64_t rows, std::int64_t n, Extent* extents) {
    withSource(source, data, [&](const auto* x) {
        factor != nullptr ? extentsOfRows<true>(x, factor, step, rows, n, extents) : extentsOfRows<false>(x, factor, step, rows, n, extents);
    });
}

// Which parts of the work there are: one smooth factor for each element or for the row; the same for factor and shift.
template <bool smoothed, bool smoothEach, bool shifted, bool each, bool bounded, class X>
inline void quantizeAffine(const AffineRows& rows, const X* x, std::int64_t count, std::int64_t n, const IntegerOutput& y) {
    Results results(y.to);
    const Saturation saturation(y.limits);
    const bool packed = y.packed;
    const Factors<smoothEach> smooths(smoothed ? rows.smooth : rows.factor);
    for (std::int64_t row = 0; row < count; ++row, x += n) {
        const Factors<each> factors(rows.factor + row * rows.rowStep);
        const Factors<each> shifts((shifted ? rows.shift : rows.factor) + row * rows.rowStep);
        forBlocks(n, [&](std::int64_t i, std::int64_t some) ACLQ_INLINE {
            const Elements<const X*> elements(x + i, some);
            const Factors<smoothEach> smooth(smooths, i, some);
            const Factors<each> factor(factors, i, some);
            const Factors<each> shift(shifts, i, some);
            const Block block = makeBlock([&](int number) ACLQ_INLINE {
                Lanes v = elements.part(number);
                if constexpr (smoothed) {
                    v = v * smooth.part(number);
                }
                v = v * factor.part(number);
                if constexpr (shifted) {
                    v = v + shift.part(number);
                }
                return v;
            });
            put(results, bounded ? narrowBounded(block, saturation) : narrow<Round::Rint>(block, saturation), some, packed);
        });
    }
}

inline void quantizeAffine(const AffineRows& rows, Source source, const void* data, std::int64_t count, std::int64_t n, const IntegerOutput& y) {
    withSource(source, data, [&](const auto* x) {
        withConstants([&](auto smoothed, auto smoothEach, auto shifted, auto each, auto bounded) {
            if constexpr (smoothed() || !smoothEach()) {
                // Bounds are known of rows, not of channels.
                quantizeAffine<smoothed(), smoothEach(), shifted(), each(), bounded() && !each()>(rows, x, count, n, y);
            }
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
    return Kernels{name, quantize, quantizeToInt32, antiQuantize, extentsOfRows, quantizeAffine, smoothRow, unpackInt4, packScales, streamTo, streamFence};
}

}  // namespace aclq::ACLQ_ISA
