// SPDX-License-Identifier: Apache-2.0
// For processors without AVX-512: stands before the compiler's own immintrin.h when avx512.cpp is compiled, and has the
// 512-bit intrinsics in plain C++, as Intel's manual defines them. They are in the namespace of the kernels, and so
// found before the compiler's own; one that is missing here becomes an error of the compiler, as its instruction is not
// there.
#pragma once

#include_next <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>

namespace aclq::ACLQ_ISA {
namespace emulated {

template <class T>
constexpr int kCount = 64 / sizeof(T);
template <class T>
struct Elements {
    T at[kCount<T>];
};

template <class T, class Vector>
Elements<T> of(const Vector& vector) {
    Elements<T> elements;
    static_assert(sizeof elements == sizeof vector);
    std::memcpy(&elements, &vector, sizeof elements);
    return elements;
}
template <class T, class Make>
auto make(Make&& element) {
    Elements<T> all;
    for (int i = 0; i < kCount<T>; ++i) {
        all.at[i] = element(i);
    }
    if constexpr (std::is_floating_point_v<T>) {
        __m512 vector;
        std::memcpy(&vector, &all, sizeof vector);
        return vector;
    } else {
        __m512i vector;
        std::memcpy(&vector, &all, sizeof vector);
        return vector;
    }
}
template <class T, class Vector, class Binary>
Vector each(Vector a, Vector b, Binary&& binary) {
    const auto x = of<T>(a);
    const auto y = of<T>(b);
    return make<T>([&](int i) { return static_cast<T>(binary(x.at[i], y.at[i])); });
}
template <class T>
__m512i larger(__m512i a, __m512i b) {
    return each<T>(a, b, [](T x, T y) { return x > y ? x : y; });
}
template <class T>
__m512i smaller(__m512i a, __m512i b) {
    return each<T>(a, b, [](T x, T y) { return x < y ? x : y; });
}
template <class T>
T largest(__m512i a) {
    const auto x = of<T>(a);
    T most = x.at[0];
    for (const T value : x.at) {
        most = value > most ? value : most;
    }
    return most;
}
template <class T, class Condition>
std::uint64_t mask(Condition&& condition) {
    std::uint64_t bits = 0;
    for (int i = 0; i < kCount<T>; ++i) {
        bits |= static_cast<std::uint64_t>(condition(i)) << i;
    }
    return bits;
}
template <class T>
__m512i chosen(std::uint64_t mask, __m512i a, __m512i otherwise) {
    const auto x = of<T>(a);
    const auto y = of<T>(otherwise);
    return make<T>([&](int i) { return (mask >> i & 1) != 0 ? x.at[i] : y.at[i]; });
}
template <class T, class Value, class... Values>
auto reversed(Values... values) {
    static_assert(sizeof...(values) == kCount<T>);
    const Value all[] = {values...};
    return make<T>([&](int i) { return static_cast<T>(all[kCount<T> - 1 - i]); });
}
// Element i is that of the table's which the low bits of place i say.
template <class T, class Place, class Vector>
Vector looked(__m512i places, Vector table) {
    const auto at = of<Place>(places);
    const auto from = of<T>(table);
    return make<T>([&](int i) { return from.at[at.at[i] & (kCount<T> - 1)]; });
}
template <class T>
__m512i lookedInTwo(__m512i a, __m512i places, __m512i b) {
    const auto at = of<T>(places);
    const Elements<T> tables[] = {of<T>(a), of<T>(b)};
    return make<T>([&](int i) { return tables[at.at[i] / kCount<T> & 1].at[at.at[i] & (kCount<T> - 1)]; });
}
// Of each quarter first that of a, then that of b.
template <class From, class To>
__m512i saturated(__m512i a, __m512i b) {
    constexpr int kQuarter = 16 / sizeof(From);
    const Elements<From> from[] = {of<From>(a), of<From>(b)};
    return make<To>([&](int i) {
        constexpr From kLow = std::numeric_limits<To>::min();
        constexpr From kHigh = std::numeric_limits<To>::max();
        const From value = from[i / kQuarter % 2].at[i / (2 * kQuarter) * kQuarter + i % kQuarter];
        return static_cast<To>(value < kLow ? kLow : (value > kHigh ? kHigh : value));
    });
}
inline void needNearest(int mode) {
    if (mode != (_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)) {
        std::fputs("another rounding than the emulated one\n", stderr);
        std::abort();
    }
}

}  // namespace emulated

inline __m512 _mm512_loadu_ps(const void* from) {
    __m512 a;
    std::memcpy(&a, from, 64);
    return a;
}
inline __m512i _mm512_loadu_si512(const void* from) {
    __m512i a;
    std::memcpy(&a, from, 64);
    return a;
}
inline void _mm512_storeu_ps(void* to, __m512 a) {
    std::memcpy(to, &a, 64);
}
inline void _mm512_storeu_si512(void* to, __m512i a) {
    std::memcpy(to, &a, 64);
}
inline void _mm512_stream_si512(void* to, __m512i a) {
    if (reinterpret_cast<std::uintptr_t>(to) % 64 != 0) {
        std::fputs("_mm512_stream_si512 to an address that is not a multiple of 64\n", stderr);
        std::abort();
    }
    std::memcpy(to, &a, 64);
}

inline __m512i _mm512_setzero_si512() {
    return __m512i{};
}
inline __m512 _mm512_set1_ps(float value) {
    return emulated::make<float>([&](int) { return value; });
}
inline __m512i _mm512_set1_epi8(char value) {
    return emulated::make<std::int8_t>([&](int) { return static_cast<std::int8_t>(value); });
}
inline __m512i _mm512_set1_epi16(short value) {
    return emulated::make<std::int16_t>([&](int) { return value; });
}
inline __m512i _mm512_set1_epi32(int value) {
    return emulated::make<std::int32_t>([&](int) { return value; });
}
template <class... Values>
__m512 _mm512_set_ps(Values... values) {
    return emulated::reversed<float, float>(static_cast<float>(values)...);
}
template <class... Values>
__m512i _mm512_set_epi16(Values... values) {
    return emulated::reversed<std::int16_t, int>(values...);
}
template <class... Values>
__m512i _mm512_set_epi32(Values... values) {
    return emulated::reversed<std::int32_t, int>(values...);
}

// What casts to wider vectors leave open is filled with something no kernel may depend on.
template <class Narrow>
__m512i emulatedWidening(Narrow a) {
    __m512i wide = _mm512_set1_epi8(0x5A);
    std::memcpy(&wide, &a, sizeof a);
    return wide;
}
inline __m512i _mm512_castsi128_si512(__m128i a) {
    return emulatedWidening(a);
}
inline __m512i _mm512_castsi256_si512(__m256i a) {
    return emulatedWidening(a);
}
inline __m128i _mm512_castsi512_si128(__m512i a) {
    __m128i low;
    std::memcpy(&low, &a, sizeof low);
    return low;
}
inline __m256i _mm512_castsi512_si256(__m512i a) {
    __m256i low;
    std::memcpy(&low, &a, sizeof low);
    return low;
}
inline __m512i _mm512_castps_si512(__m512 a) {
    return _mm512_loadu_si512(&a);
}
inline __m512 _mm512_castsi512_ps(__m512i a) {
    return _mm512_loadu_ps(&a);
}
inline __m256i _mm512_extracti64x4_epi64(__m512i a, int which) {
    __m256i half;
    std::memcpy(&half, reinterpret_cast<const char*>(&a) + 32 * (which & 1), 32);
    return half;
}
inline __m512i _mm512_inserti64x4(__m512i a, __m256i half, int which) {
    std::memcpy(reinterpret_cast<char*>(&a) + 32 * (which & 1), &half, 32);
    return a;
}
inline __m512i _mm512_broadcast_i64x4(__m256i a) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(a), a, 1);
}

