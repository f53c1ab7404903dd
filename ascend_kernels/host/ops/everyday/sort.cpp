// SPDX-License-Identifier: Apache-2.0
// Sorting, top-k, medians, unique elements, and the positions of non-zero elements.
#include <cmath>
#include <numeric>

#include "aclnnop/aclnn_argsort.h"
#include "aclnnop/aclnn_bincount.h"
#include "aclnnop/aclnn_kthvalue.h"
#include "aclnnop/aclnn_median.h"
#include "aclnnop/aclnn_nonzero.h"
#include "aclnnop/aclnn_nonzero_v2.h"
#include "aclnnop/aclnn_sort.h"
#include "aclnnop/aclnn_topk.h"
#include "aclnnop/aclnn_unique.h"
#include "aclnnop/aclnn_unique2.h"
#include "aclnnop/aclnn_unique_consecutive.h"
#include "ops/everyday/along.h"
#include "ops/everyday/elementwise.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// NaN counts as larger than every number.
template <class T>
bool less(T a, T b) {
    return a < b || (a == a && b != b);
}

// The indices of the first `count` elements of a sorted row; equal elements keep their order.
template <class T>
std::vector<std::int64_t> order(const Row<T>& row, bool descending, std::size_t count) {
    std::vector<std::int64_t> numbers(row.size());
    std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
    const auto before = [&](std::int64_t first, std::int64_t second) {
        const T a = row[static_cast<std::size_t>(first)];
        const T b = row[static_cast<std::size_t>(second)];
        const bool is = descending ? less(b, a) : less(a, b);
        return is || (first < second && !(descending ? less(a, b) : less(b, a)));
    };
    const auto end = numbers.begin() + static_cast<std::ptrdiff_t>(count);
    if (count < row.size() / 4) {
        std::partial_sort(numbers.begin(), end, numbers.end(), before);
    } else {
        std::sort(numbers.begin(), numbers.end(), before);
    }
    numbers.resize(count);
    return numbers;
}

template <class T>
std::vector<std::int64_t> order(const Row<T>& row, bool descending) {
    return order(row, descending, row.size());
}

// Tensors: self, values (optional), indices. The first `count` elements of each sorted row.
std::shared_ptr<const Kernel> sorted(bool real, Mask along, bool descending, std::int64_t count) {
    return inDomain(real, [&]<class T>(T) {
        return forPlaces(along, [=](const View* tensors) {
            return [=, from = Split(tensors[0], along), values = Split(tensors[1], along),
                    indices = Split(tensors[2], along)](std::int64_t place) {
                const Row<T> row = from.row<T>(place);
                const std::vector<std::int64_t> chosen = order(row, descending, static_cast<std::size_t>(count));
                if (tensors[1].present) {
                    std::vector<T> found;
                    for (const std::int64_t number : chosen) {
                        found.push_back(row[static_cast<std::size_t>(number)]);
                    }
                    values.put(place, found);
                }
                indices.put(place, chosen);
            };
        });
    });
}

// One result for each row: element `number` of the sorted row. The dimension is removed, or kept with size 1.
std::shared_ptr<const Kernel> ranked(bool real, Mask along, std::int64_t number, bool nanWins) {
    return inDomain(real, [&]<class T>(T) {
        return forPlaces(along, [=](const View* tensors) {
            return [=, from = Split(tensors[0], along)](std::int64_t place) {
                const Row<T> row = from.row<T>(place);
                const std::vector<std::int64_t> numbers = order(row, false);
                // NaN sorts last. A row with NaN gives its first NaN.
                std::size_t where = static_cast<std::size_t>(number);
                const T last = row[static_cast<std::size_t>(numbers.back())];
                if (nanWins && last != last) {
                    for (where = numbers.size() - 1;
                         where > 0 && row[static_cast<std::size_t>(numbers[where - 1])] !=
                                          row[static_cast<std::size_t>(numbers[where - 1])];) {
                        --where;
                    }
                }
                put(tensors[1], place, row[static_cast<std::size_t>(numbers[where])]);
                if (tensors[2].present) {
                    put(tensors[2], place, numbers[where]);
                }
            };
        });
    });
}

