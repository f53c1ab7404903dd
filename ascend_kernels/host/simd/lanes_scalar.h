// SPDX-License-Identifier: Apache-2.0
// Sixteen floats, one after the other: simd/numeric.h applied to each. The definition of every operation here.
#pragma once

#include <algorithm>
#include <type_traits>

#include "simd/numeric.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = true;  // without shortcuts
    static constexpr bool kShare = false;      // whether long interleaved rows share loads of their factors
    float values[kCount];
};

// Four Lanes: 64 elements, whose one-byte results fill a cache line.
struct Block {
    Lanes part[4];
};

template <class T>
inline Lanes load(const T* x) {
    Lanes lanes;
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        lanes.values[i] = widen(x[i]);
    }
    return lanes;
}

inline Lanes load(PackedInt4 x) {
    Lanes lanes;
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        lanes.values[i] = widen(static_cast<std::int8_t>(((x.data[i / 2] >> (i % 2 * 4) & 15) ^ 8) - 8));
    }
    return lanes;
}

inline void store(const Lanes& a, float* to) {
    std::copy_n(a.values, Lanes::kCount, to);
}

inline Lanes broadcast(float value) {
    Lanes lanes;
    for (float& lane : lanes.values) {
        lane = value;
    }
    return lanes;
}

template <class Operation>
inline Lanes apply(const Lanes& a, const Lanes& b, Operation&& operation) {
    Lanes lanes;
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        lanes.values[i] = operation(a.values[i], b.values[i]);
    }
    return lanes;
}

inline Lanes operator+(const Lanes& a, const Lanes& b) {
    return apply(a, b, [](float x, float y) { return x + y; });
}
inline Lanes operator*(const Lanes& a, const Lanes& b) {
    return apply(a, b, [](float x, float y) { return x * y; });
}
inline Lanes operator/(const Lanes& a, const Lanes& b) {
    return apply(a, b, [](float x, float y) { return x / y; });
}

// Whether repeated division by the same value has a faster exact form, and that form.
constexpr bool kQuickDivision = false;
inline Lanes quotient(const Lanes& x, const Lanes& y, const Lanes&) {
    return x / y;
}

// Running maxima of the bits, read as signed and as unsigned integers.
struct MinMaxBits {
    std::int32_t above = INT32_MIN;
    std::uint32_t below = 0;
    template <int>  // the number of rows reduced together, where it matters for register use
    void include(const Lanes& a) {
        for (const float lane : a.values) {
            above = std::max(above, bitCast<std::int32_t>(lane));
            below = std::max(below, bitCast<std::uint32_t>(lane));
        }
    }
    std::int32_t largest() const { return above; }
    std::uint32_t largestUnsigned() const { return below; }
};

// The same for 16-bit elements in memory.
struct MinMaxBits16 {
    static constexpr std::int64_t kCount = 1;
    std::int16_t above = INT16_MIN;
    std::uint16_t below = 0;
    void include(const void* x) {
        std::uint16_t word = 0;
        __builtin_memcpy(&word, x, sizeof word);
        above = std::max(above, static_cast<std::int16_t>(word));
        below = std::max(below, word);
    }
    std::int16_t largest() const { return above; }
    std::uint16_t largestUnsigned() const { return below; }
};

// A cache line.
struct Line {
    std::uint8_t values[4 * Lanes::kCount];
};
using Bytes = Vectors<Line, 1>;

template <class Y, class Value>
inline Vectors<Line, sizeof(Y)> lines(Value&& value) {
    Vectors<Line, sizeof(Y)> results;
    for (std::size_t i = 0; i < 4 * Lanes::kCount; ++i) {
        const Y element = value(i);
        __builtin_memcpy(results.part[i * sizeof(Y) / sizeof(Line)].values + i * sizeof(Y) % sizeof(Line), &element,
                         sizeof element);
    }
    return results;
}

inline float element(const Block& block, std::size_t i) {
    return block.part[i / Lanes::kCount].values[i % Lanes::kCount];
}

// The block that policy.quick() computes, to nearest, saturated, NaN to 0. Where that is less exact, variants use
// policy.exact(). Within: all results are finite and within the limits.
template <class Policy>
inline Bytes narrowed(const Policy& policy, Integers to, bool) {
    const Block block = policy.quick();
    const Limits limits = limitsOf(to);
    return lines<std::uint8_t>([&](std::size_t i) {
        return static_cast<std::uint8_t>(toSmallInteger(element(block, i), limits.low, limits.high));
    });
}

// Rounded in another mode; results are still floats.
inline Block rounded(const Block& block, Round mode) {
    Block results;
    for (std::size_t i = 0; i < 4 * Lanes::kCount; ++i) {
        results.part[i / Lanes::kCount].values[i % Lanes::kCount] = roundedTo(element(block, i), mode);
    }
    return results;
}

// Two per byte, the first in the low nibble.
struct HalfLine {
    std::uint8_t values[2 * Lanes::kCount];
};
using Nibbles = Vectors<HalfLine, 1>;
inline Nibbles packed(const Bytes& bytes) {
    Nibbles nibbles;
    for (std::int64_t i = 0; i < 2 * Lanes::kCount; ++i) {
        nibbles.part[0].values[i] =
            static_cast<std::uint8_t>((bytes.part[0].values[2 * i] & 15) | bytes.part[0].values[2 * i + 1] << 4);
    }
    return nibbles;
}

inline Vectors<Line, 4> toInt32(const Block& block) {
    return lines<std::int32_t>([&](std::size_t i) { return aclq::ACLQ_ISA::toInt32(element(block, i)); });
}

// `ordered`: all values are numbers, not NaN.
template <Overflow overflow, bool ordered, class Y>
inline Vectors<Line, 2> toHalves(const Block& block) {
    return lines<Y>([&](std::size_t i) {
        if constexpr (std::is_same_v<Y, Half>) {
            return toHalf<overflow>(element(block, i));
        } else {
            return toBFloat16<overflow>(element(block, i));
        }
    });
}

// A table of sixteen 16-bit values, indexed by the int4 of a block.
class Sixteen {
  public:
    explicit Sixteen(const std::uint16_t* halves) { std::copy_n(halves, 16, halves_); }
    Vectors<Line, 2> lookUp(PackedInt4 x) const {
        return lines<std::uint16_t>([&](std::size_t i) { return halves_[x.data[i / 2] >> (i % 2 * 4) & 15]; });
    }

  private:
    std::uint16_t halves_[16];
};

// Stores to memory, non-temporal where the processor can; addresses are multiples of kStreamAlignment.
template <class Vector>
inline void store(const Vector& vector, void* y) {
    __builtin_memcpy(y, &vector, sizeof vector);
}
template <class Vector>
inline void stream(const Vector& vector, void* y) {
    store(vector, y);
}
template <class Vector>
constexpr std::int64_t kStreamAlignment = 1;
inline void streamFence() {}

}  // namespace aclq::ACLQ_ISA
