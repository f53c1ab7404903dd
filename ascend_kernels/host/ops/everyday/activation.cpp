// SPDX-License-Identifier: Apache-2.0
// Activation functions and their gradients.
#include <cmath>
#include <cstring>
#include <numbers>
#include <optional>

#include "aclnnop/aclnn_celu.h"
#include "aclnnop/aclnn_elu.h"
#include "aclnnop/aclnn_elu_backward.h"
#include "aclnnop/aclnn_fast_gelu.h"
#include "aclnnop/aclnn_fast_gelu_backward.h"
#include "aclnnop/aclnn_geglu.h"
#include "aclnnop/aclnn_gelu.h"
#include "aclnnop/aclnn_gelu_backward.h"
#include "aclnnop/aclnn_gelu_backward_v2.h"
#include "aclnnop/aclnn_gelu_v2.h"
#include "aclnnop/aclnn_glu.h"
#include "aclnnop/aclnn_glu_backward.h"
#include "aclnnop/aclnn_hardshrink.h"
#include "aclnnop/aclnn_hardshrink_backward.h"
#include "aclnnop/aclnn_hardsigmoid.h"
#include "aclnnop/aclnn_hardsigmoid_backward.h"
#include "aclnnop/aclnn_hardswish.h"
#include "aclnnop/aclnn_hardswish_backward.h"
#include "aclnnop/aclnn_hardtanh.h"
#include "aclnnop/aclnn_hardtanh_backward.h"
#include "aclnnop/aclnn_leaky_relu.h"
#include "aclnnop/aclnn_leaky_relu_backward.h"
#include "aclnnop/aclnn_logsigmoid.h"
#include "aclnnop/aclnn_logsigmoid_backward.h"
#include "aclnnop/aclnn_mish.h"
#include "aclnnop/aclnn_mish_backward.h"
#include "aclnnop/aclnn_nan_to_num.h"
#include "aclnnop/aclnn_prelu.h"
#include "aclnnop/aclnn_prelu_backward.h"
#include "aclnnop/aclnn_selu.h"
#include "aclnnop/aclnn_selu_backward.h"
#include "aclnnop/aclnn_sigmoid_backward.h"
#include "aclnnop/aclnn_silu_backward.h"
#include "aclnnop/aclnn_softplus.h"
#include "aclnnop/aclnn_softplus_backward.h"
#include "aclnnop/aclnn_softshrink.h"
#include "aclnnop/aclnn_softshrink_backward.h"
#include "aclnnop/aclnn_swi_glu.h"
#include "aclnnop/aclnn_tanh_backward.h"
#include "aclnnop/aclnn_threshold.h"
#include "aclnnop/aclnn_threshold_backward.h"
#include "ops/everyday/along.h"
#include "ops/everyday/pick.h"
#include "ops/everyday/row_math.h"
#include "ops/everyday/together.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

struct Names {
    const char* self;
    const char* out;
};
constexpr Names kPlain{"self", "out"};
constexpr Names kInPlace{"selfRef", "selfRef"};

template <In domain = In::Floats, class Function>
aclnnStatus one(const Call& call, Names names, const aclTensor* self, const aclTensor* out, Function function) {
    return call.prepare([&] { return together<domain>(call, {{names.self, self}, {names.out, out}}, function); });
}

// Functions that take numbers as well: make(numbers...) returns the function of one element.
struct Number {
    const char* name;
    const aclScalar* scalar;
};

template <class Make, std::size_t... index>
auto apply(Make& make, const double* values, std::index_sequence<index...>) {
    return make(values[index]...);
}

constexpr auto kAnyNumbers = [](const double*) -> aclnnStatus { return ACLNN_SUCCESS; };

template <std::size_t tensorCount, std::size_t count, class Make, class Check = decltype(kAnyNumbers)>
aclnnStatus withNumbers(const Call& call, const Argument (&tensors)[tensorCount], const Number (&numbers)[count],
                        Make make, Check check = kAnyNumbers) {
    return call.prepare([&]() -> aclnnStatus {
        double values[count] = {};
        for (std::size_t index = 0; index < count; ++index) {
            ACLQ_RETURN_IF_FAILED(checkScalar(numbers[index].name, numbers[index].scalar));
            values[index] = real(*numbers[index].scalar);
        }
        ACLQ_RETURN_IF_FAILED(check(values));
        return together(call, tensors, apply(make, values, std::make_index_sequence<count>()));
    });
}

double hardSigmoid(double x) {
    return x <= -3 ? 0 : (x >= 3 ? 1 : x / 6 + 0.5);
}

// Both forms of GELU, exact and by tanh, and their gradients.
constexpr Analytic kGeluExact{[](auto math, double x) { return 0.5 * x * math.erfc(-x * std::numbers::sqrt2 / 2); }};
constexpr Analytic kGeluExactSlope{[](auto math, double slope, double x) {
    const double density = math.exp(-x * x / 2) * std::numbers::inv_sqrtpi * std::numbers::sqrt2 / 2;
    return slope * (0.5 * math.erfc(-x * std::numbers::sqrt2 / 2) + x * density);
}};