aclnnStatus sort(const Call& call, const aclTensor* self, std::int64_t dim, bool descending, bool withValues,
                 const aclTensor* values, const char* indicesName, const aclTensor* indices) {
    return call.prepare([&]() -> aclnnStatus {
        Mask along = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dim, along));
        if (withValues) {
            ACLQ_RETURN_IF_FAILED(checkTensor("valuesOut", values));
            ACLQ_RETURN_IF_FAILED(checkShape("valuesOut", *values, self->shape, "the shape of self"));
        }
        ACLQ_RETURN_IF_FAILED(checkTensor(indicesName, indices));
        ACLQ_RETURN_IF_FAILED(checkShape(indicesName, *indices, self->shape, "the shape of self"));
        const std::int64_t length = along != 0 ? self->shape[dim] : 1;
        return self->empty() ? call.nothing()
                             : call.launch({{"self", self}, {"valuesOut", values}, {indicesName, indices}},
                                           sorted(isFloating(self->dtype), along, descending, length));
    });
}

// Element `number` of each sorted row, counted from 0.
aclnnStatus rank(const Call& call, const aclTensor* self, Mask along, bool keep, std::int64_t number, bool nanWins,
                 const aclTensor* values, bool withIndices, const aclTensor* indices) {
    ACLQ_RETURN_IF_FAILED(checkAllGiven({{"valuesOut", values}, {"indicesOut", withIndices ? indices : values}}));
    ACLQ_RETURN_IF_FAILED(checkReduced("valuesOut", values, self->shape, along, keep, OneElement::AnyShape));
    if (withIndices) {
        ACLQ_RETURN_IF_FAILED(checkReduced("indicesOut", indices, self->shape, along, keep, OneElement::AnyShape));
    }
    if (values->empty()) {
        return call.nothing();
    }
    if (self->empty()) {
        return refuse("self", "shape " + self->shape.text(), "a tensor with elements");
    }
    return call.launch({{"self", self}, {"valuesOut", values}, {"indicesOut", indices}},
                       ranked(isFloating(self->dtype), along, number, nanWins));
}

}  // namespace

aclnnStatus aclnnSortGetWorkspaceSize(const aclTensor* self, bool, int64_t dim, bool descending, aclTensor* valuesOut,
                                      aclTensor* indicesOut, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return sort(ACLQ_CALL(aclnnSort), self, dim, descending, true, valuesOut, "indicesOut", indicesOut);
}
ACLQ_PHASE_2(aclnnSort)

aclnnStatus aclnnArgsortGetWorkspaceSize(const aclTensor* self, int64_t dim, bool descending, aclTensor* out,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    return sort(ACLQ_CALL(aclnnArgsort), self, dim, descending, false, nullptr, "out", out);
}
ACLQ_PHASE_2(aclnnArgsort)

aclnnStatus aclnnTopkGetWorkspaceSize(const aclTensor* self, int64_t k, int64_t dim, bool largest, bool,
                                      aclTensor* valuesOut, aclTensor* indicesOut, uint64_t* workspaceSize,
                                      aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnTopk);
    return call.prepare([&]() -> aclnnStatus {
        Mask along = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dim, along));
        Dims expected = self->shape;
        const std::int64_t length = along != 0 ? expected[dim] : 1;
        if (k < 0 || k > length) {
            return refuse("k", std::to_string(k),
                          text("0 to %lld, the size of dimension %lld", static_cast<long long>(length),
                               static_cast<long long>(dim)));
        }
        if (along != 0) {
            expected[dim] = k;
        }
        ACLQ_RETURN_IF_FAILED(checkTensor("valuesOut", valuesOut));
        ACLQ_RETURN_IF_FAILED(checkTensor("indicesOut", indicesOut));
        constexpr const char* kSource = "the shape of self with k along dim";
        ACLQ_RETURN_IF_FAILED(checkResult("valuesOut", *valuesOut, expected, OneElement::AnyShape, kSource));
        ACLQ_RETURN_IF_FAILED(checkResult("indicesOut", *indicesOut, expected, OneElement::AnyShape, kSource));
        return valuesOut->empty() || k == 0
                   ? call.nothing()
                   : call.launch({{"self", self}, {"valuesOut", valuesOut}, {"indicesOut", indicesOut}},
                                 sorted(isFloating(self->dtype), along, largest, k));
    });
}
ACLQ_PHASE_2(aclnnTopk)

