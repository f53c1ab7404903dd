// SPDX-License-Identifier: Apache-2.0
// Reductions over some or all dimensions: sums, minima and maxima, conditions.
#include <cmath>
#include <cstring>

#include "aclnnop/aclnn_all.h"
#include "aclnnop/aclnn_amax.h"
#include "aclnnop/aclnn_amin.h"
#include "aclnnop/aclnn_aminmax.h"
#include "aclnnop/aclnn_aminmax_all.h"
#include "aclnnop/aclnn_aminmax_dim.h"
#include "aclnnop/aclnn_any.h"
#include "aclnnop/aclnn_argmax.h"
#include "aclnnop/aclnn_argmin.h"
#include "aclnnop/aclnn_cumsum.h"
#include "aclnnop/aclnn_logsoftmax.h"
#include "aclnnop/aclnn_max.h"
#include "aclnnop/aclnn_max_dim.h"
#include "aclnnop/aclnn_mean.h"
#include "aclnnop/aclnn_min.h"
#include "aclnnop/aclnn_min_dim.h"
#include "aclnnop/aclnn_prod.h"
#include "aclnnop/aclnn_reduce_nansum.h"
#include "aclnnop/aclnn_reduce_sum.h"
#include "aclnnop/aclnn_softmax.h"
#include "aclnnop/aclnn_trace.h"
#include "ops/everyday/along.h"
#include "ops/everyday/elementwise.h"
#include "ops/everyday/row_math.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// A reduction: an initial value, a step for each element, and a final conversion to the result.
struct Sum {
    static constexpr bool converts = true;
    template <class T>
    static T begin() {
        return T{};
    }
    template <class T>
    static T step(T sum, T value) {
        return add(sum, value);
    }
};
struct SumOfNumbers {  // NaN counts as 0
    static constexpr bool converts = true;
    template <class T>
    static T begin() {
        return T{};
    }
    template <class T>
    static T step(T sum, T value) {
        return value != value ? sum : add(sum, value);
    }
};
struct Product {
    static constexpr bool converts = true;
    template <class T>
    static T begin() {
        return T{1};
    }
    template <class T>
    static T step(T product, T value) {
        return multiply(product, value);
    }
};
struct Largest {
    static constexpr bool converts = false;
    template <class T>
    static T begin() {
        return std::is_same_v<T, double> ? static_cast<T>(-HUGE_VAL) : std::numeric_limits<T>::min();
    }
    template <class T>
    static T step(T best, T value) {
        return best != best || value < best ? best : value;
    }
};
struct Smallest {
    static constexpr bool converts = false;
    template <class T>
    static T begin() {
        return std::is_same_v<T, double> ? static_cast<T>(HUGE_VAL) : std::numeric_limits<T>::max();
    }
    template <class T>
    static T step(T best, T value) {
        return best != best || value > best ? best : value;
    }
};
struct AllTrue {
    static constexpr bool converts = false;
    template <class T>
    static T begin() {
        return T{1};
    }
    template <class T>
    static T step(T holds, T value) {
        return holds != 0 && value != 0 ? T{1} : T{0};
    }
};
struct AnyTrue {
    static constexpr bool converts = false;
    template <class T>
    static T begin() {
        return T{0};
    }
    template <class T>
    static T step(T holds, T value) {
        return holds != 0 || value != 0 ? T{1} : T{0};
    }
};

// Tensors: self, out. The elements of out, in logical order, belong to the kept positions.
template <class Domain, class Way>
class Reduce : public Kernel {
  public:
    Reduce(Mask gone, bool mean) : gone_(gone), mean_(mean) {}

