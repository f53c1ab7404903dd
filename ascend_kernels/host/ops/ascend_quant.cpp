// SPDX-License-Identifier: Apache-2.0
// aclnnAscendQuant and aclnnAscendQuantV3: x * scale + offset, with a choice of roundings and outputs.
#include <cstring>
#include <utility>

#include "aclnnop/aclnn_ascend_quant.h"
#include "aclnnop/aclnn_ascend_quant_v3.h"
#include "aclquant/kernels.h"
#include "ops/phase1.h"
#include "ops/scaled_quantize.h"

using namespace aclq;

namespace {

aclnnStatus checkDtypes(const aclTensor& x, const aclTensor& scale, const aclTensor* offset, std::int32_t dstType,
                        const aclTensor& y, bool bundled = false) {
    if (isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(checkDtype("x", x, {ACL_FLOAT, ACL_FLOAT16}));
        if (bundled) {
            ACLQ_RETURN_IF_FAILED(checkDtype("y", y, {ACL_INT8, ACL_INT32, ACL_INT4}));
        } else {
            ACLQ_RETURN_IF_FAILED(checkDtype("y", y, {ACL_INT8}));
        }
        ACLQ_RETURN_IF_FAILED(checkDtype("scale", scale, {ACL_FLOAT, ACL_FLOAT16}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype("x", x, {ACL_FLOAT, ACL_FLOAT16, ACL_BF16}));
        ACLQ_RETURN_IF_FAILED(checkDtype("y", y, {ACL_INT8, ACL_INT32, ACL_INT4}));
        ACLQ_RETURN_IF_FAILED(checkDtype("scale", scale, {ACL_FLOAT, ACL_FLOAT16, ACL_BF16}));
    }
    if (offset != nullptr && offset->dtype != scale.dtype) {
        return refuse("offset", "dtype " + nameOf(offset->dtype), nameOf(scale.dtype) + ", the dtype of scale");
    }
    // FLOAT x takes any scale: it is widened, exactly.
    if (x.dtype != ACL_FLOAT && scale.dtype != x.dtype) {
        return refuse("scale", "dtype " + nameOf(scale.dtype),
                      nameOf(x.dtype) + ", the dtype of x (a FLOAT x takes any)");
    }
    if (dstType != y.dtype) {
        return refuse("dstType", text("%d", dstType),
                      text("%d (%s), the dtype of y", static_cast<int>(y.dtype), nameOf(y.dtype).c_str()));
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

aclnnStatus checkOutput(const aclTensor& x, const aclTensor& y) {
    if (y.dtype == ACL_INT32) {
        ACLQ_RETURN_IF_FAILED(
            checkPacked("y", y, x, "x's shape with an eighth of the last dimension (eight int4 to an INT32)"));
    } else {
        ACLQ_RETURN_IF_FAILED(checkShape("y", y, x.shape, "the shape of x"));
    }
    if (y.dtype == ACL_INT4) {
        ACLQ_RETURN_IF_FAILED(checkEven("y", y));
    }
    return checkRank("x", x, 0, 8);
}

aclnnStatus checkScale(const aclTensor& x, const aclTensor& scale, std::int64_t axis) {
    const std::int64_t size = x.shape[axis];
    const std::int64_t rank = scale.shape.rank();
    const std::int64_t along = rank == x.shape.rank() ? axis : 0;
    Dims full = x.shape;
    for (std::int64_t dimension = 0; dimension < full.rank(); ++dimension) {
        full[dimension] = dimension == axis ? size : 1;
    }
    const std::string allowed =
        text("(1,), (%lld,) or ", static_cast<long long>(size)) + full.text() +
        text(" for x of shape %s and axis %lld", x.shape.text().c_str(), static_cast<long long>(axis));
    bool fits = rank == 1 || rank == x.shape.rank();
    for (std::int64_t dimension = 0; fits && dimension < rank; ++dimension) {
        fits = scale.shape[dimension] == 1 || (dimension == along && scale.shape[dimension] == size);
    }
    return fits ? ACLNN_SUCCESS : refuse("scale", "shape " + scale.shape.text(), allowed);
}

// V1: only the last dimension may have more than one element.
aclnnStatus checkLastOnly(const char* argument, const aclTensor& tensor, std::int64_t size, const char* source) {
    bool fits = tensor.shape.rank() > 0 && (tensor.shape.last() == 1 || tensor.shape.last() == size);
    for (std::int64_t dimension = 0; fits && dimension + 1 < tensor.shape.rank(); ++dimension) {
        fits = tensor.shape[dimension] == 1;
    }
    return fits ? ACLNN_SUCCESS
                : refuse(argument, "shape " + tensor.shape.text(),
                         text("last dimension 1 or %lld (%s), the others 1", static_cast<long long>(size), source));
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

aclnnStatus checkAllGiven(const aclTensor* x, const aclTensor* scale, const aclTensor* offset, const aclTensor* y) {
    ACLQ_RETURN_IF_FAILED(checkGiven("x", x));
    ACLQ_RETURN_IF_FAILED(checkGiven("scale", scale));
    ACLQ_RETURN_IF_FAILED(checkGiven("y", y));
    return checkAlive("offset", offset);
}

aclnnStatus checkV3(const aclTensor& x, const aclTensor& scale, const aclTensor* offset, std::int32_t dstType,
                    std::int64_t axis, const aclTensor& y, bool bundled = false) {
    if (x.shape.rank() == 0) {
        return refuse("x", "shape ()", "1 to 8 dimensions");
    }
    ACLQ_RETURN_IF_FAILED(checkDtypes(x, scale, offset, dstType, y, bundled));
    ACLQ_RETURN_IF_FAILED(checkAxis(x, axis, bundled));
    ACLQ_RETURN_IF_FAILED(checkOutput(x, y));
    if (offset != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkShape("offset", *offset, scale.shape, "the shape of scale"));
    }
    return checkScale(x, scale, axis < 0 ? axis + x.shape.rank() : axis);
}

aclnnStatus checkV1(const aclTensor& x, const aclTensor& scale, const aclTensor* offset, std::int32_t dstType,
                    const aclTensor& y) {
    ACLQ_RETURN_IF_FAILED(checkDtypes(x, scale, offset, dstType, y));
    ACLQ_RETURN_IF_FAILED(checkOutput(x, y));
    const std::int64_t size = x.shape.rank() > 0 ? x.shape.last() : 1;
    ACLQ_RETURN_IF_FAILED(checkLastOnly("scale", scale, size, "x's last dimension"));
    if (offset != nullptr) {
        if (offset->shape.rank() == 0 || offset->shape.last() != scale.shape.last()) {
            return refuse("offset", "shape " + offset->shape.text(),
                          text("last dimension %lld, as scale's", static_cast<long long>(scale.shape.last())));
        }
        return checkLastOnly("offset", *offset, size, "x's last dimension");
    }
    return ACLNN_SUCCESS;
}

// What V1's checks let through and the tiling behind them refuses.
aclnnStatus checkV1Tiling(const aclTensor& x, const aclTensor& scale, const aclTensor* offset) {
    const std::int64_t rank = scale.shape.rank();
    if (rank != 1 && rank != x.shape.rank()) {
        return failArgument(ACLNN_ERR_INNER_NULLPTR, "scale", "shape " + scale.shape.text(),
                            "1 dimension, or as many as x");
    }
    if (offset != nullptr && offset->shape.rank() != rank) {
        return failArgument(ACLNN_ERR_INNER_NULLPTR, "offset", "shape " + offset->shape.text(),
                            "as many dimensions as scale");
    }
    return ACLNN_SUCCESS;
}

}  // namespace

aclnnStatus aclnnAscendQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* scale, const aclTensor* offset,
                                             bool sqrtMode, const char* roundMode, int32_t dstType, const aclTensor* y,
                                             uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        Round mode = Round::Rint;
        ACLQ_RETURN_IF_FAILED(checkAllGiven(x, scale, offset, y));
        ACLQ_RETURN_IF_FAILED(checkV1(*x, *scale, offset, dstType, *y));
        ACLQ_RETURN_IF_FAILED(checkRound(roundMode, mode));
        if (x->empty()) {
            return finishEmpty("aclnnAscendQuant", workspaceSize, executor);
        }
        ACLQ_RETURN_IF_FAILED(checkV1Tiling(*x, *scale, offset));
        const auto kernel = std::make_shared<ScaledQuantize>(x->shape.rank() - 1, false, sqrtMode, mode);
        return finish("aclnnAscendQuant", {{"x", x}, {"scale", scale}, {"offset", offset}, {"y", y}}, kernel,
                      workspaceSize, executor);
    });
}

