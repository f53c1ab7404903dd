// SPDX-License-Identifier: Apache-2.0
// Operators on lists of tensors: the same function for the tensors at each place of the lists.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "aclnnop/aclnn_foreach_abs.h"
#include "aclnnop/aclnn_foreach_acos.h"
#include "aclnnop/aclnn_foreach_add_list.h"
#include "aclnnop/aclnn_foreach_add_list_v2.h"
#include "aclnnop/aclnn_foreach_add_scalar.h"
#include "aclnnop/aclnn_foreach_add_scalar_list.h"
#include "aclnnop/aclnn_foreach_add_scalar_v2.h"
#include "aclnnop/aclnn_foreach_addcdiv_list.h"
#include "aclnnop/aclnn_foreach_addcdiv_scalar.h"
#include "aclnnop/aclnn_foreach_addcdiv_scalar_list.h"
#include "aclnnop/aclnn_foreach_addcdiv_scalar_v2.h"
#include "aclnnop/aclnn_foreach_addcmul_list.h"
#include "aclnnop/aclnn_foreach_addcmul_scalar.h"
#include "aclnnop/aclnn_foreach_addcmul_scalar_list.h"
#include "aclnnop/aclnn_foreach_addcmul_scalar_v2.h"
#include "aclnnop/aclnn_foreach_asin.h"
#include "aclnnop/aclnn_foreach_atan.h"
#include "aclnnop/aclnn_foreach_copy.h"
#include "aclnnop/aclnn_foreach_cos.h"
#include "aclnnop/aclnn_foreach_cosh.h"
#include "aclnnop/aclnn_foreach_div_list.h"
#include "aclnnop/aclnn_foreach_div_scalar.h"
#include "aclnnop/aclnn_foreach_div_scalar_list.h"
#include "aclnnop/aclnn_foreach_div_scalar_v2.h"
#include "aclnnop/aclnn_foreach_erf.h"
#include "aclnnop/aclnn_foreach_erfc.h"
#include "aclnnop/aclnn_foreach_exp.h"
#include "aclnnop/aclnn_foreach_expm1.h"
#include "aclnnop/aclnn_foreach_lerp_list.h"
#include "aclnnop/aclnn_foreach_lerp_scalar.h"
#include "aclnnop/aclnn_foreach_log.h"
#include "aclnnop/aclnn_foreach_log10.h"
#include "aclnnop/aclnn_foreach_log1p.h"
#include "aclnnop/aclnn_foreach_log2.h"
#include "aclnnop/aclnn_foreach_maximum_list.h"
#include "aclnnop/aclnn_foreach_maximum_scalar.h"
#include "aclnnop/aclnn_foreach_maximum_scalar_list.h"
#include "aclnnop/aclnn_foreach_maximum_scalar_v2.h"
#include "aclnnop/aclnn_foreach_minimum_list.h"
#include "aclnnop/aclnn_foreach_minimum_scalar.h"
#include "aclnnop/aclnn_foreach_minimum_scalar_list.h"
#include "aclnnop/aclnn_foreach_minimum_scalar_v2.h"
#include "aclnnop/aclnn_foreach_mul_list.h"
#include "aclnnop/aclnn_foreach_mul_scalar.h"
#include "aclnnop/aclnn_foreach_mul_scalar_list.h"
#include "aclnnop/aclnn_foreach_mul_scalar_v2.h"
#include "aclnnop/aclnn_foreach_neg.h"
#include "aclnnop/aclnn_foreach_non_finite_check_and_unscale.h"
#include "aclnnop/aclnn_foreach_norm.h"
#include "aclnnop/aclnn_foreach_pow_list.h"
#include "aclnnop/aclnn_foreach_pow_scalar.h"
#include "aclnnop/aclnn_foreach_pow_scalar_and_tensor.h"
#include "aclnnop/aclnn_foreach_pow_scalar_list.h"
#include "aclnnop/aclnn_foreach_pow_scalar_v2.h"
#include "aclnnop/aclnn_foreach_reciprocal.h"
#include "aclnnop/aclnn_foreach_round_off_number.h"
#include "aclnnop/aclnn_foreach_round_off_number_v2.h"
#include "aclnnop/aclnn_foreach_sigmoid.h"
#include "aclnnop/aclnn_foreach_sign.h"
#include "aclnnop/aclnn_foreach_sin.h"
#include "aclnnop/aclnn_foreach_sinh.h"
#include "aclnnop/aclnn_foreach_sqrt.h"
#include "aclnnop/aclnn_foreach_sub_list.h"
#include "aclnnop/aclnn_foreach_sub_list_v2.h"
#include "aclnnop/aclnn_foreach_sub_scalar.h"
#include "aclnnop/aclnn_foreach_sub_scalar_list.h"
#include "aclnnop/aclnn_foreach_sub_scalar_v2.h"
#include "aclnnop/aclnn_foreach_tan.h"
#include "aclnnop/aclnn_foreach_tanh.h"
#include "aclnnop/aclnn_foreach_zero_inplace.h"
#include "ops/everyday/along.h"
#include "ops/everyday/binary.h"
#include "ops/everyday/copy.h"
#include "ops/everyday/functions.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

