// SPDX-License-Identifier: Apache-2.0
#include "simd/halves.h"

#include <cstring>

#include "simd/numeric.h"
#include "simd/widest.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace aclq {
namespace {

#if defined(__x86_64__)
// These convert whole vectors, and return the number of elements that they converted. Every NaN becomes that of
// numeric.h.
__attribute__((target("avx512f"))) std::int64_t widen512(const unsigned char* halves, std::int64_t n, float* floats) {
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m256i part = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves + i * 2));
        _mm512_storeu_ps(floats + i, _mm512_cvtph_ps(part));
    }
    return i;
}
__attribute__((target("avx2,f16c"))) std::int64_t widen256(const unsigned char* halves, std::int64_t n, float* floats) {
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i * 2));
        _mm256_storeu_ps(floats + i, _mm256_cvtph_ps(part));
    }
    return i;
}
__attribute__((target("avx512f"))) std::int64_t narrow512(const float* floats, std::int64_t n, unsigned char* halves) {
    const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7FC00000));
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m512 part = _mm512_loadu_ps(floats + i);
        const __m512 clean = _mm512_mask_mov_ps(part, _mm512_cmp_ps_mask(part, part, _CMP_UNORD_Q), nan);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(halves + i * 2),
                            _mm512_cvtps_ph(clean, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    return i;
}
__attribute__((target("avx2,f16c"))) std::int64_t narrow256(const float* floats, std::int64_t n,
                                                            unsigned char* halves) {
    const __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FC00000));
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m256 part = _mm256_loadu_ps(floats + i);
        const __m256 clean = _mm256_blendv_ps(part, nan, _mm256_cmp_ps(part, part, _CMP_UNORD_Q));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(halves + i * 2),
                         _mm256_cvtps_ph(clean, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    return i;
}
#endif

}  // namespace

void widenHalves(const void* halves, std::int64_t n, float* floats) {
    const auto* from = static_cast<const unsigned char*>(halves);
    std::int64_t i = 0;
#if defined(__x86_64__)
    i = vectors() == Vectors::Avx512 ? widen512(from, n, floats)
                                     : (vectors() == Vectors::Avx2 ? widen256(from, n, floats) : 0);
#endif
    for (; i < n; ++i) {
        Half value;
        std::memcpy(&value, from + i * 2, sizeof value);
        floats[i] = scalar::widen(value);
    }
}

void narrowToHalves(const float* floats, std::int64_t n, void* halves) {
    auto* to = static_cast<unsigned char*>(halves);
    std::int64_t i = 0;
#if defined(__x86_64__)
    i = vectors() == Vectors::Avx512 ? narrow512(floats, n, to)
                                     : (vectors() == Vectors::Avx2 ? narrow256(floats, n, to) : 0);
#endif
    for (; i < n; ++i) {
        const Half value = scalar::toHalf(floats[i]);
        std::memcpy(to + i * 2, &value, sizeof value);
    }
}

}  // namespace aclq
