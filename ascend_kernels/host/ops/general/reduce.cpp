// SPDX-License-Identifier: Apache-2.0
// Operators that make one element out of many: sums, extremes, conditions over some dimensions or all.
#include <cmath>

#include "aclnnop/aclnn_all.h"
#include "aclnnop/aclnn_amax.h"
#include "aclnnop/aclnn_amin.h"
#include "aclnnop/aclnn_any.h"
#include "aclnnop/aclnn_argmax.h"
#include "aclnnop/aclnn_argmin.h"
#include "aclnnop/aclnn_cumsum.h"
#include "aclnnop/aclnn_log_softmax.h"
#include "aclnnop/aclnn_max.h"
#include "aclnnop/aclnn_max_dim.h"
#include "aclnnop/aclnn_mean.h"
#include "aclnnop/aclnn_min.h"
#include "aclnnop/aclnn_min_dim.h"
#include "aclnnop/aclnn_prod.h"
#include "aclnnop/aclnn_reduce_sum.h"
#include "aclnnop/aclnn_softmax.h"
#include "ops/elements.h"
#include "ops/general/elementwise.h"

using namespace aclq;
using namespace aclq::general;

namespace {

// The dimensions that go, as bits.
using Mask = unsigned;

// A tensor seen as kept dimensions and, for each place in them, the elements of the others.
struct Split {
    Split(const View& view, Mask gone) : view_(view) {
        for (std::int64_t dimension = 0; dimension < view.rank; ++dimension) {
            View& part = (gone >> dimension & 1U) != 0 ? inner : outer;
            part.shape[part.rank] = view.shape[dimension];
            part.strides[part.rank] = view.strides[dimension];
            ++part.rank;
        }
    }

    // All elements that belong to a place, piece by piece: use(values, n).
    template <class Domain, class Use>
    void forEach(std::int64_t place, Use&& use) const {
        const std::int64_t begin = offsetOf(outer, place);
        const std::int64_t length = inner.rank > 0 ? inner.shape[inner.rank - 1] : 1;
        const std::int64_t step = inner.rank > 0 ? inner.strides[inner.rank - 1] : 1;
        std::vector<Domain> values(static_cast<std::size_t>(std::min(length, kChunk)));
        const std::int64_t rows = inner.elements() / std::max<std::int64_t>(length, 1);
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::int64_t at = begin + offsetOf(inner, row * length);
            for (std::int64_t first = 0; first < length; first += kChunk) {
                const std::int64_t n = std::min(kChunk, length - first);
                read(view_, at + first * step, step, n, values.data());
                use(values.data(), n);
            }
        }
    }

    View outer;
    View inner;

  private:
    const View& view_;
};

// How values are taken together: a start, a step for each value, and what the result is made of at the end.
struct Sum {
    template <class T>
    static T begin() { return T{}; }
    template <class T>
    static T step(T sum, T value) { return add(sum, value); }
};
struct Product {
    template <class T>
    static T begin() { return T{1}; }
    template <class T>
    static T step(T product, T value) { return multiply(product, value); }
};
struct Largest {
    template <class T>
    static T begin() { return std::is_same_v<T, double> ? static_cast<T>(-HUGE_VAL) : std::numeric_limits<T>::min(); }
    template <class T>
    static T step(T best, T value) { return best != best || value < best ? best : value; }
};
struct Smallest {
    template <class T>
    static T begin() { return std::is_same_v<T, double> ? static_cast<T>(HUGE_VAL) : std::numeric_limits<T>::max(); }
    template <class T>
    static T step(T best, T value) { return best != best || value > best ? best : value; }
};
struct AllTrue {
    template <class T>
    static T begin() { return T{1}; }
    template <class T>
    static T step(T holds, T value) { return holds != 0 && value != 0 ? T{1} : T{0}; }
};
struct AnyTrue {
    template <class T>
    static T begin() { return T{0}; }
    template <class T>
    static T step(T holds, T value) { return holds != 0 || value != 0 ? T{1} : T{0}; }
};

// Elements of a place that are worth a thread together with others.
std::int64_t grain(const Split& split) { return std::max<std::int64_t>(1, kThreadGrain / std::max<std::int64_t>(1, split.inner.elements())); }

// Tensors: self, out, whose elements in logical order are the kept places.
template <class Domain, class Way>
class Reduce : public Kernel {
  public:
    Reduce(Mask gone, bool mean) : gone_(gone), mean_(mean) {}

