// SPDX-License-Identifier: Apache-2.0
// Products of int8 matrices, summed in int32 with wrap-around. Both sides are first packed into 32-bit words. Each word
// holds the elements along k that one instruction multiplies and adds.
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

    // Words along k, row after row; a row is `pitch` words long. Missing elements are 0.
    void (*packLeft)(const Int8Matrix& x, std::int64_t rows, std::int64_t k, std::int32_t* words, std::int64_t pitch);
    // The initial value of the sums of a row, which corrects the offset of the packed right side.
    std::int32_t (*firstSum)(const std::int32_t* row, std::int64_t pitch);
    // Panel after panel. A panel holds, for each word along k, all its columns. The destination has room for whole
    // panels.
    void (*packRight)(const Int8Matrix& x, std::int64_t k, std::int64_t columns, std::int32_t* words);
    // Adds the products to sums. Rows of sums are whole panels long and `sumPitch` elements apart.
    void (*multiply)(const std::int32_t* left, std::int64_t pitch, std::int64_t rows, const std::int32_t* right,
                     std::int64_t words, std::int64_t columns, std::int32_t* sums, std::int64_t sumPitch);
};

// The variant that matches the row kernels in use (kernels.h).
const MatmulKernels& matmulKernels();

// The variants. AMX also needs permission from the operating system.
#if defined(__x86_64__)
extern const MatmulKernels kAvx2Matmul;
extern const MatmulKernels kAvx512VnniMatmul;
extern const decltype(MatmulKernels::multiply) kAmxMultiply;
bool mayUseAmx();
#elif defined(__aarch64__)
extern const MatmulKernels kNeonMatmul;
#endif

}  // namespace aclq
