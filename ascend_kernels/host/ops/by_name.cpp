// SPDX-License-Identifier: Apache-2.0
// A table from names to the aclnn functions that compute the same: what torch_npu needs for random numbers on the
// device and for printing when it compiles operators, its functions of one tensor without attributes (acl_op.cpp says
// why all of them), and what ONNX Runtime's provider calls operator by operator.
#include "ops/by_name.h"

#include <functional>
#include <initializer_list>
#include <map>
#include <numeric>
#include <string>

#include "aclnnop/aclnn_abs.h"
#include "aclnnop/aclnn_acos.h"
#include "aclnnop/aclnn_acosh.h"
#include "aclnnop/aclnn_add.h"
#include "aclnnop/aclnn_addmm.h"
#include "aclnnop/aclnn_amax.h"
#include "aclnnop/aclnn_amin.h"
#include "aclnnop/aclnn_asin.h"
#include "aclnnop/aclnn_asinh.h"
#include "aclnnop/aclnn_atan.h"
#include "aclnnop/aclnn_atanh.h"
#include "aclnnop/aclnn_avgpool2d.h"
#include "aclnnop/aclnn_batch_norm.h"
#include "aclnnop/aclnn_cast.h"
#include "aclnnop/aclnn_ceil.h"
#include "aclnnop/aclnn_convolution.h"
#include "aclnnop/aclnn_copy.h"
#include "aclnnop/aclnn_cos.h"
#include "aclnnop/aclnn_cosh.h"
#include "aclnnop/aclnn_div.h"
#include "aclnnop/aclnn_erf.h"
#include "aclnnop/aclnn_erfc.h"
#include "aclnnop/aclnn_erfinv.h"
#include "aclnnop/aclnn_exp.h"
#include "aclnnop/aclnn_expm1.h"
#include "aclnnop/aclnn_fast_gelu.h"
#include "aclnnop/aclnn_fill_scalar.h"
#include "aclnnop/aclnn_floor.h"
#include "aclnnop/aclnn_gt_scalar.h"
#include "aclnnop/aclnn_gt_tensor.h"
#include "aclnnop/aclnn_hardsigmoid.h"
#include "aclnnop/aclnn_hardswish.h"
#include "aclnnop/aclnn_isfinite.h"
#include "aclnnop/aclnn_log.h"
#include "aclnnop/aclnn_log1p.h"
#include "aclnnop/aclnn_logical_and.h"
#include "aclnnop/aclnn_logical_not.h"
#include "aclnnop/aclnn_logsigmoid.h"
#include "aclnnop/aclnn_lt_scalar.h"
#include "aclnnop/aclnn_lt_tensor.h"
#include "aclnnop/aclnn_masked_select.h"
#include "aclnnop/aclnn_matmul.h"
#include "aclnnop/aclnn_max_pool.h"
#include "aclnnop/aclnn_mish.h"
#include "aclnnop/aclnn_mul.h"
#include "aclnnop/aclnn_ne_scalar.h"
#include "aclnnop/aclnn_ne_tensor.h"
#include "aclnnop/aclnn_neg.h"
#include "aclnnop/aclnn_normal.h"
#include "aclnnop/aclnn_reciprocal.h"
#include "aclnnop/aclnn_relu.h"
#include "aclnnop/aclnn_round.h"
#include "aclnnop/aclnn_rsqrt.h"
#include "aclnnop/aclnn_selu.h"
#include "aclnnop/aclnn_sigmoid.h"
#include "aclnnop/aclnn_sign.h"
#include "aclnnop/aclnn_sin.h"
#include "aclnnop/aclnn_sinh.h"
#include "aclnnop/aclnn_sqrt.h"
#include "aclnnop/aclnn_sub.h"
#include "aclnnop/aclnn_tan.h"
#include "aclnnop/aclnn_tanh.h"
#include "aclnnop/aclnn_trunc.h"
#include "meta/dtype.h"
#include "meta/executor.h"
#include "meta/handles.h"
#include "meta/late_shape.h"
#include "meta/tensor.h"
#include "runtime/made_once.h"
#include "runtime/status.h"

