// SPDX-License-Identifier: Apache-2.0
// Products of int8 matrices in int32 that wraps around. Both sides are first packed into 32-bit words that hold a few
// elements along k each: as many as one instruction multiplies and adds up.
#pragma once

#include <cstdint>

namespace aclq {

// Element (row, column) is data[row * rowStep + column * columnStep].
struct Int8Matrix {
    const std::int8_t* data;
    std::int64_t rowStep;
    std::int64_t columnStep;
};

struct MatmulKernels {
    const char* name;
    std::int64_t depth;  // elements along k in a word
    std::int64_t panel;  // columns that are packed, and multiplied, together

    // A word (of k) after the other, row after row; a row is `pitch` words long. Missing elements are 0.
    void (*packLeft)(const Int8Matrix& x, std::int64_t rows, std::int64_t k, std::int32_t* words, std::int64_t pitch);
    // What sums of a row have to begin with, because of how the right side is packed.
    std::int32_t (*firstSum)(const std::int32_t* row, std::int64_t pitch);
    // Panel after panel; in a panel for each word (of k) all its columns. Needs whole panels of room.
    void (*packRight)(const Int8Matrix& x, std::int64_t k, std::int64_t columns, std::int32_t* words);
    // Adds the products to sums, whose rows are whole panels long, `sumPitch` elements from one to the next.
    void (*multiply)(const std::int32_t* left, std::int64_t pitch, std::int64_t rows, const std::int32_t* right,
                     std::int64_t words, std::int64_t columns, std::int32_t* sums, std::int64_t sumPitch);
};

// The variant that goes with the row kernels in use (kernels.h).
const MatmulKernels& matmulKernels();

// The variants. AMX needs the kernel's permission besides the processor's instructions.
#if defined(__x86_64__)
extern const MatmulKernels kAvx2Matmul;
extern const MatmulKernels kAvx512VnniMatmul;
extern const decltype(MatmulKernels::multiply) kAmxMultiply;
bool mayUseAmx();
#elif defined(__aarch64__)
extern const MatmulKernels kNeonMatmul;
#endif

}  // namespace aclq
