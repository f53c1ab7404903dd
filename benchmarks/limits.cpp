// SPDX-License-Identifier: Apache-2.0
// What this machine allows: for each pattern of reading and writing the smallest loop that makes the operator's results
// of ordinary values (limits.py compares them). It widens, scales, converts, narrows and writes whole lines past the
// caches, and nothing else: no rule for NaN, infinities or what is beyond the limits of a type, no results that begin
// where no line does, no choice at run time. Compiled for the machine it runs on, and run beside the operator, on its
// arrays.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <semaphore>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_map>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(IN_CACHE)  // ordinary stores, for arrays that fit the caches
#define _mm256_stream_si256 _mm256_store_si256
#define _mm512_stream_si512 _mm512_store_si512
#endif

namespace {

enum class Half : std::uint16_t {};
enum class BFloat16 : std::uint16_t {};
struct Int4 {  // two to a byte
    std::uint8_t pair;
};

// Floats of one register, and what is done with them. Words are the 16-bit integers of a block.
#if defined(__AVX512F__) && defined(__AVX512BW__)
using Floats = __m512;
constexpr std::size_t kLanes = 16;
Floats load(const float* x) {
    return _mm512_loadu_ps(x);
}
Floats load(const Half* x) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
}
Floats load(const BFloat16* x) {
    const __m512i places = _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4,
                                            0, 3, 0, 2, 0, 1, 0, 0, 0);
    const __m512i words = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
    return _mm512_castsi512_ps(_mm512_maskz_permutexvar_epi16(0xAAAAAAAAU, places, words));
}
Floats load(const std::int8_t* x) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x))));
}
Floats load(const Int4* x) {
    const __m512i words =
        _mm512_permutexvar_epi32(_mm512_set_epi32(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0),
                                 _mm512_castsi128_si512(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x))));
    const __m512i shifts = _mm512_set_epi32(28, 24, 20, 16, 12, 8, 4, 0, 28, 24, 20, 16, 12, 8, 4, 0);
    return _mm512_permutexvar_ps(_mm512_srlv_epi32(words, shifts),
                                 _mm512_set_ps(-1, -2, -3, -4, -5, -6, -7, -8, 7, 6, 5, 4, 3, 2, 1, 0));
}
Floats same(float value) {
    return _mm512_set1_ps(value);
}
void keep(Floats x, float* to) {
    _mm512_store_ps(to, x);
}
constexpr bool kQuickDivision = true;  // by one divisor, of 16-bit floats
Floats quotient(Floats x, Floats y, Floats reciprocal) {
    const Floats nearly = x * reciprocal;
    return _mm512_fmadd_ps(_mm512_fnmadd_ps(nearly, y, x), reciprocal, nearly);
}

struct Extremes {
    __m512i above = _mm512_set1_epi32(INT32_MIN);
    __m512i below = _mm512_setzero_si512();
    void include(Floats x) {
        above = _mm512_max_epi32(above, _mm512_castps_si512(x));
        below = _mm512_max_epu32(below, _mm512_castps_si512(x));
    }
    std::int32_t high() const { return _mm512_reduce_max_epi32(above); }
    std::uint32_t low() const { return _mm512_reduce_max_epu32(below); }
};
struct Extremes16 {
    static constexpr std::size_t kCount = 32;
    __m512i above = _mm512_set1_epi16(INT16_MIN);
    __m512i below = _mm512_setzero_si512();
    void include(const void* x) {
        __m512i words = _mm512_loadu_si512(x);
        asm("" : "+v"(words));  // or the compiler loads them twice
        above = _mm512_max_epi16(above, words);
        below = _mm512_max_epu16(below, words);
    }
    // Either word of a pair may be the largest.
    std::int32_t high() const {
        return _mm512_reduce_max_epi32(_mm512_max_epi16(above, _mm512_slli_epi32(above, 16))) >> 16;
    }
    std::uint32_t low() const {
        return _mm512_reduce_max_epu32(_mm512_max_epu16(below, _mm512_slli_epi32(below, 16))) >> 16;
    }
};