constexpr double kTanhScale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
constexpr double kTanhCube = 0.044715;
constexpr Analytic kGeluTanh{[](auto math, double x) {
    // x / 2 * (1 + tanh(...)), without cancellation in small results.
    return x / (1 + math.exp(-2 * kTanhScale * (x + kTanhCube * x * x * x)));
}};
constexpr Analytic kGeluTanhSlope{[](auto math, double slope, double x) {
    const double tangent = math.tanh(kTanhScale * (x + kTanhCube * x * x * x));
    const double steepness = kTanhScale * (1 + 3 * kTanhCube * x * x);
    return slope * (0.5 * (1 + tangent) + 0.5 * x * (1 - tangent * tangent) * steepness);
}};

// log(1 + exp(x)), without overflow.
template <class Math>
double softplusBy(Math math, double x) {
    return (x > 0 ? x : 0) + math.log1p(math.exp(-std::fabs(x)));
}
// tanh(softplus(x)), as a quotient of polynomials in exp(x).
template <class Math>
double tanhOfSoftplus(Math math, double x) {
    const double power = math.exp(-std::fabs(x));
    const double part = x > 0 ? 1 + 2 * power : power * (power + 2);
    return part / (part + (x > 0 ? 2 * power * power : 2));
}
constexpr Analytic kMish{[](auto math, double x) { return x * tanhOfSoftplus(math, x); }};
constexpr Analytic kMishSlope{[](auto math, double slope, double x) {
    const double tangent = tanhOfSoftplus(math, x);
    return slope * (tangent + x * (1 - tangent * tangent) / (1 + math.exp(-x)));
}};
constexpr Analytic kSwish{[](auto math, double x) { return x / (1 + math.exp(-x)); }};
constexpr Analytic kLogSigmoid{[](auto math, double x) { return -softplusBy(math, -x); }};
constexpr auto kHardswish = [](double x) { return x * hardSigmoid(x); };
constexpr auto kHardsigmoid = [](double x) { return hardSigmoid(x); };
constexpr auto kLeaky = [](double slope) { return [=](double x) { return x > 0 ? x : x * slope; }; };
constexpr auto kElu = [](double alpha, double scale, double inputScale) {
    return Analytic{[=](auto math, double x) {
        const double below = math.expm1(x * inputScale) * alpha * scale;
        return x > 0 ? x * scale : below;
    }};
};
constexpr auto kHardtanh = [](double low, double high) {
    return [=](double x) { return x < low ? low : (x > high ? high : x); };
};
constexpr auto kOrdered = [](const double* limits) -> aclnnStatus {
    return limits[0] > limits[1]
               ? refuse("clipValueMin", std::to_string(limits[0]), "at most clipValueMax, " + std::to_string(limits[1]))
               : ACLNN_SUCCESS;
};
constexpr auto kThreshold = [](double threshold, double value) {
    return [=](double x) { return x <= threshold ? value : x; };
};

constexpr auto kSoftshrink = [](double size) {
    return [=](double x) { return x > size ? x - size : (x < -size ? x + size : (x != x ? x : 0)); };
};
constexpr auto kHardshrink = [](double size) { return [=](double x) { return x >= -size && x <= size ? 0 : x; }; };
constexpr auto kShrinkSlope = [](double size) {
    return [=](double slope, double x) { return x >= -size && x <= size ? 0 : slope; };
};
constexpr auto kNotNegative = [](const double* numbers) -> aclnnStatus {
    return numbers[0] >= 0 ? ACLNN_SUCCESS : refuse("lambd", std::to_string(numbers[0]), "0 or more");
};
constexpr auto kCelu = [](double alpha) {
    return Analytic{[=](auto math, double x) {
        const double below = alpha * math.expm1(x / alpha);
        return x > 0 ? x : below;
    }};
};
constexpr auto kNotZero = [](const double* numbers) -> aclnnStatus {
    return numbers[0] != 0 ? ACLNN_SUCCESS : refuse("alpha", "0", "another number");
};
// The numbers of "Self-Normalizing Neural Networks" (Klambauer and others, 2017).
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kSeluScale = 1.0507009873554804934193349852946;
constexpr Analytic kSelu{[](auto math, double x) {
    const double below = kSeluAlpha * math.expm1(x);
    return kSeluScale * (x > 0 ? x : below);
}};
// x times sigmoid(1.702 x), in a form that does not overflow.
constexpr double kFastGelu = 1.702;
constexpr auto kFastGeluOf = [](double x) { return x * sigmoid(kFastGelu * x); };

// Integers have neither NaN nor infinities.
auto finite(float nan, float positive, float negative) {
    return [=](auto x) {
        if constexpr (std::is_same_v<decltype(x), double>) {
            return x != x ? static_cast<double>(nan)
                          : (x == HUGE_VAL ? static_cast<double>(positive)
                                           : (x == -HUGE_VAL ? static_cast<double>(negative) : x));
        } else {
            return x;
        }
    };
}

}  // namespace