    void run(const View* tensors, const KernelContext&) const override {
        // Sums and products convert the elements to the type of the result first.
        const Split split(tensors[0], gone_, Way::converts ? tensors[1].dtype : tensors[0].dtype);
        if (split.sideBySide()) {
            across(split, tensors[1]);
        } else if (split.outer.elements() == 1) {
            whole(split, tensors[1]);
        } else {
            parallelFor(split.outer.elements(), grain(split), [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t place = begin; place < end; ++place) {
                    Lanes lanes;
                    split.forEach<Domain>(place, [&](const auto* values, std::int64_t n) { lanes.take(values, n); });
                    store(split, tensors[1], place, lanes.together());
                }
            });
        }
    }

  private:
    // Several accumulators, so that no step waits for the one before it.
    struct Lanes {
        // Extremes and conditions do not depend on the order, so they can have more accumulators.
        static constexpr std::int64_t kCount = Way::converts ? 8 : 32;
        Domain results[kCount];

        Lanes() { std::fill_n(results, kCount, Way::template begin<Domain>()); }
        template <class T>
        void take(const T* values, std::int64_t n) {
            accumulate(results, n, [values](Domain result, std::int64_t i) {
                return Way::step(result, static_cast<Domain>(values[i]));
            });
        }
        Domain together() const {
            Domain result = results[0];
            for (std::int64_t lane = 1; lane < kCount; ++lane) {
                result = Way::step(result, results[lane]);
            }
            return result;
        }
    };

    // Many results at once, one element of each at a time.
    void across(const Split& split, const View& out) const {
        const std::int64_t length = split.outer.shape[split.outer.rank - 1];
        const std::int64_t elements = split.inner.elements();
        const Cut cut{split.outer.elements() / length, length};
        const std::int64_t least =
            std::max<std::int64_t>(1, kThreadGrain / std::max<std::int64_t>(1, std::min(length, kChunk) * elements));
        parallelFor(cut.pieces(), least, [&](std::int64_t begin, std::int64_t end) {
            std::vector<Domain> results(static_cast<std::size_t>(std::min(length, kChunk)));
            std::vector<Domain> values(results.size());
            Pieces pieces(begin, end, cut);
            while (pieces.next()) {
                const std::int64_t place = pieces.row() * length + pieces.first();
                const auto n = static_cast<std::size_t>(pieces.count());
                std::fill_n(results.begin(), n, Way::template begin<Domain>());
                for (std::int64_t element = 0; element < elements; ++element) {
                    split.across(place, element, pieces.count(), values.data());
                    widest([to = results.data(), from = values.data(), n] {
                        for (std::size_t i = 0; i < n; ++i) {
                            to[i] = Way::step(to[i], from[i]);
                        }
                    });
                }
                for (std::size_t i = 0; i < n; ++i) {
                    store(split, out, place + static_cast<std::int64_t>(i), results[i]);
                }
            }
        });
    }

    // One result, in parts whose size does not depend on the number of threads.
    void whole(const Split& split, const View& out) const {
        const View& inner = split.inner;
        const std::int64_t length = inner.rank > 0 ? inner.shape[inner.rank - 1] : 1;
        const std::int64_t rows = length > 0 ? inner.elements() / length : 0;
        const Cut cut{rows, length, 1, kThreadGrain};
        std::vector<Domain> results(static_cast<std::size_t>(length > 0 ? cut.pieces() : 0),
                                    Way::template begin<Domain>());
        const std::int64_t least = std::max<std::int64_t>(1, kThreadGrain / std::max<std::int64_t>(1, length));
        parallelFor(static_cast<std::int64_t>(results.size()), least, [&](std::int64_t begin, std::int64_t end) {
            Pieces pieces(begin, end, cut);
            for (std::int64_t number = begin; pieces.next(); ++number) {
                Lanes lanes;
                split.part<Domain>(pieces.row() * length, pieces.first(), pieces.count(),
                                   [&](const auto* values, std::int64_t n) { lanes.take(values, n); });
                results[static_cast<std::size_t>(number)] = lanes.together();
            }
        });
        Domain result = Way::template begin<Domain>();
        for (const Domain part : results) {
            result = Way::step(result, part);
        }
        store(split, out, 0, result);
    }

    void store(const Split& split, const View& out, std::int64_t place, Domain result) const {
        if (mean_) {
            const auto count = static_cast<double>(split.inner.elements());
            if constexpr (std::is_same_v<Domain, std::int64_t>) {
                result = static_cast<Domain>(static_cast<double>(result) / count);
            } else {
                result /= count;
            }
        }
        write(out, offsetOf(out, place), 1, 1, &result);
    }

    const Mask gone_;
    const bool mean_;
};

