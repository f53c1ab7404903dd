// SPDX-License-Identifier: Apache-2.0
// Operators with two inputs, the second a tensor or a number: arithmetic, comparisons, logic.
#include "ops/everyday/binary.h"
#include "ops/everyday/copy.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <numeric>

#include "aclnnop/aclnn_add.h"
#include "aclnnop/aclnn_add_relu.h"
#include "aclnnop/aclnn_atan2.h"
#include "aclnnop/aclnn_bitwise_and_scalar.h"
#include "aclnnop/aclnn_bitwise_and_tensor.h"
#include "aclnnop/aclnn_bitwise_or_scalar.h"
#include "aclnnop/aclnn_bitwise_or_tensor.h"
#include "aclnnop/aclnn_bitwise_xor_scalar.h"
#include "aclnnop/aclnn_bitwise_xor_tensor.h"
#include "aclnnop/aclnn_complex.h"
#include "aclnnop/aclnn_div.h"
#include "aclnnop/aclnn_eq_scalar.h"
#include "aclnnop/aclnn_eq_tensor.h"
#include "aclnnop/aclnn_floor_divide.h"
#include "aclnnop/aclnn_fmod_scalar.h"
#include "aclnnop/aclnn_fmod_tensor.h"
#include "aclnnop/aclnn_gcd.h"
#include "aclnnop/aclnn_ge_scalar.h"
#include "aclnnop/aclnn_ge_tensor.h"
#include "aclnnop/aclnn_gt_scalar.h"
#include "aclnnop/aclnn_gt_tensor.h"
#include "aclnnop/aclnn_heaviside.h"
#include "aclnnop/aclnn_isclose.h"
#include "aclnnop/aclnn_le_scalar.h"
#include "aclnnop/aclnn_le_tensor.h"
#include "aclnnop/aclnn_left_shift.h"
#include "aclnnop/aclnn_logaddexp.h"
#include "aclnnop/aclnn_logaddexp2.h"
#include "aclnnop/aclnn_logical_and.h"
#include "aclnnop/aclnn_logical_or.h"
#include "aclnnop/aclnn_logical_xor.h"
#include "aclnnop/aclnn_lt_scalar.h"
#include "aclnnop/aclnn_lt_tensor.h"
#include "aclnnop/aclnn_maximum.h"
#include "aclnnop/aclnn_minimum.h"
#include "aclnnop/aclnn_mul.h"
#include "aclnnop/aclnn_ne_scalar.h"
#include "aclnnop/aclnn_ne_tensor.h"
#include "aclnnop/aclnn_polar.h"
#include "aclnnop/aclnn_pow.h"
#include "aclnnop/aclnn_pow_tensor_tensor.h"
#include "aclnnop/aclnn_remainder.h"
#include "aclnnop/aclnn_right_shift.h"
#include "aclnnop/aclnn_rsub.h"
#include "aclnnop/aclnn_sub.h"
#include "aclnnop/aclnn_sum.h"
#include "aclnnop/aclnn_x_log_y_scalar_other.h"
#include "aclnnop/aclnn_x_log_y_scalar_self.h"
#include "aclnnop/aclnn_x_log_y_tensor.h"
#include "ops/everyday/functions.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

using Integer = std::int64_t;

// Integer division by zero gives 0, as integers have no infinity.
Integer divideTrunc(Integer a, Integer b) {
    return b == 0 ? 0 : (b == -1 ? subtract(Integer{0}, a) : a / b);
}
double divideTrunc(double a, double b) {
    return std::trunc(a / b);
}

Integer fmodulo(Integer a, Integer b) {
    return b == 0 || b == -1 ? 0 : a % b;
}
double fmodulo(double a, double b) {
    return std::fmod(a, b);
}

Integer divideFloor(Integer a, Integer b) {
    return divideTrunc(a, b) - (fmodulo(a, b) != 0 && (fmodulo(a, b) < 0) != (b < 0) ? 1 : 0);
}
double divideFloor(double a, double b) {
    if (b == 0) {
        return a / b;
    }
    // Computed from the remainder, which is exact: the rounded quotient may already be the next integer.
    const double left = std::fmod(a, b);
    const double quotient = std::nearbyint((a - left) / b);
    return left != 0 && (left < 0) != (b < 0) ? quotient - 1 : quotient;
}