using Integer = std::int64_t;
using Kernels = std::vector<std::shared_ptr<const Kernel>>;

struct List {
    const char* name;
    const aclTensorList* tensors;
};
template <std::size_t count>
using Tensors = std::vector<aclTensor*>[count];

// A kernel for each place. Tensors: those of the first place, those of the second, and so on.
class ForEach : public Kernel {
  public:
    ForEach(std::size_t each, Kernels kernels) : each_(each), kernels_(std::move(kernels)) {}

    void run(const View* tensors, const KernelContext& context) const override {
        for (const auto& kernel : kernels_) {
            kernel->run(tensors, context);
            tensors += each_;
        }
    }

  private:
    const std::size_t each_;
    const Kernels kernels_;
};

// Lists of equal length. At each place the tensors have one shape, and all have the type of the first tensor.
template <std::size_t count>
aclnnStatus readLists(const List (&lists)[count], Tensors<count>& found) {
    for (std::size_t list = 0; list < count; ++list) {
        ACLQ_RETURN_IF_FAILED(readList(lists[list].name, lists[list].tensors, found[list]));
    }
    for (std::size_t list = 0; list < count; ++list) {
        const char* name = lists[list].name;
        if (found[list].size() != found[0].size()) {
            return refuse(name, text("%zu tensors", found[list].size()),
                          text("%zu, as many as %s", found[0].size(), lists[0].name));
        }
        for (const aclTensor* tensor : found[list]) {
            ACLQ_RETURN_IF_FAILED(checkTensor(name, tensor));
        }
    }
    return ACLNN_SUCCESS;
}

template <std::size_t count>
aclnnStatus checkOneType(const List (&lists)[count], const Tensors<count>& found) {
    for (std::size_t list = 0; list < count; ++list) {
        for (const aclTensor* tensor : found[list]) {
            if (tensor->dtype != found[0][0]->dtype) {
                return refuse(lists[list].name, "dtype " + nameOf(tensor->dtype),
                              nameOf(found[0][0]->dtype) + ", the dtype of the first tensor");
            }
        }
    }
    return ACLNN_SUCCESS;
}

template <std::size_t count>
aclnnStatus checkOneShape(const List (&lists)[count], const Tensors<count>& found) {
    for (std::size_t list = 1; list < count; ++list) {
        for (std::size_t place = 0; place < found[list].size(); ++place) {
            ACLQ_RETURN_IF_FAILED(checkShape(lists[list].name, *found[list][place], found[0][place]->shape,
                                             "the shape of the tensor at the same place"));
        }
    }
    return ACLNN_SUCCESS;
}

// A tensor of numbers on the device: one for all places, or one for each.
struct DeviceNumbers {
    const char* name = "";
    const aclTensor* tensor = nullptr;
    bool forEach = false;
};

aclnnStatus checkNumbers(const DeviceNumbers& numbers, std::size_t places) {
    ACLQ_RETURN_IF_FAILED(checkTensor(numbers.name, numbers.tensor));
    const Integer expected = numbers.forEach ? static_cast<Integer>(places) : 1;
    return numbers.tensor->elements() == expected ? ACLNN_SUCCESS
                                                  : refuse(numbers.name, "shape " + numbers.tensor->shape.text(),
                                                           text("%lld elements", static_cast<long long>(expected)));
}