// Of four rows at once.
template <class Max>
__m128i largestOfFour(__m512i a, __m512i b, __m512i c, __m512i d, Max&& max) {
    const __m512i ab = max(_mm512_shuffle_i64x2(a, b, 0x44), _mm512_shuffle_i64x2(a, b, 0xEE));
    const __m512i cd = max(_mm512_shuffle_i64x2(c, d, 0x44), _mm512_shuffle_i64x2(c, d, 0xEE));
    const __m512i one = max(_mm512_shuffle_i64x2(ab, cd, 0x88), _mm512_shuffle_i64x2(ab, cd, 0xDD));
    const __m512i half = max(one, _mm512_shuffle_epi32(one, _MM_PERM_BADC));
    const __m512i pair = max(half, _mm512_shuffle_epi32(half, _MM_PERM_CDAB));
    const __m512i word = max(pair, _mm512_slli_epi32(pair, 16));
    return _mm512_castsi512_si128(_mm512_permutexvar_epi32(
        _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 8, 4, 0), _mm512_srli_epi32(word, 16)));
}
void extremesOfFour(const Extremes16* rows, std::uint16_t* high, std::uint16_t* low) {
    const auto max = [](__m512i a, __m512i b) { return _mm512_max_epi16(a, b); };
    const auto maxUnsigned = [](__m512i a, __m512i b) { return _mm512_max_epu16(a, b); };
    const __m128i highest = largestOfFour(rows[0].above, rows[1].above, rows[2].above, rows[3].above, max);
    const __m128i lowest = largestOfFour(rows[0].below, rows[1].below, rows[2].below, rows[3].below, maxUnsigned);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(high), _mm_packus_epi32(highest, highest));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(low), _mm_packus_epi32(lowest, lowest));
}

__m512i words(const Floats* x) {
    return _mm512_packs_epi32(_mm512_cvtps_epi32(x[0]), _mm512_cvtps_epi32(x[1]));
}
// Packing takes its operands a quarter at a time.
__m512i bytes(const Floats* x) {
    const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    return _mm512_permutexvar_epi32(order, _mm512_packs_epi16(words(x), words(x + 2)));
}
void put(const Floats* x, std::int8_t* y) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(y), bytes(x));
}
void put(const Floats* x, Int4* y) {
    const __m512i pairs =
        _mm512_maddubs_epi16(_mm512_and_si512(bytes(x), _mm512_set1_epi8(15)), _mm512_set1_epi16(0x1001));
    _mm256_stream_si256(reinterpret_cast<__m256i*>(y), _mm512_cvtepi16_epi8(pairs));
}
void put(const Floats* x, Half* y) {
    for (int i = 0; i < 2; ++i) {
        const __m256i low = _mm512_cvtps_ph(x[2 * i], _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        const __m256i high = _mm512_cvtps_ph(x[2 * i + 1], _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm512_stream_si512(reinterpret_cast<__m512i*>(y) + i,
                            _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
    }
}
void put(const Floats* x, BFloat16* y) {
    const auto rounded = [](Floats value) {
        const __m512i bits = _mm512_castps_si512(value);
        const __m512i even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
        return _mm512_add_epi32(bits, _mm512_add_epi32(even, _mm512_set1_epi32(0x7FFF)));
    };
    // The upper words of both.
    alignas(64) std::uint16_t upper[32];
    for (int i = 0; i < 32; ++i) {
        upper[i] = static_cast<std::uint16_t>(2 * i + 1);
    }
    const __m512i places = _mm512_load_si512(upper);
    for (int i = 0; i < 2; ++i) {
        _mm512_stream_si512(reinterpret_cast<__m512i*>(y) + i,
                            _mm512_permutex2var_epi16(rounded(x[2 * i]), places, rounded(x[2 * i + 1])));
    }
}
#elif defined(__AVX2__) && defined(__F16C__) && defined(__FMA__)
using Floats = __m256;
constexpr std::size_t kLanes = 8;
Floats load(const float* x) {
    return _mm256_loadu_ps(x);
}
Floats load(const Half* x) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
}
Floats load(const BFloat16* x) {
    const __m256i places = _mm256_set_epi8(15, 14, -1, -1, 13, 12, -1, -1, 11, 10, -1, -1, 9, 8, -1, -1, 7, 6, -1, -1,
                                           5, 4, -1, -1, 3, 2, -1, -1, 1, 0, -1, -1);
    return _mm256_castsi256_ps(
        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x))), places));
}
Floats load(const std::int8_t* x) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x))));
}
Floats load(const Int4* x) {
    std::int32_t eight = 0;
    std::memcpy(&eight, x, sizeof eight);
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(
        _mm256_sllv_epi32(_mm256_set1_epi32(eight), _mm256_set_epi32(0, 4, 8, 12, 16, 20, 24, 28)), 28));
}
Floats same(float value) {
    return _mm256_set1_ps(value);
}
void keep(Floats x, float* to) {
    _mm256_store_ps(to, x);
}
constexpr bool kQuickDivision = true;  // by one divisor, of 16-bit floats
Floats quotient(Floats x, Floats y, Floats reciprocal) {
    const Floats nearly = x * reciprocal;
    return _mm256_fmadd_ps(_mm256_fnmadd_ps(nearly, y, x), reciprocal, nearly);
}

