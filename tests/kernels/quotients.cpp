// SPDX-License-Identifier: Apache-2.0
// Proves the quick division of the row kernels: for every mantissa of eleven bits (halves and bfloat16 have no more)
// over every mantissa of a float it equals the division. Exponents and signs change nothing as long as nothing
// overflows or underflows. Prints how many were compared, or the first difference, with status 1.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>

#define ACLQ_ISA avx2
#include "simd/lanes_avx2.h"

using namespace aclq::avx2;

int main() {
    std::uint64_t compared = 0;
    for (std::uint32_t mantissa = 0; mantissa < 1U << 23; ++mantissa) {
        const float divisor = bitCast<float>(0x3F800000U | mantissa);
        const Lanes y = broadcast(divisor);
        const Lanes reciprocal = broadcast(1.0F / divisor);
        for (std::uint32_t first = 0; first < 1024; first += Lanes::kCount) {
            const __m256i step = _mm256_slli_epi32(_mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0), 13);
            const __m256i low = _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(0x3F800000U | first << 13)), step);
            const Lanes x{_mm256_castsi256_ps(low),
                          _mm256_castsi256_ps(_mm256_add_epi32(low, _mm256_set1_epi32(8 << 13)))};
            const Lanes quick = quotient(x, y, reciprocal);
            const Lanes exact = x / y;
            if (std::memcmp(&quick, &exact, sizeof quick) != 0) {
                std::printf("differs for a divisor with mantissa 0x%x and one of sixteen mantissas from 0x%x on\n",
                            mantissa, first << 13);
                return 1;
            }
            compared += Lanes::kCount;
        }
    }
    std::printf("%" PRIu64 " quotients equal the divisions\n", compared);
    return 0;
}