    void run(const View* tensors, const KernelContext&) const override {
        const Split split(tensors[0], gone_);
        const View& out = tensors[1];
        parallelFor(split.outer.elements(), grain(split), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t place = begin; place < end; ++place) {
                Domain result = Way::template begin<Domain>();
                split.forEach<Domain>(place, [&](const Domain* values, std::int64_t n) {
                    for (std::int64_t i = 0; i < n; ++i) {
                        result = Way::step(result, values[i]);
                    }
                });
                if (mean_) {
                    result = static_cast<Domain>(static_cast<double>(result) / static_cast<double>(split.inner.elements()));
                }
                write(out, offsetOf(out, place), 1, 1, &result);
            }
        });
    }

  private:
    const Mask gone_;
    const bool mean_;
};

aclnnStatus readDims(const char* argument, const aclIntArray* dims, std::int64_t rank, Mask& gone) {
    gone = (1U << rank) - 1;
    if (dims == nullptr) {
        return ACLNN_SUCCESS;
    }
    const aclIntArray* found = pools().intArrays.find(dims);
    if (found == nullptr) {
        return refuse(argument, text("%p", static_cast<const void*>(dims)), "a live aclIntArray");
    }
    if (found->values.empty()) {
        return ACLNN_SUCCESS;
    }
    gone = 0;
    for (std::int64_t dim : found->values) {
        ACLQ_RETURN_IF_FAILED(checkDim(argument, rank, dim));
        if (rank > 0) {
            gone |= 1U << dim;
        }
    }
    return ACLNN_SUCCESS;
}

Dims reducedShape(const Dims& shape, Mask gone, bool keep) {
    std::int64_t sizes[Dims::kMaxRank] = {};
    std::uint64_t rank = 0;
    for (std::int64_t dimension = 0; dimension < shape.rank(); ++dimension) {
        const bool goes = (gone >> dimension & 1U) != 0;
        if (!goes || keep) {
            sizes[rank++] = goes ? 1 : shape[dimension];
        }
    }
    return Dims(sizes, rank);
}

template <class Way>
aclnnStatus reduce(const Call& call, const aclTensor* self, Mask gone, bool keep, aclTensor* out, bool mean = false) {
    ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
    ACLQ_RETURN_IF_FAILED(checkShape("out", *out, reducedShape(self->shape, gone, keep), "the shape of self without the dimensions that go"));
    if (out->empty()) {
        return call.nothing();
    }
    constexpr bool extreme = std::is_same_v<Way, Largest> || std::is_same_v<Way, Smallest>;
    if (extreme && self->empty()) {
        return refuse("self", "shape " + self->shape.text(), "a tensor with elements");
    }
    const bool real = isFloating(self->dtype) || (!extreme && isFloating(out->dtype));
    const auto kernel = inDomain(real, [&](auto number) { return std::make_shared<Reduce<decltype(number), Way>>(gone, mean); });
    return call.launch({{"self", self}, {"out", out}}, kernel);
}

template <class Way>
aclnnStatus reduceDims(const Call& call, const aclTensor* self, const char* name, const aclIntArray* dims, bool keep, aclTensor* out, bool mean = false) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        Mask gone = 0;
        ACLQ_RETURN_IF_FAILED(readDims(name, dims, self->shape.rank(), gone));
        return reduce<Way>(call, self, gone, keep, out, mean);
    });
}

// The result type is said twice.
aclnnStatus checkSaid(aclDataType dtype, const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
    return dtype == out->dtype ? ACLNN_SUCCESS : refuse("dtype", nameOf(dtype), nameOf(out->dtype) + ", the dtype of out");
}

}  // namespace

aclnnStatus aclnnReduceSumGetWorkspaceSize(const aclTensor* self, const aclIntArray* dims, bool keepDims, aclDataType dtype, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnReduceSum);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return reduceDims<Sum>(call, self, "dims", dims, keepDims, out);
    });
}
ACLQ_PHASE_2(aclnnReduceSum)

aclnnStatus aclnnMeanGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepDim, aclDataType dtype, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnMean);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return reduceDims<Sum>(call, self, "dim", dim, keepDim, out, true);
    });
}
ACLQ_PHASE_2(aclnnMean)

aclnnStatus aclnnProdGetWorkspaceSize(const aclTensor* self, const aclDataType dtype, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnProd);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return reduceDims<Product>(call, self, "dim", nullptr, false, out);
    });
}
ACLQ_PHASE_2(aclnnProd)

