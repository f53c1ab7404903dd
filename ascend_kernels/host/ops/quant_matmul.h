// SPDX-License-Identifier: Apache-2.0
// aclnnQuantMatmulV3, V4 and V5: an exact integer product, then scales, bias and a cast.
#pragma once

#include <memory>

#include "ops/phase1.h"

namespace aclq {

template <class T>
struct QuantMatmulTensors {
    T x1, x2, scale, perToken, bias, out, offset, yOffset;
    auto all() const { return std::array{x1, x2, scale, perToken, bias, out, offset, yOffset}; }
};

// How the sums become results. `scale` is x2Scale, `perToken` is x1Scale.
enum class Scaling {
    Whole,   // one sum for each element of the result; offset is not read
    Blocks,  // G-B: a sum for each 128 elements along k, perToken (m, k/128), scale (n/128, k/128), float bias
    Groups,  // K-G: a sum for each 256 elements along k, scale and offset (k/256, n)
    Split,   // A8W4: x1 is split into two int4, scale (n,) or (k/256, n), yOffset (n,)
};
constexpr std::int64_t kBlock = 128;
constexpr std::int64_t kGroup = 256;

struct QuantMatmulAttributes {
    Scaling scaling;
    bool transposeX1;  // the last two dimensions of a tensor are swapped
    bool transposeX2;
};

std::shared_ptr<const Kernel> makeQuantMatmul(const QuantMatmulAttributes& attributes);

// The shape of the product; transposition is in the strides.
aclnnStatus quantMatmulShape(const aclTensor& x1, const aclTensor& x2, Dims& shape);

}  // namespace aclq