aclnnStatus aclnnKthvalueGetWorkspaceSize(const aclTensor* self, int64_t k, int64_t dim, bool keepdim,
                                          aclTensor* valuesOut, aclTensor* indicesOut, uint64_t* workspaceSize,
                                          aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnKthvalue);
    return call.prepare([&]() -> aclnnStatus {
        Mask along = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dim, along));
        const std::int64_t length = along != 0 ? self->shape[dim] : 1;
        if (k < 1 || k > length) {
            return refuse("k", std::to_string(k),
                          text("1 to %lld, the size of dimension %lld", static_cast<long long>(length),
                               static_cast<long long>(dim)));
        }
        return rank(call, self, along, keepdim, k - 1, false, valuesOut, true, indicesOut);
    });
}
ACLQ_PHASE_2(aclnnKthvalue)

aclnnStatus aclnnMedianGetWorkspaceSize(const aclTensor* self, aclTensor* valuesOut, uint64_t* workspaceSize,
                                        aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnMedian);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        Mask all = 0;
        ACLQ_RETURN_IF_FAILED(readDims("dim", nullptr, self->shape.rank(), all));
        return rank(call, self, all, false, (self->elements() - 1) / 2, true, valuesOut, false, nullptr);
    });
}
ACLQ_PHASE_2(aclnnMedian)

aclnnStatus aclnnMedianDimGetWorkspaceSize(const aclTensor* self, int64_t dim, bool keepDim, aclTensor* valuesOut,
                                           aclTensor* indicesOut, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnMedianDim);
    return call.prepare([&]() -> aclnnStatus {
        Mask along = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dim, along));
        const std::int64_t length = along != 0 ? self->shape[dim] : 1;
        return rank(call, self, along, keepDim, (length - 1) / 2, true, valuesOut, true, indicesOut);
    });
}
ACLQ_PHASE_2(aclnnMedianDim)

namespace {

// The whole tensor as one row.
template <class T>
Row<T> all(const View& view) {
    return Split(view, (1U << view.rank) - 1).row<T>(0);
}

// If the shape is known only after the computation, the result fills the beginning of its memory.
View flat(const View& view, std::int64_t count) {
    View row = view;
    row.rank = 1;
    row.shape[0] = count;
    row.strides[0] = 1;
    return row;
}

// Tensors: self, out.
class Nonzero : public Kernel {
  public:
    Nonzero(const aclTensor* out, bool columns) : out_(lateShapeOf(out)), columns_(columns) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& self = tensors[0];
        const Row<double> values = all<double>(self);
        std::vector<std::int64_t> found;
        for (std::size_t index = 0; index < values.size(); ++index) {
            if (values[index] != 0) {
                found.push_back(static_cast<std::int64_t>(index));
            }
        }
        // In CANN the client provides room for all positions; those that fit are written.
        const std::int64_t room = self.rank > 0 ? tensors[1].elements() / self.rank : 1;
        const std::int64_t count = std::min(static_cast<std::int64_t>(found.size()), room);
        const View to = flat(tensors[1], count * self.rank);
        for (std::int64_t number = 0; number < count; ++number) {
            std::int64_t rest = found[static_cast<std::size_t>(number)];
            for (std::int64_t dimension = self.rank; dimension-- > 0;) {
                put(to, columns_ ? dimension * count + number : number * self.rank + dimension,
                    rest % self.shape[dimension]);
                rest /= self.shape[dimension];
            }
        }
        const std::int64_t shape[] = {columns_ ? self.rank : count, columns_ ? count : self.rank};
        out_->set(Dims(shape, 2));
    }