__m128i halves(__m256i x, int which) {
    return which == 0 ? _mm256_castsi256_si128(x) : _mm256_extracti128_si256(x, 1);
}
struct Extremes {
    __m256i above = _mm256_set1_epi32(INT32_MIN);
    __m256i below = _mm256_setzero_si256();
    void include(Floats x) {
        above = _mm256_max_epi32(above, _mm256_castps_si256(x));
        below = _mm256_max_epu32(below, _mm256_castps_si256(x));
    }
    std::int32_t high() const {
        __m128i x = _mm_max_epi32(halves(above, 0), halves(above, 1));
        x = _mm_max_epi32(x, _mm_unpackhi_epi64(x, x));
        return _mm_cvtsi128_si32(_mm_max_epi32(x, _mm_shuffle_epi32(x, 1)));
    }
    std::uint32_t low() const {
        __m128i x = _mm_max_epu32(halves(below, 0), halves(below, 1));
        x = _mm_max_epu32(x, _mm_unpackhi_epi64(x, x));
        return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_max_epu32(x, _mm_shuffle_epi32(x, 1))));
    }
};
struct Extremes16 {
    static constexpr std::size_t kCount = 16;
    __m256i above = _mm256_set1_epi16(INT16_MIN);
    __m256i below = _mm256_setzero_si256();
    void include(const void* x) {
        __m256i words = _mm256_loadu_si256(static_cast<const __m256i*>(x));
        asm("" : "+x"(words));  // or the compiler loads them twice
        above = _mm256_max_epi16(above, words);
        below = _mm256_max_epu16(below, words);
    }
    // The smallest unsigned word is found by one instruction: others are turned into that.
    static int smallest(__m128i x) { return _mm_cvtsi128_si32(_mm_minpos_epu16(x)) & 0xFFFF; }
    std::int32_t high() const {
        return 0x7FFF -
               smallest(_mm_sub_epi16(_mm_set1_epi16(0x7FFF), _mm_max_epi16(halves(above, 0), halves(above, 1))));
    }
    std::uint32_t low() const {
        return 0xFFFFU - static_cast<unsigned>(smallest(
                             _mm_sub_epi16(_mm_set1_epi16(-1), _mm_max_epu16(halves(below, 0), halves(below, 1)))));
    }
};