// Puts kernels made by make(place, type) on the stream. Their tensors: those of the lists at this place but the last
// one, a number if there are numbers, and the last one.
template <std::size_t count, class Make>
aclnnStatus launchEach(const Call& call, const List (&lists)[count], const Tensors<count>& found,
                       const DeviceNumbers& numbers, Make make) {
    const std::size_t places = found[0].size();
    Kernels kernels;
    std::vector<Argument> arguments;
    std::vector<aclTensor> single;
    single.reserve(places);  // arguments point into it
    for (std::size_t place = 0; place < places; ++place) {
        const aclTensor* out = found[count - 1][place];
        if (out->empty()) {
            continue;
        }
        for (std::size_t list = 0; list + 1 < count; ++list) {
            arguments.push_back({lists[list].name, found[list][place]});
        }
        if (numbers.tensor != nullptr) {
            aclTensor& one = single.emplace_back(*numbers.tensor);
            const Integer stride = numbers.forEach && one.shape.rank() > 0 ? one.strides[one.shape.rank() - 1] : 0;
            one.offset += static_cast<Integer>(place) * stride;
            one.shape = Dims();
            one.strides = Dims();
            arguments.push_back({numbers.name, numbers.tensor, false, &one});
        }
        arguments.push_back({lists[count - 1].name, out});
        kernels.push_back(make(place, found[0][place]->dtype));
    }
    const std::size_t each = count + (numbers.tensor != nullptr ? 1 : 0);
    return kernels.empty() ? call.nothing()
                           : call.launch(arguments, std::make_shared<ForEach>(each, std::move(kernels)));
}

// Inputs and out are lists of one type and of the same shapes.
template <std::size_t count, class Make>
aclnnStatus forEach(const Call& call, const List (&lists)[count], const DeviceNumbers& numbers, Make make) {
    Tensors<count> found;
    ACLQ_RETURN_IF_FAILED(readLists(lists, found));
    if (found[0].empty()) {
        return call.nothing();
    }
    ACLQ_RETURN_IF_FAILED(checkOneType(lists, found));
    ACLQ_RETURN_IF_FAILED(checkOneShape(lists, found));
    if (numbers.tensor != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkNumbers(numbers, found[0].size()));
    }
    return launchEach(call, lists, found, numbers, make);
}

enum class On { Numbers, Floats };

template <std::size_t inputs, On on, class Function>
std::shared_ptr<const Kernel> kernelOf(aclDataType dtype, Function function) {
    if constexpr (on == On::Floats) {
        return elementwiseReal<inputs>(dtype, function);
    } else {
        return elementwise<inputs>(dtype, function);
    }
}

// function(a tensor of each list but the last one).
template <On on, std::size_t count, class Function>
aclnnStatus apply(const Call& call, const List (&lists)[count], Function function) {
    return call.prepare([&] {
        return forEach(call, lists, {},
                       [&](std::size_t, aclDataType dtype) { return kernelOf<count - 1, on>(dtype, function); });
    });
}

// function(those, a number of a tensor).
template <On on, std::size_t count, class Function>
aclnnStatus apply(const Call& call, const List (&lists)[count], const DeviceNumbers& numbers, Function function) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkGiven(numbers.name, numbers.tensor));
        return forEach(call, lists, numbers,
                       [&](std::size_t, aclDataType dtype) { return kernelOf<count, on>(dtype, function); });
    });
}

// A number of the host, rounded as CANN rounds it: to FLOAT16 beside FLOAT16, else to FLOAT.
Constant rounded(const aclScalar& scalar, aclDataType dtype) {
    Constant number = constant(scalar, dtype);
    number.real = dtype == ACL_FLOAT16 ? roundTo(ACL_FLOAT16, real(scalar)) : number.real;
    return number;
}

template <std::size_t inputs, On on, class Function>
std::shared_ptr<const Kernel> kernelWith(aclDataType dtype, const aclScalar& scalar, Function function) {
    return kernelOf<inputs, on>(dtype, WithNumber<Function>{function, rounded(scalar, dtype)});
}

// CANN takes numbers of these types beside tensors of this one.
aclnnStatus checkBeside(const char* name, const aclScalar& scalar, aclDataType dtype) {
    const bool integers = !isFloating(dtype);
    const aclDataType narrow = integers ? ACL_INT32 : (dtype == ACL_FLOAT16 ? ACL_FLOAT16 : ACL_FLOAT);
    const aclDataType wide = integers ? ACL_INT64 : ACL_DOUBLE;
    return scalar.dtype == narrow || scalar.dtype == wide
               ? ACLNN_SUCCESS
               : refuse(name, "dtype " + nameOf(scalar.dtype),
                        nameOf(narrow) + ", " + nameOf(wide) + " beside tensors of " + nameOf(dtype));
}