namespace aclq {
namespace {

TensorHandle tensor(const NamedTensor& of) {
    return TensorHandle(aclCreateTensor(of.dims.data(), of.dims.size(), of.dtype, nullptr, 0, ACL_FORMAT_ND,
                                        of.dims.data(), of.dims.size(), of.data));
}

// The same memory with other dimensions.
TensorHandle view(const NamedTensor& of, const std::vector<std::int64_t>& dims,
                  const std::vector<std::int64_t>& strides) {
    return TensorHandle(aclCreateTensor(dims.data(), dims.size(), of.dtype, strides.data(), 0, ACL_FORMAT_ND,
                                        of.dims.data(), of.dims.size(), of.data));
}

// Of contiguous elements, in elements.
std::vector<std::int64_t> stridesOf(const std::vector<std::int64_t>& dims) {
    std::vector<std::int64_t> strides(dims.size(), 1);
    for (std::size_t axis = dims.size(); axis > 1; --axis) {
        strides[axis - 2] = strides[axis - 1] * dims[axis - 1];
    }
    return strides;
}

ScalarHandle one() {
    std::int64_t value = 1;
    return ScalarHandle(aclCreateScalar(&value, ACL_INT64));
}

// Both phases; `arguments` are those of phase 1 before the workspace size.
template <auto PhaseOne, auto PhaseTwo, class... Arguments>
aclError launch(const NamedCall& call, const Arguments&... arguments) {
    std::uint64_t size = 0;
    aclOpExecutor* executor = nullptr;
    ACLQ_RETURN_IF_FAILED(PhaseOne(arguments..., &size, &executor));
    executor->workspaceSize = 0;  // which exercises clients; no kernel uses it
    return PhaseTwo(nullptr, 0, executor, call.stream);
}

template <auto PhaseOne, auto PhaseTwo>
aclError unary(NamedCall& call) {
    return launch<PhaseOne, PhaseTwo>(call, tensor(call.inputs[0]), tensor(call.outputs[0]));
}

aclError square(NamedCall& call) {
    const TensorHandle self = tensor(call.inputs[0]);
    return launch<aclnnMulGetWorkspaceSize, aclnnMul>(call, self, self, tensor(call.outputs[0]));
}

template <std::int64_t value>
aclError filled(NamedCall& call) {
    std::int64_t number = value;
    const ScalarHandle scalar(aclCreateScalar(&number, ACL_INT64));
    return launch<aclnnInplaceFillScalarGetWorkspaceSize, aclnnInplaceFillScalar>(call, tensor(call.outputs[0]),
                                                                                  scalar);
}

aclError cast(NamedCall& call) {
    return launch<aclnnCastGetWorkspaceSize, aclnnCast>(call, tensor(call.inputs[0]), call.outputs[0].dtype,
                                                        tensor(call.outputs[0]));
}

// torch_npu gives the two tensors of a change of format as they lie in memory, so their shapes may differ.
aclError identity(NamedCall& call) {
    const auto count = [](const std::vector<std::int64_t>& dims) {
        return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
    };
    if (count(call.inputs[0].dims) != count(call.outputs[0].dims)) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "outputDesc", "another number of elements than the input",
                            "the same");
    }
    call.inputs[0].dims = call.outputs[0].dims;
    return launch<aclnnInplaceCopyGetWorkspaceSize, aclnnInplaceCopy>(call, tensor(call.outputs[0]),
                                                                      tensor(call.inputs[0]));
}

template <auto PhaseOne, auto PhaseTwo>
aclError binary(NamedCall& call) {
    return launch<PhaseOne, PhaseTwo>(call, tensor(call.inputs[0]), tensor(call.inputs[1]), tensor(call.outputs[0]));
}

