// SPDX-License-Identifier: Apache-2.0
// The kernel of all elementwise operators.
#pragma once

#include <bit>
#include <cmath>
#include <type_traits>
#include <utility>

#include "ops/everyday/call.h"
#include "ops/everyday/series.h"
#include "simd/widest.h"

namespace aclq::everyday {

// Tensors: the inputs, broadcast to the shape of the result, and the result. This walks them; the loops over their
// elements are all that is compiled for each function.
class ElementwiseKernel : public Kernel {
  public:
    static constexpr std::size_t kMaxInputs = 5;

    void run(const View* tensors, const KernelContext&) const override;

  protected:
    // The types of numbers in which loops compute. Truth: bytes that are 0 or 1.
    enum class Number { Real, Integer, Complex, Truth };
    template <class T>
    static constexpr Number kNumber = std::is_same_v<T, double>
                                          ? Number::Real
                                          : (std::is_same_v<T, std::int64_t>
                                                 ? Number::Integer
                                                 : (std::is_same_v<T, bool> ? Number::Truth : Number::Complex));
    struct Loops {
        std::size_t inputs;
        Number from;
        Number to;
    };

    ElementwiseKernel(Loops loops, aclDataType computed) : loops_(loops), computed_(computed) {}

    // Computes n results from n values of each input, in the types of Loops.
    virtual void compute(const void* const* values, std::int64_t n, void* results) const = 0;
    // The same from floats, to floats or bytes, if `from` is real and `to` is real or a truth.
    virtual void computeFloats(const void* const* values, std::int64_t n, void* results) const = 0;

  private:
    template <std::size_t inputs>
    void runInputs(const View* tensors) const;
    bool fitFloats(const View* tensors) const;
    const void* readInput(bool floats, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                          void* room) const;
    void writeResults(bool floats, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                      const void* results) const;

    const Loops loops_;
    const aclDataType computed_;
};

// `function` takes one value of Domain (double, int64 or complex) for each input. It returns a number, or a bool.
template <std::size_t inputs, class Domain, class Function>
class Elementwise final : public ElementwiseKernel {
  public:
    Elementwise(aclDataType computed, Function function)
        : ElementwiseKernel({inputs, kNumber<Domain>, kNumber<Result>}, computed), function_(std::move(function)) {
        static_assert(inputs <= kMaxInputs);
    }

  protected:
    void compute(const void* const* values, std::int64_t n, void* results) const override {
        compute(values, n, static_cast<Result*>(results), kInputs);
    }
    void computeFloats(const void* const* values, std::int64_t n, void* results) const override {
        if constexpr (std::is_same_v<Domain, double> && std::is_same_v<Result, bool>) {
            computeFloats(values, n, static_cast<bool*>(results), kInputs);
        } else if constexpr (std::is_same_v<Domain, double> && std::is_same_v<Result, double>) {
            computeFloats(values, n, static_cast<float*>(results), kInputs);
        }
    }

  private:
    static constexpr std::make_index_sequence<inputs> kInputs{};
    template <std::size_t... input>
    static auto resultOf(const Function& function, std::index_sequence<input...>)
        -> std::decay_t<decltype(function((static_cast<void>(input), Domain{})...))>;
    using Result = decltype(resultOf(std::declval<const Function&>(), kInputs));

    template <std::size_t... input>
    void compute(const void* const* values, std::int64_t n, Result* results, std::index_sequence<input...>) const {
        run(n, results, function_, static_cast<const Domain*>(values[input])...);
    }
    template <class... Values>
    static void run(std::int64_t n, Result* results, const Function& function, const Values*... values) {
        const auto loop = [function, results, n, values...] {
            for (std::int64_t i = 0; i < n; ++i) {
                results[i] = function(values[i]...);
            }
        };
        // Calls of libm gain nothing from wide vectors.
        if constexpr (std::is_same_v<Domain, double> && !requires { Function::kBelow; }) {
            widest(loop);
        } else {
            loop();
        }
    }