// Of four rows at once: of their halves, their quarters, and then of pairs of the highest and (turned, to compare
// alike) the lowest.
template <class Max>
__m256i quarters(__m256i a, __m256i b, __m256i c, __m256i d, Max&& max) {
    const __m256i ab = max(_mm256_blend_epi32(a, b, 0xF0), _mm256_permute2x128_si256(a, b, 0x21));
    const __m256i cd = max(_mm256_blend_epi32(c, d, 0xF0), _mm256_permute2x128_si256(c, d, 0x21));
    return max(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
}
void extremesOfFour(const Extremes16* rows, std::uint16_t* high, std::uint16_t* low) {
    const auto max = [](__m256i a, __m256i b) { return _mm256_max_epi16(a, b); };
    const auto maxUnsigned = [](__m256i a, __m256i b) { return _mm256_max_epu16(a, b); };
    const __m256i turn = _mm256_set1_epi16(INT16_MIN);
    const __m256 highest =
        _mm256_castsi256_ps(quarters(rows[0].above, rows[1].above, rows[2].above, rows[3].above, max));
    const __m256 lowest = _mm256_castsi256_ps(
        _mm256_xor_si256(quarters(rows[0].below, rows[1].below, rows[2].below, rows[3].below, maxUnsigned), turn));
    const __m256i two = max(_mm256_castps_si256(_mm256_shuffle_ps(highest, lowest, 0x88)),
                            _mm256_castps_si256(_mm256_shuffle_ps(highest, lowest, 0xDD)));
    const __m256i all = max(two, _mm256_slli_epi32(two, 16));
    const __m128i words = _mm_blend_epi16(_mm_srli_epi32(halves(all, 0), 16), halves(all, 1), 0xAA);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(high), words);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(low), _mm_xor_si128(halves(turn, 0), _mm_unpackhi_epi64(words, words)));
}

__m256i words(const Floats* x) {
    return _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
}
// Packing takes its operands by halves: fours of bytes come out of order.
__m256i bytes(const Floats* x) {
    return _mm256_packs_epi16(words(x), words(x + 2));
}
void put(__m256i bits, void* y, int part = 0) {
    _mm256_stream_si256(static_cast<__m256i*>(y) + part, bits);
}
void put(const Floats* x, std::int8_t* y) {
    const __m256i order = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
    put(_mm256_permutevar8x32_epi32(bytes(x), order), y);
    put(_mm256_permutevar8x32_epi32(bytes(x + 4), order), y, 1);
}
void put(const Floats* x, Int4* y) {
    const auto pairs = [](__m256i from) {
        return _mm256_maddubs_epi16(_mm256_and_si256(from, _mm256_set1_epi8(15)), _mm256_set1_epi16(0x1001));
    };
    const __m256i fours = _mm256_permute4x64_epi64(_mm256_packus_epi16(pairs(bytes(x)), pairs(bytes(x + 4))), 0xD8);
    const __m256i order =
        _mm256_broadcastsi128_si256(_mm_set_epi8(15, 14, 7, 6, 13, 12, 5, 4, 11, 10, 3, 2, 9, 8, 1, 0));
    put(_mm256_shuffle_epi8(fours, order), y);
}
void put(const Floats* x, Half* y) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    for (int i = 0; i < 4; ++i) {
        put(_mm256_set_m128i(_mm256_cvtps_ph(x[2 * i + 1], kNearest), _mm256_cvtps_ph(x[2 * i], kNearest)), y, i);
    }
}
void put(const Floats* x, BFloat16* y) {
    const auto rounded = [](Floats value) {
        const __m256i bits = _mm256_castps_si256(value);
        const __m256i even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
        return _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(even, _mm256_set1_epi32(0x7FFF))), 16);
    };
    for (int i = 0; i < 4; ++i) {
        put(_mm256_permute4x64_epi64(_mm256_packus_epi32(rounded(x[2 * i]), rounded(x[2 * i + 1])), 0xD8), y, i);
    }
}
#elif defined(__aarch64__)
// Plain loops, which the compiler makes instructions of.
constexpr std::size_t kLanes = 16;
struct Floats {
    float lane[kLanes];
};
template <class Make>
Floats each(Make&& make) {
    Floats result;
    for (std::size_t i = 0; i < kLanes; ++i) {
        result.lane[i] = make(i);
    }
    return result;
}
template <class To, class From>
To bitsOf(From from) {
    To to{};
    std::memcpy(&to, &from, sizeof to);
    return to;
}
Floats load(const float* x) {
    return each([&](std::size_t i) { return x[i]; });
}
Floats load(const BFloat16* x) {
    return each([&](std::size_t i) { return bitsOf<float>(static_cast<std::uint32_t>(x[i]) << 16); });
}
Floats load(const Half* x) {
    return each([&](std::size_t i) { return static_cast<float>(bitsOf<__fp16>(x[i])); });
}
Floats load(const std::int8_t* x) {
    return each([&](std::size_t i) { return static_cast<float>(x[i]); });
}
Floats load(const Int4* x) {
    return each([&](std::size_t i) {
        return static_cast<float>(
            static_cast<std::int32_t>(static_cast<std::uint32_t>(x[i / 2].pair) << (i % 2 != 0 ? 24 : 28)) >> 28);
    });
}
Floats same(float value) {
    return each([&](std::size_t) { return value; });
}
void keep(const Floats& x, float* to) {
    std::memcpy(to, &x, sizeof x);
}
constexpr bool kQuickDivision = false;
Floats operator+(const Floats& a, const Floats& b) {
    return each([&](std::size_t i) { return a.lane[i] + b.lane[i]; });
}
Floats operator*(const Floats& a, const Floats& b) {
    return each([&](std::size_t i) { return a.lane[i] * b.lane[i]; });
}
Floats operator/(const Floats& a, const Floats& b) {
    return each([&](std::size_t i) { return a.lane[i] / b.lane[i]; });
}
Floats quotient(const Floats& x, const Floats& y, const Floats&) {
    return x / y;
}

