// SPDX-License-Identifier: Apache-2.0
// Operators with one input: out = f(self), and the same in place.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numbers>

#include "aclnnop/aclnn_abs.h"
#include "aclnnop/aclnn_acos.h"
#include "aclnnop/aclnn_acosh.h"
#include "aclnnop/aclnn_asin.h"
#include "aclnnop/aclnn_asinh.h"
#include "aclnnop/aclnn_atan.h"
#include "aclnnop/aclnn_atanh.h"
#include "aclnnop/aclnn_bitwise_not.h"
#include "aclnnop/aclnn_ceil.h"
#include "aclnnop/aclnn_cos.h"
#include "aclnnop/aclnn_cosh.h"
#include "aclnnop/aclnn_erf.h"
#include "aclnnop/aclnn_erfc.h"
#include "aclnnop/aclnn_erfinv.h"
#include "aclnnop/aclnn_exp.h"
#include "aclnnop/aclnn_exp2.h"
#include "aclnnop/aclnn_expm1.h"
#include "aclnnop/aclnn_floor.h"
#include "aclnnop/aclnn_frac.h"
#include "aclnnop/aclnn_is_inf.h"
#include "aclnnop/aclnn_isfinite.h"
#include "aclnnop/aclnn_isneginf.h"
#include "aclnnop/aclnn_isposinf.h"
#include "aclnnop/aclnn_log.h"
#include "aclnnop/aclnn_log10.h"
#include "aclnnop/aclnn_log1p.h"
#include "aclnnop/aclnn_log2.h"
#include "aclnnop/aclnn_logical_not.h"
#include "aclnnop/aclnn_neg.h"
#include "aclnnop/aclnn_real.h"
#include "aclnnop/aclnn_reciprocal.h"
#include "aclnnop/aclnn_relu.h"
#include "aclnnop/aclnn_round.h"
#include "aclnnop/aclnn_rsqrt.h"
#include "aclnnop/aclnn_sigmoid.h"
#include "aclnnop/aclnn_sign.h"
#include "aclnnop/aclnn_signbit.h"
#include "aclnnop/aclnn_silu.h"
#include "aclnnop/aclnn_sin.h"
#include "aclnnop/aclnn_sinc.h"
#include "aclnnop/aclnn_sinh.h"
#include "aclnnop/aclnn_sqrt.h"
#include "aclnnop/aclnn_tan.h"
#include "aclnnop/aclnn_tanh.h"
#include "aclnnop/aclnn_trunc.h"
#include "ops/everyday/functions.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

using Integer = std::int64_t;

// The kind of a result: self's type, a float (or complex), or BOOL, which may be cast to every type.
enum class Gives { Same, Floats, Truth };

template <class Make>
aclnnStatus unary(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out, Gives gives,
                  Make&& make) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor(names[0], self));
        ACLQ_RETURN_IF_FAILED(checkTensor(names[1], out));
        ACLQ_RETURN_IF_FAILED(checkShape(names[1], *out, self->shape, "the shape of self"));
        const bool integer = isNumber(self->dtype) && !isFloating(self->dtype);
        if (gives != Gives::Truth &&
            !canCast(gives == Gives::Floats && integer ? ACL_FLOAT : self->dtype, out->dtype)) {
            return refuseCast(names[1], out->dtype, self->dtype);
        }
        return self->empty() ? call.nothing() : call.launch({{names[0], self}, {names[1], out}}, make());
    });
}

const char* kNames[2] = {"self", "out"};
const char* kInPlace[2] = {"selfRef", "selfRef"};

// Operators that are also defined for integers.
template <class Function>
aclnnStatus any(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out,
                Function function) {
    return unary(call, names, self, out, Gives::Same, [&] { return elementwise<1>(self->dtype, function); });
}

// Operators that convert integers to floats first.
template <class Function>
aclnnStatus real(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out,
                 Function function) {
    return unary(call, names, self, out, Gives::Floats, [&] { return elementwiseReal<1>(self->dtype, function); });
}

// The same, and also defined for complex numbers.
template <class Function>
aclnnStatus complex(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out,
                    Function function) {
    return real(call, names, self, out, ComplexToo<Function>{function});
}

// Operators that return BOOL.
template <class Function>
aclnnStatus truth(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out,
                  Function function) {
    return unary(call, names, self, out, Gives::Truth, [&] { return elementwise<1>(self->dtype, function); });
}

// A rounding changes no integer.
template <class Round>
constexpr auto rounding(Round round) {
    return [round](auto value) {
        if constexpr (std::is_same_v<decltype(value), double>) {
            return round(value);
        } else {
            return value;
        }
    };
}

}  // namespace

#define UNARY(name, kind, ...)                                                                               \
    aclnnStatus name##GetWorkspaceSize(const aclTensor* self, ACLQ_PARAMETER(name##GetWorkspaceSize, 1) out, \
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {                  \
        return kind(ACLQ_CALL(name), kNames, self, out, __VA_ARGS__);                                        \
    }                                                                                                        \
    ACLQ_PHASE_2(name)

