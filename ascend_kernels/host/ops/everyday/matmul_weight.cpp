// SPDX-License-Identifier: Apache-2.0
// The layout of weights of matrix products. The one that suits this device is ND, which TransMatmulWeight therefore
// keeps; products take weights that a client calls FRACTAL_NZ after it (matmul.cpp).
#include "aclnnop/aclnn_trans_matmul_weight.h"
#include "ops/everyday/call.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

constexpr std::int64_t kMostDimensions = 6;
constexpr std::int64_t kBlock = 16;  // rows of a block, and columns of 16-bit types

aclnnStatus weightSize(const char* function, const aclIntArray* tensorShape, std::int64_t columns, bool mayBeEmpty,
                       std::uint64_t* weightTensorSize) {
    return api(function, ACLNN_ERR_INNER, ACLNN_ERR_INNER, [&]() -> aclnnStatus {
        std::vector<std::int64_t> sizes;
        ACLQ_RETURN_IF_FAILED(readArray("tensorShape", tensorShape, sizes));
        if (weightTensorSize == nullptr) {
            return failArgument(ACLNN_ERR_PARAM_NULLPTR, "weightTensorSize", "null", "an address for the size");
        }
        const auto rank = static_cast<std::int64_t>(sizes.size());
        if (rank < 2 || rank > kMostDimensions) {
            return refuse("tensorShape", text("%zu numbers", sizes.size()), "2 to 6");
        }
        constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() - 64;
        for (const std::int64_t size : sizes) {
            if (size < (mayBeEmpty ? 0 : 1) || size > kMost) {
                return refuse("tensorShape", std::to_string(size), mayBeEmpty ? "0 or more" : "1 or more");
            }
        }
        if (columns == 0) {
            return refuse("dataType", "another type", "FLOAT16, BF16, INT8, FLOAT");
        }
        const auto align = [](std::int64_t& size, std::int64_t block) { size = (size + block - 1) / block * block; };
        align(sizes[sizes.size() - 2], kBlock);
        align(sizes.back(), columns);
        *weightTensorSize = static_cast<std::uint64_t>(product(sizes.data(), rank));
        return ACLNN_SUCCESS;
    });
}

// Columns of a block: 32 bytes.
std::int64_t blockColumns(aclDataType dtype) {
    switch (dtype) {
        case ACL_FLOAT16:
        case ACL_BF16:
            return kBlock;
        case ACL_INT8:
            return 2 * kBlock;
        case ACL_FLOAT:
            return kBlock / 2;
        default:
            return 0;
    }
}

}  // namespace

aclnnStatus aclnnCalculateMatmulWeightSizeV2(const aclIntArray* tensorShape, aclDataType dataType,
                                             uint64_t* weightTensorSize) {
    return weightSize(__func__, tensorShape, blockColumns(dataType), false, weightTensorSize);
}

aclnnStatus aclnnCalculateMatmulWeightSize(const aclIntArray* tensorShape, uint64_t* weightTensorSize) {
    return weightSize(__func__, tensorShape, kBlock, true, weightTensorSize);
}

aclnnStatus aclnnTransMatmulWeightGetWorkspaceSize(aclTensor* mmWeightRef, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnTransMatmulWeight);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("mmWeightRef", mmWeightRef));
        ACLQ_RETURN_IF_FAILED(checkNd({"mmWeightRef", mmWeightRef}));
        if (!mmWeightRef->empty()) {
            ACLQ_RETURN_IF_FAILED(checkRank("mmWeightRef", *mmWeightRef, 2, kMostDimensions));
        }
        return call.nothing();
    });
}
ACLQ_PHASE_2(aclnnTransMatmulWeight)