#define PLAIN(name, function)                                                                                \
    aclnnStatus name##GetWorkspaceSize(const aclTensor* self, ACLQ_PARAMETER(name##GetWorkspaceSize, 1) out, \
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {                  \
        return one(ACLQ_CALL(name), kPlain, self, out, function);                                            \
    }                                                                                                        \
    ACLQ_PHASE_2(name)
#define IN_PLACE(name, function)                                                                                   \
    aclnnStatus name##GetWorkspaceSize(ACLQ_PARAMETER(name##GetWorkspaceSize, 0) selfRef, uint64_t* workspaceSize, \
                                       aclOpExecutor** executor) {                                                 \
        return one(ACLQ_CALL(name), kInPlace, selfRef, selfRef, function);                                         \
    }                                                                                                              \
    ACLQ_PHASE_2(name)

// CANN computes GELU and its gradient by tanh; their V2 operators let the caller choose.
PLAIN(aclnnGelu, kGeluTanh)
PLAIN(aclnnMish, kMish)
IN_PLACE(aclnnInplaceMish, kMish)
PLAIN(aclnnHardswish, kHardswish)
IN_PLACE(aclnnInplaceHardswish, kHardswish)
PLAIN(aclnnHardsigmoid, kHardsigmoid)
IN_PLACE(aclnnInplaceHardsigmoid, kHardsigmoid)
PLAIN(aclnnLogSigmoid, kLogSigmoid)
PLAIN(aclnnSelu, kSelu)
IN_PLACE(aclnnInplaceSelu, kSelu)
PLAIN(aclnnFastGelu, kFastGeluOf)

// What the buffer holds is not documented; the gradient here does not need it.
aclnnStatus aclnnLogSigmoidForwardGetWorkspaceSize(const aclTensor* self, aclTensor* out, aclTensor* buffer,
                                                   uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLogSigmoidForward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkAllGiven({{"self", self}, {"out", out}, {"buffer", buffer}}));
        return together(call, {{"self", self}, {"out", out}}, kLogSigmoid);
    });
}
ACLQ_PHASE_2(aclnnLogSigmoidForward)
aclnnStatus aclnnLogSigmoidBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                    const aclTensor* buffer, aclTensor* gradInput,
                                                    uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLogSigmoidBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(
            checkAllGiven({{"gradOutput", gradOutput}, {"self", self}, {"buffer", buffer}, {"gradInput", gradInput}}));
        return together(call, {{"gradOutput", gradOutput}, {"self", self}, {"gradInput", gradInput}},
                        [](double slope, double x) { return slope * sigmoid(-x); });
    });
}
ACLQ_PHASE_2(aclnnLogSigmoidBackward)

#define SHRINK(name, make, check, backward)                                                                          \
    aclnnStatus aclnn##name##GetWorkspaceSize(const aclTensor* self, const aclScalar* lambd, aclTensor* out,         \
                                              uint64_t* workspaceSize, aclOpExecutor** executor) {                   \
        return withNumbers(ACLQ_CALL(aclnn##name), {{"self", self}, {"out", out}}, {{"lambd", lambd}}, make, check); \
    }                                                                                                                \
    ACLQ_PHASE_2(aclnn##name)                                                                                        \
    aclnnStatus aclnn##name##BackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,            \
                                                      const aclScalar* lambd, aclTensor* gradInput,                  \
                                                      uint64_t* workspaceSize, aclOpExecutor** executor) {           \
        return withNumbers(ACLQ_CALL(aclnn##name##Backward),                                                         \
                           {{"gradOutput", gradOutput}, {"self", self}, {"gradInput", gradInput}},                   \
                           {{backward, lambd}}, kShrinkSlope, check);                                                \
    }                                                                                                                \
    ACLQ_PHASE_2(aclnn##name##Backward)
SHRINK(Softshrink, kSoftshrink, kNotNegative, "lambda")
SHRINK(Hardshrink, kHardshrink, kAnyNumbers, "lambd")

aclnnStatus aclnnCeluGetWorkspaceSize(const aclTensor* self, const aclScalar* alpha, aclTensor* out,
                                      uint64_t* workspaceSize, aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnCelu), {{"self", self}, {"out", out}}, {{"alpha", alpha}}, kCelu, kNotZero);
}
ACLQ_PHASE_2(aclnnCelu)
aclnnStatus aclnnInplaceCeluGetWorkspaceSize(aclTensor* selfRef, const aclScalar* alpha, uint64_t* workspaceSize,
                                             aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnInplaceCelu), {{"selfRef", selfRef}, {"selfRef", selfRef}}, {{"alpha", alpha}},
                       kCelu, kNotZero);
}
ACLQ_PHASE_2(aclnnInplaceCelu)