template <class Signed, std::size_t count>
struct Largest {
    using Unsigned = std::make_unsigned_t<Signed>;
    static constexpr std::size_t kCount = count;
    Signed above[count] = {};
    Unsigned below[count] = {};
    void include(const void* x) {
        Unsigned bits[count];
        std::memcpy(bits, x, sizeof bits);
        for (std::size_t i = 0; i < count; ++i) {
            above[i] = std::max(above[i], static_cast<Signed>(bits[i]));
            below[i] = std::max(below[i], bits[i]);
        }
    }
    void include(const Floats& x) { include(x.lane); }
    std::int32_t high() const { return *std::max_element(above, above + count); }
    std::uint32_t low() const { return *std::max_element(below, below + count); }
};
using Extremes = Largest<std::int32_t, kLanes>;
using Extremes16 = Largest<std::int16_t, 8>;
void extremesOfFour(const Extremes16* rows, std::uint16_t* high, std::uint16_t* low) {
    for (std::size_t row = 0; row < 4; ++row) {
        high[row] = static_cast<std::uint16_t>(rows[row].high());
        low[row] = static_cast<std::uint16_t>(rows[row].low());
    }
}

float lane(const Floats* x, std::size_t i) {
    return x[i / kLanes].lane[i % kLanes];
}
void put(const Floats* x, std::int8_t* y) {
    for (std::size_t i = 0; i < 64; ++i) {
        y[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(std::nearbyint(lane(x, i))));
    }
}
void put(const Floats* x, Int4* y) {
    std::int8_t bytes[64];
    put(x, bytes);
    for (std::size_t i = 0; i < 32; ++i) {
        y[i].pair = static_cast<std::uint8_t>((bytes[2 * i] & 15) | bytes[2 * i + 1] << 4);
    }
}
void put(const Floats* x, BFloat16* y) {
    for (std::size_t i = 0; i < 64; ++i) {
        const auto bits = bitsOf<std::uint32_t>(lane(x, i));
        y[i] = static_cast<BFloat16>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
    }
}
void put(const Floats* x, Half* y) {
    for (std::size_t i = 0; i < 64; ++i) {
        y[i] = bitsOf<Half>(static_cast<__fp16>(lane(x, i)));
    }
}
#else
#error "there are no loops for this processor"
#endif

