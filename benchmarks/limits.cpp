// SPDX-License-Identifier: Apache-2.0
// What this machine allows: for each pattern of reading and writing the smallest loop that does its unavoidable
// arithmetic (widen, scale, convert, narrow) without any of the rules for NaN, rounding or saturation, and writes past the
// caches. Compiled for the machine it runs on, and run beside the operator, on its arrays.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <vector>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kColumns = 4096;  // factors of a row
constexpr std::size_t kShortest = 128;  // row

// A number of bytes past the caches, to where a line begins.
template <std::size_t bytes>
void put(const void* from, void* to) {
#if defined(__AVX512F__)
    using Vector = __m512i;
    constexpr auto stream = [](void* place, Vector vector) { _mm512_stream_si512(static_cast<Vector*>(place), vector); };
#elif defined(__AVX__)
    using Vector = __m256i;
    constexpr auto stream = [](void* place, Vector vector) { _mm256_stream_si256(static_cast<Vector*>(place), vector); };
#elif defined(__SSE2__)
    using Vector = __m128i;
    constexpr auto stream = [](void* place, Vector vector) { _mm_stream_si128(static_cast<Vector*>(place), vector); };
#else
    struct Vector {
        char bytes[16];
    };
    constexpr auto stream = [](void* place, const Vector& vector) { std::memcpy(place, &vector, sizeof vector); };
#endif
    for (std::size_t i = 0; i + sizeof(Vector) <= bytes; i += sizeof(Vector)) {
        Vector vector;
        std::memcpy(&vector, static_cast<const char*>(from) + i, sizeof vector);
        stream(static_cast<char*>(to) + i, vector);
    }
}
template <class T>
void put(const T* from, T* to) { put<kBlock * sizeof(T)>(from, static_cast<void*>(to)); }

// Two to a byte.
struct Nibbles {
    std::uint8_t pair;
};
static_assert(sizeof(Nibbles) == 1);
void put(const std::int8_t* from, Nibbles* to) {
    alignas(64) std::uint8_t packed[kBlock / 2];
    for (std::size_t i = 0; i < kBlock / 2; ++i) {
        packed[i] = static_cast<std::uint8_t>((from[2 * i] & 15) | from[2 * i + 1] << 4);
    }
#if defined(__AVX__)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), _mm256_load_si256(reinterpret_cast<const __m256i*>(packed)));
#else
    put<kBlock / 2>(packed, static_cast<void*>(to));
#endif
}