namespace {

// weight as it repeats to the shape of self: one number, or one for each element of dimension 1.
aclnnStatus spreadWeight(const aclTensor& self, const aclTensor& weight, aclTensor& seen) {
    const std::int64_t rank = self.shape.rank();
    const std::int64_t channels = rank > 1 ? self.shape[1] : 1;
    if (weight.elements() != 1 && weight.elements() != channels) {
        return refuse("weight", "shape " + weight.shape.text(),
                      text("one element, or %lld, one for each channel", static_cast<long long>(channels)));
    }
    seen = weight;
    if (weight.elements() == 1) {
        seen.shape = Dims();
        seen.strides = Dims();
        return ACLNN_SUCCESS;
    }
    ACLQ_RETURN_IF_FAILED(checkRank("weight", weight, 1, 1));
    std::int64_t sizes[Dims::kMaxRank] = {channels};
    std::int64_t steps[Dims::kMaxRank] = {weight.strides[0]};
    for (std::int64_t dimension = 2; dimension < rank; ++dimension) {
        sizes[dimension - 1] = 1;
        steps[dimension - 1] = 1;
    }
    seen.shape = Dims(sizes, static_cast<std::uint64_t>(rank - 1));
    seen.strides = Dims(steps, static_cast<std::uint64_t>(rank - 1));
    return ACLNN_SUCCESS;
}

// Tensors: gradOutput, self, weight (spread), gradInput, gradWeight.
class PreluSlopes : public Kernel {
  public:
    void run(const View* tensors, const KernelContext&) const override {
        const View& self = tensors[1];
        const std::int64_t channels = tensors[4].elements();
        std::vector<double> sums(static_cast<std::size_t>(channels));
        std::int64_t at[kMaxKernelRank] = {};
        for (std::int64_t index = 0; index < self.elements(); ++index) {
            countTo(self, index, at);
            double grad = 0;
            double x = 0;
            double slope = 0;
            read(tensors[0], offsetAt(tensors[0], at), 1, 1, &grad);
            read(self, offsetAt(self, at), 1, 1, &x);
            std::int64_t there = 0;
            for (std::int64_t dimension = 0; dimension < self.rank; ++dimension) {
                there += at[dimension] * strideAlong(tensors[2], self, dimension);
            }
            read(tensors[2], there, 1, 1, &slope);
            const double result = x > 0 ? grad : grad * slope;
            write(tensors[3], offsetAt(tensors[3], at), 1, 1, &result);
            sums[static_cast<std::size_t>(channels > 1 ? at[1] : 0)] += x > 0 ? 0 : grad * x;
        }
        for (std::int64_t channel = 0; channel < channels; ++channel) {
            put(tensors[4], channel, sums[static_cast<std::size_t>(channel)]);
        }
    }
};

// The halves of a tensor along a dimension.
aclnnStatus halve(const char* name, const aclTensor* tensor, std::int64_t& dim, aclTensor (&halves)[2]) {
    ACLQ_RETURN_IF_FAILED(checkRank(name, *tensor, 1, kMaxKernelRank));
    ACLQ_RETURN_IF_FAILED(checkDim("dim", tensor->shape.rank(), dim));
    if (tensor->shape[dim] % 2 != 0) {
        return refuse(name, "shape " + tensor->shape.text(), "an even size of dimension dim");
    }
    for (std::int64_t half = 0; half < 2; ++half) {
        halves[half] = *tensor;
        halves[half].shape[dim] /= 2;
        halves[half].offset += half * halves[half].shape[dim] * tensor->strides[dim];
    }
    return ACLNN_SUCCESS;
}

// Tensors: gradOut, the halves of self, the halves of out.
class GluSlopes : public Kernel {
  public:
    void run(const View* tensors, const KernelContext& context) const override {
        const auto first = elementwiseReal<2>(ACL_DOUBLE, [](double slope, double b) { return slope * sigmoid(b); });
        const auto second = elementwiseReal<3>(
            ACL_DOUBLE, [](double slope, double a, double b) { return slope * a * sigmoid(b) * sigmoid(-b); });
        const View one[] = {tensors[0], tensors[2], tensors[3]};
        const View other[] = {tensors[0], tensors[1], tensors[2], tensors[4]};
        first->run(one, context);
        second->run(other, context);
    }
};

}  // namespace

aclnnStatus aclnnPreluGetWorkspaceSize(const aclTensor* self, const aclTensor* weight, aclTensor* out,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnPrelu);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("weight", weight));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        aclTensor seen;
        ACLQ_RETURN_IF_FAILED(spreadWeight(*self, *weight, seen));
        return out->empty()
                   ? call.nothing()
                   : call.launch(
                         {{"self", self}, {"weight", weight, false, &seen}, {"out", out}},
                         elementwiseReal<2>(self->dtype, [](double x, double slope) { return x > 0 ? x : x * slope; }));
    });
}
ACLQ_PHASE_2(aclnnPrelu)
aclnnStatus aclnnPreluBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                               const aclTensor* weight, aclTensor* gradInput, aclTensor* gradWeight,
                                               uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnPreluBackward);
    return call.prepare([&]() -> aclnnStatus {
        for (const Argument& one : {Argument{"gradOutput", gradOutput},
                                    {"self", self},
                                    {"weight", weight},
                                    {"gradInput", gradInput},
                                    {"gradWeight", gradWeight}}) {
            ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
        }
        ACLQ_RETURN_IF_FAILED(checkShape("gradOutput", *gradOutput, self->shape, "the shape of self"));
        ACLQ_RETURN_IF_FAILED(checkShape("gradInput", *gradInput, self->shape, "the shape of self"));
        ACLQ_RETURN_IF_FAILED(checkShape("gradWeight", *gradWeight, weight->shape, "the shape of weight"));
        aclTensor seen;
        ACLQ_RETURN_IF_FAILED(spreadWeight(*self, *weight, seen));
        return call.launch({{"gradOutput", gradOutput},
                            {"self", self},
                            {"weight", weight, false, &seen},
                            {"gradInput", gradInput},
                            {"gradWeight", gradWeight}},
                           std::make_shared<PreluSlopes>());
    });
}
ACLQ_PHASE_2(aclnnPreluBackward)

