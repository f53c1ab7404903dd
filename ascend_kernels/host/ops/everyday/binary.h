// SPDX-License-Identifier: Apache-2.0
// Phase 1 of operators with two inputs, of which the second may be a number.
#pragma once

#include "ops/everyday/elementwise.h"

namespace aclq::everyday {

// A named tensor or number.
struct Operand {
    Operand(const char* givenName, const aclTensor* given) : name(givenName), tensor(given) {}
    Operand(const char* givenName, const aclScalar* given) : name(givenName), scalar(given), isScalar(true) {}

    const char* name;
    const aclTensor* tensor = nullptr;
    const aclScalar* scalar = nullptr;
    bool isScalar = false;
};

// A number, as a value of either domain.
struct Constant {
    double real;
    std::int64_t integer;
    Complex complex;
    double like(double) const { return real; }
    float like(float) const { return static_cast<float>(real); }
    Complex like(Complex) const { return complex; }
    std::int64_t like(std::int64_t) const { return integer; }
};

// A function whose last argument is a number.
template <class Function>
struct WithNumber {
    Function function;
    Constant number;

    template <class First, class... Others>
    auto operator()(First first, Others... others) const {
        return function(first, others..., number.like(first));
    }
    template <class... Others>
    requires requires(const Function& two, float value, Others... others) { two.single(value, others..., value); }
    float single(float first, Others... others) const { return function.single(first, others..., number.like(first)); }
};

inline Constant constant(const aclScalar& scalar, aclDataType computed) {
    return {as<double>(scalar, computed), integer(scalar), complex(scalar)};
}

// The type an operator computes in: the common type of its inputs; a float type; the common type, with numbers rounded
// to it, for comparisons; integers only.
enum class Numbers { Any, Real, Compared, Integers };

// The common type of a tensor and a tensor or number.
inline aclDataType promoted(aclDataType self, const Operand& other) {
    aclDataType common = self;
    if (!other.isScalar) {
        common = promote(self, other.tensor->dtype);
    } else if (isComplex(other.scalar->dtype) && !isComplex(self)) {
        common = self == ACL_DOUBLE ? ACL_COMPLEX128 : ACL_COMPLEX64;
    } else if (isFloating(*other.scalar) && isNumber(self) && !isFloating(self)) {
        common = ACL_FLOAT;
    } else if (self == ACL_BOOL) {
        common = other.scalar->dtype;
    }
    return common;
}

inline aclDataType computedIn(Numbers numbers, aclDataType common, aclDataType out) {
    const bool resultIsFloat = numbers == Numbers::Real || (numbers == Numbers::Any && isFloating(out));
    return resultIsFloat && isNumber(common) && !isFloating(common) ? (isFloating(out) ? out : ACL_FLOAT) : common;
}

inline aclnnStatus checkIntegers(const Operand& operand) {
    const aclDataType dtype = operand.isScalar ? operand.scalar->dtype : operand.tensor->dtype;
    return isFloating(dtype) ? refuse(operand.name, "dtype " + nameOf(dtype), "an integer type or BOOL")
                             : ACLNN_SUCCESS;
}

template <Numbers numbers, class Function>
std::shared_ptr<const Kernel> binaryKernel(aclDataType computed, const Operand& other, Function function) {
    const auto make = [&]<std::size_t inputs>(auto made) -> std::shared_ptr<const Kernel> {
        if constexpr (numbers == Numbers::Integers) {
            return std::make_shared<Elementwise<inputs, std::int64_t, decltype(made)>>(computed, made);
        } else if constexpr (numbers == Numbers::Real) {
            return elementwiseReal<inputs>(computed, made);
        } else {
            return elementwise<inputs>(computed, made);
        }
    };
    if (!other.isScalar) {
        return make.template operator()<2>(function);
    }
    Constant number = constant(*other.scalar, computed);
    number.real = numbers == Numbers::Compared ? roundTo(computed, number.real) : number.real;
    const WithNumber<Function> withNumber{function, number};
    if constexpr (takesComplex<Function>) {
        return make.template operator()<1>(ComplexToo{withNumber});
    } else {
        return make.template operator()<1>(withNumber);
    }
}

// A function that is defined only for some common types of its inputs.
using CheckCommon = aclnnStatus (*)(aclDataType common);
template <CheckCommon check, class Function>
struct Checked : Function {
    static constexpr CheckCommon kCheck = check;
};
template <CheckCommon check, class Function>
constexpr Checked<check, Function> checked(Function function) {
    return {function};
}

template <Numbers numbers, class Function>
aclnnStatus binary(const Call& call, const Operand& self, const Operand& other, const Operand& out, Function function) {
    ACLQ_RETURN_IF_FAILED(checkTensor(self.name, self.tensor));
    ACLQ_RETURN_IF_FAILED(other.isScalar ? checkScalar(other.name, other.scalar)
                                         : checkTensor(other.name, other.tensor));
    ACLQ_RETURN_IF_FAILED(checkTensor(out.name, out.tensor));
    if (numbers == Numbers::Integers) {
        ACLQ_RETURN_IF_FAILED(checkIntegers(self));
        ACLQ_RETURN_IF_FAILED(checkIntegers(other));
    }
    Dims shape = self.tensor->shape;
    if (!other.isScalar && !broadcast(shape, other.tensor->shape)) {
        return refuse(other.name, "shape " + other.tensor->shape.text(),
                      "a shape that fits to " + self.tensor->shape.text());
    }
    ACLQ_RETURN_IF_FAILED(checkShape(out.name, *out.tensor, shape, "the common shape of the inputs"));
    const aclDataType second = other.isScalar ? other.scalar->dtype : other.tensor->dtype;
    if (!haveCommonType(self.tensor->dtype, second)) {
        return refuse(other.name, "dtype " + nameOf(second),
                      "a type that has one in common with " + nameOf(self.tensor->dtype));
    }
    const aclDataType common = promoted(self.tensor->dtype, other);
    if constexpr (requires { Function::kCheck; }) {
        ACLQ_RETURN_IF_FAILED(Function::kCheck(common));
    }
    // Comparisons give BOOL, which may be cast to every type.
    if (numbers != Numbers::Compared &&
        !canCast(numbers == Numbers::Real && isNumber(common) && !isFloating(common) ? ACL_FLOAT : common,
                 out.tensor->dtype)) {
        return refuseCast(out.name, out.tensor->dtype, common);
    }
    if (out.tensor->empty()) {
        return call.nothing();
    }
    const auto kernel = binaryKernel<numbers>(computedIn(numbers, common, out.tensor->dtype), other, function);
    if (other.isScalar) {
        return call.launch({{self.name, self.tensor}, {out.name, out.tensor}}, kernel);
    }
    return call.launch({{self.name, self.tensor}, {other.name, other.tensor}, {out.name, out.tensor}}, kernel);
}

}  // namespace aclq::everyday