#define IN_PLACE(name, kind, ...)                                                                                  \
    aclnnStatus name##GetWorkspaceSize(ACLQ_PARAMETER(name##GetWorkspaceSize, 0) selfRef, uint64_t* workspaceSize, \
                                       aclOpExecutor** executor) {                                                 \
        return kind(ACLQ_CALL(name), kInPlace, selfRef, selfRef, __VA_ARGS__);                                     \
    }                                                                                                              \
    ACLQ_PHASE_2(name)

#define BOTH(name, kind, ...)                                                  \
    static constexpr auto k##name##Function = __VA_ARGS__; /* compiled once */ \
    UNARY(aclnn##name, kind, k##name##Function)                                \
    IN_PLACE(aclnnInplace##name, kind, k##name##Function)

namespace {

// Magnitudes of complex numbers are real.
aclnnStatus magnitude(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out, int) {
    const bool known = self != nullptr && pools().tensors.find(self) != nullptr;
    if (known && out != nullptr && pools().tensors.find(out) != nullptr) {
        const aclDataType expected = self->dtype == ACL_COMPLEX64 ? ACL_FLOAT : self->dtype;
        if (out->dtype != expected) {
            return call.prepare([&] { return refuse(names[1], "dtype " + nameOf(out->dtype), nameOf(expected)); });
        }
    }
    return unary(call, names, self, out, known && isComplex(self->dtype) ? Gives::Truth : Gives::Same,
                 [&]() -> std::shared_ptr<const Kernel> {
                     if (isComplex(self->dtype)) {
                         return elementwise<1>(self->dtype, ComplexToo{[](auto x) { return std::abs(x); }});
                     }
                     return elementwise<1>(self->dtype, [](auto x) {
                         if constexpr (std::is_same_v<decltype(x), double>) {
                             return std::fabs(x);
                         } else {
                             return x < 0 ? subtract(decltype(x){}, x) : x;
                         }
                     });
                 });
}

}  // namespace

namespace {

constexpr InSingle kRsqrt{[](auto x) { return 1.0 / std::sqrt(x); }, [](float x) { return 1 / std::sqrt(x); }};
constexpr Analytic kAsinh{[](auto math, auto x) { return math.asinh(x); }};
constexpr Analytic kAcosh{[](auto math, auto x) { return math.acosh(x); }};
constexpr Analytic kAtanh{[](auto math, auto x) { return math.atanh(x); }};
constexpr auto kSinc = ofAngles([](auto math, double x) {
    const double angle = std::numbers::pi * x;
    return x == 0 ? 1.0 : math.sin(angle) / angle;
});
constexpr InSingle kSilu{[](auto x) { return x / (1.0 + exponential(-x)); },
                         [](float x) { return x / (1 + exponential(-x)); }};
aclnnStatus realPart(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out, int) {
    return unary(call, names, self, out, Gives::Truth,
                 [&] { return elementwise<1>(self->dtype, ComplexToo{[](auto x) { return std::real(x); }}); });
}

// The x whose error function is y: a rational guess (Winitzki), made exact by steps of Halley's method.
double inverseErf(double y) {
    const double rest = 1 - std::fabs(y);
    if (!(rest > 0)) {
        return rest == 0 ? std::copysign(HUGE_VAL, y) : std::numeric_limits<double>::quiet_NaN();
    }
    constexpr double kShape = 0.147;
    const double logarithm = std::log(rest * (1 + std::fabs(y)));
    const double middle = 2 / (std::numbers::pi * kShape) + logarithm / 2;
    double x = std::sqrt(std::max(0.0, std::sqrt(middle * middle - logarithm / kShape) - middle));
    for (int step = 0; step < 4; ++step) {
        // Near 1 the complement has the digits that the error function itself has lost.
        const double error = rest < 0.5 ? rest - std::erfc(x) : std::erf(x) - std::fabs(y);
        const double newton = error / (std::numbers::inv_sqrtpi * 2 * std::exp(-x * x));
        x -= newton / (1 + x * newton);
    }
    return std::copysign(x, y);
}

}  // namespace

UNARY(aclnnAbs, magnitude, 0)
BOTH(Neg, any, (ComplexToo{[](auto x) { return multiply(x, decltype(x){-1}); }}))
UNARY(aclnnSign, any, kSign)
BOTH(Trunc, any, rounding([](double x) { return std::trunc(x); }))
BOTH(Round, any, rounding([](double x) { return std::nearbyint(x); }))
BOTH(Frac, any, [](auto x) { return subtract(x, rounding([](double value) { return std::trunc(value); })(x)); })
BOTH(Ceil, any, rounding([](double x) { return std::ceil(x); }))
BOTH(Floor, any, rounding([](double x) { return std::floor(x); }))
BOTH(Relu, any, [](auto x) { return x < 0 ? decltype(x){} : x; })

BOTH(Sqrt, complex, [](auto x) { return std::sqrt(x); })
BOTH(Rsqrt, complex, kRsqrt)
BOTH(Reciprocal, complex, [](auto x) { return 1.0 / x; })
BOTH(Exp, complex, kExp)
BOTH(Log, complex, kLog)
BOTH(Exp2, real, kExp2)
BOTH(Log2, real, kLog2)
BOTH(Log10, complex, kLog10)
BOTH(Tan, complex, kTan)
BOTH(Asin, complex, kAsin)
BOTH(Acos, complex, kAcos)
BOTH(Atan, complex, kAtan)
BOTH(Sinh, complex, kSinh)
BOTH(Cosh, complex, kCosh)
BOTH(Asinh, complex, kAsinh)
BOTH(Acosh, complex, kAcosh)
BOTH(Atanh, complex, kAtanh)
BOTH(Erfc, real, kErfc)
BOTH(Sin, complex, kSin)
BOTH(Sinc, real, kSinc)
BOTH(Cos, complex, kCos)
BOTH(Tanh, complex, kTanh)
BOTH(Sigmoid, complex, kSigmoid)
BOTH(Expm1, real, kExpm1)
BOTH(Log1p, real, kLog1p)
BOTH(Erf, real, kErf)
UNARY(aclnnSilu, complex, kSilu)

UNARY(aclnnReal, realPart, 0)
BOTH(Erfinv, real, inverseErf)

namespace {

// To a number of decimals, negative ones before the point; ties go to even.
aclnnStatus roundDecimals(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out,
                          std::int64_t decimals) {
    const double scale = std::pow(10.0, std::fabs(static_cast<double>(decimals)));
    return any(call, names, self, out, [=](auto x) {
        const auto value = static_cast<double>(x);
        const double result =
            decimals < 0 ? std::nearbyint(value / scale) * scale : std::nearbyint(value * scale) / scale;
        if constexpr (std::is_same_v<decltype(x), double>) {
            return std::isfinite(result) ? result : x;
        } else {
            return decimals < 0 ? static_cast<Integer>(result) : x;
        }
    });
}

}  // namespace

aclnnStatus aclnnRoundDecimalsGetWorkspaceSize(const aclTensor* self, int64_t decimals, aclTensor* out,
                                               uint64_t* workspaceSize, aclOpExecutor** executor) {
    return roundDecimals(ACLQ_CALL(aclnnRoundDecimals), kNames, self, out, decimals);
}
ACLQ_PHASE_2(aclnnRoundDecimals)
aclnnStatus aclnnInplaceRoundDecimalsGetWorkspaceSize(aclTensor* selfRef, int64_t decimals, uint64_t* workspaceSize,
                                                      aclOpExecutor** executor) {
    return roundDecimals(ACLQ_CALL(aclnnInplaceRoundDecimals), kInPlace, selfRef, selfRef, decimals);
}
ACLQ_PHASE_2(aclnnInplaceRoundDecimals)

aclnnStatus aclnnIsInfGetWorkspaceSize(const aclTensor* x, ACLQ_PARAMETER(aclnnIsInfGetWorkspaceSize, 1) out,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    const char* names[2] = {"x", "out"};
    return truth(ACLQ_CALL(aclnnIsInf), names, x, out,
                 [](auto value) { return std::isinf(static_cast<double>(value)); });
}
ACLQ_PHASE_2(aclnnIsInf)

UNARY(aclnnIsFinite, truth, [](auto x) { return std::isfinite(static_cast<double>(x)); })
UNARY(aclnnIsPosInf, truth, [](auto x) { return static_cast<double>(x) == HUGE_VAL; })
UNARY(aclnnIsNegInf, truth, [](auto x) { return static_cast<double>(x) == -HUGE_VAL; })
UNARY(aclnnSignbit, truth, [](auto x) { return std::signbit(static_cast<double>(x)); })
BOTH(LogicalNot, truth, (ComplexToo{[](auto x) { return x == decltype(x){}; }}))

namespace {

aclnnStatus bitwiseNot(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out) {
    return unary(call, names, self, out, Gives::Same, [&]() -> std::shared_ptr<const Kernel> {
        if (self->dtype == ACL_BOOL) {
            return elementwise<1>(ACL_BOOL, [](auto x) { return x == 0; });
        }
        return std::make_shared<Elementwise<1, Integer, Integer (*)(Integer)>>(self->dtype,
                                                                               [](Integer x) { return ~x; });
    });
}

aclnnStatus integers(const Call& call, const char* names[2], const aclTensor* self, const aclTensor* out, int) {
    if (self != nullptr && pools().tensors.find(self) != nullptr && isFloating(self->dtype)) {
        return call.prepare(
            [&] { return refuse(names[0], "dtype " + nameOf(self->dtype), "an integer type or BOOL"); });
    }
    return bitwiseNot(call, names, self, out);
}

}  // namespace

UNARY(aclnnBitwiseNot, integers, 0)