aclnnStatus aclnnMaxGetWorkspaceSize(const aclTensor* self, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return reduceDims<Largest>(ACLQ_CALL(aclnnMax), self, "dim", nullptr, false, out); }
ACLQ_PHASE_2(aclnnMax)
aclnnStatus aclnnMinGetWorkspaceSize(const aclTensor* self, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return reduceDims<Smallest>(ACLQ_CALL(aclnnMin), self, "dim", nullptr, false, out); }
ACLQ_PHASE_2(aclnnMin)
aclnnStatus aclnnAmaxGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepDim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return reduceDims<Largest>(ACLQ_CALL(aclnnAmax), self, "dim", dim, keepDim, out); }
ACLQ_PHASE_2(aclnnAmax)
aclnnStatus aclnnAminGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepDim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return reduceDims<Smallest>(ACLQ_CALL(aclnnAmin), self, "dim", dim, keepDim, out); }
ACLQ_PHASE_2(aclnnAmin)
aclnnStatus aclnnAllGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepdim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return reduceDims<AllTrue>(ACLQ_CALL(aclnnAll), self, "dim", dim, keepdim, out); }
ACLQ_PHASE_2(aclnnAll)
aclnnStatus aclnnAnyGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepdim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return reduceDims<AnyTrue>(ACLQ_CALL(aclnnAny), self, "dim", dim, keepdim, out); }
ACLQ_PHASE_2(aclnnAny)

namespace {

// One dimension goes (or none, for a number).
aclnnStatus oneDim(const aclTensor* self, std::int64_t dim, Mask& gone) {
    ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
    ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
    gone = self->shape.rank() > 0 ? 1U << dim : 0;
    return ACLNN_SUCCESS;
}

// Tensors: self, values (may be left out), indices: where the first best element is; NaN is the best.
template <class Domain, class Way>
class Extreme : public Kernel {
  public:
    explicit Extreme(Mask gone) : gone_(gone) {}

    void run(const View* tensors, const KernelContext&) const override {
        const Split split(tensors[0], gone_);
        parallelFor(split.outer.elements(), grain(split), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t place = begin; place < end; ++place) {
                Domain best = Domain{};
                std::int64_t where = -1;
                std::int64_t number = 0;
                split.forEach<Domain>(place, [&](const Domain* values, std::int64_t n) {
                    for (std::int64_t i = 0; i < n; ++i, ++number) {
                        const bool better = where < 0 || (best == best && (values[i] != values[i] || (values[i] != best && Way::step(best, values[i]) == values[i])));
                        best = better ? values[i] : best;
                        where = better ? number : where;
                    }
                });
                if (tensors[1].present) {
                    write(tensors[1], offsetOf(tensors[1], place), 1, 1, &best);
                }
                write(tensors[2], offsetOf(tensors[2], place), 1, 1, &where);
            }
        });
    }

  private:
    const Mask gone_;
};

template <class Way>
aclnnStatus extreme(const Call& call, const aclTensor* self, std::int64_t dim, bool keep, aclTensor* values, const char* name, aclTensor* indices) {
    return call.prepare([&]() -> aclnnStatus {
        Mask gone = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dim, gone));
        ACLQ_RETURN_IF_FAILED(checkTensor(name, indices));
        const Dims shape = reducedShape(self->shape, gone, keep);
        ACLQ_RETURN_IF_FAILED(checkShape(name, *indices, shape, "the shape of self without the dimension that goes"));
        if (values != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkTensor("out", values));
            ACLQ_RETURN_IF_FAILED(checkShape("out", *values, shape, "the shape of self without the dimension that goes"));
        }
        if (indices->empty()) {
            return call.nothing();
        }
        if (self->empty()) {
            return refuse("self", "shape " + self->shape.text(), "a tensor with elements");
        }
        const auto kernel = inDomain(isFloating(self->dtype), [&](auto number) { return std::make_shared<Extreme<decltype(number), Way>>(gone); });
        return call.launch({{"self", self}, {"out", values}, {name, indices}}, kernel);
    });
}

}  // namespace

