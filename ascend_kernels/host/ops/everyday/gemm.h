// SPDX-License-Identifier: Apache-2.0
// Products of float matrices: by the OpenBLAS that NumPy brought into the process, else by blocks of our own.
#pragma once

#include <cstdint>

namespace aclq::everyday {

// rows x columns floats; one of the steps is 1.
struct FloatMatrix {
    const float* data;
    std::int64_t rowStep;
    std::int64_t columnStep;
};

// c = a (rows x depth) times b (depth x columns); the rows of c are `columns` floats each, one after the other.
void multiply(const FloatMatrix& a, const FloatMatrix& b, float* c, std::int64_t rows, std::int64_t columns,
              std::int64_t depth);

// Which of the two, for tests and benchmarks: "openblas" or "own".
const char* productLibrary();

}  // namespace aclq::everyday