    template <class To, std::size_t... input>
    void computeFloats(const void* const* values, std::int64_t n, To* results, std::index_sequence<input...>) const {
        runFloats(n, results, function_, static_cast<const float*>(values[input])...);
    }
    template <class To, class... Values>
    static void runFloats(std::int64_t n, To* results, const Function& function, const Values*... values) {
        if constexpr (requires { Function::kBelow; }) {
            if (Function::kBelow != 0 && !(... && areBelow(values, n))) {
                for (std::int64_t i = 0; i < n; ++i) {
                    results[i] = (... && (std::fabs(values[i]) < Function::kBelow))
                                     ? function.single(values[i]...)
                                     : static_cast<float>(function(static_cast<double>(values[i])...));
                }
                return;
            }
        }
        widest([function, results, n, values...] {
            for (std::int64_t i = 0; i < n; ++i) {
                if constexpr (requires { function.single(values[i]...); }) {
                    results[i] = function.single(values[i]...);
                } else if constexpr (std::is_same_v<To, bool>) {
                    results[i] = function(values[i]...);
                } else {
                    results[i] = static_cast<float>(function(static_cast<double>(values[i])...));
                }
            }
        });
    }
    static bool areBelow(const float* values, std::int64_t n) {
        bool all = true;
        widest([&all, values, n] {
            std::uint32_t largest = 0;
            for (std::int64_t i = 0; i < n; ++i) {
                const std::uint32_t size = std::bit_cast<std::uint32_t>(values[i]) & 0x7FFFFFFF;
                largest = size > largest ? size : largest;
            }
            all = largest < std::bit_cast<std::uint32_t>(static_cast<float>(Function::kBelow));
        });
        return all;
    }

    const Function function_;
};

// A function with a faster variant `single` for results that fit a float, accurate to a few ulp of FLOAT.
template <class Function, class Single>
struct InSingle : Function {
    Single single;
};
template <class Function, class Single>
InSingle(Function, Single) -> InSingle<Function, Single>;

// A function that is also defined for complex numbers.
template <class Function>
struct ComplexToo : Function {
    static constexpr bool kComplex = true;
};
template <class Function>
ComplexToo(Function) -> ComplexToo<Function>;

template <class Function>
constexpr bool takesComplex = requires {
    Function::kComplex;
};
// Runs `function` in complex numbers if `computed` is complex and the function accepts them, in double if `computed` is
// a float, else in int64.
template <std::size_t inputs, class Function>
std::shared_ptr<const Kernel> elementwise(aclDataType computed, Function function) {
    if constexpr (takesComplex<Function>) {
        if (isComplex(computed)) {
            return std::make_shared<Elementwise<inputs, Complex, Function>>(computed, function);
        }
    }
    return inDomain(isFloating(computed), [&](auto number) {
        return std::make_shared<Elementwise<inputs, decltype(number), Function>>(computed, function);
    });
}

// The same for a function of floats only: integers are converted to FLOAT.
template <std::size_t inputs, class Function>
std::shared_ptr<const Kernel> elementwiseReal(aclDataType computed, Function function) {
    if constexpr (takesComplex<Function>) {
        if (isComplex(computed)) {
            return std::make_shared<Elementwise<inputs, Complex, Function>>(computed, function);
        }
    }
    return std::make_shared<Elementwise<inputs, double, Function>>(isFloating(computed) ? computed : ACL_FLOAT,
                                                                   function);
}

// Integer arithmetic that wraps around on overflow.
inline double add(double a, double b) {
    return a + b;
}
inline double subtract(double a, double b) {
    return a - b;
}
inline double multiply(double a, double b) {
    return a * b;
}
inline Complex add(Complex a, Complex b) {
    return a + b;
}
inline Complex subtract(Complex a, Complex b) {
    return a - b;
}
inline Complex multiply(Complex a, Complex b) {
    return a * b;
}
inline std::int64_t add(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
inline std::int64_t subtract(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
inline std::int64_t multiply(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

}  // namespace aclq::everyday
