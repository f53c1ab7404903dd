// SPDX-License-Identifier: Apache-2.0
// Shapes of the results of the quantisation operators: what phase 1 demands, and what aclquantInferOutputs() tells.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "meta/tensor.h"

namespace aclq {

// Of results that hold x's values as `dtype`: x's own, or an eighth of the last dimension for INT32, which holds eight
// int4. False if that is not a whole number.
bool quantizedShape(const Dims& x, aclDataType dtype, Dims& shape);
// The reverse, for x that holds int4 as INT32. False if the size does not fit into 64 bits.
bool unpackedShape(const Dims& x, aclDataType dtype, Dims& shape);

struct InferredOutput {
    aclDataType dtype;
    Dims shape;
};

// What is known before the results exist: the tensors of an operator without its results, in the order of its function
// (null: left out), the type of the first result, and the mode of the operators that have one.
struct InferenceRequest {
    std::string_view operation;
    std::span<const aclTensor* const> tensors;
    aclDataType dtype;
    const char* mode;  // quantMode of the dynamic operators; may be null

    // Null where the caller gave fewer tensors.
    const aclTensor* tensor(std::size_t index) const { return index < tensors.size() ? tensors[index] : nullptr; }
};

// 161001 or 161002 where phase 1 could not succeed whatever the results are; not all such mistakes are found here.
aclnnStatus inferOutputs(const InferenceRequest& request, std::vector<InferredOutput>& outputs);

}  // namespace aclq
