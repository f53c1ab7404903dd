// SPDX-License-Identifier: Apache-2.0
// Sixteen floats, one after the other: simd/numeric.h applied to each. The definition of every operation here.
#pragma once

#include "simd/numeric.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = true;  // no short cuts
    float values[kCount];
};

template <class T>
inline Lanes load(const T* x) {
    Lanes lanes;
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        lanes.values[i] = widen(x[i]);
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
// The smaller (larger) of two; what becomes of NaN is for unordered() to find out.
inline Lanes lower(const Lanes& a, const Lanes& b) { return apply(a, b, [](float x, float y) { return x < y ? x : y; }); }
inline Lanes higher(const Lanes& a, const Lanes& b) { return apply(a, b, [](float x, float y) { return x > y ? x : y; }); }

inline bool unordered(const Lanes& a) {
    bool found = false;
    for (const float lane : a.values) {
        found |= lane != lane;
    }
    return found;
}

inline float lowest(const Lanes& a) {
    float result = a.values[0];
    for (const float lane : a.values) {
        result = lane < result ? lane : result;
    }
    return result;
}

inline float highest(const Lanes& a) {
    float result = a.values[0];
    for (const float lane : a.values) {
        result = lane > result ? lane : result;
    }
    return result;
}

// Integers of 8 bits: rounded, saturated to the limits, NaN to 0.
template <Round mode, class Y>
inline void storeRounded(const Lanes& a, Limits limits, Y* y) {
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        y[i] = static_cast<Y>(toSmallInteger<mode>(a.values[i], limits.low, limits.high));
    }
}

// The same to nearest for values that are not NaN and below 2^31.
inline void storeBounded(const Lanes& a, Limits limits, std::int8_t* y) { storeRounded<Round::Rint>(a, limits, y); }

inline void storeInt32(const Lanes& a, std::int32_t* y) {
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        y[i] = toInt32(a.values[i]);
    }
}

template <Overflow overflow>
inline void store(const Lanes& a, Half* y) {
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        y[i] = toHalf<overflow>(a.values[i]);
    }
}

template <Overflow overflow>
inline void store(const Lanes& a, BFloat16* y) {
    for (std::int64_t i = 0; i < Lanes::kCount; ++i) {
        y[i] = toBFloat16<overflow>(a.values[i]);
    }
}

// A line of memory, to an address that is a multiple of its size; past the caches if there is a way.
constexpr std::int64_t kLine = 64;
inline void streamLine(unsigned char* to, const unsigned char* from) { __builtin_memcpy(to, from, kLine); }
inline void streamFence() {}

}  // namespace aclq::ACLQ_ISA