// The second operand may be a number.
template <auto PhaseOne, auto PhaseTwo, auto PhaseOneOfNumber, auto PhaseTwoOfNumber>
aclError binaryOrNumber(NamedCall& call) {
    if (!call.inputs[1].onHost) {
        return binary<PhaseOne, PhaseTwo>(call);
    }
    const ScalarHandle number(aclCreateScalar(call.inputs[1].data, call.inputs[1].dtype));
    return launch<PhaseOneOfNumber, PhaseTwoOfNumber>(call, tensor(call.inputs[0]), number, tensor(call.outputs[0]));
}

aclError sum(NamedCall& call) {
    const TensorHandle self = tensor(call.inputs[0]);
    const TensorHandle out = tensor(call.outputs[0]);
    if (call.inputs[1].onHost) {
        const ScalarHandle number(aclCreateScalar(call.inputs[1].data, call.inputs[1].dtype));
        return launch<aclnnAddsGetWorkspaceSize, aclnnAdds>(call, self, number, one(), out);
    }
    return launch<aclnnAddGetWorkspaceSize, aclnnAdd>(call, self, tensor(call.inputs[1]), one(), out);
}

aclError difference(NamedCall& call) {
    return launch<aclnnSubGetWorkspaceSize, aclnnSub>(call, tensor(call.inputs[0]), tensor(call.inputs[1]), one(),
                                                      tensor(call.outputs[0]));
}

// Of integers: towards zero.
aclError quotient(NamedCall& call) {
    const aclDataType dtype = call.inputs[0].dtype;
    const bool floating = dtype == ACL_FLOAT || dtype == ACL_FLOAT16 || dtype == ACL_BF16 || dtype == ACL_DOUBLE;
    return launch<aclnnDivModGetWorkspaceSize, aclnnDivMod>(call, tensor(call.inputs[0]), tensor(call.inputs[1]),
                                                            floating ? 0 : 1, tensor(call.outputs[0]));
}

bool flag(const NamedCall& call, const char* name) {
    const auto found = call.flags.find(name);
    return found != call.flags.end() && found->second;
}

TensorHandle matrix(const NamedTensor& of, bool transposed) {
    std::vector<std::int64_t> dims = of.dims;
    std::vector<std::int64_t> strides = stridesOf(dims);
    if (transposed && dims.size() > 1) {
        std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
        std::swap(strides[dims.size() - 1], strides[dims.size() - 2]);
    }
    return view(of, dims, strides);
}

aclError product(NamedCall& call) {
    const std::int8_t exactly = 0;  // no type narrower than that of the operands
    return launch<aclnnMatmulGetWorkspaceSize, aclnnMatmul>(call, matrix(call.inputs[0], flag(call, "adj_x1")),
                                                            matrix(call.inputs[1], flag(call, "adj_x2")),
                                                            tensor(call.outputs[0]), exactly);
}

// One number, in the order of the stream. Some clients give it in memory of the host, described as the device's.
aclError readNumber(const NamedCall& call, const NamedTensor& of, float& value) {
    const bool half = of.dtype == ACL_FLOAT16;
    const std::size_t size = half ? sizeof(aclFloat16) : sizeof(float);
    if ((!half && of.dtype != ACL_FLOAT) || of.size != size) {
        return failArgument(ACL_ERROR_API_NOT_SUPPORT, "inputDesc",
                            text("%zu bytes of type ", of.size) + nameOf(of.dtype), "one FLOAT or FLOAT16");
    }
    ACLQ_RETURN_IF_FAILED(aclrtSynchronizeStream(call.stream));
    aclFloat16 narrow{};
    ACLQ_RETURN_IF_FAILED(
        aclrtMemcpy(half ? static_cast<void*>(&narrow) : &value, size, of.data, size, ACL_MEMCPY_DEFAULT));
    if (half) {
        value = aclFloat16ToFloat(narrow);
    }
    return ACL_SUCCESS;
}

