// SPDX-License-Identifier: Apache-2.0
// The kernel behind aclnnQuantize and aclnnAscendQuant: x scaled along one axis, shifted, rounded, saturated.
#pragma once

#include "meta/executor.h"
#include "simd/kernels.h"

namespace aclq {

// Tensors: x, scale, offset (may be left out), y.
class ScaledQuantize : public Kernel {
  public:
    // axis: the dimension of x that a scale of more than one element runs along.
    ScaledQuantize(std::int64_t axis, bool divide, bool scaleTwice, Round mode)
        : axis_(axis), divide_(divide), scaleTwice_(scaleTwice), mode_(mode) {}
    void run(const View* tensors, const KernelContext& context) const override;

  private:
    const std::int64_t axis_;
    const bool divide_;
    const bool scaleTwice_;
    const Round mode_;
};

}  // namespace aclq
