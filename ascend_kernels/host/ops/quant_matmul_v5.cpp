// SPDX-License-Identifier: Apache-2.0
// aclnnQuantMatmulV5: V4, and scales for parts of k.
#include "aclnnop/aclnn_quant_matmul_v5.h"

#include "ops/quant_matmul_checks.h"

using namespace aclq;
using namespace aclq::quant_matmul;

namespace {

constexpr std::int64_t kLongestSplitK = 29576;

std::int64_t ceilDiv(std::int64_t value, std::int64_t by) {
    return by == 0 ? value : value / by + (value % by != 0 ? 1 : 0);
}

// x1 of int8 and x2 of int4.
bool isMixed(const Tensors& t) {
    return t.x1->dtype == ACL_INT8 && isInt4(t.x2);
}

// V5 reports tensors that do not belong to a mode like missing ones.
aclnnStatus checkAbsent(const Argument& argument) {
    ACLQ_RETURN_IF_FAILED(checkAlive(argument));
    return !argument || argument->empty()
               ? ACLNN_SUCCESS
               : failArgument(ACLNN_ERR_PARAM_NULLPTR, argument.name, "a tensor of shape " + argument->shape.text(),
                              "null, or a tensor without elements");
}

aclnnStatus checkExistence(const Tensors& t, const Argument& yScale, const Argument& x1Offset) {
    const bool split = t.x1->dtype == ACL_INT8 && t.x2->dtype == ACL_INT32;
    ACLQ_RETURN_IF_FAILED(split ? checkAlive(yScale) : checkAbsent(yScale));
    ACLQ_RETURN_IF_FAILED(checkAbsent(x1Offset));
    if (split && t.offset) {
        return failArgument(ACLNN_ERR_PARAM_NULLPTR, t.offset.name, "a tensor", "null with x1 of INT8 and x2 of INT32");
    }
    return split ? ACLNN_SUCCESS : checkAbsent(t.yOffset);
}

// A8W4: the attributes and dimensions, which are looked at first.
aclnnStatus checkSplitAttributes(const Call& call, const Side& left, const Argument& yScale) {
    const Tensors& t = call.tensors;
    if (left.transposed()) {
        return refuse("transposeX1", call.transposeX1 ? "true" : "a transposed view", "false with x2 of INT32");
    }
    const bool grouped = t.scale->shape.rank() != 1;
    if (call.groupSize != (grouped ? kGroup : 0)) {
        return refuse("groupSize", number(call.groupSize),
                      grouped ? "256 with x2Scale of two dimensions" : "0 with x2Scale of one dimension");
    }
    ACLQ_RETURN_IF_FAILED(checkRank(t.x1, 2, 2));
    ACLQ_RETURN_IF_FAILED(checkRank(t.x2, 2, 2));
    ACLQ_RETURN_IF_FAILED(checkRank(t.bias, 2, 2));
    ACLQ_RETURN_IF_FAILED(checkRank(t.scale, 1, 2));
    ACLQ_RETURN_IF_FAILED(checkRank(t.perToken, t.scale->shape.rank(), t.scale->shape.rank()));
    ACLQ_RETURN_IF_FAILED(checkRank(yScale, 2, 2));
    ACLQ_RETURN_IF_FAILED(checkRank(t.yOffset, 1, 1));
    return checkRank(t.out, 2, 2);
}

aclnnStatus checkSplitDtypes(const Tensors& t, const Argument& yScale) {
    for (const Argument& needed : {t.perToken, t.scale, t.yOffset}) {
        if (!needed || needed->empty()) {
            return refuse(needed, needed ? "shape " + needed->shape.text() : "null",
                          "a tensor with elements, with x1 of INT8 and x2 of int4");
        }
    }
    for (const Argument& other : {t.bias, yScale}) {
        if (other) {
            return refuse(other, "a tensor", "null with x1 of INT8 and x2 of int4");
        }
    }
    ACLQ_RETURN_IF_FAILED(checkDtype(t.perToken, {ACL_FLOAT}));
    ACLQ_RETURN_IF_FAILED(checkDtype(t.scale, {ACL_UINT64, ACL_INT64}));
    ACLQ_RETURN_IF_FAILED(checkDtype(t.yOffset, {ACL_FLOAT}));
    return checkDtype(t.out, {ACL_FLOAT16, ACL_BF16});
}

aclnnStatus checkSplitShapes(const Tensors& t, const Side& left, const Side& right) {
    const std::int64_t m = left.rows();
    const std::int64_t k = left.columns();
    const std::int64_t n = right.columns();
    if (m < 1 || k < 1 || k > kLongestSplitK) {
        return refuseShape(t.x1, "at least one row, and k from 1 to 29576");
    }
    if (n < 1) {
        return refuseShape(t.x2, "an n of 1 or more");
    }
    ACLQ_RETURN_IF_FAILED(checkK(t, left, right));
    const bool grouped = t.scale->shape.rank() == 2;
    if (k % (grouped ? kGroup : 2) != 0) {
        return refuseShape(t.x1, grouped ? "a k that is a multiple of 256" : "an even k");
    }
    const std::int64_t ofRows[] = {m, 1};
    ACLQ_RETURN_IF_FAILED(checkShape(t.perToken, Dims(ofRows, grouped ? 2 : 1), "an element for each row of x1"));
    const std::int64_t ofGroups[] = {k / kGroup, n};
    ACLQ_RETURN_IF_FAILED(grouped ? checkShape(t.scale, Dims(ofGroups, 2), "k / 256 rows of the result's columns")
                                  : checkShape(t.scale, Dims(&n, 1), "the columns of the result"));
    ACLQ_RETURN_IF_FAILED(checkShape(t.yOffset, Dims(&n, 1), "the columns of the result"));
    return checkShape(t.out, resultShape(Dims(), m, n), "the rows of x1, the columns of x2");
}

aclnnStatus prepareSplit(const Call& call, const Tensors& given, const Side& left, const Side& right,
                         const Argument& yScale, std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Tensors& t = call.tensors;
    if (isInferenceSeries()) {
        return failArgument(ACLNN_ERR_RUNTIME_ERROR, "x2", "dtype " + nameOf(t.x2->dtype) + " with x1 of INT8",
                            text("INT8 (%s)", settings().soc->name));
    }
    ACLQ_RETURN_IF_FAILED(checkSplitDtypes(t, yScale));
    ACLQ_RETURN_IF_FAILED(checkFormats(t));
    ACLQ_RETURN_IF_FAILED(checkNd(t.yOffset));
    ACLQ_RETURN_IF_FAILED(checkNd(t.out));
    ACLQ_RETURN_IF_FAILED(checkSplitShapes(t, left, right));
    if (t.scale->shape.rank() == 2 && right.transposed()) {
        return refuse("transposeX2", call.transposeX2 ? "true" : "a transposed view",
                      "false with scales for groups of k (CANN's tiling refuses it)");
    }
    return finishProduct(call, given, Scaling::Split, left, right, workspaceSize, executor);
}

// The scales of both sides as they are stored: a transposed view is turned back, as those of x1 and x2 are.
struct StoredScales {
    explicit StoredScales(Tensors& t) {
        store(t.scale, scale);
        store(t.perToken, perToken);
    }
    static void store(Argument& argument, aclTensor& tensor) {
        if (argument) {
            bool transposed = false;
            tensor = asStored(*argument, transposed);
            argument.tensor = &tensor;
        }
    }
    aclTensor scale;
    aclTensor perToken;
};

// A length that groupSize leaves out follows from the shapes, if they divide.
aclnnStatus inferGroup(std::int64_t size, std::int64_t groups, const char* dimension, std::int64_t& group) {
    if (groups == 0 || (group == 0 && size % groups != 0)) {
        return refuse("groupSize",
                      "0 along " + std::string(dimension) + ", with " + number(groups) + " scales for " + number(size) +
                          " elements",
                      "a length, or scales whose number divides that of the elements");
    }
    group = group == 0 ? size / groups : group;
    return ACLNN_SUCCESS;
}

std::int64_t fromEnd(const Argument& argument, std::int64_t index) {
    return argument->shape[argument->shape.rank() - index];
}

// K-G: int4 with a scale and an offset for each 256 elements along k.
bool isGrouped(const Tensors& t, const Side& left, const Side& right, std::int64_t groupK) {
    const auto isMatrix = [](const Argument& argument, aclDataType dtype) {
        return argument && argument->dtype == dtype && argument->shape.rank() > 1;
    };
    if (!isMatrix(t.perToken, ACL_FLOAT) || !isMatrix(t.scale, ACL_FLOAT) || !isMatrix(t.offset, ACL_FLOAT16) ||
        t.bias || !isInt4(t.x1) || !isInt4(t.x2)) {
        return false;
    }
    const std::int64_t k = right.rows();
    const std::int64_t n = right.columns();
    const std::int64_t groups = ceilDiv(k, groupK);
    return k % 1024 == 0 && n % 256 == 0 && t.perToken->shape[0] == left.rows() && t.perToken->shape[1] == 1 &&
           t.scale->shape[0] == groups && t.scale->shape[1] == n && t.offset->shape[0] == groups &&
           t.offset->shape[1] == n;
}

// G-B: int8 with scales of several dimensions.
bool isBlocked(const Tensors& t) {
    const auto isMatrix = [](const Argument& argument) {
        return argument && argument->dtype == ACL_FLOAT && argument->shape.rank() > 1;
    };
    return t.x1->dtype == ACL_INT8 && t.x2->dtype == ACL_INT8 && isMatrix(t.perToken) && isMatrix(t.scale);
}

aclnnStatus inferGroups(const Tensors& t, const Side& left, const Side& right, GroupSizes& groups) {
    if (!t.perToken || t.perToken->shape.rank() < 2 || t.scale->shape.rank() < 2) {
        return ACLNN_SUCCESS;
    }
    ACLQ_RETURN_IF_FAILED(inferGroup(left.rows(), fromEnd(t.perToken, left.transposed() ? 1 : 2), "m", groups.m));
    ACLQ_RETURN_IF_FAILED(inferGroup(left.columns(), fromEnd(t.perToken, left.transposed() ? 2 : 1), "k", groups.k));
    const bool last = right.transposed() == isGrouped(t, left, right, groups.k);
    return inferGroup(right.columns(), fromEnd(t.scale, last ? 1 : 2), "n", groups.n);
}

aclnnStatus checkFifthDtypes(const Tensors& t, std::int64_t groupSize) {
    ACLQ_RETURN_IF_FAILED(checkEachDtype(t));
    const bool int4 = isInt4(t.x1) && isInt4(t.x2);
    if (isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(t.perToken ? checkPerTokenDtypesOfInferenceSeries(t) : checkPlainDtypes(t));
    } else if (!int4 && (isInt4(t.x1) || isInt4(t.x2))) {
        return refuseDtype(t.x2, nameOf(t.x1->dtype) + ", the dtype of x1");
    } else if (t.perToken) {
        return checkPerTokenDtypes(t);  // which accept an offset of any type
    } else if (int4) {
        return checkInt4Dtypes(t);  // so do these
    } else {
        ACLQ_RETURN_IF_FAILED(checkPlainDtypes(t));
    }
    if (t.out->dtype == ACL_BF16 && groupSize != 0 && t.scale->dtype != ACL_BF16) {
        return refuseDtype(t.scale, "BF16 with out of BF16 and groupSize " + number(groupSize));
    }
    if (t.out->dtype == ACL_INT8) {
        return checkDtype(t.offset, {ACL_FLOAT});
    }
    return !t.offset || t.out->dtype == ACL_INT32
               ? ACLNN_SUCCESS
               : refuse(t.offset, "a tensor", "null with out of " + nameOf(t.out->dtype));
}

aclnnStatus checkBlockShapes(const Tensors& t, const Side& left, const Side& right, const GroupSizes& groups) {
    const auto check = [](const Argument& scale, const Side& side, std::int64_t rowGroup, std::int64_t columnGroup,
                          const char* source) {
        Dims expected = side.stored().shape;
        std::int64_t sizes[] = {ceilDiv(side.rows(), rowGroup), ceilDiv(side.columns(), columnGroup)};
        if (side.transposed()) {
            std::swap(sizes[0], sizes[1]);
        }
        expected[expected.rank() - 2] = sizes[0];
        expected[expected.rank() - 1] = sizes[1];
        return checkShape(scale, expected, source);
    };
    ACLQ_RETURN_IF_FAILED(check(t.perToken, left, std::max<std::int64_t>(groups.m, 1), kBlock,
                                "x1's shape with a scale for each group of m and 128 of k"));
    return check(t.scale, right, kBlock, kBlock, "x2's shape with a scale for each 128 of k and of n");
}

// CANN's checks accept these, and the tiling behind them refuses them: its phase 1 then returns 0, without any work.
aclnnStatus checkBlockTiling(const Call& call, const Side& left, const Side& right) {
    const Tensors& t = call.tensors;
    const GroupSizes given(call.groupSize);
    if (given.m == 0 || given.k != kBlock || given.n != kBlock) {
        return refuse("groupSize",
                      text("%lld, %lld, %lld", static_cast<long long>(given.m), static_cast<long long>(given.n),
                           static_cast<long long>(given.k)),
                      "1, 128, 128 along m, n and k (4303356032)");
    }
    ACLQ_RETURN_IF_FAILED(checkRank(t.x1, 2, 2));
    ACLQ_RETURN_IF_FAILED(checkRank(t.x2, 2, 2));
    if (left.transposed() || !right.transposed()) {
        return refuse(left.transposed() ? "transposeX1" : "transposeX2", left.transposed() ? "true" : "false",
                      "transposeX1 false and transposeX2 true with scales for blocks");
    }
    if (right.columns() % 256 != 0) {
        return refuseShape(t.x2, "an n that is a multiple of 256, with scales for blocks");
    }
    if (left.columns() % 512 != 0) {
        return refuseShape(t.x1, "a k that is a multiple of 512, with scales for blocks");
    }
    if (t.perToken->shape[0] != left.rows()) {
        return refuseShape(t.perToken, "a row for each row of x1");
    }
    ACLQ_RETURN_IF_FAILED(checkDtype(t.bias, {ACL_FLOAT}));
    return checkDtype(t.out, {ACL_BF16});
}

aclnnStatus checkGroupTiling(const Call& call, const Side& right) {
    const Tensors& t = call.tensors;
    if (GroupSizes(call.groupSize).k != kGroup) {
        return refuse("groupSize", number(call.groupSize), "256 along k");
    }
    ACLQ_RETURN_IF_FAILED(checkRank(t.x1, 2, 2));
    for (const Argument& argument : {t.perToken, t.scale, t.offset}) {
        ACLQ_RETURN_IF_FAILED(checkRank(argument, 2, 2));
    }
    return right.transposed() ? ACLNN_SUCCESS : refuse("transposeX2", "false", "true with scales for groups of k");
}

aclnnStatus checkFifthShapes(const Call& call, const Side& left, const Side& right, const GroupSizes& groups,
                             Scaling& scaling) {
    const Tensors& t = call.tensors;
    const bool grouped = isGrouped(t, left, right, groups.k);
    const bool blocked = !grouped && isBlocked(t);
    scaling = grouped ? Scaling::Groups : blocked ? Scaling::Blocks : Scaling::Whole;
    if (blocked) {
        ACLQ_RETURN_IF_FAILED(checkRank(t.perToken, t.x1->shape.rank(), t.x1->shape.rank()));
        ACLQ_RETURN_IF_FAILED(checkRank(t.scale, t.x2->shape.rank(), t.x2->shape.rank()));
    } else if (!grouped) {
        ACLQ_RETURN_IF_FAILED(checkRank(t.perToken, 1, 1));
        ACLQ_RETURN_IF_FAILED(checkRank(t.scale, 1, 1));
    }
    if (isInt4(t.x1)) {
        ACLQ_RETURN_IF_FAILED(checkInt4Shapes(call, left, right));
    }
    ACLQ_RETURN_IF_FAILED(checkK(t, left, right));
    ACLQ_RETURN_IF_FAILED(checkPlainFormat(t.x2));
    const std::int64_t m = left.rows();
    if (blocked) {
        ACLQ_RETURN_IF_FAILED(checkBlockShapes(t, left, right, groups));
    } else if (!grouped) {
        ACLQ_RETURN_IF_FAILED(checkShape(t.perToken, Dims(&m, 1), "an element for each row of x1"));
        ACLQ_RETURN_IF_FAILED(checkParameter(t.scale, right.columns()));
        ACLQ_RETURN_IF_FAILED(checkOffset(t, right.columns()));
    }
    return checkResult(t, left, right);
}

aclnnStatus prepareFifth(Call call, const Argument& yScale, const Argument& x1Offset, std::uint64_t* workspaceSize,
                         aclOpExecutor** executor) {
    Tensors& t = call.tensors;
    ACLQ_RETURN_IF_FAILED(checkGivenOnes(t));
    ACLQ_RETURN_IF_FAILED(checkExistence(t, yScale, x1Offset));
    const bool split = t.x1->dtype == ACL_INT8 && t.x2->dtype == ACL_INT32;
    if (!split || t.x1->shape.rank() < 2 || t.x2->shape.rank() < 2) {
        ACLQ_RETURN_IF_FAILED(checkRanks(t));
    }
    if (isInferenceSeries() && !split && t.perToken) {
        ACLQ_RETURN_IF_FAILED(checkRank(t.scale, 1, 1));
    }
    const Tensors given = t;
    const StoredScales scales(t);
    const Side left(*t.x1, call.transposeX1);
    const Side right(*t.x2, call.transposeX2);
    GroupSizes groups(call.groupSize);
    if (split) {
        ACLQ_RETURN_IF_FAILED(checkSplitAttributes(call, left, yScale));
    } else {
        ACLQ_RETURN_IF_FAILED(inferGroups(t, left, right, groups));
    }
    if (isMixed(t)) {
        return prepareSplit(call, given, left, right, yScale, workspaceSize, executor);
    }
    Scaling scaling = Scaling::Whole;
    ACLQ_RETURN_IF_FAILED(checkFifthDtypes(t, call.groupSize));
    ACLQ_RETURN_IF_FAILED(checkFifthShapes(call, left, right, groups, scaling));
    ACLQ_RETURN_IF_FAILED(checkFormats(t));
    ACLQ_RETURN_IF_FAILED(checkNotEmpty(t));
    if (scaling == Scaling::Blocks) {
        ACLQ_RETURN_IF_FAILED(checkBlockTiling(call, left, right));
    } else if (scaling == Scaling::Groups) {
        ACLQ_RETURN_IF_FAILED(checkGroupTiling(call, right));
    } else if (isInt4(t.x1) && t.out->dtype == ACL_BF16 && isPacked(t.scale)) {
        return fail(ACLNN_ERR_INNER_FIND_KERNEL_ERROR,
                    "the results of int4 products in BF16 with packed scales are not documented");
    }
    return finishProduct(call, given, scaling, left, right, workspaceSize, executor);
}

}  // namespace

aclnnStatus aclnnQuantMatmulV5GetWorkspaceSize(const aclTensor* x1, const aclTensor* x2, const aclTensor* x1Scale,
                                               const aclTensor* x2Scale, const aclTensor* yScale,
                                               const aclTensor* x1Offset, const aclTensor* x2Offset,
                                               const aclTensor* yOffset, const aclTensor* bias, bool transposeX1,
                                               bool transposeX2, int64_t groupSize, aclTensor* out,
                                               uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Tensors tensors{{"x1", x1},     {"x2", x2},   {"x2Scale", x2Scale},   {"x1Scale", x1Scale},
                              {"bias", bias}, {"out", out}, {"x2Offset", x2Offset}, {"yOffset", yOffset}};
        return prepareFifth({"aclnnQuantMatmulV5", tensors, transposeX1, transposeX2, groupSize}, {"yScale", yScale},
                            {"x1Offset", x1Offset}, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnQuantMatmulV5)