template <class Way>
aclnnStatus reduce(const Call& call, const aclTensor* self, Mask gone, bool keep, aclTensor* out, OneElement one,
                   bool mean = false) {
    ACLQ_RETURN_IF_FAILED(checkReduced("out", out, self->shape, gone, keep, one));
    if (out->empty()) {
        return call.nothing();
    }
    constexpr bool extreme = std::is_same_v<Way, Largest> || std::is_same_v<Way, Smallest>;
    if (extreme && self->empty()) {
        // CANN accepts the reduction of an empty tensor to one element, and writes nothing.
        const bool whole = gone + 1 == 1U << self->shape.rank();
        return whole && one == OneElement::AnyShape
                   ? call.nothing()
                   : refuse("self", "shape " + self->shape.text(), "a tensor with elements");
    }
    const bool real = isFloating(Way::converts ? out->dtype : self->dtype);
    std::shared_ptr<const Kernel> kernel =
        inDomain(real, [&](auto number) { return std::make_shared<Reduce<decltype(number), Way>>(gone, mean); });
    if constexpr (Way::converts) {
        if (isComplex(out->dtype)) {
            kernel = std::make_shared<Reduce<Complex, Way>>(gone, mean);
        }
    }
    return call.launch({{"self", self}, {"out", out}}, kernel);
}

// Over all dimensions.
template <class Way>
aclnnStatus reduceAll(const Call& call, const aclTensor* self, aclTensor* out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        return reduce<Way>(call, self, (1U << self->shape.rank()) - 1, false, out, OneElement::AnyShape);
    });
}

template <class Way>
aclnnStatus reduceDims(const Call& call, const aclTensor* self, const char* name, const aclIntArray* dims, bool keep,
                       aclTensor* out, OneElement one, bool mean = false) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkGivenDims(name, dims));
        Mask gone = 0;
        ACLQ_RETURN_IF_FAILED(readDims(name, dims, self->shape.rank(), gone));
        return reduce<Way>(call, self, gone, keep, out, one, mean);
    });
}

}  // namespace

aclnnStatus aclnnReduceSumGetWorkspaceSize(const aclTensor* self, const aclIntArray* dims, bool keepDims,
                                           aclDataType dtype, aclTensor* out, uint64_t* workspaceSize,
                                           aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnReduceSum);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return reduceDims<Sum>(call, self, "dims", dims, keepDims, out, OneElement::AnyShape);
    });
}
ACLQ_PHASE_2(aclnnReduceSum)

aclnnStatus aclnnReduceNansumGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepDim,
                                              aclDataType dtype, aclTensor* out, uint64_t* workspaceSize,
                                              aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnReduceNansum);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return reduceDims<SumOfNumbers>(call, self, "dim", dim, keepDim, out, OneElement::AnyShape);
    });
}
ACLQ_PHASE_2(aclnnReduceNansum)

// The diagonal is a view; its elements are added up.
aclnnStatus aclnnTraceGetWorkspaceSize(const aclTensor* self, aclTensor* out, uint64_t* workspaceSize,
                                       aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnTrace);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 2, 2));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(), "one element"));
        aclTensor diagonal = *self;
        const std::int64_t length = std::min(self->shape[0], self->shape[1]);
        const std::int64_t step = self->strides[0] + self->strides[1];
        diagonal.shape = Dims(&length, 1);
        diagonal.strides = Dims(&step, 1);
        return call.launch({{"self", self, false, &diagonal}, {"out", out}}, ofDomain(out->dtype, [](auto number) {
                               return std::make_shared<Reduce<decltype(number), Sum>>(1, false);
                           }));
    });
}
ACLQ_PHASE_2(aclnnTrace)

namespace {

// Tensors: self, minOut, maxOut.
class BothExtremes : public Kernel {
  public:
    BothExtremes(std::shared_ptr<const Kernel> least, std::shared_ptr<const Kernel> most)
        : least_(std::move(least)), most_(std::move(most)) {}
    void run(const View* tensors, const KernelContext& context) const override {
        const View other[] = {tensors[0], tensors[2]};
        least_->run(tensors, context);
        most_->run(other, context);
    }