aclnnStatus aclnnGluGetWorkspaceSize(const aclTensor* self, int64_t dim,
                                     ACLQ_PARAMETER(aclnnGluGetWorkspaceSize, 2) out, uint64_t* workspaceSize,
                                     aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGlu);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        aclTensor halves[2];
        ACLQ_RETURN_IF_FAILED(halve("self", self, dim, halves));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, halves[0].shape, "the shape of a half of self"));
        return out->empty()
                   ? call.nothing()
                   : call.launch({{"self", self, false, &halves[0]}, {"self", self, false, &halves[1]}, {"out", out}},
                                 elementwiseReal<2>(self->dtype, [](double a, double b) { return a * sigmoid(b); }));
    });
}
ACLQ_PHASE_2(aclnnGlu)
aclnnStatus aclnnGluBackwardGetWorkspaceSize(const aclTensor* gradOut, const aclTensor* self, int64_t dim,
                                             ACLQ_PARAMETER(aclnnGluBackwardGetWorkspaceSize, 3) out,
                                             uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGluBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("gradOut", gradOut));
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        aclTensor from[2];
        aclTensor to[2];
        ACLQ_RETURN_IF_FAILED(halve("self", self, dim, from));
        ACLQ_RETURN_IF_FAILED(halve("out", out, dim, to));
        ACLQ_RETURN_IF_FAILED(checkShape("gradOut", *gradOut, from[0].shape, "the shape of a half of self"));
        return out->empty() ? call.nothing()
                            : call.launch({{"gradOut", gradOut},
                                           {"self", self, false, &from[0]},
                                           {"self", self, false, &from[1]},
                                           {"out", out, false, &to[0]},
                                           {"out", out, false, &to[1]}},
                                          std::make_shared<GluSlopes>());
    });
}
ACLQ_PHASE_2(aclnnGluBackward)

aclnnStatus aclnnGeluV2GetWorkspaceSize(const aclTensor* x, int64_t approximate, aclTensor* y, uint64_t* workspaceSize,
                                        aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGeluV2);
    return call.prepare([&]() -> aclnnStatus {
        if (approximate != 0 && approximate != 1) {
            return refuse("approximate", std::to_string(approximate), "0 (exactly), 1 (through a hyperbolic tangent)");
        }
        return approximate == 0 ? together(call, {{"x", x}, {"y", y}}, kGeluExact)
                                : together(call, {{"x", x}, {"y", y}}, kGeluTanh);
    });
}
ACLQ_PHASE_2(aclnnGeluV2)

aclnnStatus aclnnLeakyReluGetWorkspaceSize(const aclTensor* self, const aclScalar* negativeSlope, aclTensor* out,
                                           uint64_t* workspaceSize, aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnLeakyRelu), {{"self", self}, {"out", out}}, {{"negativeSlope", negativeSlope}},
                       kLeaky);
}
ACLQ_PHASE_2(aclnnLeakyRelu)
aclnnStatus aclnnInplaceLeakyReluGetWorkspaceSize(aclTensor* selfRef, const aclScalar* negativeSlope,
                                                  uint64_t* workspaceSize, aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnInplaceLeakyRelu), {{"selfRef", selfRef}, {"selfRef", selfRef}},
                       {{"negativeSlope", negativeSlope}}, kLeaky);
}
ACLQ_PHASE_2(aclnnInplaceLeakyRelu)

aclnnStatus aclnnEluGetWorkspaceSize(const aclTensor* self, const aclScalar* alpha, const aclScalar* scale,
                                     const aclScalar* inputScale, aclTensor* out, uint64_t* workspaceSize,
                                     aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnElu), {{"self", self}, {"out", out}},
                       {{"alpha", alpha}, {"scale", scale}, {"inputScale", inputScale}}, kElu);
}
ACLQ_PHASE_2(aclnnElu)
aclnnStatus aclnnInplaceEluGetWorkspaceSize(aclTensor* selfRef, const aclScalar* alpha, const aclScalar* scale,
                                            const aclScalar* inputScale, uint64_t* workspaceSize,
                                            aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnInplaceElu), {{"selfRef", selfRef}, {"selfRef", selfRef}},
                       {{"alpha", alpha}, {"scale", scale}, {"inputScale", inputScale}}, kElu);
}
ACLQ_PHASE_2(aclnnInplaceElu)

