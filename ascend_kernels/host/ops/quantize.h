// SPDX-License-Identifier: Apache-2.0
// aclnnQuantize and aclnnAscendQuant: x scaled along one axis, shifted, rounded, saturated.
#pragma once

#include <memory>

#include "ops/phase1.h"
#include "simd/kernels.h"

namespace aclq {

template <class T>
struct QuantizeTensors {
    T x, scale, offset, y;
    auto all() const { return std::array{x, scale, offset, y}; }
};

struct QuantizeAttributes {
    std::int64_t axis;        // the dimension of x that a scale of more than one element runs along
    bool divide;              // by the scale, instead of multiplying
    bool scaleTwice = false;  // multiply by the scale twice, rounding each time
    Round mode = Round::Rint;
};

std::shared_ptr<const Kernel> makeQuantize(const QuantizeAttributes& attributes);

}  // namespace aclq