aclnnStatus aclnnMaxDimGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepdim, aclTensor* out, aclTensor* indices, uint64_t* workspaceSize, aclOpExecutor** executor) { return extreme<Largest>(ACLQ_CALL(aclnnMaxDim), self, dim, keepdim, out, "indices", indices); }
ACLQ_PHASE_2(aclnnMaxDim)
aclnnStatus aclnnMinDimGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepdim, aclTensor* out, aclTensor* indices, uint64_t* workspaceSize, aclOpExecutor** executor) { return extreme<Smallest>(ACLQ_CALL(aclnnMinDim), self, dim, keepdim, out, "indices", indices); }
ACLQ_PHASE_2(aclnnMinDim)
aclnnStatus aclnnArgMaxGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepdim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return extreme<Largest>(ACLQ_CALL(aclnnArgMax), self, dim, keepdim, nullptr, "out", out); }
ACLQ_PHASE_2(aclnnArgMax)
aclnnStatus aclnnArgMinGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepdim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return extreme<Smallest>(ACLQ_CALL(aclnnArgMin), self, dim, keepdim, nullptr, "out", out); }
ACLQ_PHASE_2(aclnnArgMin)

aclnnStatus aclnnProdDimGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepDim, const aclDataType dtype, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnProdDim);
    return call.prepare([&]() -> aclnnStatus {
        Mask gone = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dim, gone));
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return reduce<Product>(call, self, gone, keepDim, out);
    });
}
ACLQ_PHASE_2(aclnnProdDim)

namespace {

// Tensors: self, out of the same shape; `function` turns a row along dim into another.
template <class Domain, class Function>
class AlongDim : public Kernel {
  public:
    AlongDim(Mask along, Function function) : along_(along), function_(std::move(function)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const Split from(tensors[0], along_);
        const Split to(tensors[1], along_);
        const std::int64_t step = to.inner.rank > 0 ? to.inner.strides[0] : 1;
        parallelFor(from.outer.elements(), grain(from), [&](std::int64_t begin, std::int64_t end) {
            std::vector<Domain> row;
            for (std::int64_t place = begin; place < end; ++place) {
                row.clear();
                from.forEach<Domain>(place, [&](const Domain* values, std::int64_t n) { row.insert(row.end(), values, values + n); });
                function_(row);
                write(tensors[1], offsetOf(to.outer, place), step, static_cast<std::int64_t>(row.size()), row.data());
            }
        });
    }

  private:
    const Mask along_;
    const Function function_;
};

template <class Domain, class Function>
aclnnStatus alongDim(const Call& call, const aclTensor* self, std::int64_t dim, aclTensor* out, Function function) {
    Mask along = 0;
    ACLQ_RETURN_IF_FAILED(oneDim(self, dim, along));
    ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
    ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
    return self->empty() ? call.nothing() : call.launch({{"self", self}, {"out", out}}, std::make_shared<AlongDim<Domain, Function>>(along, function));
}

constexpr auto kRunningSum = [](auto& row) {
    for (std::size_t index = 1; index < row.size(); ++index) {
        row[index] = add(row[index], row[index - 1]);
    }
};

// Shifted by the largest element, so that nothing overflows; the sum of the powers of e.
double shift(std::vector<double>& row) {
    double largest = -HUGE_VAL;
    for (const double value : row) {
        largest = Largest::step(largest, value);
    }
    double sum = 0;
    for (double& value : row) {
        value -= largest;
        sum += std::exp(value);
    }
    return sum;
}

}  // namespace

aclnnStatus aclnnSoftmaxGetWorkspaceSize(const aclTensor* self, int64_t dim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnSoftmax);
    return call.prepare([&] {
        return alongDim<double>(call, self, dim, out, [](std::vector<double>& row) {
            const double sum = shift(row);
            for (double& value : row) {
                value = std::exp(value) / sum;
            }
        });
    });
}
ACLQ_PHASE_2(aclnnSoftmax)

aclnnStatus aclnnLogSoftmaxGetWorkspaceSize(const aclTensor* self, int64_t dim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLogSoftmax);
    return call.prepare([&] {
        return alongDim<double>(call, self, dim, out, [](std::vector<double>& row) {
            const double logarithm = std::log(shift(row));
            for (double& value : row) {
                value -= logarithm;
            }
        });
    });
}
ACLQ_PHASE_2(aclnnLogSoftmax)

aclnnStatus aclnnCumsumGetWorkspaceSize(const aclTensor* self, int64_t dim, aclDataType dtype, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnCumsum);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return isFloating(dtype) ? alongDim<double>(call, self, dim, out, kRunningSum) : alongDim<std::int64_t>(call, self, dim, out, kRunningSum);
    });
}
ACLQ_PHASE_2(aclnnCumsum)