aclnnStatus aclnnHardtanhGetWorkspaceSize(const aclTensor* self, const aclScalar* clipValueMin,
                                          const aclScalar* clipValueMax, aclTensor* out, uint64_t* workspaceSize,
                                          aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnHardtanh), {{"self", self}, {"out", out}},
                       {{"clipValueMin", clipValueMin}, {"clipValueMax", clipValueMax}}, kHardtanh, kOrdered);
}
ACLQ_PHASE_2(aclnnHardtanh)
aclnnStatus aclnnInplaceHardtanhGetWorkspaceSize(aclTensor* selfRef, const aclScalar* clipValueMin,
                                                 const aclScalar* clipValueMax, uint64_t* workspaceSize,
                                                 aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnInplaceHardtanh), {{"selfRef", selfRef}, {"selfRef", selfRef}},
                       {{"clipValueMin", clipValueMin}, {"clipValueMax", clipValueMax}}, kHardtanh, kOrdered);
}
ACLQ_PHASE_2(aclnnInplaceHardtanh)

aclnnStatus aclnnThresholdGetWorkspaceSize(const aclTensor* self, const aclScalar* threshold, const aclScalar* value,
                                           aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnThreshold), {{"self", self}, {"out", out}},
                       {{"threshold", threshold}, {"value", value}}, kThreshold);
}
ACLQ_PHASE_2(aclnnThreshold)
aclnnStatus aclnnInplaceThresholdGetWorkspaceSize(aclTensor* selfRef, const aclScalar* threshold,
                                                  const aclScalar* value, uint64_t* workspaceSize,
                                                  aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnInplaceThreshold), {{"selfRef", selfRef}, {"selfRef", selfRef}},
                       {{"threshold", threshold}, {"value", value}}, kThreshold);
}
ACLQ_PHASE_2(aclnnInplaceThreshold)

aclnnStatus aclnnSoftplusGetWorkspaceSize(const aclTensor* self, const aclScalar* beta, const aclScalar* threshold,
                                          aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnSoftplus), {{"self", self}, {"out", out}},
                       {{"beta", beta}, {"threshold", threshold}}, [](double steepness, double linear) {
                           return Analytic{[=](auto math, double x) {
                               const double curve = softplusBy(math, x * steepness) / steepness;
                               return x * steepness > linear ? x : curve;
                           }};
                       });
}
ACLQ_PHASE_2(aclnnSoftplus)

aclnnStatus aclnnNanToNumGetWorkspaceSize(const aclTensor* self, float nan, float posinf, float neginf, aclTensor* out,
                                          uint64_t* workspaceSize, aclOpExecutor** executor) {
    return one<In::Any>(ACLQ_CALL(aclnnNanToNum), kPlain, self, out, finite(nan, posinf, neginf));
}
ACLQ_PHASE_2(aclnnNanToNum)
aclnnStatus aclnnInplaceNanToNumGetWorkspaceSize(aclTensor* selfRef, float nan, float posinf, float neginf,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    return one<In::Any>(ACLQ_CALL(aclnnInplaceNanToNum), kInPlace, selfRef, selfRef, finite(nan, posinf, neginf));
}
ACLQ_PHASE_2(aclnnInplaceNanToNum)

// Gradients, from the gradient of the output and either the input or the output of the forward operator.
#define GRADIENT(name, from, function)                                                                               \
    aclnnStatus name##GetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* from,                           \
                                       ACLQ_PARAMETER(name##GetWorkspaceSize, 2) gradInput, uint64_t* workspaceSize, \
                                       aclOpExecutor** executor) {                                                   \
        const Call call = ACLQ_CALL(name);                                                                           \
        return call.prepare([&] {                                                                                    \
            return together(call, {{"gradOutput", gradOutput}, {#from, from}, {"gradInput", gradInput}}, function);  \
        });                                                                                                          \
    }                                                                                                                \
    ACLQ_PHASE_2(name)

GRADIENT(aclnnSigmoidBackward, output, (ComplexToo{[](auto slope, auto y) { return slope * y * (1.0 - y); }}))
GRADIENT(aclnnTanhBackward, output, (ComplexToo{[](auto slope, auto y) { return slope * (1.0 - y * y); }}))
GRADIENT(aclnnSiluBackward, self,
         ([](double slope, double x) { return slope * sigmoid(x) * (1 + x * (1 - sigmoid(x))); }))
GRADIENT(aclnnHardsigmoidBackward, self, ([](double slope, double x) { return x > -3 && x < 3 ? slope / 6 : 0; }))
GRADIENT(aclnnMishBackward, self, kMishSlope)
GRADIENT(aclnnSeluBackward, result,
         ([](double slope, double y) { return slope * (y > 0 ? kSeluScale : y + kSeluScale * kSeluAlpha); }))
GRADIENT(aclnnFastGeluBackward, self, ([](double slope, double x) {
             const double share = sigmoid(kFastGelu * x);
             return slope * share * (1 + kFastGelu * x * (1 - share));
         }))
GRADIENT(aclnnGeluBackward, self, kGeluTanhSlope)

aclnnStatus aclnnHardswishBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self, aclTensor* out,
                                                   uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnHardswishBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("gradOutput", gradOutput));
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkShape("gradOutput", *gradOutput, self->shape, "the shape of self"));
        return together(call, {{"gradOutput", gradOutput}, {"self", self}, {"out", out}},
                        [](double slope, double x) { return x < -3 ? 0 : (x > 3 ? slope : slope * (x / 3 + 0.5)); });
    });
}
ACLQ_PHASE_2(aclnnHardswishBackward)