  private:
    const std::shared_ptr<const Kernel> least_;
    const std::shared_ptr<const Kernel> most_;
};

aclnnStatus bothExtremes(const Call& call, const aclTensor* self, Mask gone, bool keep, const aclTensor* minOut,
                         const aclTensor* maxOut) {
    ACLQ_RETURN_IF_FAILED(checkReduced("minOut", minOut, self->shape, gone, keep, OneElement::AsComputed));
    ACLQ_RETURN_IF_FAILED(checkReduced("maxOut", maxOut, self->shape, gone, keep, OneElement::AsComputed));
    ACLQ_RETURN_IF_FAILED(checkDtype("minOut", *minOut, {self->dtype}));
    ACLQ_RETURN_IF_FAILED(checkDtype("maxOut", *maxOut, {self->dtype}));
    if (minOut->empty()) {
        return call.nothing();
    }
    if (self->empty()) {
        const bool whole = !keep && gone + 1 == 1U << self->shape.rank();
        return whole ? call.nothing() : refuse("self", "shape " + self->shape.text(), "a tensor with elements");
    }
    const auto kernel = inDomain(isFloating(self->dtype), [&](auto number) {
        using Domain = decltype(number);
        return std::make_shared<BothExtremes>(std::make_shared<Reduce<Domain, Smallest>>(gone, false),
                                              std::make_shared<Reduce<Domain, Largest>>(gone, false));
    });
    return call.launch({{"self", self}, {"minOut", minOut}, {"maxOut", maxOut}}, kernel);
}

}  // namespace

aclnnStatus aclnnAminmaxGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepDim, aclTensor* minOut,
                                         aclTensor* maxOut, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnAminmax);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkGivenDims("dim", dim));
        Mask gone = 0;
        ACLQ_RETURN_IF_FAILED(readDims("dim", dim, self->shape.rank(), gone));
        return bothExtremes(call, self, gone, keepDim, minOut, maxOut);
    });
}
ACLQ_PHASE_2(aclnnAminmax)
aclnnStatus aclnnAminmaxAllGetWorkspaceSize(const aclTensor* self, aclTensor* minOut, aclTensor* maxOut,
                                            uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnAminmaxAll);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        return bothExtremes(call, self, (1U << self->shape.rank()) - 1, false, minOut, maxOut);
    });
}
ACLQ_PHASE_2(aclnnAminmaxAll)
aclnnStatus aclnnAminmaxDimGetWorkspaceSize(const aclTensor* self, const int64_t dim, bool keepDim, aclTensor* minOut,
                                            aclTensor* maxOut, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnAminmaxDim);
    return call.prepare([&]() -> aclnnStatus {
        std::int64_t along = dim;
        Mask gone = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, along, gone));
        return bothExtremes(call, self, gone, keepDim, minOut, maxOut);
    });
}
ACLQ_PHASE_2(aclnnAminmaxDim)

aclnnStatus aclnnMeanGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepDim, aclDataType dtype,
                                      aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnMean);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return reduceDims<Sum>(call, self, "dim", dim, keepDim, out, OneElement::AnyShape, true);
    });
}
ACLQ_PHASE_2(aclnnMean)

aclnnStatus aclnnProdGetWorkspaceSize(const aclTensor* self, const aclDataType dtype, aclTensor* out,
                                      uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnProd);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        return reduce<Product>(call, self, (1U << self->shape.rank()) - 1, false, out, OneElement::AnyShape);
    });
}
ACLQ_PHASE_2(aclnnProd)