// function(those, a number of the host).
enum class Number { OfAnyType, BesideTheType };
template <On on, std::size_t count, class Function>
aclnnStatus apply(const Call& call, const List (&lists)[count], const char* name, const aclScalar* scalar,
                  Number number, Function function) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar(name, scalar));
        Tensors<count> found;
        ACLQ_RETURN_IF_FAILED(readLists(lists, found));
        if (number == Number::BesideTheType && !found[0].empty()) {
            ACLQ_RETURN_IF_FAILED(checkBeside(name, *scalar, found[0][0]->dtype));
        }
        return forEach(call, lists, {}, [&](std::size_t, aclDataType dtype) {
            return kernelWith<count - 1, on>(dtype, *scalar, function);
        });
    });
}

// function(a tensor, the number at its place in a list).
template <On on, class Function>
aclnnStatus apply(const Call& call, const List (&lists)[2], const aclScalarList* scalars, Function function) {
    return call.prepare([&]() -> aclnnStatus {
        if (scalars == nullptr) {
            return failArgument(ACLNN_ERR_PARAM_NULLPTR, "scalars", "null", "an aclScalarList");
        }
        const aclScalarList* numbers = pools().scalarLists.find(scalars);
        if (numbers == nullptr) {
            return refuse("scalars", text("%p", static_cast<const void*>(scalars)),
                          "a live aclScalarList (this one was destroyed or does not exist)");
        }
        Tensors<2> found;
        ACLQ_RETURN_IF_FAILED(readLists(lists, found));
        if (numbers->scalars.size() != found[0].size()) {
            return refuse("scalars", text("%zu numbers", numbers->scalars.size()),
                          text("%zu, as many as %s", found[0].size(), lists[0].name));
        }
        for (const aclScalar* scalar : numbers->scalars) {
            ACLQ_RETURN_IF_FAILED(checkScalar("scalars", scalar));
        }
        return forEach(call, lists, {}, [&](std::size_t place, aclDataType dtype) {
            return kernelWith<1, on>(dtype, *numbers->scalars[place], function);
        });
    });
}

constexpr auto kAddScaled = [](auto a, auto b, auto alpha) { return add(a, multiply(b, alpha)); };
constexpr auto kSubtractScaled = [](auto a, auto b, auto alpha) { return subtract(a, multiply(b, alpha)); };
constexpr auto kAddProduct = [](auto a, auto b, auto c, auto factor) {
    return add(a, multiply(factor, multiply(b, c)));
};
constexpr auto kAddQuotient = [](double a, double b, double c, double factor) { return a + factor * (b / c); };

// By the numbers that CANN gives to the ways of rounding; others leave what is behind the point.
double roundOff(Integer way, double x) {
    switch (way) {
        case 1:
            return std::nearbyint(x);
        case 2:
            return std::floor(x);
        case 3:
            return std::ceil(x);
        case 4:
            return std::round(x);
        case 5:
            return std::trunc(x);
        case 6: {
            const double down = std::floor(x);
            const bool odd = std::fmod(down, 2) != 0;
            return down == x || odd ? down : down + 1;
        }
        case 7:
            return x - std::trunc(x);
        default:
            return x;
    }
}
// As a function of an element and the way.
constexpr auto kRoundOff = [](auto x, auto way) {
    if constexpr (std::is_same_v<decltype(x), double>) {
        return roundOff(static_cast<Integer>(way), x);
    } else {
        return way == 7 ? decltype(x){} : x;
    }
};

// The norm of all elements of a tensor. Tensors: x, out.
class WholeNorm : public Kernel {
  public:
    explicit WholeNorm(double order) : order_(order) {}

    void run(const View* tensors, const KernelContext&) const override {
        const Split split(tensors[0], (1U << tensors[0].rank) - 1);
        double sum = 0;
        if (tensors[0].elements() != 0) {
            split.forEach<double>(0, [&](const auto* values, Integer n) {
                for (Integer i = 0; i < n; ++i) {
                    const double size = std::fabs(static_cast<double>(values[i]));
                    if (std::isinf(order_)) {
                        sum = kMaximum(sum, size);
                    } else {
                        sum += order_ == 1 ? size : (order_ == 2 ? size * size : std::pow(size, order_));
                    }
                }
            });
        }
        const bool root = !std::isinf(order_) && order_ != 1;
        put(tensors[1], 0, root ? (order_ == 2 ? std::sqrt(sum) : std::pow(sum, 1 / order_)) : sum);
    }

