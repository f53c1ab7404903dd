// SPDX-License-Identifier: Apache-2.0
// Operators with three inputs: addcmul and addcdiv, interpolation, clamping to tensors.
#include <cmath>

#include "aclnnop/aclnn_addcdiv.h"
#include "aclnnop/aclnn_addcmul.h"
#include "aclnnop/aclnn_clamp.h"
#include "aclnnop/aclnn_lerp_scalar.h"
#include "aclnnop/aclnn_lerp_tensor.h"
#include "ops/everyday/binary.h"
#include "ops/everyday/functions.h"
#include "ops/everyday/together.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

aclnnStatus addProduct(const Call& call, const Argument& self, const aclTensor* tensor1, const aclTensor* tensor2,
                       const aclScalar* value, const Argument& out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("value", value));
        const Constant factor = constant(*value, ACL_DOUBLE);
        return together<In::Any>(
            call, {self, {"tensor1", tensor1}, {"tensor2", tensor2}, out},
            [=](auto a, auto b, auto c) { return add(a, multiply(factor.like(a), multiply(b, c))); });
    });
}

aclnnStatus addQuotient(const Call& call, const Argument& self, const aclTensor* tensor1, const aclTensor* tensor2,
                        const aclScalar* value, const Argument& out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("value", value));
        return together(call, {self, {"tensor1", tensor1}, {"tensor2", tensor2}, out},
                        [factor = real(*value)](double a, double b, double c) { return a + factor * (b / c); });
    });
}

aclnnStatus between(const Call& call, const Argument& self, const aclTensor* end, const aclTensor* weight,
                    const Argument& out) {
    return call.prepare([&] { return together(call, {self, {"end", end}, {"weight", weight}, out}, kBetween); });
}

aclnnStatus between(const Call& call, const Argument& self, const aclTensor* end, const aclScalar* weight,
                    const Argument& out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("weight", weight));
        return together(call, {self, {"end", end}, out},
                        [share = real(*weight)](double a, double b) { return kBetween(a, b, share); });
    });
}

// NaN in any input gives NaN.
constexpr auto kRaise = [](auto value, auto least) {
    return least == least && (value != value || value > least) ? value : least;
};
constexpr auto kLower = [](auto value, auto most) {
    return most == most && (value != value || value < most) ? value : most;
};

template <class Function>
aclnnStatus limit(const Call& call, const Argument& self, const char* name, const aclTensor* bound, const Argument& out,
                  Function function) {
    return call.prepare([&] { return together<In::Any>(call, {self, {name, bound}, out}, function); });
}

}  // namespace