aclnnStatus aclnnGeluBackwardV2GetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self, char* approximate,
                                                aclTensor* gradInput, uint64_t* workspaceSize,
                                                aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGeluBackwardV2);
    return call.prepare([&]() -> aclnnStatus {
        if (approximate == nullptr) {
            return failArgument(ACLNN_ERR_PARAM_NULLPTR, "approximate", "null", "'none', 'tanh'");
        }
        const bool none = std::strcmp(approximate, "none") == 0;
        if (!none && std::strcmp(approximate, "tanh") != 0) {
            return refuse("approximate", text("'%s'", approximate), "'none', 'tanh'");
        }
        return none ? together(call, {{"gradOutput", gradOutput}, {"self", self}, {"gradInput", gradInput}},
                               kGeluExactSlope)
                    : together(call, {{"gradOutput", gradOutput}, {"self", self}, {"gradInput", gradInput}},
                               kGeluTanhSlope);
    });
}
ACLQ_PHASE_2(aclnnGeluBackwardV2)

aclnnStatus aclnnThresholdBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                   const aclScalar* threshold, aclTensor* out, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    return withNumbers(ACLQ_CALL(aclnnThresholdBackward), {{"gradOutput", gradOutput}, {"self", self}, {"out", out}},
                       {{"threshold", threshold}},
                       [](double limit) { return [=](double slope, double x) { return x <= limit ? 0 : slope; }; });
}
ACLQ_PHASE_2(aclnnThresholdBackward)

aclnnStatus aclnnHardtanhBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                  const aclScalar* min, const aclScalar* max, aclTensor* out,
                                                  uint64_t* workspaceSize, aclOpExecutor** executor) {
    return withNumbers(
        ACLQ_CALL(aclnnHardtanhBackward), {{"gradOutput", gradOutput}, {"self", self}, {"out", out}},
        {{"min", min}, {"max", max}},
        [](double low, double high) {
            return [=](double slope, double x) { return x <= low || x >= high ? 0 : slope; };
        },
        [&](const double*) -> aclnnStatus {
            ACLQ_RETURN_IF_FAILED(checkTensor("gradOutput", gradOutput));
            ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
            return checkShape("self", *self, gradOutput->shape, "the shape of gradOutput");
        });
}
ACLQ_PHASE_2(aclnnHardtanhBackward)

aclnnStatus aclnnSoftplusBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                  const aclScalar* beta, const aclScalar* threshold,
                                                  aclTensor* gradInput, uint64_t* workspaceSize,
                                                  aclOpExecutor** executor) {
    return withNumbers(
        ACLQ_CALL(aclnnSoftplusBackward), {{"gradOutput", gradOutput}, {"self", self}, {"gradInput", gradInput}},
        {{"beta", beta}, {"threshold", threshold}}, [](double steepness, double linear) {
            return
                [=](double slope, double x) { return x * steepness > linear ? slope : slope * sigmoid(x * steepness); };
        });
}
ACLQ_PHASE_2(aclnnSoftplusBackward)

// With selfIsResult, self is the output of the forward operator, whose sign is that of its input.
aclnnStatus aclnnLeakyReluBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                   const aclScalar* negativeSlope, bool selfIsResult, aclTensor* out,
                                                   uint64_t* workspaceSize, aclOpExecutor** executor) {
    return withNumbers(
        ACLQ_CALL(aclnnLeakyReluBackward), {{"gradOutput", gradOutput}, {"self", self}, {"out", out}},
        {{"negativeSlope", negativeSlope}},
        [](double factor) { return [=](double slope, double x) { return x > 0 ? slope : slope * factor; }; },
        [selfIsResult](const double* numbers) -> aclnnStatus {
            return selfIsResult && numbers[0] < 0
                       ? refuse("negativeSlope", std::to_string(numbers[0]), "0 or more where self is a result")
                       : ACLNN_SUCCESS;
        });
}
ACLQ_PHASE_2(aclnnLeakyReluBackward)

aclnnStatus aclnnEluBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclScalar* alpha,
                                             const aclScalar* scale, const aclScalar* inputScale, bool isResult,
                                             const aclTensor* selfOrResult, aclTensor* gradInput,
                                             uint64_t* workspaceSize, aclOpExecutor** executor) {
    return withNumbers(
        ACLQ_CALL(aclnnEluBackward),
        {{"gradOutput", gradOutput}, {"selfOrResult", selfOrResult}, {"gradInput", gradInput}},
        {{"alpha", alpha}, {"scale", scale}, {"inputScale", inputScale}},
        [isResult](double steepness, double factor, double inner) {
            return Analytic{[=](auto math, double slope, double x) {
                const double below = isResult ? x + steepness * factor : steepness * factor * math.exp(x * inner);
                return x > 0 ? slope * factor : slope * inner * below;
            }};
        },
        [isResult](const double* numbers) -> aclnnStatus {
            return isResult && numbers[0] < 0 ? refuse("alpha", std::to_string(numbers[0]), "0 or more for a result")
                                              : ACLNN_SUCCESS;
        });
}
ACLQ_PHASE_2(aclnnEluBackward)