  private:
    const double order_;
};

// Tensors: gradients, foundInf, the inverse of their scale.
class Unscale : public Kernel {
  public:
    explicit Unscale(std::size_t gradients) : gradients_(gradients) {}

    void run(const View* tensors, const KernelContext& context) const override {
        double factor = 0;
        read(tensors[gradients_ + 1], 0, 1, 1, &factor);
        bool finite = true;
        const auto scale = elementwiseReal<1>(ACL_FLOAT, [factor](double x) { return x * factor; });
        for (std::size_t index = 0; index < gradients_; ++index) {
            const View& gradient = tensors[index];
            if (gradient.elements() == 0) {
                continue;
            }
            const Split split(gradient, (1U << gradient.rank) - 1);
            split.forEach<double>(0, [&](const auto* values, Integer n) {
                finite = finite && std::all_of(values, values + n, [](auto x) { return std::isfinite(x); });
            });
            const View both[] = {gradient, gradient};
            scale->run(both, context);
        }
        if (!finite) {
            put(tensors[gradients_], 0, 1.0);
        }
    }

  private:
    const std::size_t gradients_;
};

}  // namespace

#define FOREACH(name, ...) \
    aclnnStatus aclnnForeach##name##GetWorkspaceSize(__VA_ARGS__, uint64_t* workspaceSize, aclOpExecutor** executor)
#define OUT(name, number) ACLQ_PARAMETER(aclnnForeach##name##GetWorkspaceSize, number) out
#define CALL(name) ACLQ_CALL(aclnnForeach##name)
#define PHASE_2(name) ACLQ_PHASE_2(aclnnForeach##name)

#define ONE(name, on, ...)                                                       \
    FOREACH(name, const aclTensorList* x, OUT(name, 1)) {                        \
        return apply<On::on>(CALL(name), {{"x", x}, {"out", out}}, __VA_ARGS__); \
    }                                                                            \
    PHASE_2(name)
#define TWO(name, on, function)                                                             \
    FOREACH(name, const aclTensorList* x1, const aclTensorList* x2, OUT(name, 2)) {         \
        return apply<On::on>(CALL(name), {{"x1", x1}, {"x2", x2}, {"out", out}}, function); \
    }                                                                                       \
    PHASE_2(name)
