// SPDX-License-Identifier: Apache-2.0
// What this machine allows: for each pattern of reading and writing the smallest loop that does its unavoidable
// arithmetic (widen, scale, convert, narrow) without any of the rules for NaN, rounding or saturation, and writes past the
// caches. Compiled for the machine it runs on. Prints one line per loop: name, bytes moved, best and median seconds, and
// the median of the speed divided by that of a copy by one thread just before.
//   limits <elements> <rounds> <threads>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBlock = 64;
constexpr std::size_t kColumns = 4096;  // factors of a row

template <class Work>
double seconds(Work&& work) {
    const auto begin = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// As NumPy allocates: large pages where there are any, sixteen bytes behind the beginning of one.
unsigned char* allocate(std::size_t bytes) {
    constexpr std::size_t kPage = std::size_t{1} << 21;
    auto* const memory = static_cast<unsigned char*>(std::aligned_alloc(kPage, (bytes + 64 + kPage - 1) / kPage * kPage));
    madvise(memory, bytes, MADV_HUGEPAGE);
    std::memset(memory, 60, bytes + 64);
    return memory + 16;
}

// Past the caches, sixteen bytes at a time.
template <class T>
void put(const T* from, T* to) {
#if defined(__SSE2__)
    for (std::size_t i = 0; i < kBlock * sizeof(T) / 16; ++i) {
        _mm_stream_si128(reinterpret_cast<__m128i*>(to) + i, _mm_load_si128(reinterpret_cast<const __m128i*>(from) + i));
    }
#else
    std::memcpy(to, from, kBlock * sizeof(T));
#endif
}

struct Nibbles {
    std::uint8_t pair;
};
static_assert(sizeof(Nibbles) == 1);
void put(const std::int8_t* from, Nibbles* to) {
    alignas(64) std::uint8_t packed[kBlock];
    for (std::size_t i = 0; i < kBlock / 2; ++i) {
        packed[i] = static_cast<std::uint8_t>((from[2 * i] & 15) | from[2 * i + 1] << 4);
    }
#if defined(__SSE2__)
    for (std::size_t i = 0; i < 2; ++i) {
        _mm_stream_si128(reinterpret_cast<__m128i*>(to) + i, _mm_load_si128(reinterpret_cast<const __m128i*>(packed) + i));
    }
#else
    std::memcpy(to, packed, kBlock / 2);
#endif
}

float widen(float value) { return value; }
float widen(std::uint16_t bits) {
    const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
    float value = 0;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

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

// Rows read twice: extremes, then a product and a sum. The extremes are those of the bits.
template <bool smoothed, class Y>
void dynamic(const std::uint16_t* x, std::size_t n, std::size_t length, const float* smooth, Y* y) {
    constexpr std::size_t kPerByte = std::is_same_v<Y, Nibbles> ? 2 : 1;
    for (std::size_t row = 0; row < n; row += length) {
        float factor = 0;
        if (smoothed) {
            std::int32_t high = 0;
            std::uint32_t low = 0;
            for (std::size_t i = 0; i < length; ++i) {
                const std::uint32_t bits = bitsOf(widen(x[row + i]) * smooth[i]);
                high = std::max(high, static_cast<std::int32_t>(bits));
                low = std::max(low, bits);
            }
            factor = static_cast<float>(high) - static_cast<float>(low);
        } else {
            std::int16_t high = 0;
            std::uint16_t low = 0;
            for (std::size_t i = 0; i < length; ++i) {
                high = std::max(high, static_cast<std::int16_t>(x[row + i]));
                low = std::max(low, x[row + i]);
            }
            factor = static_cast<float>(high - low);
        }
        for (std::size_t i = 0; i < length; i += kBlock) {
            alignas(64) std::int8_t block[kBlock];
            for (std::size_t j = 0; j < kBlock; ++j) {
                const float value = smoothed ? widen(x[row + i + j]) * smooth[i + j] : widen(x[row + i + j]);
                block[j] = static_cast<std::int8_t>(static_cast<std::int32_t>(value * factor + 3.0F));
            }
            put(block, y + (row + i) / kPerByte);
        }
    }
}

}  // namespace

int main(int count, char** arguments) {
    const std::size_t n = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : std::size_t{1} << 24;
    const int rounds = count > 2 ? std::atoi(arguments[2]) : 11;
    const std::size_t threads = count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1;
    unsigned char* const from = allocate(n * 4);
    unsigned char* const to = allocate(n * 4);
    unsigned char* const wide = allocate(n * 4);
    unsigned char* const out = allocate(n * 2);
    std::fill_n(reinterpret_cast<float*>(wide), n, 20.0F);
    const std::vector<float> factors(16384, 0.5F);
    // work(x, n, y) on as many parts as there are threads; sizes in bits of an element.
    const auto show = [&](const std::string& name, std::size_t xBits, std::size_t yBits, auto&& work) {
        const std::size_t part = n / threads;
        const auto all = [&] {
            std::vector<std::thread> others;
            for (std::size_t t = 1; t < threads; ++t) {
                others.emplace_back([&, t] { work(wide + t * part * xBits / 8, part, out + t * part * yBits / 8); });
            }
            work(wide, part, out);
            for (std::thread& other : others) {
                other.join();
            }
        };
        const double bytes = static_cast<double>(n) * static_cast<double>(xBits + yBits) / 8;
        std::vector<double> times;
        std::vector<double> ratios;
        for (int round = 0; round < rounds; ++round) {
            const double reference = seconds([&] { std::memcpy(to, from, n * 4); });
            times.push_back(seconds(all));
            ratios.push_back(bytes / times.back() * reference / (8.0 * static_cast<double>(n)));
        }
        std::sort(times.begin(), times.end());
        std::sort(ratios.begin(), ratios.end());
        std::printf("%s\t%.0f\t%.9f\t%.9f\t%.4f\n", name.c_str(), bytes, times.front(), times[times.size() / 2], ratios[ratios.size() / 2]);
        std::fflush(stdout);
    };
    const float* const f = factors.data();
    const auto quantizing = [&]<class X>(const std::string& source, X) {
        const auto run = [&]<class Y>(const std::string& name, std::size_t bits, auto loop, Y) {
            show(source + name, sizeof(X) * 8, bits, [&, loop](const void* x, std::size_t some, void* y) { loop(static_cast<const X*>(x), some, f, static_cast<Y*>(y)); });
        };
        run(" -> int8, divide", 8, quantize<true, false, X, std::int8_t>, std::int8_t{});
        run(" -> int8, multiply", 8, quantize<false, false, X, std::int8_t>, std::int8_t{});
        run(" -> int4, multiply", 4, quantize<false, false, X, Nibbles>, Nibbles{});
        run(" -> int8, divide, each", 8, quantize<true, true, X, std::int8_t>, std::int8_t{});
        run(" -> int8, multiply, each", 8, quantize<false, true, X, std::int8_t>, std::int8_t{});
        run(" -> int4, multiply, each", 4, quantize<false, true, X, Nibbles>, Nibbles{});
    };
    quantizing("32 bits", float{});
    quantizing("16 bits", std::uint16_t{});
    const auto dequantizing = [&](const char* name, std::size_t bits, auto loop) {
        show(name, bits, 16, [&, loop](const void* x, std::size_t some, void* y) { loop(static_cast<const std::uint8_t*>(x), some, f, static_cast<std::uint16_t*>(y)); });
    };
    dequantizing("int8 -> 16 bits", 8, dequantize<false, false>);
    dequantizing("int8 -> 16 bits, each", 8, dequantize<false, true>);
    dequantizing("int4 -> 16 bits", 4, dequantize<true, false>);
    dequantizing("int4 -> 16 bits, each", 4, dequantize<true, true>);
    for (const std::size_t length : {128UL, 4096UL, 16384UL}) {
        const auto run = [&]<class Y>(const std::string& name, std::size_t bits, auto loop, Y) {
            show("rows of " + std::to_string(length) + name, 16, bits,
                 [&, loop](const void* x, std::size_t some, void* y) { loop(static_cast<const std::uint16_t*>(x), some, length, f, static_cast<Y*>(y)); });
        };
        run(" -> int8", 8, dynamic<false, std::int8_t>, std::int8_t{});
        run(" -> int8, smooth", 8, dynamic<true, std::int8_t>, std::int8_t{});
        run(" -> int4", 4, dynamic<false, Nibbles>, Nibbles{});
        run(" -> int4, smooth", 4, dynamic<true, Nibbles>, Nibbles{});
    }
    return 0;
}