inline __m512 _mm512_add_ps(__m512 a, __m512 b) {
    return emulated::each<float>(a, b, [](float x, float y) { return x + y; });
}
inline __m512 _mm512_mul_ps(__m512 a, __m512 b) {
    return emulated::each<float>(a, b, [](float x, float y) { return x * y; });
}
inline __m512 _mm512_div_ps(__m512 a, __m512 b) {
    return emulated::each<float>(a, b, [](float x, float y) { return x / y; });
}
inline __m512 _mm512_min_ps(__m512 a, __m512 b) {
    return emulated::each<float>(a, b, [](float x, float y) { return x < y ? x : y; });
}
inline __m512 _mm512_fmadd_ps(__m512 a, __m512 b, __m512 c) {
    const auto z = emulated::of<float>(c);
    const auto x = emulated::of<float>(a);
    const auto y = emulated::of<float>(b);
    return emulated::make<float>([&](int i) { return __builtin_fmaf(x.at[i], y.at[i], z.at[i]); });
}
inline __m512 _mm512_fnmadd_ps(__m512 a, __m512 b, __m512 c) {
    const auto z = emulated::of<float>(c);
    const auto x = emulated::of<float>(a);
    const auto y = emulated::of<float>(b);
    return emulated::make<float>([&](int i) { return __builtin_fmaf(-x.at[i], y.at[i], z.at[i]); });
}
inline __m512 _mm512_roundscale_ps(__m512 a, int mode) {
    const auto x = emulated::of<float>(a);
    switch (mode) {
        case _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC:
            return emulated::make<float>([&](int i) { return std::floor(x.at[i]); });
        case _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC:
            return emulated::make<float>([&](int i) { return std::ceil(x.at[i]); });
        case _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC:
            return emulated::make<float>([&](int i) { return std::trunc(x.at[i]); });
    }
    emulated::needNearest(mode);
    return emulated::make<float>([&](int i) { return std::nearbyint(x.at[i]); });
}