  private:
    const std::shared_ptr<LateShape> out_;
    const bool columns_;
};

aclnnStatus nonzero(const Call& call, const aclTensor* self, const aclTensor* out, bool columns) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {ACL_INT64}));
        ACLQ_RETURN_IF_FAILED(checkRank("out", *out, 2, 2));
        if (!out->contiguous()) {
            return refuse("out", "strides that leave gaps", "contiguous elements");
        }
        return call.launch({{"self", self}, {"out", out}}, std::make_shared<Nonzero>(out, columns));
    });
}

}  // namespace

aclnnStatus aclnnNonzeroGetWorkspaceSize(const aclTensor* self, aclTensor* out, uint64_t* workspaceSize,
                                         aclOpExecutor** executor) {
    return nonzero(ACLQ_CALL(aclnnNonzero), self, out, false);
}
ACLQ_PHASE_2(aclnnNonzero)
aclnnStatus aclnnNonzeroV2GetWorkspaceSize(const aclTensor* self, aclTensor* out, uint64_t* workspaceSize,
                                           aclOpExecutor** executor) {
    return nonzero(ACLQ_CALL(aclnnNonzeroV2), self, out, true);
}
ACLQ_PHASE_2(aclnnNonzeroV2)

namespace {

// The optional results of the operators below: tensors 2 and 3.
void putInverseAndCounts(const View* tensors, const std::vector<std::int64_t>& inverse,
                         const std::vector<std::int64_t>& counts, LateShape* shapeOfCounts) {
    if (tensors[2].present) {
        write(tensors[2], 0, 1, static_cast<std::int64_t>(inverse.size()), inverse.data());  // it may have more room
    }
    if (tensors[3].present) {
        const auto count = static_cast<std::int64_t>(counts.size());
        write(tensors[3], 0, 1, count, counts.data());
        shapeOfCounts->set(Dims(&count, 1));
    }
}

// Tensors: self, values, inverse and counts (may be left out).
template <class T>
class Unique : public Kernel {
  public:
    Unique(const aclTensor* values, const aclTensor* counts)
        : values_(lateShapeOf(values)), counts_(lateShapeOf(counts)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const Row<T> row = all<T>(tensors[0]);
        std::vector<T> values;
        std::vector<std::int64_t> inverse(row.size());
        std::vector<std::int64_t> counts;
        for (const std::int64_t number : order(row, false)) {
            const T value = row[static_cast<std::size_t>(number)];
            if (values.empty() || !(values.back() == value)) {  // each NaN counts as a separate value
                values.push_back(value);
                counts.push_back(0);
            }
            ++counts.back();
            inverse[static_cast<std::size_t>(number)] = static_cast<std::int64_t>(values.size()) - 1;
        }
        const auto count = static_cast<std::int64_t>(values.size());
        write(tensors[1], 0, 1, count, values.data());
        values_->set(Dims(&count, 1));
        putInverseAndCounts(tensors, inverse, counts, counts_.get());
    }

  private:
    const std::shared_ptr<LateShape> values_;
    const std::shared_ptr<LateShape> counts_;
};

aclnnStatus checkRoom(const char* name, const aclTensor* tensor, const aclTensor& self) {
    ACLQ_RETURN_IF_FAILED(checkTensor(name, tensor));
    if (tensor->elements() < self.elements() || !tensor->contiguous()) {
        return refuse(name, "shape " + tensor->shape.text(),
                      text("room for %lld contiguous elements", static_cast<long long>(self.elements())));
    }
    return ACLNN_SUCCESS;
}

}  // namespace