constexpr std::size_t kBlock = 64;
constexpr std::size_t kParts = kBlock / kLanes;
constexpr std::size_t kTogether = 4096;  // elements of the rows that are read twice before the next ones
constexpr std::size_t kKept = 2048;      // products with smooth scales that are kept in between
constexpr std::size_t kMostRows = 32;

// How many elements of a row there are to one of an array.
template <class T>
constexpr std::size_t kPer = std::is_same_v<T, Int4> ? 2 : 1;
template <class T>
constexpr std::size_t kBits = 8 * sizeof(T) / kPer<T>;
template <class T>
T* at(T* x, std::size_t i) {
    return x + i / kPer<std::remove_const_t<T>>;
}

// Prefetches memory, because processors do not do this across page boundaries.
constexpr std::size_t kFar = 16 * 1024;
constexpr std::size_t kNear = 2 * 1024;
template <class X>
void ask(const X* x, std::size_t far, std::size_t near) {
    const auto from = reinterpret_cast<std::uintptr_t>(x);
    for (std::size_t line = 0; line < kBlock * kBits<X> / 8; line += 64) {
        __builtin_prefetch(reinterpret_cast<const void*>(from + far + line), 0, 2);
        __builtin_prefetch(reinterpret_cast<const void*>(from + near + line), 0, 3);
    }
}

void put(const Floats* x, float* y) {
    for (std::size_t part = 0; part < kParts; ++part) {
#if defined(__AVX512F__)
        _mm512_stream_si512(reinterpret_cast<__m512i*>(y) + part, _mm512_castps_si512(x[part]));
#elif defined(__AVX2__)
        _mm256_stream_si256(reinterpret_cast<__m256i*>(y) + part, _mm256_castps_si256(x[part]));
#else
        std::memcpy(y + part * kLanes, x + part, sizeof *x);
#endif
    }
}

template <class Make, class Y>
void putBlock(Make&& make, Y* y) {
    Floats block[kParts];
    for (std::size_t part = 0; part < kParts; ++part) {
        block[part] = make(part * kLanes);
    }
    put(block, y);
}

// A copy that does not read what it overwrites.
void copy(const float* x, std::size_t n, float* y) {
    for (std::size_t i = 0; i < n; i += kBlock) {
        ask(x + i, kFar, kNear);
        putBlock([&](std::size_t j) { return load(x + i + j); }, y + i);
    }
}

// Quantising and dequantising are one loop.
template <bool divide, bool each, class X, class Y>
void scale(const X* x, std::size_t n, std::size_t length, const float* factors, Y* y) {
    constexpr bool kQuick = kQuickDivision && divide && !each && sizeof(X) == 2;
    const Floats one = same(factors[0]);
    const Floats reciprocal = same(1.0F / factors[0]);
    for (std::size_t row = 0; row < n; row += length) {
        for (std::size_t i = 0; i < length; i += kBlock) {
            ask(at(x, row + i), kFar, kNear);
            putBlock(
                [&](std::size_t j) {
                    const Floats factor = each ? load(factors + i + j) : one;
                    const Floats value = load(at(x, row + i + j));
                    return kQuick ? quotient(value, factor, reciprocal) : (divide ? value / factor : value * factor);
                },
                at(y, row + i));
        }
    }
}

