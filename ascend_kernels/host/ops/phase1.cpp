// SPDX-License-Identifier: Apache-2.0
#include "ops/phase1.h"

#include <algorithm>

#include "meta/late_shape.h"
#include "ops/infer.h"

namespace aclq {

aclnnStatus checkAlive(const char* argument, const aclTensor* tensor) {
    if (tensor == nullptr) {
        return ACLNN_SUCCESS;
    }
    aclTensor* const found = pools().tensors.find(tensor);
    if (found == nullptr) {
        return refuse(argument, text("%p", static_cast<const void*>(tensor)),
                      "a live aclTensor (this one was destroyed, or never was one)");
    }
    settle(*found);
    for (std::int64_t index = 0; index < tensor->shape.rank(); ++index) {
        if (tensor->shape[index] < 0) {
            return refuse(argument, "shape " + tensor->shape.text(), "dimensions of 0 or more");
        }
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkGiven(const char* argument, const aclTensor* tensor) {
    return tensor != nullptr ? checkAlive(argument, tensor)
                             : failArgument(ACLNN_ERR_PARAM_NULLPTR, argument, "null", "an aclTensor");
}

aclnnStatus checkDtype(const char* argument, const aclTensor& tensor, std::initializer_list<aclDataType> allowed) {
    return std::find(allowed.begin(), allowed.end(), tensor.dtype) != allowed.end()
               ? ACLNN_SUCCESS
               : refuse(argument, "dtype " + nameOf(tensor.dtype),
                        namesOf(allowed) + " (" + settings().soc->name + ")");
}

aclnnStatus checkShape(const char* argument, const aclTensor& tensor, const Dims& expected, const char* source) {
    return tensor.shape == expected ? ACLNN_SUCCESS
                                    : refuse(argument, "shape " + tensor.shape.text(), expected.text() + ", " + source);
}

aclnnStatus checkRank(const char* argument, const aclTensor& tensor, std::int64_t low, std::int64_t high) {
    const std::int64_t rank = tensor.shape.rank();
    if (rank >= low && rank <= high) {
        return ACLNN_SUCCESS;
    }
    return refuse(argument, text("%lld dimensions, shape ", static_cast<long long>(rank)) + tensor.shape.text(),
                  low == high ? text("%lld", static_cast<long long>(low))
                              : text("%lld to %lld", static_cast<long long>(low), static_cast<long long>(high)));
}

aclnnStatus checkPlainFormat(const char* argument, const aclTensor& tensor) {
    return isPrivate(tensor.format) ? refuse(argument, "format " + nameOf(tensor.format), "a plain format such as ND")
                                    : ACLNN_SUCCESS;
}

aclnnStatus checkNd(const Argument& argument) {
    return !argument || argument->format == ACL_FORMAT_ND
               ? ACLNN_SUCCESS
               : refuse(argument, "format " + nameOf(argument->format), "ND");
}

aclnnStatus checkQuantized(const Argument& y, const Argument& x) {
    Dims expected;
    if (!quantizedShape(x->shape, y->dtype, expected)) {
        return refuse(y, "dtype INT32 (eight int4 to an element) for shape " + x->shape.text(),
                      "a last dimension that is a multiple of 8");
    }
    ACLQ_RETURN_IF_FAILED(checkShape(y, expected,
                                     y->dtype == ACL_INT32
                                         ? "x's shape with an eighth of the last dimension (eight int4 to an INT32)"
                                         : "the shape of x"));
    return y->dtype == ACL_INT4 && (expected.rank() == 0 || expected.last() % 2 != 0)
               ? refuse(y, "dtype INT4 with shape " + y->shape.text(), "an even last dimension (two int4 to a byte)")
               : ACLNN_SUCCESS;
}

aclnnStatus checkResults(const std::uint64_t* workspaceSize, aclOpExecutor* const* executor) {
    if (workspaceSize == nullptr || executor == nullptr) {
        return requireOut(nullptr, workspaceSize == nullptr ? "workspaceSize" : "executor", ACLNN_ERR_PARAM_NULLPTR);
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkDevice() {
    Context* context = nullptr;
    return requireContext(context) == ACL_SUCCESS ? ACLNN_SUCCESS : ACLNN_ERR_RUNTIME_ERROR;
}

namespace {

View viewOf(const aclTensor* tensor) {
    View view;
    if (tensor == nullptr) {
        return view;
    }
    view.present = true;
    view.dtype = tensor->dtype;
    view.rank = tensor->shape.rank();
    view.offset = tensor->offset;
    std::copy_n(tensor->shape.data(), view.rank, view.shape);
    std::copy_n(tensor->strides.data(), view.rank, view.strides);
    return view;
}

// Only a tensor that would have to be made contiguous is compared with its storage.
aclnnStatus checkReach(const char* argument, const aclTensor& tensor) {
    if (tensor.contiguous()) {
        return ACLNN_SUCCESS;
    }
    std::int64_t first = 0;
    std::int64_t last = 0;
    tensor.reach(first, last);
    if (first >= 0 && last < tensor.storage.elements()) {
        return ACLNN_SUCCESS;
    }
    return failArgument(
        ACLNN_ERR_INNER_NULLPTR, argument,
        text("elements %lld to %lld of the storage", static_cast<long long>(first), static_cast<long long>(last)),
        "a view inside its storage of shape " + tensor.storage.text());
}

}  // namespace

aclnnStatus phase1(const char* function, const std::uint64_t* workspaceSize, aclOpExecutor* const* executor,
                   FunctionRef<aclnnStatus> body) noexcept {
    return api(function, ACLNN_ERR_INNER_CREATE_EXECUTOR, ACLNN_ERR_INNER, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkResults(workspaceSize, executor));
        ACLQ_RETURN_IF_FAILED(checkDevice());
        return body();
    });
}

aclnnStatus finish(const char* operation, std::span<const Argument> arguments, std::shared_ptr<const Kernel> kernel,
                   std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    aclOpExecutor made;
    made.operation = operation;
    made.kernel = std::move(kernel);
    made.workspaceSize = settings().workspaceBytes;
    made.arguments.reserve(arguments.size());
    for (const Argument& argument : arguments) {
        if (argument.tensor != nullptr) {
            if (argument.tensor->shape.rank() > kMaxKernelRank) {
                return failArgument(ACLNN_ERR_INNER_NULLPTR, argument.name, "shape " + argument.tensor->shape.text(),
                                    "at most 8 dimensions");
            }
            if (!argument.mustBeContiguous) {
                ACLQ_RETURN_IF_FAILED(checkReach(argument.name, *argument.tensor));
            }
        }
        const View view = viewOf(argument.seenAs != nullptr ? argument.seenAs : argument.tensor);
        const Extend extend = view.present ? extendOf(view) : Extend{};
        made.arguments.push_back(
            {argument.name, argument.tensor, view, extend, argument.mustBeContiguous && argument.seenAs == nullptr});
    }
    *workspaceSize = made.workspaceSize;
    *executor = pools().executors.create(std::move(made));
    return ACLNN_SUCCESS;
}

aclnnStatus finishEmpty(const char* operation, std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    aclOpExecutor made;
    made.operation = operation;
    *workspaceSize = 0;
    *executor = pools().executors.create(std::move(made));
    return ACLNN_SUCCESS;
}

}  // namespace aclq