inline __m512i _mm512_and_si512(__m512i a, __m512i b) {
    return a & b;
}
inline __m512i _mm512_or_si512(__m512i a, __m512i b) {
    return a | b;
}
inline __m512i _mm512_add_epi32(__m512i a, __m512i b) {
    return emulated::each<std::uint32_t>(a, b, [](std::uint32_t x, std::uint32_t y) { return x + y; });
}
inline __m512i _mm512_slli_epi32(__m512i a, unsigned count) {
    return emulated::each<std::uint32_t>(a, a,
                                         [&](std::uint32_t x, std::uint32_t) { return count < 32 ? x << count : 0; });
}
inline __m512i _mm512_srlv_epi32(__m512i a, __m512i counts) {
    return emulated::each<std::uint32_t>(a, counts,
                                         [](std::uint32_t x, std::uint32_t n) { return n < 32 ? x >> n : 0; });
}
inline __m512i _mm512_max_epi8(__m512i a, __m512i b) {
    return emulated::larger<std::int8_t>(a, b);
}
inline __m512i _mm512_min_epi8(__m512i a, __m512i b) {
    return emulated::smaller<std::int8_t>(a, b);
}
inline __m512i _mm512_max_epi16(__m512i a, __m512i b) {
    return emulated::larger<std::int16_t>(a, b);
}
inline __m512i _mm512_min_epi16(__m512i a, __m512i b) {
    return emulated::smaller<std::int16_t>(a, b);
}
inline __m512i _mm512_max_epu16(__m512i a, __m512i b) {
    return emulated::larger<std::uint16_t>(a, b);
}
inline __m512i _mm512_max_epi32(__m512i a, __m512i b) {
    return emulated::larger<std::int32_t>(a, b);
}
inline __m512i _mm512_max_epu32(__m512i a, __m512i b) {
    return emulated::larger<std::uint32_t>(a, b);
}
inline std::int32_t _mm512_reduce_max_epi32(__m512i a) {
    return emulated::largest<std::int32_t>(a);
}
inline std::uint32_t _mm512_reduce_max_epu32(__m512i a) {
    return emulated::largest<std::uint32_t>(a);
}
// Unsigned bytes of a by signed ones of b, sums of two saturated.
inline __m512i _mm512_maddubs_epi16(__m512i a, __m512i b) {
    const auto x = emulated::of<std::uint8_t>(a);
    const auto y = emulated::of<std::int8_t>(b);
    return emulated::make<std::int16_t>([&](int i) {
        const int sum = x.at[2 * i] * y.at[2 * i] + x.at[2 * i + 1] * y.at[2 * i + 1];
        return static_cast<std::int16_t>(sum < INT16_MIN ? INT16_MIN : (sum > INT16_MAX ? INT16_MAX : sum));
    });
}