aclnnStatus aclnnUnique2GetWorkspaceSize(const aclTensor* self, bool, bool returnInverse, bool returnCounts,
                                         aclTensor* valueOut, aclTensor* inverseOut, aclTensor* countsOut,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnUnique2);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkRoom("valueOut", valueOut, *self));
        ACLQ_RETURN_IF_FAILED(checkDtype("valueOut", *valueOut, {self->dtype}));
        // CANN requires the inverse even if only counts are wanted.
        const aclTensor* inverse = returnInverse || returnCounts ? inverseOut : nullptr;
        if (inverse != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkRoom("inverseOut", inverse, *self));
            ACLQ_RETURN_IF_FAILED(checkShape("inverseOut", *inverse, self->shape, "the shape of self"));
        }
        const aclTensor* counts = returnCounts ? countsOut : nullptr;
        if (returnCounts) {
            ACLQ_RETURN_IF_FAILED(checkRoom("countsOut", counts, *self));
        }
        const std::shared_ptr<const Kernel> kernel = inDomain(
            isFloating(self->dtype), [&]<class T>(T) { return std::make_shared<Unique<T>>(valueOut, counts); });
        return call.launch({{"self", self}, {"valueOut", valueOut}, {"inverseOut", inverse}, {"countsOut", counts}},
                           kernel);
    });
}
ACLQ_PHASE_2(aclnnUnique2)

aclnnStatus aclnnUniqueGetWorkspaceSize(const aclTensor* self, bool, bool returnInverse, aclTensor* valueOut,
                                        aclTensor* inverseOut, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnUnique);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkRoom("valueOut", valueOut, *self));
        ACLQ_RETURN_IF_FAILED(checkDtype("valueOut", *valueOut, {self->dtype}));
        const aclTensor* inverse = returnInverse ? inverseOut : nullptr;
        if (inverse != nullptr || returnInverse) {
            ACLQ_RETURN_IF_FAILED(checkRoom("inverseOut", inverse, *self));
            ACLQ_RETURN_IF_FAILED(checkShape("inverseOut", *inverse, self->shape, "the shape of self"));
        }
        const std::shared_ptr<const Kernel> kernel = inDomain(
            isFloating(self->dtype), [&]<class T>(T) { return std::make_shared<Unique<T>>(valueOut, nullptr); });
        return call.launch({{"self", self}, {"valueOut", valueOut}, {"inverseOut", inverse}, {"countsOut", nullptr}},
                           kernel);
    });
}
ACLQ_PHASE_2(aclnnUnique)

namespace {

// Runs of equal slices along a dimension, or of elements of the whole. Tensors: self, values, inverse and counts (may
// be left out).
template <class T>
class Runs : public Kernel {
  public:
    Runs(std::int64_t dim, const aclTensor* values, const aclTensor* counts)
        : dim_(dim), values_(lateShapeOf(values)), counts_(lateShapeOf(counts)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& self = tensors[0];
        const Mask along = dim_ < 0 ? 0 : (1U << self.rank) - 1 - (1U << dim_);
        const Split split(self, along);
        const std::int64_t slices = split.outer.elements();
        std::vector<Row<T>> values;
        std::vector<std::int64_t> inverse(static_cast<std::size_t>(slices));
        std::vector<std::int64_t> counts;
        for (std::int64_t slice = 0; slice < slices; ++slice) {
            Row<T> row = split.row<T>(slice);
            if (values.empty() || !(values.back() == row)) {
                values.push_back(std::move(row));
                counts.push_back(0);
            }
            ++counts.back();
            inverse[static_cast<std::size_t>(slice)] = static_cast<std::int64_t>(values.size()) - 1;
        }
        const auto count = static_cast<std::int64_t>(values.size());
        if (dim_ < 0) {
            for (std::int64_t index = 0; index < count; ++index) {
                write(tensors[1], index, 1, 1, values[static_cast<std::size_t>(index)].data());
            }
            values_->set(Dims(&count, 1));
        } else {
            // The result is contiguous, with fewer slices than there is room for.
            View out = contiguousLike(self, tensors[1].dtype, tensors[1].data);
            out.offset = tensors[1].offset;
            out.shape[dim_] = count;
            std::int64_t step = 1;
            for (std::int64_t dimension = out.rank; dimension-- > 0; step *= out.shape[dimension]) {
                out.strides[dimension] = step;
            }
            const Split to(out, along);
            for (std::int64_t index = 0; index < count; ++index) {
                to.put(index, values[static_cast<std::size_t>(index)]);
            }
            values_->set(Dims(out.shape, static_cast<std::uint64_t>(out.rank)));
        }
        putInverseAndCounts(tensors, inverse, counts, counts_.get());
    }