// alpha * a * b + beta * c
aclError productAndSum(NamedCall& call) {
    float alpha = 1;
    float beta = 1;
    ACLQ_RETURN_IF_FAILED(readNumber(call, call.inputs[3], alpha));
    ACLQ_RETURN_IF_FAILED(readNumber(call, call.inputs[4], beta));
    const ScalarHandle factors[] = {ScalarHandle(aclCreateScalar(&alpha, ACL_FLOAT)),
                                    ScalarHandle(aclCreateScalar(&beta, ACL_FLOAT))};
    const std::int8_t exactly = 0;
    return launch<aclnnAddmmGetWorkspaceSize, aclnnAddmm>(
        call, tensor(call.inputs[2]), matrix(call.inputs[0], flag(call, "transpose_a")),
        matrix(call.inputs[1], flag(call, "transpose_b")), factors[1], factors[0], tensor(call.outputs[0]), exactly);
}

// Of images in NCHW, with the moments that are given: they are results as well, twice.
aclError normalise(NamedCall& call) {
    if (flag(call, "is_training")) {
        return failArgument(ACL_ERROR_API_NOT_SUPPORT, "attr", "'is_training' true", "false, as for inference");
    }
    for (std::size_t output = 1; output < call.outputs.size(); ++output) {
        ACLQ_RETURN_IF_FAILED((launch<aclnnInplaceCopyGetWorkspaceSize, aclnnInplaceCopy>(
            call, tensor(call.outputs[output]), tensor(call.inputs[output % 2 == 1 ? 3 : 4]))));
    }
    const auto given = call.floats.find("epsilon");
    const double epsilon = given != call.floats.end() ? static_cast<double>(given->second) : 1e-4;
    const TensorHandle none(nullptr);
    return launch<aclnnBatchNormGetWorkspaceSize, aclnnBatchNorm>(
        call, tensor(call.inputs[0]), tensor(call.inputs[1]), tensor(call.inputs[2]), tensor(call.inputs[3]),
        tensor(call.inputs[4]), false, 0.0, epsilon, tensor(call.outputs[0]), none, none);
}

// The elements of the input in their order, repeated along axes where the output has more.
aclError copy(NamedCall& call) {
    return launch<aclnnInplaceCopyGetWorkspaceSize, aclnnInplaceCopy>(call, tensor(call.outputs[0]),
                                                                      tensor(call.inputs[0]));
}

aclError flatten(NamedCall& call) {
    const NamedTensor& out = call.outputs[0];
    return launch<aclnnInplaceCopyGetWorkspaceSize, aclnnInplaceCopy>(
        call, tensor(out), view(call.inputs[0], out.dims, stridesOf(out.dims)));
}

aclError transpose(NamedCall& call) {
    const std::vector<std::int64_t>& from = call.inputs[0].dims;
    const auto given = call.integers.find("perm");
    std::vector<bool> used(from.size());
    std::vector<std::int64_t> dims;
    std::vector<std::int64_t> strides;
    if (given != call.integers.end() && given->second.size() == from.size()) {
        for (const std::int64_t axis : given->second) {
            if (axis < 0 || axis >= static_cast<std::int64_t>(from.size()) || used[static_cast<std::size_t>(axis)]) {
                break;
            }
            used[static_cast<std::size_t>(axis)] = true;
            dims.push_back(from[static_cast<std::size_t>(axis)]);
            strides.push_back(stridesOf(from)[static_cast<std::size_t>(axis)]);
        }
    }
    if (dims.size() != from.size() || given == call.integers.end()) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "attr", "no permutation 'perm' of all axes",
                            text("each of the %zu axes once", from.size()));
    }
    return launch<aclnnInplaceCopyGetWorkspaceSize, aclnnInplaceCopy>(call, tensor(call.outputs[0]),
                                                                      view(call.inputs[0], dims, strides));
}

// Of images in NCHW. Attributes are given for all four axes, of which operators take the last two.
aclError readWindows(const NamedCall& call, const char* name, std::vector<std::int64_t>& values) {
    const auto found = call.integers.find(name);
    if (found == call.integers.end() || found->second.size() != 4 || call.inputs[0].dims.size() != 4) {
        return failArgument(ACL_ERROR_API_NOT_SUPPORT, "attr",
                            text("'%s' with %zu numbers for %zu axes", name,
                                 found != call.integers.end() ? found->second.size() : 0, call.inputs[0].dims.size()),
                            "four, for an image in NCHW");
    }
    values = found->second;
    return ACL_SUCCESS;
}

