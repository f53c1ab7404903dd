// SPDX-License-Identifier: Apache-2.0
// The shape of a result that only the kernel finds, such as how many elements are not zero. The client may have
// destroyed its descriptor by the time the kernel runs, so a kernel never writes to one: it leaves the shape here, and
// the descriptor takes it over when the client next uses it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "meta/tensor.h"

namespace aclq {

class LateShape {
  public:
    // By the kernel. Elements of the result are contiguous.
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

// Gives the descriptor the shape that a kernel has left for it; called whenever a client passes one in.
void settle(aclTensor& tensor);

}  // namespace aclq