// With a number on the device, on the host, and a list of numbers on the host.
#define NUMBER(name, on, function)                                                                                    \
    FOREACH(name##Scalar, const aclTensorList* x, const aclTensor* scalar, OUT(name##Scalar, 2)) {                    \
        return apply<On::on>(CALL(name##Scalar), {{"x", x}, {"out", out}}, {"scalar", scalar}, function);             \
    }                                                                                                                 \
    PHASE_2(name##Scalar)                                                                                             \
    FOREACH(name##ScalarV2, const aclTensorList* x, const aclScalar* scalar, OUT(name##ScalarV2, 2)) {                \
        return apply<On::on>(CALL(name##ScalarV2), {{"x", x}, {"out", out}}, "scalar", scalar, Number::BesideTheType, \
                             function);                                                                               \
    }                                                                                                                 \
    PHASE_2(name##ScalarV2)                                                                                           \
    FOREACH(name##ScalarList, const aclTensorList* x, const aclScalarList* scalars, OUT(name##ScalarList, 2)) {       \
        return apply<On::on>(CALL(name##ScalarList), {{"x", x}, {"out", out}}, scalars, function);                    \
    }                                                                                                                 \
    PHASE_2(name##ScalarList)
#define SCALED(name, function)                                                                                \
    FOREACH(name##List, const aclTensorList* x1, const aclTensorList* x2, const aclTensor* alpha,             \
            OUT(name##List, 3)) {                                                                             \
        return apply<On::Numbers>(CALL(name##List), {{"x1", x1}, {"x2", x2}, {"out", out}}, {"alpha", alpha}, \
                                  function);                                                                  \
    }                                                                                                         \
    PHASE_2(name##List)                                                                                       \
    FOREACH(name##ListV2, const aclTensorList* x1, const aclTensorList* x2, const aclScalar* alpha,           \
            OUT(name##ListV2, 3)) {                                                                           \
        return apply<On::Numbers>(CALL(name##ListV2), {{"x1", x1}, {"x2", x2}, {"out", out}}, "alpha", alpha, \
                                  Number::BesideTheType, function);                                           \
    }                                                                                                         \
    PHASE_2(name##ListV2)
#define THREE_AND_NUMBERS(name, number, each, on, function)                                                           \
    FOREACH(name, const aclTensorList* x1, const aclTensorList* x2, const aclTensorList* x3, const aclTensor* number, \
            OUT(name, 4)) {                                                                                           \
        return apply<On::on>(CALL(name), {{"x1", x1}, {"x2", x2}, {"x3", x3}, {"out", out}}, {#number, number, each}, \
                             function);                                                                               \
    }                                                                                                                 \
    PHASE_2(name)
#define THREE(name, on, function)                                                                                \
    THREE_AND_NUMBERS(name##Scalar, scalar, false, on, function)                                                 \
    THREE_AND_NUMBERS(name##List, scalars, true, on, function)                                                   \
    THREE_AND_NUMBERS(name##ScalarList, scalars, true, on, function)                                             \
    FOREACH(name##ScalarV2, const aclTensorList* x1, const aclTensorList* x2, const aclTensorList* x3,           \
            const aclScalar* scalar, OUT(name##ScalarV2, 4)) {                                                   \
        return apply<On::on>(CALL(name##ScalarV2), {{"x1", x1}, {"x2", x2}, {"x3", x3}, {"out", out}}, "scalar", \
                             scalar, Number::BesideTheType, function);                                           \
    }                                                                                                            \
    PHASE_2(name##ScalarV2)

ONE(Abs, Floats, [](double value) { return std::fabs(value); })
ONE(Acos, Floats, kAcos)
ONE(Asin, Floats, kAsin)
ONE(Atan, Floats, kAtan)
ONE(Cos, Floats, kCos)
ONE(Cosh, Floats, kCosh)
ONE(Erf, Floats, kErf)
ONE(Erfc, Floats, kErfc)
ONE(Exp, Floats, kExp)
ONE(Expm1, Floats, kExpm1)
ONE(Log, Floats, kLog)
ONE(Log10, Floats, kLog10)
ONE(Log1p, Floats, kLog1p)
ONE(Log2, Floats, kLog2)
ONE(Neg, Numbers, [](auto value) { return multiply(value, decltype(value){-1}); })
ONE(Reciprocal, Floats, [](double value) { return 1 / value; })
ONE(Sigmoid, Floats, kSigmoid)
ONE(Sign, Numbers, kSign)
ONE(Sin, Floats, kSin)
ONE(Sinh, Floats, kSinh)
ONE(Sqrt, Floats, [](double value) { return std::sqrt(value); })
ONE(Tan, Floats, kTan)
ONE(Tanh, Floats, kTanh)

SCALED(Add, kAddScaled)
SCALED(Sub, kSubtractScaled)
TWO(MulList, Numbers, kMultiply)
TWO(DivList, Floats, kDivide)
TWO(MaximumList, Numbers, kMaximum)
TWO(MinimumList, Numbers, kMinimum)
TWO(PowList, Numbers, kPower)
NUMBER(Add, Numbers, kAdd)
NUMBER(Sub, Numbers, kSubtract)
NUMBER(Mul, Numbers, kMultiply)
NUMBER(Div, Floats, kDivide)
NUMBER(Maximum, Numbers, kMaximum)
NUMBER(Minimum, Numbers, kMinimum)
NUMBER(Pow, Numbers, kPower)
THREE(Addcmul, Numbers, kAddProduct)
THREE(Addcdiv, Floats, kAddQuotient)

FOREACH(PowScalarAndTensor, const aclScalar* scalar, const aclTensorList* x, OUT(PowScalarAndTensor, 2)) {
    return apply<On::Numbers>(CALL(PowScalarAndTensor), {{"x", x}, {"out", out}}, "scalar", scalar, Number::OfAnyType,
                              swapped(kPower));
}
PHASE_2(PowScalarAndTensor)

FOREACH(LerpList, const aclTensorList* x1, const aclTensorList* x2, const aclTensorList* weight, OUT(LerpList, 3)) {
    return apply<On::Floats>(CALL(LerpList), {{"x1", x1}, {"x2", x2}, {"weight", weight}, {"out", out}}, kBetween);
}
PHASE_2(LerpList)
FOREACH(LerpScalar, const aclTensorList* x1, const aclTensorList* x2, const aclScalar* weight, OUT(LerpScalar, 3)) {
    return apply<On::Floats>(CALL(LerpScalar), {{"x1", x1}, {"x2", x2}, {"out", out}}, "weight", weight,
                             Number::OfAnyType, kBetween);
}
PHASE_2(LerpScalar)

FOREACH(RoundOffNumber, const aclTensorList* x, const aclTensor* roundMode, OUT(RoundOffNumber, 2)) {
    return apply<On::Numbers>(CALL(RoundOffNumber), {{"x", x}, {"out", out}}, {"roundMode", roundMode}, kRoundOff);
}
PHASE_2(RoundOffNumber)
FOREACH(RoundOffNumberV2, const aclTensorList* x, const aclScalar* roundMode, OUT(RoundOffNumberV2, 2)) {
    return apply<On::Numbers>(CALL(RoundOffNumberV2), {{"x", x}, {"out", out}}, "roundMode", roundMode,
                              Number::OfAnyType, kRoundOff);
}
PHASE_2(RoundOffNumberV2)

FOREACH(Copy, const aclTensorList* x, OUT(Copy, 1)) {
    const Call call = CALL(Copy);
    const List lists[] = {{"x", x}, {"out", out}};
    return call.prepare([&]() -> aclnnStatus {
        Tensors<2> found;
        ACLQ_RETURN_IF_FAILED(readLists(lists, found));
        ACLQ_RETURN_IF_FAILED(checkOneShape(lists, found));
        return launchEach(call, lists, found, {}, [](std::size_t, aclDataType) { return copyKernel(); });
    });
}
PHASE_2(Copy)

FOREACH(Norm, const aclTensorList* x, const aclScalar* scalar, OUT(Norm, 2)) {
    const Call call = CALL(Norm);
    const List lists[] = {{"x", x}, {"out", out}};
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("scalar", scalar));
        Tensors<2> found;
        ACLQ_RETURN_IF_FAILED(readLists(lists, found));
        ACLQ_RETURN_IF_FAILED(checkOneType(lists, found));
        for (const aclTensor* tensor : found[1]) {
            if (tensor->elements() != 1) {
                return refuse("out", "shape " + tensor->shape.text(), "one element");
            }
        }
        return launchEach(call, lists, found, {}, [order = real(*scalar)](std::size_t, aclDataType) {
            return std::make_shared<WholeNorm>(order);
        });
    });
}
PHASE_2(Norm)

FOREACH(ZeroInplace, const aclTensorList* x) {
    return apply<On::Numbers>(CALL(ZeroInplace), {{"x", x}, {"x", x}}, [](auto value) { return decltype(value){}; });
}
PHASE_2(ZeroInplace)

FOREACH(NonFiniteCheckAndUnscale, const aclTensorList* scaledGrads, const aclTensor* foundInf,
        const aclTensor* invScale) {
    const Call call = CALL(NonFiniteCheckAndUnscale);
    return call.prepare([&]() -> aclnnStatus {
        const List lists[] = {{"scaledGrads", scaledGrads}};
        Tensors<1> found;
        ACLQ_RETURN_IF_FAILED(checkAllGiven({{"foundInf", foundInf}, {"invScale", invScale}}));
        ACLQ_RETURN_IF_FAILED(readLists(lists, found));
        ACLQ_RETURN_IF_FAILED(checkOneType(lists, found));
        ACLQ_RETURN_IF_FAILED(checkNumbers({"foundInf", foundInf}, 1));
        ACLQ_RETURN_IF_FAILED(checkNumbers({"invScale", invScale}, 1));
        std::vector<Argument> arguments;
        for (const aclTensor* gradient : found[0]) {
            arguments.push_back({"scaledGrads", gradient});
        }
        arguments.push_back({"foundInf", foundInf});
        arguments.push_back({"invScale", invScale});
        return call.launch(arguments, std::make_shared<Unscale>(found[0].size()));
    });
}
PHASE_2(NonFiniteCheckAndUnscale)