IntArrayHandle integers(std::initializer_list<std::int64_t> values) {
    return IntArrayHandle(aclCreateIntArray(values.begin(), values.size()));
}

aclError largestOfWindows(NamedCall& call) {
    std::vector<std::int64_t> kernel;
    std::vector<std::int64_t> strides;
    std::vector<std::int64_t> pads;  // top, left, bottom, right
    ACLQ_RETURN_IF_FAILED(readWindows(call, "ksize", kernel));
    ACLQ_RETURN_IF_FAILED(readWindows(call, "strides", strides));
    ACLQ_RETURN_IF_FAILED(readWindows(call, "pads", pads));
    const std::int64_t noRule = 0;
    const std::int64_t whole = flag(call, "ceil_mode") ? 1 : 0;
    return launch<aclnnMaxPoolGetWorkspaceSize, aclnnMaxPool>(
        call, tensor(call.inputs[0]), integers({kernel[2], kernel[3]}), integers({strides[2], strides[3]}), noRule,
        integers({pads[0], pads[1], pads[2], pads[3]}), integers({1, 1}), whole, tensor(call.outputs[0]));
}

aclError meanOfWindows(NamedCall& call) {
    std::vector<std::int64_t> kernel;
    std::vector<std::int64_t> strides;
    std::vector<std::int64_t> pads;
    ACLQ_RETURN_IF_FAILED(readWindows(call, "ksize", kernel));
    ACLQ_RETURN_IF_FAILED(readWindows(call, "strides", strides));
    ACLQ_RETURN_IF_FAILED(readWindows(call, "pads", pads));
    if (pads[0] != pads[2] || pads[1] != pads[3]) {
        return failArgument(ACL_ERROR_API_NOT_SUPPORT, "attr", "'pads' that differ between two sides of an axis",
                            "the same on both sides");
    }
    const std::int64_t ofTheWindow = 0;
    const std::int8_t exactly = 0;
    return launch<aclnnAvgPool2dGetWorkspaceSize, aclnnAvgPool2d>(
        call, tensor(call.inputs[0]), integers({kernel[2], kernel[3]}), integers({strides[2], strides[3]}),
        integers({pads[0], pads[1]}), flag(call, "ceil_mode"), !flag(call, "exclusive"), ofTheWindow, exactly,
        tensor(call.outputs[0]));
}

aclError convolution(NamedCall& call) {
    std::vector<std::int64_t> strides;
    std::vector<std::int64_t> pads;
    std::vector<std::int64_t> dilations;
    ACLQ_RETURN_IF_FAILED(readWindows(call, "strides", strides));
    ACLQ_RETURN_IF_FAILED(readWindows(call, "pads", pads));
    ACLQ_RETURN_IF_FAILED(readWindows(call, "dilations", dilations));
    const auto group = call.integers.find("group");
    const std::int64_t groups = group != call.integers.end() && group->second.size() == 1 ? group->second[0] : 1;
    const TensorHandle bias = call.inputs[2].dtype == ACL_DT_UNDEFINED ? TensorHandle(nullptr) : tensor(call.inputs[2]);
    const std::int8_t exactly = 0;
    return launch<aclnnConvolutionGetWorkspaceSize, aclnnConvolution>(
        call, tensor(call.inputs[0]), tensor(call.inputs[1]), bias, integers({strides[2], strides[3]}),
        integers({pads[0], pads[2], pads[1], pads[3]}), integers({dilations[2], dilations[3]}), false, integers({0, 0}),
        groups, tensor(call.outputs[0]), exactly);
}

// Axes are numbers on the host.
template <auto PhaseOne, auto PhaseTwo>
aclError reduce(NamedCall& call) {
    const NamedTensor& axes = call.inputs[1];
    if (axes.dtype != ACL_INT64) {
        return failArgument(ACL_ERROR_API_NOT_SUPPORT, "inputDesc", "axes of type " + nameOf(axes.dtype), "INT64");
    }
    const IntArrayHandle dims(
        aclCreateIntArray(static_cast<const std::int64_t*>(axes.data), axes.size / sizeof(std::int64_t)));
    return launch<PhaseOne, PhaseTwo>(call, tensor(call.inputs[0]), dims, flag(call, "keep_dims"),
                                      tensor(call.outputs[0]));
}

