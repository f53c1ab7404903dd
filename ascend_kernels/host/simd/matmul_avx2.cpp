// SPDX-License-Identifier: Apache-2.0
// Two products per word, widened to 16 bits, because the instruction for bytes would saturate their sum.
#define ACLQ_ISA avx2
#include <immintrin.h>

#include "simd/matmul_blocks.h"

namespace aclq {
namespace avx2 {
namespace {

struct Dot {
    using Words = __m256i;
    static constexpr int kDepth = 2;
    static constexpr int kOffset = 0;
    static constexpr int kLanes = 8;
    static constexpr int kVectors = 2;
    static constexpr int kRows = 6;

    static Words load(const std::int32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
    static void store(std::int32_t* to, Words words) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), words); }
    // Products of int8 reach 2^14, so the sum of two is exact.
    static Words add(Words sums, Words right, std::int32_t left) {
        return _mm256_add_epi32(sums, _mm256_madd_epi16(right, _mm256_set1_epi32(left)));
    }

    static std::int32_t word(const std::int8_t (&elements)[kDepth]) {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(elements[0]) & 0xFFFFU) |
               static_cast<std::int32_t>(static_cast<std::uint32_t>(elements[1]) << 16);
    }
    static std::int32_t rightWord(const std::int8_t (&elements)[kDepth]) { return word(elements); }

    static void interleave(const std::int8_t* from, std::int64_t step, std::int32_t* to) {
        const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + step));
        store(to, _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b)));
        store(to + 8, _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b)));
    }

    static void gather(const std::int8_t* from, std::int64_t step, std::int32_t* to) {
        for (int column = 0; column < kLanes * kVectors; ++column) {
            to[column] = word({from[column * step], from[column * step + 1]});
        }
    }
};

}  // namespace
}  // namespace avx2

extern const MatmulKernels kAvx2Matmul;
constexpr MatmulKernels kAvx2Matmul = avx2::Matmul<avx2::Dot>::table("avx2");

}  // namespace aclq
