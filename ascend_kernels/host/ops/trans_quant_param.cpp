// SPDX-License-Identifier: Apache-2.0
// aclnnTransQuantParam (on the host), V2 and V3 (on the device): scale and offset packed into a 64-bit parameter of the
// matrix unit. The host function and the device operators differ; see docs/ops/trans_quant_param.md.
#include "ops/trans_quant_param.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "aclnnop/aclnn_trans_quant_param.h"
#include "aclnnop/aclnn_trans_quant_param_v2.h"
#include "aclnnop/aclnn_trans_quant_param_v3.h"
#include "aclquant/kernels.h"
#include "simd/numeric.h"

using namespace aclq;

namespace {

using Call = TransQuantParamTensors<Argument>;

bool isVectorShape(const Dims& shape) {
    return (shape.rank() == 1 && shape[0] >= 1) || (shape.rank() == 2 && shape[0] == 1 && shape[1] >= 1);
}

// CANN's sources refuse scales of several rows. The document of npu_trans_quant_param allows them without an offset,
// as input of grouped products.
aclnnStatus checkScaleShape(const Call& call) {
    const Dims& shape = call.scale->shape;
    const bool hasRows = shape.rank() == 2 && shape[0] >= 1 && shape[1] >= 1;
    if (isVectorShape(shape) || (hasRows && !call.offset && !settings().strictSoc)) {
        return ACLNN_SUCCESS;
    }
    const char* const rows = settings().strictSoc ? " (ACLQUANT_HOST_STRICT_SOC is on, which refuses several rows)"
                                                  : ", or (g, n) without an offset";
    return refuseShape(call.scale, text("(n,) or (1, n) with n of 1 or more%s (%s)", rows, settings().soc->name));
}

aclnnStatus checkOffsetShape(const Call& call) {
    return !call.offset || isVectorShape(call.offset->shape)
               ? ACLNN_SUCCESS
               : refuseShape(call.offset, text("(n,) or (1, n) with n of 1 or more (%s)", settings().soc->name));
}

// The chip would read or write past the end of these; see the operator's page.
aclnnStatus checkLengths(const Call& call) {
    const std::int64_t scales = call.scale->elements();
    const std::int64_t offsets = call.offset ? call.offset->elements() : 0;
    if (scales != 1 && offsets > 1 && scales != offsets) {
        return refuseShape(call.offset, "one element, or as many as scale of shape " + call.scale->shape.text());
    }
    const std::int64_t needed = std::max(scales, offsets);
    return call.out->empty() || call.out->elements() >= needed
               ? ACLNN_SUCCESS
               : refuseShape(call.out, text("at least %lld elements", static_cast<long long>(needed)));
}

aclnnStatus prepare(const char* function, const char* operation, const aclTensor* scale, const aclTensor* offset,
                    std::int64_t roundMode, const aclTensor* out, std::uint64_t* workspaceSize,
                    aclOpExecutor** executor) {
    return api(function, ACLNN_ERR_INNER_CREATE_EXECUTOR, ACLNN_ERR_INNER, [&]() -> aclnnStatus {
        // Inputs must be contiguous, which phase 2 checks when it reads their addresses.
        Call call{{"scale", scale, true}, {"offset", offset, true}, {"out", out, true}};
        ACLQ_RETURN_IF_FAILED(checkDevice());
        ACLQ_RETURN_IF_FAILED(checkGiven(call.scale));
        ACLQ_RETURN_IF_FAILED(checkGiven(call.out));
        ACLQ_RETURN_IF_FAILED(checkAlive(call.offset));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.scale, {ACL_FLOAT}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.offset, {ACL_FLOAT}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.out, {ACL_UINT64, ACL_INT64}));
        ACLQ_RETURN_IF_FAILED(checkNd(call.scale));
        ACLQ_RETURN_IF_FAILED(checkNd(call.out));
        ACLQ_RETURN_IF_FAILED(checkNd(call.offset));
        ACLQ_RETURN_IF_FAILED(checkScaleShape(call));
        ACLQ_RETURN_IF_FAILED(checkOffsetShape(call));
        if (roundMode != 0 && roundMode != 1) {
            // After the shapes, before the checks that only the host device makes.
            return refuse("roundMode", std::to_string(roundMode), "0 (truncate) or 1 (to nearest even)");
        }
        ACLQ_RETURN_IF_FAILED(checkLengths(call));
        // The operator itself does this to its caller's tensor.
        const_cast<aclTensor*>(out)->dtype = ACL_UINT64;
        ACLQ_RETURN_IF_FAILED(checkResults(workspaceSize, executor));
        if (out->empty()) {
            return finishEmpty(operation, workspaceSize, executor);
        }
        // The strides of out are ignored: results are consecutive.
        const std::int64_t count = std::max(scale->elements(), offset != nullptr ? offset->elements() : 0);
        aclTensor dense = *out;
        dense.shape = Dims(&count, 1);
        dense.strides = Dims::contiguousStrides(dense.shape);
        call.out.seenAs = &dense;
        return finish(operation, call, makeTransQuantParam(roundMode == 1), workspaceSize, executor);
    });
}

}  // namespace

