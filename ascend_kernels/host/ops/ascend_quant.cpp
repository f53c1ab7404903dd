// SPDX-License-Identifier: Apache-2.0
// aclnnAscendQuant and aclnnAscendQuantV3: x * scale + offset, with a choice of roundings and outputs.
#include <cstring>
#include <utility>

#include "aclnnop/aclnn_ascend_quant.h"
#include "aclnnop/aclnn_ascend_quant_v3.h"
#include "aclquant/kernels.h"
#include "ops/quantize.h"

using namespace aclq;

namespace {

using Call = QuantizeTensors<Argument>;

// `bundled`: of the kernels that come with aclquant, which have int4 and all axes on all chips.
aclnnStatus checkDtypes(const Call& call, std::int32_t dstType, bool bundled = false) {
    if (isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(checkDtype(call.x, {ACL_FLOAT, ACL_FLOAT16}));
        ACLQ_RETURN_IF_FAILED(bundled ? checkDtype(call.y, {ACL_INT8, ACL_INT32, ACL_INT4})
                                      : checkDtype(call.y, {ACL_INT8}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.scale, {ACL_FLOAT, ACL_FLOAT16}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype(call.x, {ACL_FLOAT, ACL_FLOAT16, ACL_BF16}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.y, {ACL_INT8, ACL_INT32, ACL_INT4}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.scale, {ACL_FLOAT, ACL_FLOAT16, ACL_BF16}));
    }
    if (call.offset && call.offset->dtype != call.scale->dtype) {
        return refuseDtype(call.offset, nameOf(call.scale->dtype) + ", the dtype of scale");
    }
    // FLOAT x takes any scale: it is widened, exactly.
    if (call.x->dtype != ACL_FLOAT && call.scale->dtype != call.x->dtype) {
        return refuseDtype(call.scale, nameOf(call.x->dtype) + ", the dtype of x (a FLOAT x takes any)");
    }
    if (dstType != call.y->dtype) {
        return refuse("dstType", text("%d", dstType),
                      text("%d (%s), the dtype of y", static_cast<int>(call.y->dtype), nameOf(call.y->dtype).c_str()));
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkAxis(const aclTensor& x, std::int64_t axis, bool bundled) {
    const std::int64_t rank = x.shape.rank();
    const std::string shape = " for x of shape " + x.shape.text();
    if (isInferenceSeries() && !bundled && axis != -1 && axis != rank - 1) {
        return refuse(
            "axis", std::to_string(axis),
            text("-1 or %lld, the last dimension (%s)", static_cast<long long>(rank - 1), settings().soc->name));
    }
    if (axis < -rank || axis >= rank) {
        return refuse("axis", std::to_string(axis),
                      text("%lld to %lld", static_cast<long long>(-rank), static_cast<long long>(rank - 1)) + shape);
    }
    if (rank > 2 && axis != -1 && axis != -2 && axis < rank - 2) {
        return refuse("axis", std::to_string(axis),
                      text("-1, -2, %lld or %lld, the last two dimensions", static_cast<long long>(rank - 2),
                           static_cast<long long>(rank - 1)) +
                          shape);
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkScale(const Call& call, std::int64_t axis) {
    const Dims& x = call.x->shape;
    const Dims& scale = call.scale->shape;
    const std::int64_t rank = scale.rank();
    const std::int64_t along = rank == x.rank() ? axis : 0;
    bool fits = rank == 1 || rank == x.rank();
    for (std::int64_t dimension = 0; fits && dimension < rank; ++dimension) {
        fits = scale[dimension] == 1 || (dimension == along && scale[dimension] == x[axis]);
    }
    if (fits) {
        return ACLNN_SUCCESS;
    }
    Dims full = x;
    for (std::int64_t dimension = 0; dimension < full.rank(); ++dimension) {
        full[dimension] = dimension == axis ? x[axis] : 1;
    }
    return refuseShape(call.scale,
                       text("(1,), (%lld,) or ", static_cast<long long>(x[axis])) + full.text() +
                           text(" for x of shape %s and axis %lld", x.text().c_str(), static_cast<long long>(axis)));
}

// V1: only the last dimension may have more than one element.
aclnnStatus checkLastOnly(const Argument& argument, std::int64_t size) {
    const Dims& shape = argument->shape;
    bool fits = shape.rank() > 0 && (shape.last() == 1 || shape.last() == size);
    for (std::int64_t dimension = 0; fits && dimension + 1 < shape.rank(); ++dimension) {
        fits = shape[dimension] == 1;
    }
    return fits ? ACLNN_SUCCESS
                : refuseShape(argument, text("last dimension 1 or %lld (x's last dimension), the others 1",
                                             static_cast<long long>(size)));
}

aclnnStatus checkRound(const char* roundMode, Round& mode) {
    constexpr const char* kAllowed = "'round', 'floor', 'ceil' or 'trunc'";
    if (roundMode == nullptr) {
        return refuse("roundMode", "null", kAllowed);
    }
    constexpr std::pair<const char*, Round> kModes[] = {
        {"round", Round::Rint}, {"floor", Round::Floor}, {"ceil", Round::Ceil}, {"trunc", Round::Trunc}};
    for (const auto& [name, value] : kModes) {
        if (std::strcmp(roundMode, name) == 0) {
            mode = value;
            return ACLNN_SUCCESS;
        }
    }
    return refuse("roundMode", text("'%.32s'", roundMode), kAllowed);
}

aclnnStatus checkAllGiven(const Call& call) {
    ACLQ_RETURN_IF_FAILED(checkGiven(call.x));
    ACLQ_RETURN_IF_FAILED(checkGiven(call.scale));
    ACLQ_RETURN_IF_FAILED(checkGiven(call.y));
    return checkAlive(call.offset);
}

aclnnStatus checkV3(const Call& call, std::int32_t dstType, std::int64_t axis, bool bundled = false) {
    const std::int64_t rank = call.x->shape.rank();
    if (rank == 0) {
        return refuse(call.x, "shape ()", "1 to 8 dimensions");
    }
    ACLQ_RETURN_IF_FAILED(checkDtypes(call, dstType, bundled));
    ACLQ_RETURN_IF_FAILED(checkAxis(*call.x, axis, bundled));
    ACLQ_RETURN_IF_FAILED(checkQuantized(call.y, call.x));
    ACLQ_RETURN_IF_FAILED(checkRank(call.x, 0, 8));
    ACLQ_RETURN_IF_FAILED(checkShape(call.offset, call.scale->shape, "the shape of scale"));
    return checkScale(call, axis < 0 ? axis + rank : axis);
}

aclnnStatus checkV1(const Call& call, std::int32_t dstType) {
    ACLQ_RETURN_IF_FAILED(checkDtypes(call, dstType));
    ACLQ_RETURN_IF_FAILED(checkQuantized(call.y, call.x));
    ACLQ_RETURN_IF_FAILED(checkRank(call.x, 0, 8));
    const std::int64_t size = call.x->shape.rank() > 0 ? call.x->shape.last() : 1;
    ACLQ_RETURN_IF_FAILED(checkLastOnly(call.scale, size));
    if (!call.offset) {
        return ACLNN_SUCCESS;
    }
    if (call.offset->shape.rank() == 0 || call.offset->shape.last() != call.scale->shape.last()) {
        return refuseShape(call.offset,
                           text("last dimension %lld, as scale's", static_cast<long long>(call.scale->shape.last())));
    }
    return checkLastOnly(call.offset, size);
}

// V1's checks accept these, and the tiling behind them refuses them.
aclnnStatus checkV1Tiling(const Call& call) {
    const std::int64_t rank = call.scale->shape.rank();
    if (rank != 1 && rank != call.x->shape.rank()) {
        return failArgument(ACLNN_ERR_INNER_NULLPTR, call.scale.name, "shape " + call.scale->shape.text(),
                            "1 dimension, or as many as x");
    }
    if (call.offset && call.offset->shape.rank() != rank) {
        return failArgument(ACLNN_ERR_INNER_NULLPTR, call.offset.name, "shape " + call.offset->shape.text(),
                            "as many dimensions as scale");
    }
    return ACLNN_SUCCESS;
}

}  // namespace

aclnnStatus aclnnAscendQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* scale, const aclTensor* offset,
                                             bool sqrtMode, const char* roundMode, int32_t dstType, const aclTensor* y,
                                             uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Call call{{"x", x}, {"scale", scale}, {"offset", offset}, {"y", y}};
        Round mode = Round::Rint;
        ACLQ_RETURN_IF_FAILED(checkAllGiven(call));
        ACLQ_RETURN_IF_FAILED(checkV1(call, dstType));
        ACLQ_RETURN_IF_FAILED(checkRound(roundMode, mode));
        if (x->empty()) {
            return finishEmpty("aclnnAscendQuant", workspaceSize, executor);
        }
        ACLQ_RETURN_IF_FAILED(checkV1Tiling(call));
        const auto kernel = makeQuantize({x->shape.rank() - 1, false, sqrtMode, mode});
        return finish("aclnnAscendQuant", call, kernel, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnAscendQuant)

aclnnStatus aclnnAscendQuantV3GetWorkspaceSize(const aclTensor* x, const aclTensor* scale, const aclTensor* offset,
                                               bool sqrtMode, const char* roundMode, int32_t dstType, int32_t axis,
                                               const aclTensor* y, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Call call{{"x", x}, {"scale", scale}, {"offset", offset}, {"y", y}};
        Round mode = Round::Rint;
        ACLQ_RETURN_IF_FAILED(checkAllGiven(call));
        ACLQ_RETURN_IF_FAILED(checkV3(call, dstType, axis));
        ACLQ_RETURN_IF_FAILED(checkRound(roundMode, mode));
        if (x->empty()) {
            return finishEmpty("aclnnAscendQuantV3", workspaceSize, executor);
        }
        const auto kernel = makeQuantize({axis < 0 ? axis + x->shape.rank() : axis, false, sqrtMode, mode});
        return finish("aclnnAscendQuantV3", call, kernel, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnAscendQuantV3)

aclnnStatus aclnnAclquantAscendQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* scale,
                                                     const aclTensor* offsetOptional, bool sqrtMode,
                                                     char* roundModeOptional, int64_t axis, const aclTensor* yOut,
                                                     uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Call call{{"x", x}, {"scale", scale}, {"offsetOptional", offsetOptional}, {"yOut", yOut}};
        Round mode = Round::Rint;
        ACLQ_RETURN_IF_FAILED(checkAllGiven(call));
        ACLQ_RETURN_IF_FAILED(checkV3(call, yOut->dtype, axis, true));
        ACLQ_RETURN_IF_FAILED(checkRound(roundModeOptional, mode));
        if (x->empty()) {
            return finishEmpty("aclnnAclquantAscendQuant", workspaceSize, executor);
        }
        const auto kernel = makeQuantize({axis < 0 ? axis + x->shape.rank() : axis, false, sqrtMode, mode});
        return finish("aclnnAclquantAscendQuant", call, kernel, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnAclquantAscendQuant, WorkspaceRule::Whole)
