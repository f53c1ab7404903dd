// SPDX-License-Identifier: Apache-2.0
// Everyday operators as nodes. Integers on the host belong to computations of shapes and are computed here; everything
// else is computed on the device.
#include <algorithm>
#include <string>
#include <utility>

#include "aclnnop/aclnn_abs.h"
#include "aclnnop/aclnn_add.h"
#include "aclnnop/aclnn_cast.h"
#include "aclnnop/aclnn_cat.h"
#include "aclnnop/aclnn_ceil.h"
#include "aclnnop/aclnn_copy.h"
#include "aclnnop/aclnn_div.h"
#include "aclnnop/aclnn_floor.h"
#include "aclnnop/aclnn_maximum.h"
#include "aclnnop/aclnn_minimum.h"
#include "aclnnop/aclnn_mul.h"
#include "aclnnop/aclnn_neg.h"
#include "aclnnop/aclnn_reciprocal.h"
#include "aclnnop/aclnn_relu.h"
#include "aclnnop/aclnn_round.h"
#include "aclnnop/aclnn_rsqrt.h"
#include "aclnnop/aclnn_sigmoid.h"
#include "aclnnop/aclnn_sqrt.h"
#include "aclnnop/aclnn_sub.h"
#include "aclnnop/aclnn_tanh.h"
#include "graph/failure.h"
#include "graph/nodes.h"
#include "meta/dtype.h"