namespace aclq {

Dims transQuantParamShape(const Dims& scale, const Dims* offset) {
    const bool longer = offset != nullptr && scale.rank() == 1 && offset->rank() >= 1 && (*offset)[0] >= scale[0];
    return longer ? *offset : scale;
}

}  // namespace aclq

aclnnStatus aclnnTransQuantParamV2GetWorkspaceSize(const aclTensor* scale, const aclTensor* offset,
                                                   const aclTensor* out, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    return prepare(__func__, "aclnnTransQuantParamV2", scale, offset, 0, out, workspaceSize, executor);
}
ACLQ_PHASE_2(aclnnTransQuantParamV2, WorkspaceRule::Whole)

aclnnStatus aclnnTransQuantParamV3GetWorkspaceSize(const aclTensor* scale, const aclTensor* offset, int64_t roundMode,
                                                   const aclTensor* out, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    return prepare(__func__, "aclnnTransQuantParamV3", scale, offset, roundMode, out, workspaceSize, executor);
}
ACLQ_PHASE_2(aclnnTransQuantParamV3, WorkspaceRule::Whole)

aclnnStatus aclnnAclquantTransQuantParamGetWorkspaceSize(const aclTensor* scale, const aclTensor* offsetOptional,
                                                         int64_t roundMode, const aclTensor* yOut,
                                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    return prepare(__func__, "aclnnAclquantTransQuantParam", scale, offsetOptional, roundMode, yOut, workspaceSize,
                   executor);
}
ACLQ_PHASE_2(aclnnAclquantTransQuantParam, WorkspaceRule::Whole)

aclnnStatus aclnnTransQuantParam(const float* scaleArray, uint64_t scaleSize, const float* offsetArray,
                                 uint64_t offsetSize, uint64_t** quantParam, uint64_t* quantParamSize) {
    return api(__func__, ACLNN_ERR_INNER_CREATE_EXECUTOR, ACLNN_ERR_INNER, [&]() -> aclnnStatus {
        if (offsetArray != nullptr && offsetSize == 0) {
            return refuse("offsetSize", "0", "1 or more with an offsetArray");
        }
        if (offsetArray == nullptr && offsetSize != 0) {
            return refuse("offsetArray", "null with offsetSize " + std::to_string(offsetSize),
                          "an array, or null with offsetSize 0");
        }
        if (scaleArray == nullptr || scaleSize == 0) {
            return refuse(scaleArray == nullptr ? "scaleArray" : "scaleSize", scaleArray == nullptr ? "null" : "0",
                          "an array of 1 element or more");
        }
        if (quantParam == nullptr || quantParamSize == nullptr) {
            return requireOut(nullptr, quantParam == nullptr ? "quantParam" : "quantParamSize",
                              ACLNN_ERR_PARAM_NULLPTR);
        }
        const std::uint64_t longest = std::max(scaleSize, offsetSize);
        const std::uint64_t count = longest == 1 || longest > UINT64_MAX - 15 ? longest : (longest + 15) / 16 * 16;
        // The caller releases this with free().
        auto* parameters = static_cast<std::uint64_t*>(std::calloc(count, sizeof(std::uint64_t)));
        if (parameters == nullptr) {
            *quantParamSize = 0;
            return fail(ACLNN_ERR_INNER_NULLPTR,
                        text("no memory for %llu values of 64 bits", static_cast<unsigned long long>(count)));
        }
        for (std::uint64_t i = 0; i < scaleSize; ++i) {
            parameters[i] = kSignedResult | __builtin_bit_cast(std::uint32_t, scaleArray[i]);  // all 32 bits
        }
        for (std::uint64_t i = 0; i < offsetSize; ++i) {
            // Half away from zero, unlike the device operators. Where C leaves the conversion undefined: saturate.
            parameters[i] |= offsetField(scalar::toInt32(std::round(offsetArray[i])));
        }
        *quantParam = parameters;
        *quantParamSize = count;
        return ACLNN_SUCCESS;
    });
}
