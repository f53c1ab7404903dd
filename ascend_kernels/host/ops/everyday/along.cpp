// SPDX-License-Identifier: Apache-2.0
#include "ops/everyday/along.h"

namespace aclq::everyday {

aclnnStatus checkGivenDims(const char* argument, const aclIntArray* dims) {
    return dims != nullptr ? ACLNN_SUCCESS : failArgument(ACLNN_ERR_PARAM_NULLPTR, argument, "null", "an aclIntArray");
}

aclnnStatus readDims(const char* argument, const aclIntArray* dims, std::int64_t rank, Mask& gone) {
    gone = (1U << rank) - 1;
    if (dims == nullptr) {
        return ACLNN_SUCCESS;
    }
    std::vector<std::int64_t> given;
    ACLQ_RETURN_IF_FAILED(readArray(argument, dims, given));
    if (given.empty()) {
        return ACLNN_SUCCESS;
    }
    gone = 0;
    for (std::int64_t dim : given) {
        ACLQ_RETURN_IF_FAILED(checkDim(argument, rank, dim));
        if (rank > 0) {
            if ((gone >> dim & 1U) != 0) {
                return refuse(argument, text("dimension %lld twice", static_cast<long long>(dim)),
                              "each dimension once");
            }
            gone |= 1U << dim;
        }
    }
    return ACLNN_SUCCESS;
}

aclnnStatus oneDim(const aclTensor* self, std::int64_t& dim, Mask& gone) {
    ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
    ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
    gone = self->shape.rank() > 0 ? 1U << dim : 0;
    return ACLNN_SUCCESS;
}

Dims reducedShape(const Dims& shape, Mask gone, bool keep) {
    std::int64_t sizes[Dims::kMaxRank] = {};
    std::uint64_t rank = 0;
    for (std::int64_t dimension = 0; dimension < shape.rank(); ++dimension) {
        const bool goes = (gone >> dimension & 1U) != 0;
        if (!goes || keep) {
            sizes[rank++] = goes ? 1 : shape[dimension];
        }
    }
    return Dims(sizes, rank);
}

aclnnStatus checkResult(const char* argument, const aclTensor& out, const Dims& expected, OneElement one,
                        const char* source) {
    const bool bothOne = expected.elements() == 1 && out.elements() == 1;
    return one == OneElement::AnyShape && bothOne ? ACLNN_SUCCESS : checkShape(argument, out, expected, source);
}

aclnnStatus checkReduced(const char* argument, const aclTensor* out, const Dims& shape, Mask gone, bool keep,
                         OneElement one) {
    ACLQ_RETURN_IF_FAILED(checkTensor(argument, out));
    return checkResult(argument, *out, reducedShape(shape, gone, keep), one,
                       "the shape of self without the dimensions that go");
}

aclnnStatus checkSaid(aclDataType dtype, const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
    return dtype == out->dtype ? ACLNN_SUCCESS
                               : refuse("dtype", nameOf(dtype), nameOf(out->dtype) + ", the dtype of out");
}

}  // namespace aclq::everyday
