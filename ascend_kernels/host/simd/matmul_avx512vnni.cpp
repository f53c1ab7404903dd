// SPDX-License-Identifier: Apache-2.0
// Four products per word, with AVX-512 VNNI: left elements signed, right elements unsigned (128 added). The instruction
// without saturation wraps around like the definition.
#define ACLQ_ISA avx512vnni
#include <immintrin.h>

#include "simd/matmul_blocks.h"

namespace aclq {
namespace avx512vnni {
namespace {

struct Dot {
    using Words = __m512i;
    static constexpr int kDepth = 4;
    static constexpr int kOffset = 128;
    static constexpr int kLanes = 16;
    static constexpr int kVectors = 4;
    static constexpr int kRows = 6;

    static Words load(const std::int32_t* from) { return _mm512_loadu_si512(from); }
    static void store(std::int32_t* to, Words words) { _mm512_storeu_si512(to, words); }
    static Words add(Words sums, Words right, std::int32_t left) {
        return _mm512_dpbusd_epi32(sums, right, _mm512_set1_epi32(left));
    }

    static std::int32_t word(const std::int8_t (&elements)[kDepth]) {
        return __builtin_bit_cast(std::int32_t, elements);
    }
    static std::int32_t rightWord(const std::int8_t (&elements)[kDepth]) {
        return static_cast<std::int32_t>(__builtin_bit_cast(std::uint32_t, elements) ^ 0x80808080U);
    }

    // A panel of columns from four rows.
    static void interleave(const std::int8_t* from, std::int64_t step, std::int32_t* to) {
        const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
        const __m512i a = _mm512_xor_si512(_mm512_loadu_si512(from), flip);
        const __m512i b = _mm512_xor_si512(_mm512_loadu_si512(from + step), flip);
        const __m512i c = _mm512_xor_si512(_mm512_loadu_si512(from + 2 * step), flip);
        const __m512i d = _mm512_xor_si512(_mm512_loadu_si512(from + 3 * step), flip);
        // Within each quarter: columns 0-3, 4-7, 8-11, 12-15 of its 16.
        const __m512i abLow = _mm512_unpacklo_epi8(a, b);
        const __m512i abHigh = _mm512_unpackhi_epi8(a, b);
        const __m512i cdLow = _mm512_unpacklo_epi8(c, d);
        const __m512i cdHigh = _mm512_unpackhi_epi8(c, d);
        const __m512i first = _mm512_unpacklo_epi16(abLow, cdLow);
        const __m512i second = _mm512_unpackhi_epi16(abLow, cdLow);
        const __m512i third = _mm512_unpacklo_epi16(abHigh, cdHigh);
        const __m512i fourth = _mm512_unpackhi_epi16(abHigh, cdHigh);
        // Then the quarters in order.
        const __m512i low01 = _mm512_shuffle_i32x4(first, second, 0x44);
        const __m512i low23 = _mm512_shuffle_i32x4(third, fourth, 0x44);
        const __m512i high01 = _mm512_shuffle_i32x4(first, second, 0xEE);
        const __m512i high23 = _mm512_shuffle_i32x4(third, fourth, 0xEE);
        store(to, _mm512_shuffle_i32x4(low01, low23, 0x88));
        store(to + 16, _mm512_shuffle_i32x4(low01, low23, 0xDD));
        store(to + 32, _mm512_shuffle_i32x4(high01, high23, 0x88));
        store(to + 48, _mm512_shuffle_i32x4(high01, high23, 0xDD));
    }

    // The same if the elements along k are contiguous.
    static void gather(const std::int8_t* from, std::int64_t step, std::int32_t* to) {
        for (int column = 0; column < kLanes * kVectors; ++column) {
            std::uint32_t word = 0;
            std::memcpy(&word, from + column * step, sizeof word);
            to[column] = static_cast<std::int32_t>(word ^ 0x80808080U);
        }
    }
};

}  // namespace
}  // namespace avx512vnni

extern const MatmulKernels kAvx512VnniMatmul;
constexpr MatmulKernels kAvx512VnniMatmul = avx512vnni::Matmul<avx512vnni::Dot>::table("avx512vnni");

}  // namespace aclq