inline __m512i _mm512_packs_epi32(__m512i a, __m512i b) {
    return emulated::saturated<std::int32_t, std::int16_t>(a, b);
}
inline __m512i _mm512_packs_epi16(__m512i a, __m512i b) {
    return emulated::saturated<std::int16_t, std::int8_t>(a, b);
}
inline __m512i _mm512_packus_epi16(__m512i a, __m512i b) {
    return emulated::saturated<std::int16_t, std::uint8_t>(a, b);
}
inline __m512i _mm512_permutexvar_epi16(__m512i places, __m512i a) {
    return emulated::looked<std::int16_t, std::int16_t>(places, a);
}
inline __m512i _mm512_permutexvar_epi32(__m512i places, __m512i a) {
    return emulated::looked<std::int32_t, std::int32_t>(places, a);
}
inline __m512 _mm512_permutexvar_ps(__m512i places, __m512 a) {
    return emulated::looked<float, std::int32_t>(places, a);
}
inline __m512i _mm512_permutex2var_epi16(__m512i a, __m512i places, __m512i b) {
    return emulated::lookedInTwo<std::uint16_t>(a, places, b);
}
inline __m512i _mm512_permutex2var_epi32(__m512i a, __m512i places, __m512i b) {
    return emulated::lookedInTwo<std::uint32_t>(a, places, b);
}
inline __m512i _mm512_shuffle_epi32(__m512i a, int word) {
    const auto x = emulated::of<std::int32_t>(a);
    return emulated::make<std::int32_t>([&](int i) { return x.at[i / 4 * 4 + (word >> i % 4 * 2 & 3)]; });
}
inline __m512i _mm512_shuffle_i64x2(__m512i a, __m512i b, int which) {
    const emulated::Elements<std::int64_t> from[] = {emulated::of<std::int64_t>(a), emulated::of<std::int64_t>(b)};
    return emulated::make<std::int64_t>([&](int i) { return from[i / 4].at[(which >> i / 2 * 2 & 3) * 2 + i % 2]; });
}

inline __mmask16 _mm512_cmp_ps_mask(__m512 a, __m512 b, int predicate) {
    const auto x = emulated::of<float>(a);
    const auto y = emulated::of<float>(b);
    return static_cast<__mmask16>(emulated::mask<float>([&](int i) {
        const bool unordered = __builtin_isunordered(x.at[i], y.at[i]);
        switch (predicate) {
            case _CMP_ORD_Q:
                return !unordered;
            case _CMP_UNORD_Q:
                return unordered;
            case _CMP_GE_OQ:
                return x.at[i] >= y.at[i];
        }
        std::fputs("a comparison that is not emulated\n", stderr);
        std::abort();
    }));
}
inline __mmask32 _mm512_cmpeq_epi16_mask(__m512i a, __m512i b) {
    const auto x = emulated::of<std::int16_t>(a);
    const auto y = emulated::of<std::int16_t>(b);
    return static_cast<__mmask32>(emulated::mask<std::int16_t>([&](int i) { return x.at[i] == y.at[i]; }));
}
inline __mmask16 _mm512_test_epi32_mask(__m512i a, __m512i b) {
    const auto both = emulated::of<std::uint32_t>(a & b);
    return static_cast<__mmask16>(emulated::mask<std::uint32_t>([&](int i) { return both.at[i] != 0; }));
}
inline __m512i _mm512_mask_mov_epi16(__m512i from, __mmask32 mask, __m512i a) {
    return emulated::chosen<std::int16_t>(mask, a, from);
}
inline __m512i _mm512_mask_mov_epi32(__m512i from, __mmask16 mask, __m512i a) {
    return emulated::chosen<std::int32_t>(mask, a, from);
}
inline __m512i _mm512_maskz_mov_epi32(__mmask16 mask, __m512i a) {
    return emulated::chosen<std::int32_t>(mask, a, __m512i{});
}
inline __m512i _mm512_mask_add_epi32(__m512i from, __mmask16 mask, __m512i a, __m512i b) {
    return emulated::chosen<std::int32_t>(mask, _mm512_add_epi32(a, b), from);
}
inline __m512i _mm512_mask_sub_epi16(__m512i from, __mmask32 mask, __m512i a, __m512i b) {
    return emulated::chosen<std::int16_t>(
        mask, emulated::each<std::uint16_t>(a, b, [](std::uint16_t x, std::uint16_t y) { return x - y; }), from);
}
inline __m512i _mm512_maskz_permutexvar_epi16(__mmask32 mask, __m512i places, __m512i a) {
    return emulated::chosen<std::int16_t>(mask, _mm512_permutexvar_epi16(places, a), __m512i{});
}