namespace aclq::graph {
namespace {

bool isInteger(aclDataType dtype) {
    return dtype == ACL_INT32 || dtype == ACL_INT64;
}
bool isHostIntegers(const Value& value) {
    return !value.onDevice && isInteger(value.dtype) && value.shape.size() <= 1;
}

using Compute = std::int64_t (*)(std::int64_t, std::int64_t);

// Two lists of integers, or a list and one integer.
Value compute(const Value& one, const Value& other, Compute function) {
    const Dims a = readIntegers(one);
    const Dims b = readIntegers(other);
    const Dims shape = broadcast(one.shape, other.shape);
    Dims results(static_cast<std::size_t>(countOf(shape)));
    for (std::size_t index = 0; index < results.size(); ++index) {
        results[index] = function(a[a.size() == 1 ? 0 : index], b[b.size() == 1 ? 0 : index]);
    }
    return reshape(makeIntegers(one.dtype == ACL_INT64 ? ACL_INT64 : other.dtype, results), shape);
}

// Two's complement, without the undefined overflow of C++.
std::int64_t add(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t subtract(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t multiply(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
std::int64_t divide(std::int64_t a, std::int64_t b) {
    if (b == 0) {
        throw Failure("division of an integer by zero");
    }
    return b == -1 ? subtract(0, a) : a / b;
}
std::int64_t larger(std::int64_t a, std::int64_t b) {
    return std::max(a, b);
}
std::int64_t smaller(std::int64_t a, std::int64_t b) {
    return std::min(a, b);
}

// On the device; `more` are the arguments between the operands and the result.
template <class PhaseOne, class PhaseTwo, class... More>
Results combine(const Operands& in, PhaseOne phaseOne, PhaseTwo phaseTwo, const More&... more) {
    if (in[0].dtype != in[1].dtype) {
        throw Failure("got " + describe(in[0]) + " and " + describe(in[1]) + "; allowed: two of one type");
    }
    Device& device = in.device;
    const Value y = device.make(in[0].dtype, broadcast(in[0].shape, in[1].shape));
    device.call(phaseOne, phaseTwo, device.tensor(in[0]), device.tensor(in[1]), more..., device.tensor(y));
    return {y};
}

bool areShapes(const Operands& in) {
    return isHostIntegers(in[0]) && isHostIntegers(in[1]);
}

template <Compute Function, auto PhaseOne, auto PhaseTwo>
Results binary(const Operands& in) {
    if (areShapes(in)) {
        return {compute(in[0], in[1], Function)};
    }
    return combine(in, PhaseOne, PhaseTwo);
}

// Sums, whose operators take a factor for the second operand.
template <Compute Function, auto PhaseOne, auto PhaseTwo>
Results sum(const Operands& in) {
    if (areShapes(in)) {
        return {compute(in[0], in[1], Function)};
    }
    std::int64_t one = 1;
    return combine(in, PhaseOne, PhaseTwo, ScalarHandle(aclCreateScalar(&one, ACL_INT64)));
}

// Quotients of integers are integers, truncated towards zero.
Results quotient(const Operands& in) {
    if (!isInteger(in[0].dtype) || areShapes(in)) {
        return binary<divide, aclnnDivGetWorkspaceSize, aclnnDiv>(in);
    }
    constexpr int kTowardsZero = 1;
    return combine(in, aclnnDivModGetWorkspaceSize, aclnnDivMod, kTowardsZero);
}

template <auto PhaseOne, auto PhaseTwo>
Results unary(const Operands& in) {
    Device& device = in.device;
    const Value y = device.make(in[0].dtype, in[0].shape);
    device.call(PhaseOne, PhaseTwo, device.tensor(in[0]), device.tensor(y));
    return {y};
}

Results cast(const Operands& in) {
    const aclDataType dtype = resultType(in.node.integer("dst_type"));
    if (isHostIntegers(in[0]) && isInteger(dtype)) {
        return {reshape(makeIntegers(dtype, readIntegers(in[0])), in[0].shape)};
    }
    Device& device = in.device;
    const Value y = device.make(dtype, in[0].shape);
    device.call(aclnnCastGetWorkspaceSize, aclnnCast, device.tensor(in[0]), dtype, device.tensor(y));
    return {y};
}

Results concatenate(Device& device, const std::vector<Value>& parts, std::int64_t axis) {
    if (parts.empty()) {
        throw Failure("there is nothing to concatenate");
    }
    Dims shape = parts[0].shape;
    const auto rank = static_cast<std::int64_t>(shape.size());
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank) {
        throw Failure("tensors of shape " + describe(shape) + " have no axis " + std::to_string(axis));
    }
    const auto at = static_cast<std::size_t>(axis);
    Dims integers;
    bool onHost = rank == 1;
    for (std::size_t index = 0; index < parts.size(); ++index) {
        Dims as = parts[index].shape;
        if (as.size() == shape.size()) {
            shape[at] += index != 0 ? as[at] : 0;
            as[at] = shape[at];
        }
        if (parts[index].dtype != parts[0].dtype || as != shape) {
            throw Failure("got " + describe(parts[0]) + " and " + describe(parts[index]) +
                          " to concatenate along axis " + std::to_string(axis));
        }
        onHost = onHost && isHostIntegers(parts[index]);
    }
    if (onHost) {
        for (const Value& part : parts) {
            const Dims more = readIntegers(part);
            integers.insert(integers.end(), more.begin(), more.end());
        }
        return {makeIntegers(parts[0].dtype, integers)};
    }
    std::vector<TensorHandle> handles;
    std::vector<const aclTensor*> tensors;
    for (const Value& part : parts) {
        tensors.push_back(handles.emplace_back(device.tensor(part)));
    }
    const TensorListHandle list(aclCreateTensorList(tensors.data(), tensors.size()));
    for (TensorHandle& handle : handles) {
        handle.release();  // owned by the list now
    }
    const Value y = device.make(parts[0].dtype, shape);
    device.call(aclnnCatGetWorkspaceSize, aclnnCat, list, axis, device.tensor(y));
    return {y};
}

// If the axis is an input, it is the last or the first one.
std::vector<Value> partsOf(const Operands& in, std::size_t begin, std::size_t end) {
    std::vector<Value> parts;
    for (std::size_t index = begin; index < end; ++index) {
        parts.push_back(in[index]);
    }
    return parts;
}

std::int64_t axisOf(const Operands& in, std::size_t index) {
    const Dims axis = in.integers(index);
    if (axis.size() != 1) {
        throw Failure("got " + describe(in[index]) + " where the number of an axis is needed");
    }
    return axis[0];
}

Results concatV2(const Operands& in) {
    const std::size_t last = std::max<std::size_t>(in.count(), 1) - 1;
    return concatenate(in.device, partsOf(in, 0, last), axisOf(in, last));
}
Results concat(const Operands& in) {
    return concatenate(in.device, partsOf(in, 1, in.count()), axisOf(in, 0));
}
Results concatD(const Operands& in) {
    return concatenate(in.device, partsOf(in, 0, in.count()), in.node.integer("concat_dim"));
}

// Along a new axis.
Results pack(const Operands& in) {
    std::vector<Value> parts = partsOf(in, 0, in.count());
    std::int64_t axis = in.node.integer("axis", 0);
    for (Value& part : parts) {
        const auto rank = static_cast<std::int64_t>(part.shape.size()) + 1;
        axis += axis < 0 ? rank : 0;
        if (axis < 0 || axis >= rank) {
            throw Failure("tensors of shape " + describe(part.shape) + " cannot be packed along axis " +
                          std::to_string(axis));
        }
        part.shape.insert(part.shape.begin() + axis, 1);
    }
    return concatenate(in.device, parts, axis);
}

Results transpose(const Operands& in, const Dims& order) {
    const Dims& from = in[0].shape;
    Dims strides(from.size());
    std::int64_t stride = 1;
    for (std::size_t index = from.size(); index-- > 0; stride *= from[index]) {
        strides[index] = stride;
    }
    Dims sorted = order;
    std::sort(sorted.begin(), sorted.end());
    Dims shape;
    Dims permuted;
    for (std::size_t index = 0; index < order.size(); ++index) {
        if (order.size() != from.size() || sorted[index] != static_cast<std::int64_t>(index)) {
            throw Failure("axes of a tensor of shape " + describe(from) + " cannot be put into the order " +
                          describe(order));
        }
        shape.push_back(from[static_cast<std::size_t>(order[index])]);
        permuted.push_back(strides[static_cast<std::size_t>(order[index])]);
    }
    Device& device = in.device;
    const Value y = device.make(in[0].dtype, shape);
    device.call(aclnnInplaceCopyGetWorkspaceSize, aclnnInplaceCopy, device.tensor(y),
                device.view(in[0], shape, permuted));
    return {y};
}

Results transposeByInput(const Operands& in) {
    return transpose(in, in.integers(1));
}
Results transposeByAttribute(const Operands& in) {
    return transpose(in, in.node.integers("perm"));
}

Results move(const Operands& in) {
    return {in.device.copy(in[0])};
}

// One value for all elements.
Results fill(const Operands& in) {
    Device& device = in.device;
    const Value y = device.make(in[1].dtype, in.integers(0));
    device.call(aclnnInplaceCopyGetWorkspaceSize, aclnnInplaceCopy, device.tensor(y), device.tensor(in[1]));
    return {y};
}

}  // namespace

void addArithmeticKinds(Kinds& kinds) {
    kinds["Add"] = {sum<add, aclnnAddGetWorkspaceSize, aclnnAdd>, {"x1", "x2"}, {}};
    kinds["AddV2"] = kinds["Add"];
    kinds["Sub"] = {sum<subtract, aclnnSubGetWorkspaceSize, aclnnSub>, {"x1", "x2"}, {}};
    kinds["Mul"] = {binary<multiply, aclnnMulGetWorkspaceSize, aclnnMul>, {"x1", "x2"}, {}};
    kinds["Div"] = {quotient, {"x1", "x2"}, {}};
    kinds["RealDiv"] = kinds["Div"];
    kinds["Maximum"] = {binary<larger, aclnnMaximumGetWorkspaceSize, aclnnMaximum>, {"x1", "x2"}, {}};
    kinds["Minimum"] = {binary<smaller, aclnnMinimumGetWorkspaceSize, aclnnMinimum>, {"x1", "x2"}, {}};

    kinds["Abs"] = {unary<aclnnAbsGetWorkspaceSize, aclnnAbs>, {"x"}, {}};
    kinds["Ceil"] = {unary<aclnnCeilGetWorkspaceSize, aclnnCeil>, {"x"}, {}};
    kinds["Floor"] = {unary<aclnnFloorGetWorkspaceSize, aclnnFloor>, {"x"}, {}};
    kinds["Neg"] = {unary<aclnnNegGetWorkspaceSize, aclnnNeg>, {"x"}, {}};
    kinds["Reciprocal"] = {unary<aclnnReciprocalGetWorkspaceSize, aclnnReciprocal>, {"x"}, {}};
    kinds["Relu"] = {unary<aclnnReluGetWorkspaceSize, aclnnRelu>, {"x"}, {}};
    kinds["Round"] = {unary<aclnnRoundGetWorkspaceSize, aclnnRound>, {"x"}, {}};
    kinds["Rsqrt"] = {unary<aclnnRsqrtGetWorkspaceSize, aclnnRsqrt>, {"x"}, {}};
    kinds["Sigmoid"] = {unary<aclnnSigmoidGetWorkspaceSize, aclnnSigmoid>, {"x"}, {}};
    kinds["Sqrt"] = {unary<aclnnSqrtGetWorkspaceSize, aclnnSqrt>, {"x"}, {}};
    kinds["Tanh"] = {unary<aclnnTanhGetWorkspaceSize, aclnnTanh>, {"x"}, {}};

    kinds["Cast"] = {cast, {"x"}, {"dst_type"}};
    kinds["Concat"] = {concat, {Kind::kAny}, {"N"}};
    kinds["ConcatD"] = {concatD, {Kind::kAny}, {"N", "concat_dim"}};
    kinds["ConcatV2"] = {concatV2, {Kind::kAny}, {"N"}};
    kinds["Fill"] = {fill, {"dims", "value"}, {}};
    kinds["TensorMove"] = {move, {"x"}, {}};
    kinds["Pack"] = {pack, {Kind::kAny}, {"N", "axis"}};
    kinds["Transpose"] = {transposeByInput, {"x", "perm"}, {}};
    kinds["TransposeD"] = {transposeByAttribute, {"x"}, {"perm"}};
}

}  // namespace aclq::graph
