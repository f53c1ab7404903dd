// SPDX-License-Identifier: Apache-2.0
// Sixteen floats, one after the other: simd/numeric.h applied to each. The definition of every operation here.
#pragma once

#include <algorithm>

#include "simd/numeric.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = true;  // no short cuts
    float values[kCount];
};

// Four of them: as many results of one byte as a line of memory has.
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

inline Lanes operator+(const Lanes& a, const Lanes& b) { return apply(a, b, [](float x, float y) { return x + y; }); }
inline Lanes operator*(const Lanes& a, const Lanes& b) { return apply(a, b, [](float x, float y) { return x * y; }); }
inline Lanes operator/(const Lanes& a, const Lanes& b) { return apply(a, b, [](float x, float y) { return x / y; }); }

// The largest bits seen, read as signed and as unsigned integers.
struct Extremes {
    std::int32_t above = INT32_MIN;
    std::uint32_t below = 0;
    void include(const Lanes& a) {
        for (const float lane : a.values) {
            above = std::max(above, bitCast<std::int32_t>(lane));
            below = std::max(below, bitCast<std::uint32_t>(lane));
        }
    }
    std::int32_t largest() const { return above; }
    std::uint32_t largestUnsigned() const { return below; }
};

// The results of a block, each in eight bits.
struct Bytes {
    std::uint8_t values[4 * Lanes::kCount];
};

// Limits of int8, uint8 or int4.
struct Saturation {
    explicit Saturation(Limits to) : limits(to) {}
    const Limits limits;
};

// Rounded, saturated, NaN to 0.
template <Round mode>
inline Bytes narrow(const Block& block, const Saturation& to) {
    Bytes bytes;
    for (std::int64_t i = 0; i < 4 * Lanes::kCount; ++i) {
        bytes.values[i] = static_cast<std::uint8_t>(toSmallInteger<mode>(block.part[i / Lanes::kCount].values[i % Lanes::kCount], to.limits.low, to.limits.high));
    }
    return bytes;
}

// The same to nearest for values that are not NaN and below 2^31.
inline Bytes narrowBounded(const Block& block, const Saturation& to) { return narrow<Round::Rint>(block, to); }

// Stores to an address that is a multiple of kStreamAlignment may be asked to go past the caches, if there is a way.
constexpr std::uintptr_t kStreamAlignment = 1;
inline void storeBytes(const Bytes& bytes, std::uint8_t* y, bool) { __builtin_memcpy(y, bytes.values, sizeof bytes.values); }
// Two to a byte, the first in the low nibble.
inline void storeNibbles(const Bytes& bytes, std::uint8_t* y, bool) {
    for (std::int64_t i = 0; i < 2 * Lanes::kCount; ++i) {
        y[i] = static_cast<std::uint8_t>((bytes.values[2 * i] & 15) | bytes.values[2 * i + 1] << 4);
    }
}

inline void storeInt32(const Lanes& a, std::int32_t* y, bool) {
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        y[i] = toInt32(a.values[i]);
    }
}

template <Overflow overflow>
inline void store(const Lanes& a, Half* y, bool) {
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        y[i] = toHalf<overflow>(a.values[i]);
    }
}

template <Overflow overflow>
inline void store(const Lanes& a, BFloat16* y, bool) {
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        y[i] = toBFloat16<overflow>(a.values[i]);
    }
}

// A line of memory, to an address that is a multiple of its size; past the caches if there is a way.
constexpr std::int64_t kLine = 64;
inline void streamLine(unsigned char* to, const unsigned char* from) { __builtin_memcpy(to, from, kLine); }
inline void streamFence() {}

}  // namespace aclq::ACLQ_ISA
