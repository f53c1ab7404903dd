// SPDX-License-Identifier: Apache-2.0
// Four products per word, multiplied in 16 bits and summed in 32; every 64-bit ARM processor can do this.
#define ACLQ_ISA neon
#include <arm_neon.h>

#include "simd/matmul_blocks.h"

namespace aclq {
namespace neon {
namespace {

struct Dot {
    using Words = int32x4_t;
    static constexpr int kDepth = 4;
    static constexpr int kOffset = 0;
    static constexpr int kLanes = 4;
    static constexpr int kVectors = 4;
    static constexpr int kRows = 4;

    static Words load(const std::int32_t* from) { return vld1q_s32(from); }
    static void store(std::int32_t* to, Words words) { vst1q_s32(to, words); }
    // Products of int8 reach 2^14 and fit into 16 bits; sums of two are made in 32.
    static Words add(Words sums, Words right, std::int32_t left) {
        const int8x16_t one = vreinterpretq_s8_s32(vdupq_n_s32(left));
        const int8x16_t other = vreinterpretq_s8_s32(right);
        const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(one), vget_low_s8(other)));
        const int32x4_t high = vpaddlq_s16(vmull_high_s8(one, other));
        return vaddq_s32(sums, vpaddq_s32(low, high));
    }

    static std::int32_t word(const std::int8_t (&elements)[kDepth]) {
        return __builtin_bit_cast(std::int32_t, elements);
    }
    static std::int32_t rightWord(const std::int8_t (&elements)[kDepth]) { return word(elements); }

    static void interleave(const std::int8_t* from, std::int64_t step, std::int32_t* to) {
        const int8x16x4_t rows{
            {vld1q_s8(from), vld1q_s8(from + step), vld1q_s8(from + 2 * step), vld1q_s8(from + 3 * step)}};
        vst4q_s8(reinterpret_cast<std::int8_t*>(to), rows);
    }

    static void gather(const std::int8_t* from, std::int64_t step, std::int32_t* to) {
        for (int column = 0; column < kLanes * kVectors; ++column) {
            std::memcpy(to + column, from + column * step, sizeof *to);
        }
    }
};

}  // namespace
}  // namespace neon

extern const MatmulKernels kNeonMatmul;
constexpr MatmulKernels kNeonMatmul = neon::Matmul<neon::Dot>::table("neon");

}  // namespace aclq
