// SPDX-License-Identifier: Apache-2.0
#include "meta/late_shape.h"

#include "meta/pools.h"

namespace aclq {

std::shared_ptr<LateShape> lateShapeOf(const aclTensor* output) {
    aclTensor* found = pools().tensors.find(output);
    if (found == nullptr) {
        return nullptr;
    }
    if (found->late == nullptr) {
        found->late = std::make_shared<LateShape>();
    }
    return found->late;
}

void settle(aclTensor& tensor) {
    if (tensor.late == nullptr) {
        return;
    }
    if (const std::optional<Dims> shape = tensor.late->take()) {
        tensor.shape = *shape;
        tensor.strides = Dims::contiguousStrides(*shape);
    }
}

}  // namespace aclq