  private:
    const std::int64_t dim_;  // -1: none
    const std::shared_ptr<LateShape> values_;
    const std::shared_ptr<LateShape> counts_;
};

}  // namespace

// A dim that self does not have takes the elements of the whole, as PyTorch's client asks for it with 1000.
aclnnStatus aclnnUniqueConsecutiveGetWorkspaceSize(const aclTensor* self, bool returnInverse, bool returnCounts,
                                                   int64_t dim, aclTensor* valueOut, aclTensor* inverseOut,
                                                   aclTensor* countsOut, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnUniqueConsecutive);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        constexpr std::int64_t kWhole = 1000;
        const bool whole = dim == kWhole;
        if (!whole) {
            ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        }
        const std::int64_t along = whole || self->shape.rank() == 0 ? -1 : dim;
        ACLQ_RETURN_IF_FAILED(checkRoom("valueOut", valueOut, *self));
        ACLQ_RETURN_IF_FAILED(checkDtype("valueOut", *valueOut, {self->dtype}));
        const std::int64_t slices = along < 0 ? self->elements() : self->shape[along];
        for (const Argument& one : {Argument{"inverseOut", returnInverse ? inverseOut : nullptr},
                                    {"countsOut", returnCounts ? countsOut : nullptr}}) {
            if (one) {
                ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
                if (one->elements() < slices || !one->contiguous()) {
                    return refuse(one, "shape " + one->shape.text(),
                                  text("room for %lld elements, one after the other", static_cast<long long>(slices)));
                }
            }
        }
        const aclTensor* inverse = returnInverse ? inverseOut : nullptr;
        const aclTensor* counts = returnCounts ? countsOut : nullptr;
        const std::shared_ptr<const Kernel> kernel = inDomain(
            isFloating(self->dtype), [&]<class T>(T) { return std::make_shared<Runs<T>>(along, valueOut, counts); });
        return call.launch({{"self", self}, {"valueOut", valueOut}, {"inverseOut", inverse}, {"countsOut", counts}},
                           kernel);
    });
}
ACLQ_PHASE_2(aclnnUniqueConsecutive)

namespace {

// Tensors: self, weights (may be left out), out.
class Bincount : public Kernel {
  public:
    void run(const View* tensors, const KernelContext&) const override {
        const Row<std::int64_t> bins = all<std::int64_t>(tensors[0]);
        const Row<double> weights = tensors[1].present ? all<double>(tensors[1]) : Row<double>(bins.size(), 1);
        std::vector<double> sums(static_cast<std::size_t>(tensors[2].shape[0]));
        for (std::size_t index = 0; index < bins.size(); ++index) {
            if (bins[index] >= 0 && bins[index] < tensors[2].shape[0]) {
                sums[static_cast<std::size_t>(bins[index])] += weights[index];
            }
        }
        Split(tensors[2], 1).put(0, sums);
    }
};

}  // namespace

aclnnStatus aclnnBincountGetWorkspaceSize(const aclTensor* self, const aclTensor* weights, int64_t minlength,
                                          aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBincount);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, 1));
        ACLQ_RETURN_IF_FAILED(checkRank("out", *out, 1, 1));
        if (isFloating(self->dtype)) {
            return refuse("self", "dtype " + nameOf(self->dtype), "an integer type");
        }
        if (weights != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkTensor("weights", weights));
            ACLQ_RETURN_IF_FAILED(checkShape("weights", *weights, self->shape, "the shape of self"));
        }
        if (minlength < 0 || out->shape[0] < minlength) {
            return refuse("minlength", std::to_string(minlength),
                          text("0 to %lld, the length of out", static_cast<long long>(out->shape[0])));
        }
        return out->empty()
                   ? call.nothing()
                   : call.launch({{"self", self}, {"weights", weights}, {"out", out}}, std::make_shared<Bincount>());
    });
}
ACLQ_PHASE_2(aclnnBincount)
