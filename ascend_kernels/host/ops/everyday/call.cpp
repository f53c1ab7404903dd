// SPDX-License-Identifier: Apache-2.0
#include "ops/everyday/call.h"

#include <algorithm>

namespace aclq::everyday {

aclnnStatus Call::prepare(FunctionRef<aclnnStatus> body) const noexcept {
    return phase1(function, workspaceSize, executor, [&]() -> aclnnStatus {
        const TypeRules rules(operation);
        return body();
    });
}

aclnnStatus checkTensor(const char* argument, const aclTensor* tensor) {
    ACLQ_RETURN_IF_FAILED(checkGiven(argument, tensor));
    ACLQ_RETURN_IF_FAILED(TypeRules::check(argument, tensor->dtype));
    ACLQ_RETURN_IF_FAILED(checkPlainFormat(argument, *tensor));
    return checkRank(argument, *tensor, 0, kMaxKernelRank);
}

aclnnStatus checkAllGiven(std::initializer_list<Argument> arguments) {
    for (const Argument& argument : arguments) {
        if (argument.tensor == nullptr) {
            return checkGiven(argument.name, nullptr);
        }
    }
    for (const Argument& argument : arguments) {  // also those that the operator does not read
        ACLQ_RETURN_IF_FAILED(checkGiven(argument));
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkScalar(const char* argument, const aclScalar* scalar) {
    if (scalar == nullptr) {
        return failArgument(ACLNN_ERR_PARAM_NULLPTR, argument, "null", "an aclScalar");
    }
    if (pools().scalars.find(scalar) == nullptr) {
        return refuse(argument, text("%p", static_cast<const void*>(scalar)),
                      "a live aclScalar (this one was destroyed, or never existed)");
    }
    return TypeRules::check(argument, scalar->dtype);
}

namespace {

template <class T>
aclnnStatus checkLive(const char* argument, const T* given, const T* found, const char* kind) {
    if (given == nullptr) {
        return failArgument(ACLNN_ERR_PARAM_NULLPTR, argument, "null", kind);
    }
    return found != nullptr ? ACLNN_SUCCESS
                            : refuse(argument, text("%p", static_cast<const void*>(given)),
                                     text("a live object, %s (this one was destroyed, or never existed)", kind));
}

}  // namespace

aclnnStatus readArray(const char* argument, const aclIntArray* array, std::vector<std::int64_t>& values) {
    const aclIntArray* found = pools().intArrays.find(array);
    ACLQ_RETURN_IF_FAILED(checkLive(argument, array, found, "an aclIntArray"));
    values = found->values;
    return ACLNN_SUCCESS;
}

aclnnStatus readMask(const char* argument, const aclBoolArray* array, const char* outputs, std::array<bool, 3>& mask) {
    const aclBoolArray* found = pools().boolArrays.find(array);
    ACLQ_RETURN_IF_FAILED(checkLive(argument, array, found, "an aclBoolArray"));
    if (found->values.size() != mask.size()) {
        return refuse(argument, text("%zu values", found->values.size()), std::string("three: ") + outputs);
    }
    std::transform(found->values.begin(), found->values.end(), mask.begin(), [](auto value) { return value != 0; });
    return ACLNN_SUCCESS;
}

aclnnStatus readList(const char* argument, const aclTensorList* list, std::vector<aclTensor*>& tensors) {
    const aclTensorList* found = pools().tensorLists.find(list);
    ACLQ_RETURN_IF_FAILED(checkLive(argument, list, found, "an aclTensorList"));
    tensors = found->tensors;
    return ACLNN_SUCCESS;
}

aclnnStatus checkBroadcast(const char* argument, const aclTensor& tensor, const Dims& shape) {
    Dims common = shape;
    return broadcast(common, tensor.shape) && common == shape
               ? ACLNN_SUCCESS
               : refuse(argument, "shape " + tensor.shape.text(), "a shape that repeats to " + shape.text());
}

aclnnStatus checkDim(const char* argument, std::int64_t rank, std::int64_t& dim) {
    const std::int64_t size = rank > 0 ? rank : 1;  // a 0-d tensor counts as a row of one element
    if (dim < -size || dim >= size) {
        return refuse(argument, std::to_string(dim),
                      text("%lld to %lld", static_cast<long long>(-size), static_cast<long long>(size - 1)));
    }
    dim += dim < 0 ? size : 0;
    return ACLNN_SUCCESS;
}

aclnnStatus refuseCast(const char* argument, aclDataType dtype, aclDataType computed) {
    // CANN and PyTorch use these words, and programs search for them.
    return refuse(argument,
                  "dtype " + nameOf(dtype) + ": " + nameOf(computed) + " can't be cast to the desired output type " +
                      nameOf(dtype),
                  "a type to which " + nameOf(computed) + " may be cast");
}

bool broadcast(Dims& shape, const Dims& other) {
    const Dims& longer = shape.rank() >= other.rank() ? shape : other;
    const Dims& shorter = shape.rank() >= other.rank() ? other : shape;
    Dims common = longer;
    const std::int64_t ahead = longer.rank() - shorter.rank();
    for (std::int64_t index = 0; index < shorter.rank(); ++index) {
        std::int64_t& size = common[ahead + index];
        if (size != shorter[index] && size != 1 && shorter[index] != 1) {
            return false;
        }
        size = size == 1 ? shorter[index] : size;
    }
    shape = common;
    return true;
}

View contiguousLike(const View& view, aclDataType dtype, void* memory) {
    View like = view;
    like.dtype = dtype;
    like.offset = 0;
    like.data = static_cast<unsigned char*>(memory);
    std::int64_t step = 1;
    for (std::int64_t dimension = view.rank; dimension-- > 0; step *= view.shape[dimension]) {
        like.strides[dimension] = step;
    }
    return like;
}

std::int64_t offsetAt(const View& view, const std::int64_t* at) {
    std::int64_t offset = 0;
    for (std::int64_t dimension = 0; dimension < view.rank; ++dimension) {
        offset += at[dimension] * view.strides[dimension];
    }
    return offset;
}

std::int64_t strideAlong(const View& view, const View& shape, std::int64_t dimension) {
    const std::int64_t own = dimension - (shape.rank - view.rank);
    return own < 0 || view.shape[own] == 1 ? 0 : view.strides[own];
}

}  // namespace aclq::everyday
