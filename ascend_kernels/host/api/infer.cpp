// SPDX-License-Identifier: Apache-2.0
// Shapes of results before they exist (include/aclquant/host_device.h).
#include <algorithm>

#include "aclquant/host_device.h"
#include "ops/infer.h"
#include "runtime/status.h"

using namespace aclq;

aclError aclquantInferOutputs(const char* operation, const aclTensor* const* tensors, uint64_t tensorCount,
                              const char* mode, aclDataType dtype, aclquantOutput* outputs, uint64_t* outputCount) {
    return aclApi(__func__, [&]() -> aclError {
        const std::pair<const char*, const void*> pointers[] = {
            {"operation", operation}, {"tensors", tensors}, {"outputs", outputs}, {"outputCount", outputCount}};
        for (const auto& [name, pointer] : pointers) {
            if (pointer == nullptr) {
                return failArgument(ACL_ERROR_INVALID_PARAM, name, "null", "a pointer");
            }
        }
        std::vector<InferredOutput> found;
        ACLQ_RETURN_IF_FAILED(inferOutputs({operation, {tensors, tensorCount}, dtype, mode}, found));
        if (*outputCount < found.size()) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "outputCount", std::to_string(*outputCount),
                                text("room for %zu results", found.size()));
        }
        *outputCount = found.size();
        for (const InferredOutput& from : found) {
            constexpr std::int64_t kMostDims = std::size(aclquantOutput{}.shape);
            if (from.shape.rank() > kMostDims) {
                return failArgument(ACL_ERROR_INVALID_PARAM, "tensors", "a result of shape " + from.shape.text(),
                                    "at most 8 dimensions");
            }
            *outputs = {from.dtype, static_cast<uint64_t>(from.shape.rank()), {}};
            std::copy_n(from.shape.data(), from.shape.rank(), outputs->shape);
            ++outputs;
        }
        return ACL_SUCCESS;
    });
}