template <class T>
T modulo(T a, T b) {
    const T left = fmodulo(a, b);
    return left != 0 && (left < 0) != (b < 0) ? left + b : left;
}

constexpr auto kDivideTrunc = [](auto a, auto b) { return divideTrunc(a, b); };
constexpr auto kDivideFloor = [](auto a, auto b) { return divideFloor(a, b); };
// The types for which remainders are defined.
aclnnStatus checkRemainder(aclDataType common) {
    constexpr aclDataType kTypes[] = {ACL_FLOAT, ACL_FLOAT16, ACL_BF16, ACL_DOUBLE, ACL_INT32, ACL_INT64};
    return std::find(std::begin(kTypes), std::end(kTypes), common) != std::end(kTypes)
               ? ACLNN_SUCCESS
               : refuse("other", "the common type " + nameOf(common), "FLOAT, FLOAT16, BF16, DOUBLE, INT32, INT64");
}
aclnnStatus checkPower(aclDataType common) {
    return common != ACL_BOOL ? ACLNN_SUCCESS : refuse("exponent", "BOOL, like self", "numbers");
}

constexpr auto kRemainder = checked<checkRemainder>([](auto a, auto b) { return modulo(a, b); });
constexpr auto kFmod = [](auto a, auto b) { return fmodulo(a, b); };
constexpr auto kPowerOfNumbers = checked<checkPower>(kPower);
constexpr ComplexToo kEqual{[](auto a, auto b) { return a == b; }};
constexpr ComplexToo kNotEqual{[](auto a, auto b) { return a != b; }};
constexpr auto kGreater = [](auto a, auto b) { return a > b; };
constexpr auto kGreaterEqual = [](auto a, auto b) { return a >= b; };
constexpr auto kLess = [](auto a, auto b) { return a < b; };
constexpr auto kLessEqual = [](auto a, auto b) { return a <= b; };
constexpr auto kAnd = [](Integer a, Integer b) { return a & b; };
constexpr auto kOr = [](Integer a, Integer b) { return a | b; };
constexpr auto kXor = [](Integer a, Integer b) { return a ^ b; };
// A shift by the width of the type or more leaves 0, or the sign.
constexpr auto kShiftLeft = [](Integer a, Integer b) {
    return b < 0 || b > 63 ? 0 : static_cast<Integer>(static_cast<std::uint64_t>(a) << b);
};
constexpr auto kShiftRight = [](Integer a, Integer b) { return a >> (b < 0 || b > 63 ? 63 : b); };
constexpr Analytic kAngle{[](auto math, double a, double b) { return math.atan2(a, b); }};
template <class T>
bool holds(T value) {
    return value != T{};
}
constexpr ComplexToo kLogicalAnd{[](auto a, auto b) { return holds(a) && holds(b); }};
constexpr ComplexToo kLogicalOr{[](auto a, auto b) { return holds(a) || holds(b); }};
constexpr ComplexToo kLogicalXor{[](auto a, auto b) { return holds(a) != holds(b); }};

// The logarithm of the sum of two powers of the same base, which does not overflow.
template <class Power, class Logarithm>
double addPowers(double a, double b, Power power, Logarithm logarithm) {
    const double larger = a > b ? a : b;
    const double sum = larger + logarithm(power((a > b ? b : a) - larger));
    const double known = std::isinf(larger) ? larger : sum;  // the difference of two infinities is NaN
    return isNan(a) || isNan(b) ? a + b : known;
}
constexpr Analytic kLogAddExp{[](auto math, double a, double b) {
    return addPowers(
        a, b, [=](double x) { return math.exp(x); }, [=](double x) { return math.log1p(x); });
}};
constexpr Analytic kLogAddExp2{[](auto math, double a, double b) {
    return addPowers(
        a, b, [=](double x) { return math.exp2(x); }, [=](double x) { return math.log1p(x) / std::numbers::ln2; });
}};
constexpr auto kDivisor = [](Integer a, Integer b) { return static_cast<Integer>(std::gcd(a, b)); };
// Zero times a logarithm is zero, whatever the logarithm.
constexpr Analytic kTimesLogarithm{[](auto math, double a, double b) {
    const double product = a * math.log(b);
    return isNan(b) ? b : (a == 0 ? 0 : product);
}};
constexpr auto kStep = [](double a, double b) { return isNan(a) ? a : (a < 0 ? 0 : (a > 0 ? 1 : b)); };