namespace {

// Functions of the two halves of a tensor along a dimension. Tensors: self, out, and a function of one half alone.
class Halves : public Kernel {
  public:
    Halves(std::int64_t dim, bool left, std::shared_ptr<const Kernel> both, std::shared_ptr<const Kernel> alone)
        : dim_(dim), left_(left), both_(std::move(both)), alone_(std::move(alone)) {}

    void run(const View* tensors, const KernelContext& context) const override {
        View first = tensors[0];
        first.shape[dim_] /= 2;
        View second = first;
        second.offset += first.shape[dim_] * first.strides[dim_];
        const View together[3] = {left_ ? first : second, left_ ? second : first, tensors[1]};
        both_->run(together, context);
        if (alone_ != nullptr) {
            const View one[2] = {together[0], tensors[2]};
            alone_->run(one, context);
        }
    }

  private:
    const std::int64_t dim_;
    const bool left_;  // whether the activated half is the first one
    const std::shared_ptr<const Kernel> both_;
    const std::shared_ptr<const Kernel> alone_;
};

// Phase 1 of a gate: out, and the activated half if it is a result as well.
template <class Activation>
aclnnStatus gate(const Call& call, const Argument& self, std::int64_t dim, bool left, const aclTensor* out,
                 const aclTensor* alone, const char* aloneName, Activation activate) {
    ACLQ_RETURN_IF_FAILED(checkTensor(self.name, self.tensor));
    ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
    if (aloneName != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkTensor(aloneName, alone));
    }
    Dims half = self->shape;
    ACLQ_RETURN_IF_FAILED(checkRank(self.name, *self, 1, kMaxKernelRank));
    ACLQ_RETURN_IF_FAILED(checkDim("dim", half.rank(), dim));
    if (half[dim] % 2 != 0) {
        return refuse(self.name, "shape " + half.text(),
                      text("an even number of places along dimension %lld", static_cast<long long>(dim)));
    }
    half[dim] /= 2;
    ACLQ_RETURN_IF_FAILED(checkShape("out", *out, half, "half of self"));
    if (aloneName != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkShape(aloneName, *alone, half, "half of self"));
    }
    if (out->empty()) {
        return call.nothing();
    }
    const auto both = elementwiseReal<2>(
        self->dtype, Analytic{[=](auto math, double x, double factor) { return activate.body(math, x) * factor; }});
    const auto one = aloneName != nullptr ? elementwiseReal<1>(self->dtype, activate) : nullptr;
    return call.launch({self, {"out", out}, {aloneName, alone}}, std::make_shared<Halves>(dim, left, both, one));
}

aclnnStatus geGlu(const Call& call, const aclTensor* self, std::int64_t dim, std::int64_t approximate, bool left,
                  const aclTensor* out, const aclTensor* outGelu) {
    return call.prepare([&]() -> aclnnStatus {
        if (approximate != 0 && approximate != 1) {
            return refuse("approximate", std::to_string(approximate), "0 (exactly), 1 (through a hyperbolic tangent)");
        }
        return approximate == 0 ? gate(call, {"self", self}, dim, left, out, outGelu, "outGelu", kGeluExact)
                                : gate(call, {"self", self}, dim, left, out, outGelu, "outGelu", kGeluTanh);
    });
}

}  // namespace

aclnnStatus aclnnGeGluGetWorkspaceSize(const aclTensor* self, int64_t dim, int64_t approximate, aclTensor* out,
                                       aclTensor* outGelu, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return geGlu(ACLQ_CALL(aclnnGeGlu), self, dim, approximate, false, out, outGelu);
}
ACLQ_PHASE_2(aclnnGeGlu)
aclnnStatus aclnnGeGluV3GetWorkspaceSize(const aclTensor* self, int64_t dim, int64_t approximate, bool activateLeft,
                                         aclTensor* out, aclTensor* outGelu, uint64_t* workspaceSize,
                                         aclOpExecutor** executor) {
    return geGlu(ACLQ_CALL(aclnnGeGluV3), self, dim, approximate, activateLeft, out, outGelu);
}
ACLQ_PHASE_2(aclnnGeGluV3)

aclnnStatus aclnnSwiGluGetWorkspaceSize(const aclTensor* x, int64_t dim, const aclTensor* out, uint64_t* workspaceSize,
                                        aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnSwiGlu);
    return call.prepare([&] { return gate(call, {"x", x}, dim, true, out, nullptr, nullptr, kSwish); });
}
ACLQ_PHASE_2(aclnnSwiGlu)