aclError maskedSelect(NamedCall& call) {
    const TensorHandle out = tensor(call.outputs[0]);
    const aclError status = launch<aclnnMaskedSelectGetWorkspaceSize, aclnnMaskedSelect>(call, tensor(call.inputs[0]),
                                                                                         tensor(call.inputs[1]), out);
    if (status != ACL_SUCCESS) {
        return status;
    }
    // The operator gives its result, and the tensor its shape, when it runs.
    ACLQ_RETURN_IF_FAILED(aclrtSynchronizeStream(call.stream));
    settle(*out);
    call.outputs[0].dims.assign(out->shape.data(), out->shape.data() + out->shape.rank());
    return ACL_SUCCESS;
}

// Inputs: shape, key, counter (two words, of which torch_npu uses the second), algorithm.
aclError normal(NamedCall& call) {
    const NamedTensor& key = call.inputs[1];
    const NamedTensor& counter = call.inputs[2];
    if (key.dtype != ACL_UINT64 || counter.dtype != ACL_UINT64 || key.size != sizeof(std::uint64_t) ||
        counter.size != 2 * sizeof(std::uint64_t)) {
        return failArgument(ACL_ERROR_API_NOT_SUPPORT, "inputDesc", "another key or counter",
                            "a key of one UINT64 and a counter of two");
    }
    const auto seed = static_cast<const std::int64_t*>(key.data)[0];
    const auto offset = static_cast<const std::int64_t*>(counter.data)[1];
    return launch<aclnnInplaceNormalGetWorkspaceSize, aclnnInplaceNormal>(call, tensor(call.outputs[0]), 0.0f, 1.0f,
                                                                          seed, offset);
}

struct Operator {
    aclError (*run)(NamedCall&);
    const char* places;  // of each input: 'd' for the device, 'h' for the host, 'n' for the device or a number on the
                         // host, 'o' for the device or no tensor
    bool findsShape = false;
    std::size_t results = 1;
};