aclnnStatus aclnnAscendQuant(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream);
}

aclnnStatus aclnnAscendQuantV3GetWorkspaceSize(const aclTensor* x, const aclTensor* scale, const aclTensor* offset,
                                               bool sqrtMode, const char* roundMode, int32_t dstType, int32_t axis,
                                               const aclTensor* y, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        Round mode = Round::Rint;
        ACLQ_RETURN_IF_FAILED(checkAllGiven(x, scale, offset, y));
        ACLQ_RETURN_IF_FAILED(checkV3(*x, *scale, offset, dstType, axis, *y));
        ACLQ_RETURN_IF_FAILED(checkRound(roundMode, mode));
        if (x->empty()) {
            return finishEmpty("aclnnAscendQuantV3", workspaceSize, executor);
        }
        const auto kernel =
            std::make_shared<ScaledQuantize>(axis < 0 ? axis + x->shape.rank() : axis, false, sqrtMode, mode);
        return finish("aclnnAscendQuantV3", {{"x", x}, {"scale", scale}, {"offset", offset}, {"y", y}}, kernel,
                      workspaceSize, executor);
    });
}

aclnnStatus aclnnAscendQuantV3(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream);
}

aclnnStatus aclnnAclquantAscendQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* scale,
                                                     const aclTensor* offsetOptional, bool sqrtMode,
                                                     char* roundModeOptional, int64_t axis, const aclTensor* yOut,
                                                     uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        Round mode = Round::Rint;
        ACLQ_RETURN_IF_FAILED(checkAllGiven(x, scale, offsetOptional, yOut));
        ACLQ_RETURN_IF_FAILED(checkV3(*x, *scale, offsetOptional, yOut->dtype, axis, *yOut, true));
        ACLQ_RETURN_IF_FAILED(checkRound(roundModeOptional, mode));
        if (x->empty()) {
            return finishEmpty("aclnnAclquantAscendQuant", workspaceSize, executor);
        }
        const auto kernel =
            std::make_shared<ScaledQuantize>(axis < 0 ? axis + x->shape.rank() : axis, false, sqrtMode, mode);
        return finish("aclnnAclquantAscendQuant",
                      {{"x", x}, {"scale", scale}, {"offsetOptional", offsetOptional}, {"yOut", yOut}}, kernel,
                      workspaceSize, executor);
    });
}

aclnnStatus aclnnAclquantAscendQuant(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor,
                                     aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream, WorkspaceRule::Whole);
}
