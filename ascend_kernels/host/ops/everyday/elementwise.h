// SPDX-License-Identifier: Apache-2.0
// One kernel for all operators that compute an element from the elements at the same place of their inputs.
#pragma once

#include <array>
#include <type_traits>
#include <utility>

#include "ops/everyday/call.h"

namespace aclq::everyday {

// Tensors: the inputs, which repeat to the shape of the last one, the result. `function` takes as many values of
// Domain (double, int64 or complex) and gives one of these.
template <std::size_t inputs, class Domain, class Function>
class Elementwise : public Kernel {
  public:
    Elementwise(aclDataType computed, Function function) : computed_(computed), function_(std::move(function)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const auto walk = walkTogether<inputs + 1>(tensors);
        forPieces({walk.rows(), walk.length()},
                  [&](Pieces pieces) { runPieces(pieces, tensors, walk, std::make_index_sequence<inputs>()); });
    }

  private:
    template <std::size_t... input>
    void runPieces(Pieces& pieces, const View* tensors, const Walk<inputs + 1>& walk,
                   std::index_sequence<input...>) const {
        using Result = std::decay_t<decltype(function_((static_cast<void>(input), Domain{})...))>;
        const auto room = static_cast<std::size_t>(std::min(walk.length(), kChunk));
        std::array<std::vector<Domain>, inputs> values;
        ((values[input].resize(room)), ...);
        std::vector<Result> results(room);
        std::int64_t at[inputs + 1] = {};
        while (pieces.next()) {
            if (pieces.newRow()) {
                walk.locate(pieces.row(), at);
            }
            const std::int64_t n = pieces.count();
            (readInput(tensors[input], at[input] + pieces.first() * walk.step(input), walk.step(input), n,
                       values[input].data()),
             ...);
            for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
                results[i] = function_(values[input][i]...);
            }
            write(tensors[inputs], at[inputs] + pieces.first() * walk.step(inputs), walk.step(inputs), n,
                  results.data());
        }
    }

    // Inputs of other types become those the operator computes in.
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

// A function that is defined on complex numbers as well.
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

// `function` in complex numbers if `computed` is a complex type and it takes them; in double if `computed` is a float,
// else in int64.
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

// The same for a function that is defined on floats only; integers are seen as FLOAT.
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

// Arithmetic that wraps around instead of being undefined.
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