#define ACLQ_BOTH(name) name##GetWorkspaceSize, name
using Operators = std::map<std::string, Operator>;
const Operators* makeOperators() {
    return new Operators{
        {"Abs", {unary<ACLQ_BOTH(aclnnAbs)>, "d"}},
        {"Acos", {unary<ACLQ_BOTH(aclnnAcos)>, "d"}},
        {"Acosh", {unary<ACLQ_BOTH(aclnnAcosh)>, "d"}},
        {"Add", {sum, "dn"}},
        {"Asin", {unary<ACLQ_BOTH(aclnnAsin)>, "d"}},
        {"Asinh", {unary<ACLQ_BOTH(aclnnAsinh)>, "d"}},
        {"Atan", {unary<ACLQ_BOTH(aclnnAtan)>, "d"}},
        {"Atanh", {unary<ACLQ_BOTH(aclnnAtanh)>, "d"}},
        {"AvgPoolV2", {meanOfWindows, "d"}},
        {"BatchMatMul", {product, "dd"}},
        {"BatchNorm", {normalise, "ddddd", false, 5}},
        {"BroadcastToD", {copy, "d"}},
        {"Cast", {cast, "d"}},
        {"Ceil", {unary<ACLQ_BOTH(aclnnCeil)>, "d"}},
        {"Conv2D", {convolution, "ddo"}},
        {"Cos", {unary<ACLQ_BOTH(aclnnCos)>, "d"}},
        {"Cosh", {unary<ACLQ_BOTH(aclnnCosh)>, "d"}},
        {"Div", {quotient, "dd"}},
        {"Erf", {unary<ACLQ_BOTH(aclnnErf)>, "d"}},
        {"Erfc", {unary<ACLQ_BOTH(aclnnErfc)>, "d"}},
        {"Erfinv", {unary<ACLQ_BOTH(aclnnErfinv)>, "d"}},
        {"Exp", {unary<ACLQ_BOTH(aclnnExp)>, "d"}},
        {"Expm1", {unary<ACLQ_BOTH(aclnnExpm1)>, "d"}},
        {"FastGelu", {unary<ACLQ_BOTH(aclnnFastGelu)>, "d"}},
        {"Flatten", {flatten, "d"}},
        {"Floor", {unary<ACLQ_BOTH(aclnnFloor)>, "d"}},
        {"GEMM", {productAndSum, "ddddd"}},
        {"Greater", {binaryOrNumber<ACLQ_BOTH(aclnnGtTensor), ACLQ_BOTH(aclnnGtScalar)>, "dn"}},
        {"HardSigmoid", {unary<ACLQ_BOTH(aclnnHardsigmoid)>, "d"}},
        {"HardSwish", {unary<ACLQ_BOTH(aclnnHardswish)>, "d"}},
        {"Identity", {identity, "d"}},
        {"IsFinite", {unary<ACLQ_BOTH(aclnnIsFinite)>, "d"}},
        {"Less", {binaryOrNumber<ACLQ_BOTH(aclnnLtTensor), ACLQ_BOTH(aclnnLtScalar)>, "dn"}},
        {"Log", {unary<ACLQ_BOTH(aclnnLog)>, "d"}},
        {"Log1p", {unary<ACLQ_BOTH(aclnnLog1p)>, "d"}},
        {"LogSigmoid", {unary<ACLQ_BOTH(aclnnLogSigmoid)>, "d"}},
        {"LogicalAnd", {binary<ACLQ_BOTH(aclnnLogicalAnd)>, "dd"}},
        {"LogicalNot", {unary<ACLQ_BOTH(aclnnLogicalNot)>, "d"}},
        {"MaskedSelect", {maskedSelect, "dd", true}},
        {"MaxPoolV3", {largestOfWindows, "d"}},
        {"Mish", {unary<ACLQ_BOTH(aclnnMish)>, "d"}},
        {"Mul", {binaryOrNumber<ACLQ_BOTH(aclnnMul), ACLQ_BOTH(aclnnMuls)>, "dn"}},
        {"Neg", {unary<ACLQ_BOTH(aclnnNeg)>, "d"}},
        {"NotEqual", {binaryOrNumber<ACLQ_BOTH(aclnnNeTensor), ACLQ_BOTH(aclnnNeScalar)>, "dn"}},
        {"OnesLike", {filled<1>, "d"}},
        {"RealDiv", {binaryOrNumber<ACLQ_BOTH(aclnnDiv), ACLQ_BOTH(aclnnDivs)>, "dn"}},
        {"Reciprocal", {unary<ACLQ_BOTH(aclnnReciprocal)>, "d"}},
        {"ReduceMax", {reduce<ACLQ_BOTH(aclnnAmax)>, "dh"}},
        {"ReduceMin", {reduce<ACLQ_BOTH(aclnnAmin)>, "dh"}},
        {"Relu", {unary<ACLQ_BOTH(aclnnRelu)>, "d"}},
        {"Round", {unary<ACLQ_BOTH(aclnnRound)>, "d"}},
        {"Rsqrt", {unary<ACLQ_BOTH(aclnnRsqrt)>, "d"}},
        {"Selu", {unary<ACLQ_BOTH(aclnnSelu)>, "d"}},
        {"Sigmoid", {unary<ACLQ_BOTH(aclnnSigmoid)>, "d"}},
        {"Sign", {unary<ACLQ_BOTH(aclnnSign)>, "d"}},
        {"Sin", {unary<ACLQ_BOTH(aclnnSin)>, "d"}},
        {"Sinh", {unary<ACLQ_BOTH(aclnnSinh)>, "d"}},
        {"Sqrt", {unary<ACLQ_BOTH(aclnnSqrt)>, "d"}},
        {"Square", {square, "d"}},
        {"StatelessRandomNormalV2", {normal, "hhhh"}},
        {"Sub", {difference, "dd"}},
        {"Tan", {unary<ACLQ_BOTH(aclnnTan)>, "d"}},
        {"Tanh", {unary<ACLQ_BOTH(aclnnTanh)>, "d"}},
        {"TransposeD", {transpose, "d"}},
        {"Trunc", {unary<ACLQ_BOTH(aclnnTrunc)>, "d"}},
        {"ZerosLike", {filled<0>, "d"}},
    };
}
const Operators& operators() {
    return MadeOnce<Operators, makeOperators>::get();
}
#undef ACLQ_BOTH

