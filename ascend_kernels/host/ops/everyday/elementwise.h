// SPDX-License-Identifier: Apache-2.0
// The kernel of all elementwise operators.
#pragma once

#include <type_traits>
#include <utility>

#include "ops/everyday/call.h"
#include "simd/widest.h"

namespace aclq::everyday {

// Tensors: the inputs, broadcast to the shape of the result, and the result. `function` takes one value of Domain
// (double, int64 or complex) for each input and returns one.
template <std::size_t inputs, class Domain, class Function>
class Elementwise : public Kernel {
  public:
    Elementwise(aclDataType computed, Function function) : computed_(computed), function_(std::move(function)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const auto walk = walkTogether<inputs + 1>(tensors);
        if constexpr (kFloats) {
            if (fitFloats(tensors)) {
                return runFloats(tensors, walk, std::make_index_sequence<inputs>());
            }
        }
        forPieces({.rows = walk.rows(), .length = walk.length(), .chunk = kRoom},
                  [&](Pieces pieces) { runPieces(pieces, tensors, walk, std::make_index_sequence<inputs>()); });
    }

  private:
    // Whether the function returns a double for doubles.
    static constexpr bool kFloats = []<std::size_t... input>(std::index_sequence<input...>) {
        return std::is_same_v<decltype(std::declval<const Function&>()((static_cast<void>(input), Domain{})...)),
                              double>;
    }
    (std::make_index_sequence<inputs>());

    // Whether all elements fit a float, and no input is rounded before the computation.
    bool fitFloats(const View* tensors) const {
        bool all = fitsFloat(computed_) && fitsFloat(tensors[inputs].dtype);
        for (std::size_t input = 0; input < inputs; ++input) {
            const aclDataType dtype = tensors[input].dtype;
            all = all && (dtype == computed_ || (computed_ == ACL_FLOAT && fitsFloat(dtype)));
        }
        return all;
    }

    // The same computation through rows of floats, and for FLOAT without rows, so that memory is walked once.
    template <std::size_t... input>
    void runFloats(const View* tensors, const Walk<inputs + 1>& walk, std::index_sequence<input...>) const {
        forPieces({.rows = walk.rows(), .length = walk.length(), .chunk = kRoom}, [&](Pieces pieces) {
            Room<float> rooms[inputs];
            Room<float> room;
            std::int64_t at[inputs + 1] = {};
            const View& out = tensors[inputs];
            const std::int64_t step = walk.step(inputs);
            while (pieces.next()) {
                if (pieces.newRow()) {
                    walk.locate(pieces.row(), at);
                }
                const std::int64_t n = pieces.count();
                const std::int64_t to = at[inputs] + pieces.first() * step;
                auto* const there = const_cast<float*>(floatsAt(out, to, step));
                computeFloats(there != nullptr ? there : room.values, n,
                              floats(tensors[input], at[input] + pieces.first() * walk.step(input), walk.step(input), n,
                                     rooms[input])...);
                if (there == nullptr) {
                    write(out, to, step, n, room.values);
                }
            }
        });
    }
    static const float* floats(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                               Room<float>& room) {
        if (const float* there = floatsAt(view, offset, step)) {
            return there;
        }
        read(view, offset, step, n, room.values);
        return room.values;
    }
    template <class... Inputs>
    void computeFloats(float* results, std::int64_t n, const Inputs*... values) const {
        widest([function = function_, results, n, values...] {
            for (std::int64_t i = 0; i < n; ++i) {
                if constexpr (requires { function.single; }) {
                    results[i] = function.single(values[i]...);
                } else {
                    results[i] = static_cast<float>(function(static_cast<double>(values[i])...));
                }
            }
        });
    }

    template <std::size_t... input>
    void runPieces(Pieces& pieces, const View* tensors, const Walk<inputs + 1>& walk,
                   std::index_sequence<input...>) const {
        using Result = std::decay_t<decltype(function_((static_cast<void>(input), Domain{})...))>;
        Room<Domain> rooms[inputs];
        Room<Result> results;
        std::int64_t at[inputs + 1] = {};
        while (pieces.next()) {
            if (pieces.newRow()) {
                walk.locate(pieces.row(), at);
            }
            const std::int64_t n = pieces.count();
            (readInput(tensors[input], at[input] + pieces.first() * walk.step(input), walk.step(input), n,
                       rooms[input].values),
             ...);
            compute(results.values, n, rooms[input].values...);
            write(tensors[inputs], at[inputs] + pieces.first() * walk.step(inputs), walk.step(inputs), n,
                  results.values);
        }
    }

    template <class Result, class... Values>
    void compute(Result* results, std::int64_t n, const Values*... values) const {
        const auto loop = [function = function_, results, n, values...] {
            for (std::int64_t i = 0; i < n; ++i) {
                results[i] = function(values[i]...);
            }
        };
        if constexpr (std::is_same_v<Domain, double>) {
            widest(loop);
        } else {
            loop();
        }
    }

    // Inputs of other types are converted to the type the operator computes in.
    void readInput(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, Domain* to) const {
        read(view, offset, step, n, to);
        if constexpr (std::is_same_v<Domain, double>) {
            if (view.dtype != computed_ &&
                !(computed_ == ACL_FLOAT && (view.dtype == ACL_FLOAT16 || view.dtype == ACL_BF16))) {
                for (std::int64_t i = 0; i < n; ++i) {
                    to[i] = roundTo(computed_, to[i]);
                }
            }
        }
    }

    const aclDataType computed_;
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