float floatOf(std::uint32_t bits) {
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
template <class X>
void widenSome(std::uint16_t (&bits)[kMostRows], std::size_t count, float (&values)[kMostRows]) {
    for (std::size_t i = 0; i < count; i += kLanes) {
        const Floats some = load(reinterpret_cast<const X*>(bits + i));
        std::memcpy(values + i, &some, sizeof some);
    }
}

// Rows read twice: extremes, then a product and a sum. What follows from the extremes takes three divisions: a scale
// and an offset, which are results too, and the factor; for some rows at once.
template <bool smoothed, bool kept, class X, class Y>
void dynamic(const X* x, std::size_t n, std::size_t length, const float* smooth, Y* y, float* parameters) {
    constexpr float kRange = std::is_same_v<Y, Int4> ? 15.0F : 255.0F;
    constexpr float kTop = std::is_same_v<Y, Int4> ? 7.0F : 127.0F;
    alignas(64) float products[kept ? kKept : 1];
    const std::size_t most = std::min(std::max<std::size_t>((kept ? kKept : kTogether) / length, 1), kMostRows);
    const std::size_t next = most * length * sizeof(X);
    for (std::size_t set = 0; set < n; set += most * length) {
        const std::size_t together = std::min(most, (n - set) / length);
        const X* const rows = x + set;
        float high[kMostRows];
        float low[kMostRows];
        std::uint16_t highWord[kMostRows];
        std::uint16_t lowWord[kMostRows];
        std::size_t found = 0;
        if constexpr (!smoothed) {
            for (; found + 4 <= together; found += 4) {
                Extremes16 extremes[4];
                for (std::size_t i = 0; i < length; i += Extremes16::kCount) {
                    for (std::size_t row = 0; row < 4; ++row) {
                        extremes[row].include(rows + (found + row) * length + i);
                    }
                }
                extremesOfFour(extremes, highWord + found, lowWord + found);
            }
        }
        for (std::size_t number = found; number < together; ++number) {
            const X* const from = rows + number * length;
            if constexpr (smoothed) {
                Extremes extremes;
                for (std::size_t i = 0; i < length; i += kLanes) {
                    const Floats product = load(from + i) * load(smooth + i);
                    extremes.include(product);
                    if constexpr (kept) {
                        keep(product, products + number * length + i);
                    }
                }
                high[number] = floatOf(static_cast<std::uint32_t>(extremes.high()));
                low[number] = floatOf(extremes.low());
            } else {
                Extremes16 extremes;
                for (std::size_t i = 0; i < length; i += Extremes16::kCount) {
                    extremes.include(from + i);
                }
                highWord[number] = static_cast<std::uint16_t>(extremes.high());
                lowWord[number] = static_cast<std::uint16_t>(extremes.low());
            }
        }
        if constexpr (!smoothed) {
            widenSome<X>(highWord, together, high);
            widenSome<X>(lowWord, together, low);
        }
        float made[kMostRows];
        float factor[kMostRows];
        float offset[kMostRows];
        for (std::size_t number = 0; number < together; ++number) {
            made[number] = (high[number] - low[number]) / kRange;
            offset[number] = kTop - high[number] / made[number];
            factor[number] = 1.0F / made[number];
        }
        for (std::size_t number = 0; number < together; ++number) {
            parameters[2 * number] = made[number];
            parameters[2 * number + 1] = offset[number];
        }
        parameters += 2 * together;
        for (std::size_t number = 0; number < together; ++number) {
            const Floats times = same(factor[number]);
            const Floats plus = same(offset[number]);
            for (std::size_t i = number * length; i < (number + 1) * length; i += kBlock) {
                ask(rows + i, std::max(kFar, next), next);
                putBlock(
                    [&](std::size_t j) {
                        if constexpr (kept) {
                            return load(products + i + j) * times + plus;
                        }
                        const Floats value = load(rows + i + j);
                        return (smoothed ? value * load(smooth + i - number * length + j) : value) * times + plus;
                    },
                    at(y, set + i));
            }
        }
    }
}

struct Work {
    const void* x;
    std::size_t n;
    std::size_t length;  // of a row
    const float* factors;
    void* y;
    float* parameters;
};
struct Pattern {
    std::size_t xBits;
    std::size_t yBits;
    void (*loop)(const Work& work);
};
template <bool divide, bool each, class X, class Y>
constexpr Pattern scaling() {
    return {kBits<X>, kBits<Y>, [](const Work& w) {
                scale<divide, each>(static_cast<const X*>(w.x), w.n, w.length, w.factors, static_cast<Y*>(w.y));
            }};
}
template <bool smoothed, class X, class Y>
constexpr Pattern rows() {
    return {kBits<X>, kBits<Y>, [](const Work& w) {
                const auto loop =
                    w.length <= kKept / 4 ? dynamic<smoothed, smoothed, X, Y> : dynamic<smoothed, false, X, Y>;
                loop(static_cast<const X*>(w.x), w.n, w.length, w.factors, static_cast<Y*>(w.y), w.parameters);
            }};
}

using Patterns = std::unordered_map<std::string, Pattern>;
template <class X, class Y>
void add(Patterns& patterns, const std::string& name) {
    patterns[name + ", multiply"] = scaling<false, false, X, Y>();
    patterns[name + ", multiply, each"] = scaling<false, true, X, Y>();
    if constexpr (std::is_same_v<Y, std::int8_t>) {
        patterns[name + ", divide"] = scaling<true, false, X, Y>();
        patterns[name + ", divide, each"] = scaling<true, true, X, Y>();
    }
    if constexpr (std::is_same_v<X, Half> || std::is_same_v<X, BFloat16>) {
        patterns["dynamic " + name] = rows<false, X, Y>();
        patterns["dynamic " + name + ", smooth"] = rows<true, X, Y>();
    }
}

Patterns allPatterns() {
    Patterns patterns;
    patterns["copy"] = {32, 32,
                        [](const Work& w) { copy(static_cast<const float*>(w.x), w.n, static_cast<float*>(w.y)); }};
    add<float, std::int8_t>(patterns, "float32 -> int8");
    add<float, Int4>(patterns, "float32 -> int4");
    add<Half, std::int8_t>(patterns, "float16 -> int8");
    add<Half, Int4>(patterns, "float16 -> int4");
    add<BFloat16, std::int8_t>(patterns, "bfloat16 -> int8");
    add<BFloat16, Int4>(patterns, "bfloat16 -> int4");
    add<std::int8_t, Half>(patterns, "int8 -> float16");
    add<Int4, Half>(patterns, "int4 -> float16");
    add<std::int8_t, BFloat16>(patterns, "int8 -> bfloat16");
    add<Int4, BFloat16>(patterns, "int4 -> bfloat16");
    return patterns;
}

// A thread that sleeps between loops, and keeps off the processor of who wakes it (as the operators' threads do).
class Helper {
  public:
    void begin(const std::function<void()>& work) {
        cpu_set_t allowed;
        if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 1) {
            CPU_CLR(static_cast<std::size_t>(sched_getcpu()), &allowed);
            pthread_setaffinity_np(thread_.native_handle(), sizeof allowed, &allowed);
        }
        work_ = &work;
        begin_.release();
    }
    void wait() { end_.acquire(); }

  private:
    void serve() {
        for (;;) {
            begin_.acquire();
            (*work_)();
            end_.release();
        }
    }

    const std::function<void()>* work_ = nullptr;
    std::binary_semaphore begin_{0};
    std::binary_semaphore end_{0};
    std::thread thread_{[this] { serve(); }};
};

}  // namespace

// Runs the loop of that name over n elements of x, `length` to a row, whole rows for each of one or two threads; 0 if
// it does not exist. Parameters: room for two for each row.
extern "C" int runLimit(const char* name, const void* x, std::size_t n, std::size_t length, const float* factors,
                        void* y, float* parameters, std::size_t threads) {
    static const Patterns patterns = allPatterns();
    static Helper* const helper = new Helper;  // lives as long as the process
    const auto found = patterns.find(name);
    if (found == patterns.end() || threads > 2) {
        return 0;
    }
    const Pattern& pattern = found->second;
    const std::size_t part = n / threads;
    const auto work = [&](std::size_t first) {
        pattern.loop({static_cast<const unsigned char*>(x) + first * pattern.xBits / 8, part, length, factors,
                      static_cast<unsigned char*>(y) + first * pattern.yBits / 8, parameters + first / length * 2});
    };
    const std::function<void()> second = [&] { work(part); };
    if (threads > 1) {
        helper->begin(second);
    }
    work(0);
    if (threads > 1) {
        helper->wait();
    }
    return 1;
}