constexpr ComplexToo kAddRelu{[](auto a, auto b) {
    const auto sum = add(a, b);
    if constexpr (std::is_same_v<decltype(a), Complex>) {
        return sum;
    } else {
        return sum < 0 ? decltype(sum){} : sum;
    }
}};

// alpha multiplies numbers of the common type, to which it has to be cast.
aclnnStatus checkFactor(const Operand& self, const Operand& other, const aclScalar& alpha) {
    ACLQ_RETURN_IF_FAILED(checkTensor(self.name, self.tensor));
    ACLQ_RETURN_IF_FAILED(other.isScalar ? checkScalar(other.name, other.scalar)
                                         : checkTensor(other.name, other.tensor));
    const aclDataType common = promoted(self.tensor->dtype, other);
    return canCast(alpha.dtype, common == ACL_BOOL ? ACL_INT64 : common)
               ? ACLNN_SUCCESS
               : refuse("alpha", "dtype " + nameOf(alpha.dtype), "a type that may be cast to " + nameOf(common));
}

// self +- alpha * other.
template <class Combine>
aclnnStatus scaled(const Call& call, const Operand& self, const Operand& other, const aclScalar* alpha,
                   const Operand& out, Combine combine) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("alpha", alpha));
        const Constant factor = constant(*alpha, ACL_DOUBLE);
        ACLQ_RETURN_IF_FAILED(checkFactor(self, other, *alpha));
        if (complex(*alpha) == Complex(1)) {
            return binary<Numbers::Any>(call, self, other, out, combine);
        }
        return binary<Numbers::Any>(call, self, other, out, ComplexToo{[=](auto a, auto b) {
                                        return combine(a, multiply(b, factor.like(b)));
                                    }});
    });
}

aclnnStatus reversed(const Call& call, const Operand& self, const Operand& other, const aclScalar* alpha,
                     const Operand& out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("alpha", alpha));
        const Constant factor = constant(*alpha, ACL_DOUBLE);
        ACLQ_RETURN_IF_FAILED(checkFactor(self, other, *alpha));
        return binary<Numbers::Any>(call, self, other, out, ComplexToo{[=](auto a, auto b) {
                                        return subtract(b, multiply(a, factor.like(a)));
                                    }});
    });
}

// The complete phase 1: the checks run inside prepare.
template <Numbers numbers, class Function>
aclnnStatus plain(const Call& call, const Operand& self, const Operand& other, const Operand& out, Function function) {
    return call.prepare([&] { return binary<numbers>(call, self, other, out, function); });
}

}  // namespace

// Tensor with tensor, tensor with number, and both in place.
#define TENSOR(name, numbers, function)                                                                            \
    aclnnStatus name##GetWorkspaceSize(const aclTensor* self, const aclTensor* other,                              \
                                       ACLQ_PARAMETER(name##GetWorkspaceSize, 2) out, uint64_t* workspaceSize,     \
                                       aclOpExecutor** executor) {                                                 \
        return plain<Numbers::numbers>(ACLQ_CALL(name), {"self", self}, {"other", other}, {"out", out}, function); \
    }                                                                                                              \
    ACLQ_PHASE_2(name)
#define NUMBER(name, numbers, function)                                                                            \
    aclnnStatus name##GetWorkspaceSize(const aclTensor* self, const aclScalar* other,                              \
                                       ACLQ_PARAMETER(name##GetWorkspaceSize, 2) out, uint64_t* workspaceSize,     \
                                       aclOpExecutor** executor) {                                                 \
        return plain<Numbers::numbers>(ACLQ_CALL(name), {"self", self}, {"other", other}, {"out", out}, function); \
    }                                                                                                              \
    ACLQ_PHASE_2(name)