aclError checkMemory(const char* argument, const NamedTensor& tensor) {
    std::uint64_t bytes = static_cast<std::uint64_t>(bitsOf(tensor.dtype)) / 8;
    for (const std::int64_t dim : tensor.dims) {
        if (dim < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dim), &bytes)) {
            return failArgument(ACL_ERROR_INVALID_PARAM, argument,
                                text("a dimension of %lld", static_cast<long long>(dim)), "a size in memory");
        }
    }
    if (bitsOf(tensor.dtype) < 8 || tensor.size < bytes || (tensor.data == nullptr && tensor.size != 0)) {
        return failArgument(
            ACL_ERROR_INVALID_PARAM, argument,
            text("%zu bytes at %p for a tensor of type ", tensor.size, tensor.data) + nameOf(tensor.dtype),
            text("its %llu bytes", static_cast<unsigned long long>(bytes)));
    }
    return ACL_SUCCESS;
}

aclError check(const char* opType, const Operator& found, const NamedCall& call) {
    const std::string places = found.places;
    if (call.inputs.size() != places.size() || call.outputs.size() != found.results) {
        return failArgument(
            ACL_ERROR_INVALID_PARAM, "numInputs", text("%zu and %zu outputs", call.inputs.size(), call.outputs.size()),
            text("%zu and ", places.size()) + (found.results == 1 ? "one output" : text("%zu outputs", found.results)) +
                ", of " + opType);
    }
    for (std::size_t index = 0; index < places.size(); ++index) {
        const NamedTensor& input = call.inputs[index];
        if (places[index] == 'o' && input.dtype == ACL_DT_UNDEFINED) {
            continue;
        }
        ACLQ_RETURN_IF_FAILED(checkMemory("inputs", input));
        const bool number = input.dims.empty() || input.size == static_cast<std::size_t>(bitsOf(input.dtype)) / 8;
        if (places[index] == 'n' ? input.onHost && !number : input.onHost != (places[index] == 'h')) {
            return failArgument(
                ACL_ERROR_API_NOT_SUPPORT, "inputDesc",
                text("input %zu of %s in memory of the %s", index, opType, input.onHost ? "host" : "device"),
                places[index] == 'h' ? "memory of the host" : "memory of the device");
        }
    }
    for (const NamedTensor& output : call.outputs) {
        if (output.onHost) {
            return failArgument(ACL_ERROR_API_NOT_SUPPORT, "outputDesc", "memory of the host", "memory of the device");
        }
        ACLQ_RETURN_IF_FAILED(checkMemory("outputs", output));
    }
    return ACL_SUCCESS;
}

}  // namespace

aclError checkName(const char* opType) {
    if (opType != nullptr && operators().contains(opType)) {
        return ACL_SUCCESS;
    }
    return failArgument(
        ACL_ERROR_API_NOT_SUPPORT, "opType", opType != nullptr ? text("'%s'", opType) : "null",
        "a name that the host device has: it runs operators through their aclnn functions, and has none for this call");
}

aclError runByName(const char* opType, NamedCall& call) {
    const Operator& found = operators().at(opType);
    if (found.findsShape && !call.tellsShapes) {
        return failArgument(ACL_ERROR_API_NOT_SUPPORT, "opType", text("'%s'", opType),
                            "it with aclopCompileAndExecuteV2, which tells the shape of the result");
    }
    ACLQ_RETURN_IF_FAILED(check(opType, found, call));
    return found.run(call);
}

}  // namespace aclq