aclnnStatus aclnnMaxGetWorkspaceSize(const aclTensor* self, aclTensor* out, uint64_t* workspaceSize,
                                     aclOpExecutor** executor) {
    return reduceAll<Largest>(ACLQ_CALL(aclnnMax), self, out);
}
ACLQ_PHASE_2(aclnnMax)
aclnnStatus aclnnMinGetWorkspaceSize(const aclTensor* self, aclTensor* out, uint64_t* workspaceSize,
                                     aclOpExecutor** executor) {
    return reduceAll<Smallest>(ACLQ_CALL(aclnnMin), self, out);
}
ACLQ_PHASE_2(aclnnMin)
aclnnStatus aclnnAmaxGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepDim, aclTensor* out,
                                      uint64_t* workspaceSize, aclOpExecutor** executor) {
    return reduceDims<Largest>(ACLQ_CALL(aclnnAmax), self, "dim", dim, keepDim, out, OneElement::AsComputed);
}
ACLQ_PHASE_2(aclnnAmax)
aclnnStatus aclnnAminGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepDim, aclTensor* out,
                                      uint64_t* workspaceSize, aclOpExecutor** executor) {
    return reduceDims<Smallest>(ACLQ_CALL(aclnnAmin), self, "dim", dim, keepDim, out, OneElement::AsComputed);
}
ACLQ_PHASE_2(aclnnAmin)
aclnnStatus aclnnAllGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepdim, aclTensor* out,
                                     uint64_t* workspaceSize, aclOpExecutor** executor) {
    return reduceDims<AllTrue>(ACLQ_CALL(aclnnAll), self, "dim", dim, keepdim, out, OneElement::AsComputed);
}
ACLQ_PHASE_2(aclnnAll)
aclnnStatus aclnnAnyGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepdim, aclTensor* out,
                                     uint64_t* workspaceSize, aclOpExecutor** executor) {
    return reduceDims<AnyTrue>(ACLQ_CALL(aclnnAny), self, "dim", dim, keepdim, out, OneElement::AnyShape);
}
ACLQ_PHASE_2(aclnnAny)

namespace {

// Tensors: self, values (optional), indices. The index is that of the first best element; NaN counts as the best.
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
                split.forEach<Domain>(place, [&](const auto* values, std::int64_t n) {
                    for (std::int64_t i = 0; i < n; ++i, ++number) {
                        const auto value = static_cast<Domain>(values[i]);
                        const bool better =
                            where < 0 ||
                            (best == best && (value != value || (value != best && Way::step(best, value) == value)));
                        best = better ? value : best;
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
aclnnStatus extreme(const Call& call, const aclTensor* self, std::int64_t dim, bool keep, aclTensor* values,
                    const char* name, aclTensor* indices) {
    return call.prepare([&]() -> aclnnStatus {
        const bool wantsValues = std::strcmp(name, "out") != 0;
        ACLQ_RETURN_IF_FAILED(checkAllGiven({{"self", self}, {"out", wantsValues ? values : self}, {name, indices}}));
        Mask gone = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dim, gone));
        ACLQ_RETURN_IF_FAILED(checkReduced(name, indices, self->shape, gone, keep, OneElement::AnyShape));
        if (wantsValues) {
            ACLQ_RETURN_IF_FAILED(checkReduced("out", values, self->shape, gone, keep, OneElement::AnyShape));
        }
        if (indices->empty()) {
            return call.nothing();
        }
        if (self->empty()) {
            return refuse("self", "shape " + self->shape.text(), "a tensor with elements");
        }
        const auto kernel = inDomain(isFloating(self->dtype), [&](auto number) {
            return std::make_shared<Extreme<decltype(number), Way>>(gone);
        });
        return call.launch({{"self", self}, {"out", values}, {name, indices}}, kernel);
    });
}

}  // namespace

aclnnStatus aclnnMaxDimGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepdim, aclTensor* out,
                                        aclTensor* indices, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return extreme<Largest>(ACLQ_CALL(aclnnMaxDim), self, dim, keepdim, out, "indices", indices);
}
ACLQ_PHASE_2(aclnnMaxDim)
aclnnStatus aclnnMinDimGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepdim, aclTensor* out,
                                        aclTensor* indices, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return extreme<Smallest>(ACLQ_CALL(aclnnMinDim), self, dim, keepdim, out, "indices", indices);
}
ACLQ_PHASE_2(aclnnMinDim)
aclnnStatus aclnnArgMaxGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepdim, aclTensor* out,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    return extreme<Largest>(ACLQ_CALL(aclnnArgMax), self, dim, keepdim, nullptr, "out", out);
}
ACLQ_PHASE_2(aclnnArgMax)
aclnnStatus aclnnArgMinGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepdim, aclTensor* out,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    return extreme<Smallest>(ACLQ_CALL(aclnnArgMin), self, dim, keepdim, nullptr, "out", out);
}
ACLQ_PHASE_2(aclnnArgMin)