#define TENSOR_IN_PLACE(name, numbers, function)                                                                      \
    aclnnStatus name##GetWorkspaceSize(ACLQ_PARAMETER(name##GetWorkspaceSize, 0) selfRef,                             \
                                       ACLQ_PARAMETER(name##GetWorkspaceSize, 1) other, uint64_t* workspaceSize,      \
                                       aclOpExecutor** executor) {                                                    \
        return plain<Numbers::numbers>(ACLQ_CALL(name), {"selfRef", selfRef}, {"other", other}, {"selfRef", selfRef}, \
                                       function);                                                                     \
    }                                                                                                                 \
    ACLQ_PHASE_2(name)
#define NUMBER_IN_PLACE(name, numbers, function)                                                                      \
    aclnnStatus name##GetWorkspaceSize(ACLQ_PARAMETER(name##GetWorkspaceSize, 0) selfRef, const aclScalar* other,     \
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {                           \
        return plain<Numbers::numbers>(ACLQ_CALL(name), {"selfRef", selfRef}, {"other", other}, {"selfRef", selfRef}, \
                                       function);                                                                     \
    }                                                                                                                 \
    ACLQ_PHASE_2(name)
#define TENSOR_BOTH(kind, numbers, function) \
    TENSOR(aclnn##kind, numbers, function)   \
    TENSOR_IN_PLACE(aclnnInplace##kind, numbers, function)
#define NUMBER_BOTH(kind, numbers, function) \
    NUMBER(aclnn##kind, numbers, function)   \
    NUMBER_IN_PLACE(aclnnInplace##kind, numbers, function)
#define SCALED(kind, function)                                                                                        \
    aclnnStatus aclnn##kind##GetWorkspaceSize(const aclTensor* self, const aclTensor* other, const aclScalar* alpha,  \
                                              ACLQ_PARAMETER(aclnn##kind##GetWorkspaceSize, 3) out,                   \
                                              uint64_t* workspaceSize, aclOpExecutor** executor) {                    \
        return scaled(ACLQ_CALL(aclnn##kind), {"self", self}, {"other", other}, alpha, {"out", out}, function);       \
    }                                                                                                                 \
    ACLQ_PHASE_2(aclnn##kind)                                                                                         \
    aclnnStatus aclnn##kind##sGetWorkspaceSize(const aclTensor* self, const aclScalar* other, const aclScalar* alpha, \
                                               ACLQ_PARAMETER(aclnn##kind##sGetWorkspaceSize, 3) out,                 \
                                               uint64_t* workspaceSize, aclOpExecutor** executor) {                   \
        return scaled(ACLQ_CALL(aclnn##kind##s), {"self", self}, {"other", other}, alpha, {"out", out}, function);    \
    }                                                                                                                 \
    ACLQ_PHASE_2(aclnn##kind##s)                                                                                      \
    aclnnStatus aclnnInplace##kind##GetWorkspaceSize(ACLQ_PARAMETER(aclnnInplace##kind##GetWorkspaceSize, 0) selfRef, \
                                                     const aclTensor* other, const aclScalar* alpha,                  \
                                                     uint64_t* workspaceSize, aclOpExecutor** executor) {             \
        return scaled(ACLQ_CALL(aclnnInplace##kind), {"selfRef", selfRef}, {"other", other}, alpha,                   \
                      {"selfRef", selfRef}, function);                                                                \
    }                                                                                                                 \
    ACLQ_PHASE_2(aclnnInplace##kind)                                                                                  \
    aclnnStatus aclnnInplace##kind##sGetWorkspaceSize(                                                                \
        ACLQ_PARAMETER(aclnnInplace##kind##sGetWorkspaceSize, 0) selfRef, const aclScalar* other,                     \
        const aclScalar* alpha, uint64_t* workspaceSize, aclOpExecutor** executor) {                                  \
        return scaled(ACLQ_CALL(aclnnInplace##kind##s), {"selfRef", selfRef}, {"other", other}, alpha,                \
                      {"selfRef", selfRef}, function);                                                                \
    }                                                                                                                 \
    ACLQ_PHASE_2(aclnnInplace##kind##s)

SCALED(Add, kAdd)
SCALED(Sub, kSubtract)

// Reversed: other - alpha * self.
aclnnStatus aclnnRsubGetWorkspaceSize(const aclTensor* self, const aclTensor* other, const aclScalar* alpha,
                                      aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return reversed(ACLQ_CALL(aclnnRsub), {"self", self}, {"other", other}, alpha, {"out", out});
}
ACLQ_PHASE_2(aclnnRsub)
aclnnStatus aclnnRsubsGetWorkspaceSize(const aclTensor* self, const aclScalar* other, const aclScalar* alpha,
                                       aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return reversed(ACLQ_CALL(aclnnRsubs), {"self", self}, {"other", other}, alpha, {"out", out});
}
ACLQ_PHASE_2(aclnnRsubs)

TENSOR_BOTH(Mul, Any, kMultiply)
NUMBER_BOTH(Muls, Any, kMultiply)
// CANN computes the quotients of integers in FLOAT and casts them, and it compares the type of the result with that of
// the inputs, for a number with that of self alone. Floored quotients and angles are cast to every type.
TENSOR_BOTH(Div, Real, cast<CastFrom::Common>(kDivide))
NUMBER_BOTH(Divs, Real, cast<CastFrom::Self>(kDivide))
TENSOR_BOTH(FloorDivide, Any, cast<CastFrom::Nothing>(kDivideFloor))
NUMBER_BOTH(FloorDivides, Any, cast<CastFrom::Nothing>(kDivideFloor))
TENSOR_BOTH(RemainderTensorTensor, Any, kRemainder)
NUMBER_BOTH(RemainderTensorScalar, Any, kRemainder)
TENSOR_BOTH(FmodTensor, Any, kFmod)
NUMBER_BOTH(FmodScalar, Any, kFmod)
TENSOR(aclnnPowTensorTensor, Any, kPowerOfNumbers)
TENSOR(aclnnMaximum, Any, kMaximum)
TENSOR(aclnnMinimum, Any, kMinimum)
TENSOR_BOTH(EqTensor, Compared, kEqual)
NUMBER_BOTH(EqScalar, Compared, kEqual)
TENSOR_BOTH(NeTensor, Compared, kNotEqual)
NUMBER_BOTH(NeScalar, Compared, kNotEqual)
TENSOR_BOTH(GtTensor, Compared, kGreater)
NUMBER_BOTH(GtScalar, Compared, kGreater)
TENSOR_BOTH(GeTensor, Compared, kGreaterEqual)
NUMBER_BOTH(GeScalar, Compared, kGreaterEqual)
TENSOR_BOTH(LtTensor, Compared, kLess)
NUMBER_BOTH(LtScalar, Compared, kLess)
TENSOR_BOTH(LeTensor, Compared, kLessEqual)
NUMBER_BOTH(LeScalar, Compared, kLessEqual)
TENSOR_BOTH(BitwiseAndTensor, Integers, kAnd)
NUMBER_BOTH(BitwiseAndScalar, Integers, kAnd)
TENSOR_BOTH(BitwiseOrTensor, Integers, kOr)
NUMBER_BOTH(BitwiseOrScalar, Integers, kOr)
TENSOR_BOTH(BitwiseXorTensor, Integers, kXor)
NUMBER_BOTH(BitwiseXorScalar, Integers, kXor)
TENSOR_BOTH(LogicalAnd, Compared, kLogicalAnd)
TENSOR_BOTH(LogicalOr, Compared, kLogicalOr)
TENSOR(aclnnLeftShift, Integers, kShiftLeft)
NUMBER(aclnnLeftShifts, Integers, kShiftLeft)
TENSOR(aclnnRightShift, Integers, kShiftRight)
TENSOR_BOTH(Atan2, Real, cast<CastFrom::Nothing>(kAngle))
TENSOR(aclnnLogicalXor, Compared, kLogicalXor)
TENSOR(aclnnLogAddExp, Real, kLogAddExp)
TENSOR(aclnnLogAddExp2, Real, kLogAddExp2)
TENSOR(aclnnGcd, Integers, kDivisor)
TENSOR_BOTH(XLogYTensor, Real, kTimesLogarithm)
NUMBER_BOTH(XLogYScalarOther, Real, kTimesLogarithm)

aclnnStatus aclnnXLogYScalarSelfGetWorkspaceSize(const aclScalar* self, const aclTensor* other, aclTensor* out,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain<Numbers::Real>(ACLQ_CALL(aclnnXLogYScalarSelf), {"other", other}, {"self", self}, {"out", out},
                                swapped(kTimesLogarithm));
}
ACLQ_PHASE_2(aclnnXLogYScalarSelf)

aclnnStatus aclnnHeavisideGetWorkspaceSize(const aclTensor* input, const aclTensor* values, aclTensor* out,
                                           uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain<Numbers::Real>(ACLQ_CALL(aclnnHeaviside), {"input", input}, {"values", values}, {"out", out}, kStep);
}
ACLQ_PHASE_2(aclnnHeaviside)

aclnnStatus aclnnAddReluGetWorkspaceSize(const aclTensor* self, const aclTensor* other,
                                         ACLQ_PARAMETER(aclnnAddReluGetWorkspaceSize, 2) alpha, aclTensor* out,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    return scaled(ACLQ_CALL(aclnnAddRelu), {"self", self}, {"other", other}, alpha, {"out", out}, kAddRelu);
}
ACLQ_PHASE_2(aclnnAddRelu)
aclnnStatus aclnnInplaceAddReluGetWorkspaceSize(aclTensor* selfRef, const aclTensor* other,
                                                ACLQ_PARAMETER(aclnnInplaceAddReluGetWorkspaceSize, 2) alpha,
                                                uint64_t* workspaceSize, aclOpExecutor** executor) {
    return scaled(ACLQ_CALL(aclnnInplaceAddRelu), {"selfRef", selfRef}, {"other", other}, alpha, {"selfRef", selfRef},
                  kAddRelu);
}
ACLQ_PHASE_2(aclnnInplaceAddRelu)

namespace {

// make(a, b) is a complex number.
template <class Make>
aclnnStatus complexOf(const Call& call, const Operand& first, const Operand& second, const aclTensor* out, Make make) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor(first.name, first.tensor));
        ACLQ_RETURN_IF_FAILED(checkTensor(second.name, second.tensor));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        Dims shape = first.tensor->shape;
        if (!broadcast(shape, second.tensor->shape)) {
            return refuse(second.name, "shape " + second.tensor->shape.text(),
                          "a shape that fits to " + first.tensor->shape.text());
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, shape, "the common shape of the inputs"));
        ACLQ_RETURN_IF_FAILED(
            checkDtype("out", *out, {first.tensor->dtype == ACL_DOUBLE ? ACL_COMPLEX128 : ACL_COMPLEX64}));
        return out->empty() ? call.nothing()
                            : call.launch({{first.name, first.tensor}, {second.name, second.tensor}, {"out", out}},
                                          elementwiseReal<2>(first.tensor->dtype, make));
    });
}

}  // namespace

aclnnStatus aclnnComplexGetWorkspaceSize(const aclTensor* real, const aclTensor* imag, aclTensor* out,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    return complexOf(ACLQ_CALL(aclnnComplex), {"real", real}, {"imag", imag}, out,
                     [](double a, double b) { return Complex(a, b); });
}
ACLQ_PHASE_2(aclnnComplex)
aclnnStatus aclnnPolarGetWorkspaceSize(const aclTensor* input, const aclTensor* angle, aclTensor* out,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    return complexOf(ACLQ_CALL(aclnnPolar), {"input", input}, {"angle", angle}, out,
                     [](double a, double b) { return Complex(a * std::cos(b), a * std::sin(b)); });
}
ACLQ_PHASE_2(aclnnPolar)

aclnnStatus aclnnPowScalarTensorGetWorkspaceSize(const aclScalar* self, const aclTensor* exponent, const aclTensor* out,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain<Numbers::Any>(ACLQ_CALL(aclnnPowScalarTensor), {"exponent", exponent}, {"self", self}, {"out", out},
                               swapped(kPower));
}
ACLQ_PHASE_2(aclnnPowScalarTensor)

aclnnStatus aclnnInplacePowTensorTensorGetWorkspaceSize(const aclTensor* selfRef, const aclTensor* exponent,
                                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain<Numbers::Any>(ACLQ_CALL(aclnnInplacePowTensorTensor), {"selfRef", selfRef}, {"exponent", exponent},
                               {"selfRef", selfRef}, kPowerOfNumbers);
}
ACLQ_PHASE_2(aclnnInplacePowTensorTensor)

aclnnStatus aclnnRemainderScalarTensorGetWorkspaceSize(const aclScalar* self, const aclTensor* other, aclTensor* out,
                                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain<Numbers::Any>(ACLQ_CALL(aclnnRemainderScalarTensor), {"other", other}, {"self", self}, {"out", out},
                               checked<checkRemainder>([](auto b, auto a) { return modulo(a, b); }));
}
ACLQ_PHASE_2(aclnnRemainderScalarTensor)

namespace {

struct PowerBy {
    Series::Exponent exponent;

    double operator()(double x, double y) const { return std::pow(x, y); }
    float single(float x, float) const { return static_cast<float>(exponent.power(x)); }
};

// Floats to the power of a number, as products or a root where that is exact.
aclnnStatus powerOfFloats(const Call& call, const Operand& self, const Operand& exponent, const Operand& out,
                          double number) {
    if (number == 2) {
        return binary<Numbers::Real>(call, self, exponent, out, [](double x, double) { return x * x; });
    }
    if (number == 3) {
        return binary<Numbers::Real>(call, self, exponent, out, [](double x, double) { return x * x * x; });
    }
    if (number == 0.5) {
        return binary<Numbers::Real>(call, self, exponent, out, [](double x, double) { return std::sqrt(x); });
    }
    return binary<Numbers::Real>(call, self, exponent, out, PowerBy{Series::Exponent(roundTo(ACL_FLOAT, number))});
}

aclnnStatus powerBy(const Call& call, const Operand& self, const Operand& exponent, const Operand& out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor(self.name, self.tensor));
        ACLQ_RETURN_IF_FAILED(checkScalar(exponent.name, exponent.scalar));
        const bool floats = isFloating(self.tensor->dtype) && !isComplex(exponent.scalar->dtype);
        return floats ? powerOfFloats(call, self, exponent, out, real(*exponent.scalar))
                      : binary<Numbers::Any>(call, self, exponent, out, kPower);
    });
}

}  // namespace

aclnnStatus aclnnPowTensorScalarGetWorkspaceSize(const aclTensor* self, const aclScalar* exponent,
                                                 ACLQ_PARAMETER(aclnnPowTensorScalarGetWorkspaceSize, 2) out,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    return powerBy(ACLQ_CALL(aclnnPowTensorScalar), {"self", self}, {"exponent", exponent}, {"out", out});
}
ACLQ_PHASE_2(aclnnPowTensorScalar)
aclnnStatus aclnnInplacePowTensorScalarGetWorkspaceSize(ACLQ_PARAMETER(aclnnInplacePowTensorScalarGetWorkspaceSize, 0)
                                                            selfRef,
                                                        const aclScalar* exponent, uint64_t* workspaceSize,
                                                        aclOpExecutor** executor) {
    return powerBy(ACLQ_CALL(aclnnInplacePowTensorScalar), {"selfRef", selfRef}, {"exponent", exponent},
                   {"selfRef", selfRef});
}
ACLQ_PHASE_2(aclnnInplacePowTensorScalar)

namespace {

template <CastFrom from>
aclnnStatus divide(const Call& call, const Operand& self, const Operand& other, int mode, const Operand& out) {
    return call.prepare([&]() -> aclnnStatus {
        switch (mode) {
            case 0:
                return binary<Numbers::Real>(call, self, other, out, cast<from>(kDivide));
            case 1:
                return binary<Numbers::Any>(call, self, other, out, cast<from>(kDivideTrunc));
            case 2:
                return binary<Numbers::Any>(call, self, other, out, cast<from>(kDivideFloor));
            default:
                return refuse("mode", std::to_string(mode), "0 (as it is), 1 (towards zero), 2 (down)");
        }
    });
}
constexpr auto divideTensors = divide<CastFrom::Common>;
constexpr auto divideByNumber = divide<CastFrom::Self>;

}  // namespace

aclnnStatus aclnnDivModGetWorkspaceSize(const aclTensor* self, const aclTensor* other, int mode, aclTensor* out,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    return divideTensors(ACLQ_CALL(aclnnDivMod), {"self", self}, {"other", other}, mode, {"out", out});
}
ACLQ_PHASE_2(aclnnDivMod)

aclnnStatus aclnnDivModsGetWorkspaceSize(const aclTensor* self, const aclScalar* other, int mode, aclTensor* out,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    return divideByNumber(ACLQ_CALL(aclnnDivMods), {"self", self}, {"other", other}, mode, {"out", out});
}
ACLQ_PHASE_2(aclnnDivMods)

aclnnStatus aclnnInplaceDivModGetWorkspaceSize(aclTensor* selfRef, const aclTensor* other, int mode,
                                               uint64_t* workspaceSize, aclOpExecutor** executor) {
    return divideTensors(ACLQ_CALL(aclnnInplaceDivMod), {"selfRef", selfRef}, {"other", other}, mode,
                         {"selfRef", selfRef});
}
ACLQ_PHASE_2(aclnnInplaceDivMod)

aclnnStatus aclnnInplaceDivModsGetWorkspaceSize(aclTensor* selfRef, const aclScalar* other, int mode,
                                                uint64_t* workspaceSize, aclOpExecutor** executor) {
    return divideByNumber(ACLQ_CALL(aclnnInplaceDivMods), {"selfRef", selfRef}, {"other", other}, mode,
                          {"selfRef", selfRef});
}
ACLQ_PHASE_2(aclnnInplaceDivMods)

aclnnStatus aclnnIsCloseGetWorkspaceSize(const aclTensor* self, const aclTensor* other, double rtol, double atol,
                                         bool equal_nan, aclTensor* out, uint64_t* workspaceSize,
                                         aclOpExecutor** executor) {
    return plain<Numbers::Compared>(
        ACLQ_CALL(aclnnIsClose), {"self", self}, {"other", other}, {"out", out}, [=](auto first, auto second) {
            const auto a = static_cast<double>(first);
            const auto b = static_cast<double>(second);
            return a == b || (equal_nan && isNan(a) && isNan(b)) ||
                   (std::isfinite(a) && std::isfinite(b) && std::fabs(a - b) <= atol + rtol * std::fabs(b));
        });
}
ACLQ_PHASE_2(aclnnIsClose)

namespace {

// Tensors: those that are added, then the result. They are added up in DOUBLE or INT64 and rounded once.
class SumOf : public Kernel {
  public:
    explicit SumOf(std::size_t count) : count_(count) {}

    void run(const View* tensors, const KernelContext& context) const override {
        const View& out = tensors[count_];
        const aclDataType wide = isFloating(out.dtype) ? ACL_DOUBLE : ACL_INT64;
        std::vector<std::int64_t> room(static_cast<std::size_t>(out.elements()));  // zeros of either type
        const View total = contiguousLike(out, wide, room.data());
        const auto kernel = elementwise<2>(wide, [](auto a, auto b) { return add(a, b); });
        for (std::size_t index = 0; index < count_; ++index) {
            const View step[3] = {tensors[index], total, total};
            kernel->run(step, context);
        }
        copy(total, out);
    }

  private:
    const std::size_t count_;
};

}  // namespace

aclnnStatus aclnnSumGetWorkspaceSize(const aclTensorList* tensors, aclTensor* out, uint64_t* workspaceSize,
                                     aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnSum);
    return call.prepare([&]() -> aclnnStatus {
        std::vector<aclTensor*> given;
        ACLQ_RETURN_IF_FAILED(readList("tensors", tensors, given));
        if (given.empty()) {
            return refuse("tensors", "none", "at least one tensor");
        }
        Dims shape;
        std::vector<Argument> arguments;
        for (const aclTensor* one : given) {
            ACLQ_RETURN_IF_FAILED(checkTensor("tensors", one));
            ACLQ_RETURN_IF_FAILED(checkDtype("tensors", *one, {given[0]->dtype}));
            if (!broadcast(shape, one->shape)) {
                return refuse("tensors", "shape " + one->shape.text(), "a shape that fits to " + shape.text());
            }
            arguments.push_back({"tensors", one});
        }
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {given[0]->dtype}));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, shape, "the common shape of the tensors"));
        if (out->empty()) {
            return call.nothing();
        }
        arguments.push_back({"out", out});
        return call.launch(arguments, std::make_shared<SumOf>(given.size()));
    });
}
ACLQ_PHASE_2(aclnnSum)