#define ADD(kind, prepare)                                                                                         \
    aclnnStatus aclnn##kind##GetWorkspaceSize(                                                                     \
        const aclTensor* self, const aclTensor* tensor1, const aclTensor* tensor2, const aclScalar* value,         \
        ACLQ_PARAMETER(aclnn##kind##GetWorkspaceSize, 4) out, uint64_t* workspaceSize, aclOpExecutor** executor) { \
        return prepare(ACLQ_CALL(aclnn##kind), {"self", self}, tensor1, tensor2, value, {"out", out});             \
    }                                                                                                              \
    ACLQ_PHASE_2(aclnn##kind)                                                                                      \
    aclnnStatus aclnnInplace##kind##GetWorkspaceSize(                                                              \
        ACLQ_PARAMETER(aclnnInplace##kind##GetWorkspaceSize, 0) selfRef, const aclTensor* tensor1,                 \
        const aclTensor* tensor2, const aclScalar* value, uint64_t* workspaceSize, aclOpExecutor** executor) {     \
        return prepare(ACLQ_CALL(aclnnInplace##kind), {"selfRef", selfRef}, tensor1, tensor2, value,               \
                       {"selfRef", selfRef});                                                                      \
    }                                                                                                              \
    ACLQ_PHASE_2(aclnnInplace##kind)

ADD(Addcmul, addProduct)
ADD(Addcdiv, addQuotient)

#define LERP(kind, weightType)                                                                                        \
    aclnnStatus aclnn##kind##GetWorkspaceSize(const aclTensor* self, const aclTensor* end, const weightType* weight,  \
                                              ACLQ_PARAMETER(aclnn##kind##GetWorkspaceSize, 3) out,                   \
                                              uint64_t* workspaceSize, aclOpExecutor** executor) {                    \
        return between(ACLQ_CALL(aclnn##kind), {"self", self}, end, weight, {"out", out});                            \
    }                                                                                                                 \
    ACLQ_PHASE_2(aclnn##kind)                                                                                         \
    aclnnStatus aclnnInplace##kind##GetWorkspaceSize(ACLQ_PARAMETER(aclnnInplace##kind##GetWorkspaceSize, 0) selfRef, \
                                                     const aclTensor* end, const weightType* weight,                  \
                                                     uint64_t* workspaceSize, aclOpExecutor** executor) {             \
        return between(ACLQ_CALL(aclnnInplace##kind), {"selfRef", selfRef}, end, weight, {"selfRef", selfRef});       \
    }                                                                                                                 \
    ACLQ_PHASE_2(aclnnInplace##kind)

LERP(Lerp, aclTensor)
LERP(Lerps, aclScalar)

aclnnStatus aclnnClampMinTensorGetWorkspaceSize(const aclTensor* self, const aclTensor* clipValueMin, aclTensor* out,
                                                uint64_t* workspaceSize, aclOpExecutor** executor) {
    return limit(ACLQ_CALL(aclnnClampMinTensor), {"self", self}, "clipValueMin", clipValueMin, {"out", out}, kRaise);
}
ACLQ_PHASE_2(aclnnClampMinTensor)
aclnnStatus aclnnInplaceClampMinTensorGetWorkspaceSize(aclTensor* selfRef, const aclTensor* clipValueMin,
                                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    return limit(ACLQ_CALL(aclnnInplaceClampMinTensor), {"selfRef", selfRef}, "clipValueMin", clipValueMin,
                 {"selfRef", selfRef}, kRaise);
}
ACLQ_PHASE_2(aclnnInplaceClampMinTensor)
aclnnStatus aclnnClampMaxTensorGetWorkspaceSize(const aclTensor* self, const aclTensor* clipValueMax, aclTensor* out,
                                                uint64_t* workspaceSize, aclOpExecutor** executor) {
    return limit(ACLQ_CALL(aclnnClampMaxTensor), {"self", self}, "clipValueMax", clipValueMax, {"out", out}, kLower);
}
ACLQ_PHASE_2(aclnnClampMaxTensor)
aclnnStatus aclnnInplaceClampMaxTensorGetWorkspaceSize(aclTensor* selfRef, const aclTensor* clipValueMax,
                                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    return limit(ACLQ_CALL(aclnnInplaceClampMaxTensor), {"selfRef", selfRef}, "clipValueMax", clipValueMax,
                 {"selfRef", selfRef}, kLower);
}
ACLQ_PHASE_2(aclnnInplaceClampMaxTensor)

aclnnStatus aclnnClampTensorGetWorkspaceSize(const aclTensor* self, const aclTensor* clipValueMin,
                                             const aclTensor* clipValueMax, aclTensor* out, uint64_t* workspaceSize,
                                             aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnClampTensor);
    if (clipValueMax == nullptr && clipValueMin != nullptr) {
        return limit(call, {"self", self}, "clipValueMin", clipValueMin, {"out", out}, kRaise);
    }
    if (clipValueMin == nullptr && clipValueMax != nullptr) {
        return limit(call, {"self", self}, "clipValueMax", clipValueMax, {"out", out}, kLower);
    }
    return call.prepare([&]() -> aclnnStatus {
        if (clipValueMin == nullptr) {
            return failArgument(ACLNN_ERR_PARAM_NULLPTR, "clipValueMin", "null, like clipValueMax",
                                "at least one limit");
        }
        return together<In::Any>(
            call, {{"self", self}, {"clipValueMin", clipValueMin}, {"clipValueMax", clipValueMax}, {"out", out}},
            [](auto x, auto least, auto most) { return kLower(kRaise(x, least), most); });
    });
}
ACLQ_PHASE_2(aclnnClampTensor)
