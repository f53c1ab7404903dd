// SPDX-License-Identifier: Apache-2.0
// The definition of the integer product, for any processor, and the choice of the variant.
#define ACLQ_ISA scalar
#include "simd/matmul.h"

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "simd/kernels.h"
#include "simd/matmul_blocks.h"

namespace aclq {
namespace scalar {
namespace {

// One element per word, one column at a time.
struct Dot {
    using Words = std::uint32_t;  // so that sums wrap around
    static constexpr int kDepth = 1;
    static constexpr int kOffset = 0;
    static constexpr int kLanes = 1;
    static constexpr int kVectors = 16;
    static constexpr int kRows = 1;

    static Words load(const std::int32_t* from) { return static_cast<Words>(*from); }
    static void store(std::int32_t* to, Words words) { *to = static_cast<std::int32_t>(words); }
    static Words add(Words sums, Words right, std::int32_t left) { return sums + right * static_cast<Words>(left); }

    static std::int32_t word(const std::int8_t (&elements)[kDepth]) { return elements[0]; }
    static std::int32_t rightWord(const std::int8_t (&elements)[kDepth]) { return elements[0]; }

    static void interleave(const std::int8_t* from, std::int64_t, std::int32_t* to) { gather(from, 1, to); }
    static void gather(const std::int8_t* from, std::int64_t step, std::int32_t* to) {
        for (int column = 0; column < kLanes * kVectors; ++column) {
            to[column] = from[column * step];
        }
    }
};

}  // namespace
}  // namespace scalar

namespace {

#if defined(__x86_64__)
// Tiles and their products of int8.
bool hasAmx() {
    unsigned int a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 24 & 3U) == 3U;
}
#endif

#if defined(__x86_64__)
// When the library is loaded, and in this file: those for AMX may use instructions that the processor does not have.
const MatmulKernels kAmxMatmul = [] {
    MatmulKernels made = kAvx512VnniMatmul;
    made.name = "amx";
    made.multiply = kAmxMultiply;
    return made;
}();
#endif

constexpr MatmulKernels kScalarMatmul = scalar::Matmul<scalar::Dot>::table("scalar");

}  // namespace

const MatmulKernels& matmulKernels() {
#if defined(__x86_64__)
    if (std::strcmp(kernels().name, "scalar") != 0) {
        // Few processors have AVX-512 without the dot product.
        const bool wide = std::strcmp(kernels().name, "avx512") == 0 && __builtin_cpu_supports("avx512vnni");
        if (wide && hasAmx() && mayUseAmx()) {
            return kAmxMatmul;
        }
        return wide ? kAvx512VnniMatmul : kAvx2Matmul;
    }
#elif defined(__aarch64__)
    if (std::strcmp(kernels().name, "scalar") != 0) {
        return kNeonMatmul;
    }
#endif
    return kScalarMatmul;
}

}  // namespace aclq