aclnnStatus aclnnProdDimGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepDim, const aclDataType dtype,
                                         aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnProdDim);
    return call.prepare([&]() -> aclnnStatus {
        Mask gone = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dim, gone));
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return reduce<Product>(call, self, gone, keepDim, out, OneElement::AnyShape);
    });
}
ACLQ_PHASE_2(aclnnProdDim)

namespace {

template <class Domain, class Function>
aclnnStatus alongDim(const Call& call, const aclTensor* self, std::int64_t dim, aclTensor* out, Function function) {
    Mask along = 0;
    ACLQ_RETURN_IF_FAILED(oneDim(self, dim, along));
    ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
    ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
    return self->empty() ? call.nothing()
                         : call.launch({{"self", self}, {"out", out}}, turnRows<Domain>(along, function));
}

// Four sums at a time, so that the next four wait for one addition instead of four.
constexpr auto kRunningSum = []<class Domain>(Row<Domain>& row) {
    Domain before{};
    std::size_t index = 0;
    for (; index + 4 <= row.size(); index += 4) {
        Domain* const four = row.data() + index;
        const Domain two = add(four[0], four[1]);
        const Domain all = add(two, add(four[2], four[3]));
        four[0] = add(before, four[0]);
        four[2] = add(before, add(two, four[2]));
        four[1] = add(before, two);
        four[3] = before = add(before, all);
    }
    for (; index < row.size(); ++index) {
        row[index] = before = add(before, row[index]);
    }
};

// The maximum is subtracted first, so that exp cannot overflow.
constexpr auto kSoftmax = []<class Domain>(Row<Domain>& row) {
    const auto n = static_cast<std::int64_t>(row.size());
    divide(row.data(), n, exponentials(row.data(), n, largest(row.data(), n)));
};

constexpr auto kLogSoftmax = []<class Domain>(Row<Domain>& row) {
    const auto n = static_cast<std::int64_t>(row.size());
    const Domain shift = largest(row.data(), n);
    Row<Domain> powers = row;
    const auto logarithm = static_cast<Domain>(std::log(exponentials(powers.data(), n, shift)));
    for (Domain& value : row) {
        value = value - shift - logarithm;
    }
};

// In single precision, as on the chip, unless there are doubles.
template <class Function>
aclnnStatus softmaxes(const Call& call, const aclTensor* self, std::int64_t dim, aclTensor* out, Function function) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        return fitsFloat(self->dtype) && fitsFloat(out->dtype) ? alongDim<float>(call, self, dim, out, function)
                                                               : alongDim<double>(call, self, dim, out, function);
    });
}

}  // namespace

aclnnStatus aclnnSoftmaxGetWorkspaceSize(const aclTensor* self, int64_t dim, aclTensor* out, uint64_t* workspaceSize,
                                         aclOpExecutor** executor) {
    return softmaxes(ACLQ_CALL(aclnnSoftmax), self, dim, out, kSoftmax);
}
ACLQ_PHASE_2(aclnnSoftmax)

aclnnStatus aclnnLogSoftmaxGetWorkspaceSize(const aclTensor* self, int64_t dim, aclTensor* out, uint64_t* workspaceSize,
                                            aclOpExecutor** executor) {
    return softmaxes(ACLQ_CALL(aclnnLogSoftmax), self, dim, out, kLogSoftmax);
}
ACLQ_PHASE_2(aclnnLogSoftmax)

aclnnStatus aclnnCumsumGetWorkspaceSize(const aclTensor* self, int64_t dim, aclDataType dtype, aclTensor* out,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnCumsum);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        return isFloating(dtype) ? alongDim<double>(call, self, dim, out, kRunningSum)
                                 : alongDim<std::int64_t>(call, self, dim, out, kRunningSum);
    });
}
ACLQ_PHASE_2(aclnnCumsum)
