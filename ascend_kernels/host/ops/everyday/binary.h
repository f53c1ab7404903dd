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

inline bool isInteger(aclDataType dtype) {
    return isNumber(dtype) && !isFloating(dtype);
}

inline aclDataType computedIn(Numbers numbers, aclDataType common, aclDataType out) {
    if (!isInteger(common)) {
        return common;
    }
    if (numbers == Numbers::Real) {
        return ACL_FLOAT;
    }
    return numbers == Numbers::Any && isFloating(out) ? (out == ACL_DOUBLE ? out : ACL_FLOAT) : common;
}

inline aclnnStatus checkIntegers(const Operand& operand) {
    const aclDataType dtype = operand.isScalar ? operand.scalar->dtype : operand.tensor->dtype;
    return isFloating(dtype) ? refuse(operand.name, "dtype " + nameOf(dtype), "an integer type or BOOL")
                             : ACLNN_SUCCESS;
}

// Which type must be castable to that of the result: the one computed in, the common type of the inputs, that of self,
// or none.
enum class CastFrom { Computed, Common, Self, Nothing };

// A function whose result may have other types than CastFrom::Computed allows: quotients that are cast to integers.
template <CastFrom from, class Function>
struct Cast : Function {
    static constexpr CastFrom kCastFrom = from;
};
template <CastFrom from, class Function>
constexpr Cast<from, Function> cast(Function function) {
    return {function};
}

// Rounds to FLOAT, for results that are then cast to a type which shows more digits or cuts them off.
template <class Function>
struct InFloat {
    Function function;
    template <class... Numbers>
    double operator()(Numbers... numbers) const {
        return static_cast<float>(function(numbers...));
    }
};

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
aclnnStatus checkCast(aclDataType self, aclDataType common, const Operand& out) {
    aclDataType from = numbers == Numbers::Real && isInteger(common) ? ACL_FLOAT : common;
    if constexpr (numbers == Numbers::Compared) {
        return ACLNN_SUCCESS;  // BOOL may be cast to every type
    } else if constexpr (requires { Function::kCastFrom; }) {
        if (Function::kCastFrom == CastFrom::Nothing) {
            return ACLNN_SUCCESS;
        }
        from = Function::kCastFrom == CastFrom::Self ? self : common;
    }
    return canCast(from, out.tensor->dtype) ? ACLNN_SUCCESS : refuseCast(out.name, out.tensor->dtype, from);
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
    ACLQ_RETURN_IF_FAILED((checkCast<numbers, Function>(self.tensor->dtype, common, out)));
    if (out.tensor->empty()) {
        return call.nothing();
    }
    const aclDataType computed = computedIn(numbers, common, out.tensor->dtype);
    auto kernel = binaryKernel<numbers>(computed, other, function);
    if constexpr (numbers == Numbers::Real && requires { Function::kCastFrom; }) {
        if (isInteger(common) && !fitsFloat(out.tensor->dtype)) {
            kernel = binaryKernel<numbers>(computed, other, InFloat<Function>{function});
        }
    }
    if (other.isScalar) {
        return call.launch({{self.name, self.tensor}, {out.name, out.tensor}}, kernel);
    }
    return call.launch({{self.name, self.tensor}, {other.name, other.tensor}, {out.name, out.tensor}}, kernel);
}

}  // namespace aclq::everyday
