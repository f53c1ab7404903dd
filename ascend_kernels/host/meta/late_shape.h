// SPDX-License-Identifier: Apache-2.0
// The shape of a result that only the kernel can determine, such as the number of nonzero elements. The client may
// destroy its descriptor before the kernel runs, so a kernel never writes to one. It stores the shape here, and the
// descriptor takes it over when the client uses it next.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "meta/tensor.h"

namespace aclq {

class LateShape {
  public:
    // Called by the kernel. Elements of the result are contiguous.
    void set(const Dims& shape) {
        const std::lock_guard lock(mutex_);
        found_ = shape;
    }
    // Since it was last taken.
    std::optional<Dims> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(found_, std::nullopt);
    }

  private:
    std::mutex mutex_;
    std::optional<Dims> found_;
};

// Where a kernel leaves the shape of this output; called by phase 1. Null for an output that is left out.
std::shared_ptr<LateShape> lateShapeOf(const aclTensor* output);

// Gives the descriptor the shape that a kernel has stored for it; called whenever a client passes a descriptor.
void settle(aclTensor& tensor);

}  // namespace aclq
