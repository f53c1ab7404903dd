// SPDX-License-Identifier: Apache-2.0
// Products of float matrices: by the OpenBLAS that NumPy has loaded, else by the blocked loops in gemm.cpp.
#pragma once

#include <cstdint>

namespace aclq::everyday {

// rows x columns floats; one of the steps is 1.
struct FloatMatrix {
    const float* data;
    std::int64_t rowStep;
    std::int64_t columnStep;
};

// c = a * b, where a is rows x depth and b is depth x columns; c is contiguous, in row order.
void multiply(const FloatMatrix& a, const FloatMatrix& b, float* c, std::int64_t rows, std::int64_t columns,
              std::int64_t depth);

// Which of the two is used, for tests and benchmarks: "openblas" or "own".
const char* productLibrary();

}  // namespace aclq::everyday