float floatOf(std::uint32_t bits) {
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
float widen(float value) { return value; }
float widen(std::uint16_t bits) { return floatOf(static_cast<std::uint32_t>(bits) << 16); }

template <bool divide, bool each, class X, class Y>
void quantize(const X* x, std::size_t n, const float* factors, Y* y) {
    constexpr std::size_t kPerByte = std::is_same_v<Y, Nibbles> ? 2 : 1;
    for (std::size_t i = 0; i < n; i += kBlock) {
        const float* const factor = factors + (each ? i % kColumns : 0);
        alignas(64) std::int8_t block[kBlock];
        for (std::size_t j = 0; j < kBlock; ++j) {
            const float value = widen(x[i + j]);
            block[j] = static_cast<std::int8_t>(static_cast<std::int32_t>(divide ? value / factor[each ? j : 0] : value * factor[each ? j : 0]));
        }
        put(block, y + i / kPerByte);
    }
}

std::uint32_t bitsOf(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

template <bool packed, bool each>
void dequantize(const std::uint8_t* x, std::size_t n, const float* factors, std::uint16_t* y) {
    constexpr std::size_t kHalf = kBlock / 2;
    for (std::size_t i = 0; i < n; i += kBlock) {
        const float* const factor = factors + (each ? i % kColumns : 0);
        alignas(64) std::uint16_t block[kBlock];
        if (packed) {  // two results to a word
            for (std::size_t j = 0; j < kHalf; ++j) {
                const auto byte = static_cast<std::uint32_t>(x[i / 2 + j]);
                const float first = static_cast<float>(static_cast<std::int32_t>(byte << 28) >> 28) * factor[each ? j : 0];
                const float second = static_cast<float>(static_cast<std::int32_t>(byte << 24) >> 28) * factor[each ? kHalf + j : 0];
                const std::uint32_t pair = bitsOf(first) >> 16 | (bitsOf(second) & 0xFFFF0000U);
                std::memcpy(block + 2 * j, &pair, sizeof pair);
            }
        } else {
            for (std::size_t j = 0; j < kBlock; ++j) {
                block[j] = static_cast<std::uint16_t>(bitsOf(static_cast<float>(static_cast<std::int8_t>(x[i + j])) * factor[each ? j : 0]) >> 16);
            }
        }
        put(block, y + i);
    }
}

// Rows read twice: extremes, then a product and a sum. The extremes are those of the bits. What follows from them takes
// three divisions: a scale and an offset, which are results too, and the factor.
template <bool smoothed, class Y>
void dynamic(const std::uint16_t* x, std::size_t n, std::size_t length, const float* smooth, Y* y, float* parameters) {
    constexpr std::size_t kPerByte = std::is_same_v<Y, Nibbles> ? 2 : 1;
    for (std::size_t row = 0; row < n; row += length) {
        std::int32_t high = 0;
        std::uint32_t low = 0;
        if (smoothed) {
            for (std::size_t i = 0; i < length; ++i) {
                const std::uint32_t bits = bitsOf(widen(x[row + i]) * smooth[i]);
                high = std::max(high, static_cast<std::int32_t>(bits));
                low = std::max(low, bits);
            }
        } else {
            std::int16_t highWord = 0;
            std::uint16_t lowWord = 0;
            for (std::size_t i = 0; i < length; ++i) {
                highWord = std::max(highWord, static_cast<std::int16_t>(x[row + i]));
                lowWord = std::max(lowWord, x[row + i]);
            }
            high = highWord << 16;
            low = static_cast<std::uint32_t>(lowWord) << 16;
        }
        const float most = floatOf(static_cast<std::uint32_t>(high));
        const float scale = (most - floatOf(low)) / 255.0F;
        const float offset = 127.0F - most / scale;
        const float factor = 1.0F / scale;
        parameters[0] = scale;
        parameters[1] = offset;
        parameters += 2;
        for (std::size_t i = 0; i < length; i += kBlock) {
            alignas(64) std::int8_t block[kBlock];
            for (std::size_t j = 0; j < kBlock; ++j) {
                const float value = smoothed ? widen(x[row + i + j]) * smooth[i + j] : widen(x[row + i + j]);
                block[j] = static_cast<std::int8_t>(static_cast<std::int32_t>(value * factor + offset));
            }
            put(block, y + (row + i) / kPerByte);
        }
    }
}

using Loop = void (*)(const void* x, std::size_t n, const float* factors, void* y, float* parameters);
struct Pattern {
    std::size_t xBits;
    std::size_t yBits;
    Loop loop;
};

template <bool divide, bool each, class X, class Y>
constexpr Pattern quantizing() {
    return {sizeof(X) * 8, std::is_same_v<Y, Nibbles> ? 4U : 8U,
            [](const void* x, std::size_t n, const float* factors, void* y, float*) { quantize<divide, each>(static_cast<const X*>(x), n, factors, static_cast<Y*>(y)); }};
}
template <bool packed, bool each>
constexpr Pattern dequantizing() {
    return {packed ? 4U : 8U, 16,
            [](const void* x, std::size_t n, const float* factors, void* y, float*) { dequantize<packed, each>(static_cast<const std::uint8_t*>(x), n, factors, static_cast<std::uint16_t*>(y)); }};
}
template <std::size_t length, bool smoothed, class Y>
constexpr Pattern rows() {
    return {16, std::is_same_v<Y, Nibbles> ? 4U : 8U,
            [](const void* x, std::size_t n, const float* factors, void* y, float* parameters) { dynamic<smoothed>(static_cast<const std::uint16_t*>(x), n, length, factors, static_cast<Y*>(y), parameters); }};
}

template <class X>
void addQuantizing(std::unordered_map<std::string, Pattern>& patterns, const std::string& source) {
    patterns[source + " -> int8, divide"] = quantizing<true, false, X, std::int8_t>();
    patterns[source + " -> int8, multiply"] = quantizing<false, false, X, std::int8_t>();
    patterns[source + " -> int4, multiply"] = quantizing<false, false, X, Nibbles>();
    patterns[source + " -> int8, divide, each"] = quantizing<true, true, X, std::int8_t>();
    patterns[source + " -> int8, multiply, each"] = quantizing<false, true, X, std::int8_t>();
    patterns[source + " -> int4, multiply, each"] = quantizing<false, true, X, Nibbles>();
}
template <std::size_t length>
void addRows(std::unordered_map<std::string, Pattern>& patterns) {
    const std::string name = "rows of " + std::to_string(length);
    patterns[name + " -> int8"] = rows<length, false, std::int8_t>();
    patterns[name + " -> int8, smooth"] = rows<length, true, std::int8_t>();
    patterns[name + " -> int4"] = rows<length, false, Nibbles>();
    patterns[name + " -> int4, smooth"] = rows<length, true, Nibbles>();
}

std::unordered_map<std::string, Pattern> allPatterns() {
    std::unordered_map<std::string, Pattern> patterns;
    addQuantizing<float>(patterns, "32 bits");
    addQuantizing<std::uint16_t>(patterns, "16 bits");
    patterns["int8 -> 16 bits"] = dequantizing<false, false>();
    patterns["int8 -> 16 bits, each"] = dequantizing<false, true>();
    patterns["int4 -> 16 bits"] = dequantizing<true, false>();
    patterns["int4 -> 16 bits, each"] = dequantizing<true, true>();
    addRows<kShortest>(patterns);
    addRows<4096>(patterns);
    addRows<16384>(patterns);
    return patterns;
}

}  // namespace

// Runs the loop of that name over n elements of x, whole rows for each thread; 0 if there is none. Parameters: room for two
// for each row.
extern "C" int runLimit(const char* name, const void* x, std::size_t n, const float* factors, void* y, float* parameters, std::size_t threads) {
    static const std::unordered_map<std::string, Pattern> patterns = allPatterns();
    const auto found = patterns.find(name);
    if (found == patterns.end()) {
        return 0;
    }
    const Pattern& pattern = found->second;
    const std::size_t part = n / threads;
    const auto work = [&](std::size_t thread) {
        pattern.loop(static_cast<const unsigned char*>(x) + thread * part * pattern.xBits / 8, part, factors, static_cast<unsigned char*>(y) + thread * part * pattern.yBits / 8,
                     parameters + thread * part / kShortest * 2);
    };
    std::vector<std::thread> others;
    for (std::size_t thread = 1; thread < threads; ++thread) {
        others.emplace_back(work, thread);
    }
    work(0);
    for (std::thread& other : others) {
        other.join();
    }
    return 1;
}