// To nearest, ties to even; what an int32 cannot hold, and NaN, becomes the smallest one.
inline __m512i _mm512_cvt_roundps_epi32(__m512 a, int mode) {
    emulated::needNearest(mode);
    const auto x = emulated::of<float>(a);
    return emulated::make<std::int32_t>([&](int i) {
        const float nearest = std::nearbyint(x.at[i]);
        return nearest >= -0x1p31F && nearest < 0x1p31F ? static_cast<std::int32_t>(nearest) : INT32_MIN;
    });
}
inline __m512i _mm512_maskz_cvt_roundps_epi32(__mmask16 mask, __m512 a, int mode) {
    return _mm512_maskz_mov_epi32(mask, _mm512_cvt_roundps_epi32(a, mode));
}
inline __m512 _mm512_cvtepi32_ps(__m512i a) {
    const auto x = emulated::of<std::int32_t>(a);
    return emulated::make<float>([&](int i) { return static_cast<float>(x.at[i]); });
}
inline __m512i _mm512_cvtepi8_epi32(__m128i a) {
    return emulated::make<std::int32_t>(
        [&](int i) { return std::int32_t{reinterpret_cast<const signed char*>(&a)[i]}; });
}
inline __m512i _mm512_cvtepu8_epi32(__m128i a) {
    return emulated::make<std::int32_t>(
        [&](int i) { return std::int32_t{reinterpret_cast<const unsigned char*>(&a)[i]}; });
}
inline __m128i _mm_cvtepi32_epi16(__m128i a) {
    return _mm_shuffle_epi8(a, _mm_set_epi8(-1, -1, -1, -1, -1, -1, -1, -1, 13, 12, 9, 8, 5, 4, 1, 0));
}
// As the F16C instructions do it, which processors with AVX2 have.
inline __m512 _mm512_cvtph_ps(__m256i a) {
    __m512 wide;
    const __m256 halves[] = {_mm256_cvtph_ps(_mm256_castsi256_si128(a)),
                             _mm256_cvtph_ps(_mm256_extracti128_si256(a, 1))};
    std::memcpy(&wide, halves, sizeof wide);
    return wide;
}
inline __m256i _mm512_cvtps_ph(__m512 a, int mode) {
    emulated::needNearest(mode);
    __m256 halves[2];
    std::memcpy(halves, &a, sizeof halves);
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return _mm256_set_m128i(_mm256_cvtps_ph(halves[1], kNearest), _mm256_cvtps_ph(halves[0], kNearest));
}

}  // namespace aclq::ACLQ_ISA

// Its enumerators would clash with the compiler's.
#define _mm512_shuffle_epi32 aclq::ACLQ_ISA::_mm512_shuffle_epi32
// Constraints for 512-bit registers cannot be met. Such statements only guide the choice of instructions.
#define asm(...) static_assert(true)
