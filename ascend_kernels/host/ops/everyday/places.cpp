// SPDX-License-Identifier: Apache-2.0
// Operators that move elements between places: parts of a tensor, places in the whole, repeated elements.
#include <algorithm>
#include <cstring>

#include "aclnnop/aclnn_expand.h"
#include "aclnnop/aclnn_fill_diagonal.h"
#include "aclnnop/aclnn_flatten.h"
#include "aclnnop/aclnn_gather_nd.h"
#include "aclnnop/aclnn_masked_scatter.h"
#include "aclnnop/aclnn_put.h"
#include "aclnnop/aclnn_repeat_interleave.h"
#include "aclnnop/aclnn_split_tensor.h"
#include "aclnnop/aclnn_split_with_size.h"
#include "ops/everyday/along.h"
#include "ops/everyday/copy.h"
#include "ops/everyday/elementwise.h"
#include "ops/everyday/pick.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

using Integer = std::int64_t;

// Tensors: self as often as there are parts, seen in pieces; the parts.
class Parts : public Kernel {
  public:
    explicit Parts(std::size_t parts) : parts_(parts) {}
    void run(const View* tensors, const KernelContext&) const override {
        for (std::size_t part = 0; part < parts_; ++part) {
            if (tensors[part].elements() != 0) {
                copy(tensors[part], tensors[parts_ + part]);
            }
        }
    }

  private:
    const std::size_t parts_;
};

aclnnStatus split(const Call& call, const aclTensor* self, Integer dim, const std::vector<Integer>& sizes,
                  const std::vector<aclTensor*>& parts) {
    std::vector<aclTensor> pieces(sizes.size(), *self);
    std::vector<Argument> arguments;
    Integer first = 0;
    for (std::size_t part = 0; part < sizes.size(); ++part) {
        pieces[part].shape[dim] = sizes[part];
        pieces[part].offset += first * self->strides[dim];
        first += sizes[part];
        arguments.push_back({"self", self, false, &pieces[part]});
    }
    bool any = false;
    for (std::size_t part = 0; part < sizes.size(); ++part) {
        ACLQ_RETURN_IF_FAILED(checkTensor("out", parts[part]));
        ACLQ_RETURN_IF_FAILED(checkDtype("out", *parts[part], {self->dtype}));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *parts[part], pieces[part].shape, "the shape of its part of self"));
        arguments.push_back({"out", parts[part]});
        any = any || !parts[part]->empty();
    }
    return any ? call.launch(arguments, std::make_shared<Parts>(sizes.size())) : call.nothing();
}

// The element of this number in logical order.
Integer offsetOfNumber(const View& view, Integer number) {
    const Integer count = view.elements();
    number += number < 0 ? count : 0;
    return number < 0 || number >= count ? kNowhere : offsetOf(view, number);
}

}  // namespace

aclnnStatus aclnnSplitWithSizeGetWorkspaceSize(const aclTensor* self, const aclIntArray* splitSize, int64_t dim,
                                               aclTensorList* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnSplitWithSize);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        std::vector<Integer> sizes;
        std::vector<aclTensor*> parts;
        ACLQ_RETURN_IF_FAILED(readArray("splitSize", splitSize, sizes));
        ACLQ_RETURN_IF_FAILED(readList("out", out, parts));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        Integer sum = 0;
        for (const Integer size : sizes) {
            if (size < 0) {
                return refuse("splitSize", std::to_string(size), "0 or more");
            }
            sum = sumOfLengths(sum, size);
        }
        if (sum != self->shape[dim]) {
            return refuse("splitSize", text("the sum %lld", static_cast<long long>(sum)),
                          text("%lld, the size of dimension dim", static_cast<long long>(self->shape[dim])));
        }
        if (sizes.size() != parts.size()) {
            return refuse("out", text("%zu tensors", parts.size()), text("%zu, one for each size", sizes.size()));
        }
        return split(call, self, dim, sizes, parts);
    });
}
ACLQ_PHASE_2(aclnnSplitWithSize)

aclnnStatus aclnnSplitTensorGetWorkspaceSize(const aclTensor* self, uint64_t splitSections, int64_t dim,
                                             aclTensorList* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnSplitTensor);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        std::vector<aclTensor*> parts;
        ACLQ_RETURN_IF_FAILED(readList("out", out, parts));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        const Integer whole = self->shape[dim];
        const auto size = static_cast<Integer>(std::min<std::uint64_t>(splitSections, INT64_MAX));
        if (size == 0 && whole != 0) {
            return refuse("splitSections", "0", "1 or more");
        }
        std::vector<Integer> sizes;
        for (Integer first = 0; first < whole; first += std::min(size, whole - first)) {
            sizes.push_back(std::min(size, whole - first));
        }
        if (whole == 0) {
            sizes.push_back(0);
        }
        if (sizes.size() != parts.size()) {
            return refuse("out", text("%zu tensors", parts.size()), text("%zu, one for each part", sizes.size()));
        }
        return split(call, self, dim, sizes, parts);
    });
}
ACLQ_PHASE_2(aclnnSplitTensor)

aclnnStatus aclnnExpandGetWorkspaceSize(const aclTensor* self, const aclIntArray* size, aclTensor* out,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnExpand);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {self->dtype}));
        std::vector<Integer> sizes;
        ACLQ_RETURN_IF_FAILED(readArray("size", size, sizes));
        const auto rank = static_cast<Integer>(sizes.size());
        const Integer ahead = rank - self->shape.rank();
        if (ahead < 0 || rank > kMaxKernelRank) {
            return refuse("size", text("%lld dimensions", static_cast<long long>(rank)),
                          text("%lld to 8", static_cast<long long>(self->shape.rank())));
        }
        for (Integer index = ahead; index < rank; ++index) {  // -1: the size of self
            Integer& one = sizes[static_cast<std::size_t>(index)];
            one = one == -1 ? self->shape[index - ahead] : one;
        }
        if (std::any_of(sizes.begin(), sizes.end(), [](Integer one) { return one < 0; })) {
            return refuse("size", "a negative size", "0 or more; -1 where self has the dimension");
        }
        const Dims shape(sizes.data(), sizes.size());
        ACLQ_RETURN_IF_FAILED(checkBroadcast("self", *self, shape));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, shape, "size"));
        return out->empty() ? call.nothing() : call.launch({{"self", self}, {"out", out}}, copyKernel());
    });
}
ACLQ_PHASE_2(aclnnExpand)

aclnnStatus aclnnFlattenGetWorkspaceSize(const aclTensor* self, int64_t axis, aclTensor* out, uint64_t* workspaceSize,
                                         aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnFlatten);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const Integer rank = self->shape.rank();
        if (axis < -rank || axis > std::max<Integer>(rank - 1, 0)) {
            return refuse("axis", std::to_string(axis),
                          text("%lld to %lld", static_cast<long long>(-rank),
                               static_cast<long long>(std::max<Integer>(rank - 1, 0))));
        }
        axis += axis < 0 ? rank : 0;
        const Integer* shape = self->shape.data();
        const Integer sizes[2] = {product(shape, axis), product(shape + axis, rank - axis)};
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes, 2), "the dimensions before axis, and the others"));
        return launchPick(call, {}, self, out, [](const View* tensors, const Integer* at) {
            return offsetOf(tensors[0], at[0] * tensors[1].shape[1] + at[1]);
        });
    });
}
ACLQ_PHASE_2(aclnnFlatten)

aclnnStatus aclnnGatherNdGetWorkspaceSize(const aclTensor* self, const aclTensor* indices, bool negativeIndexSupport,
                                          aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGatherNd);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkIndices("indices", indices));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkRank("indices", *indices, 1, kMaxKernelRank));
        const Integer ahead = indices->shape.rank() - 1;
        const Integer depth = indices->shape.last();
        if (depth > self->shape.rank() || ahead + self->shape.rank() - depth > kMaxKernelRank) {
            return refuse("indices", "shape " + indices->shape.text(),
                          text("at most %lld indices in the last dimension, and a result of at most 8 dimensions",
                               static_cast<long long>(self->shape.rank())));
        }
        std::vector<Integer> sizes(indices->shape.data(), indices->shape.data() + ahead);
        sizes.insert(sizes.end(), self->shape.data() + depth, self->shape.data() + self->shape.rank());
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes.data(), sizes.size()),
                                         "the shape of indices, and what they leave of self"));
        return launchPick(call, {{"indices", indices}}, self, out, [=](const View* tensors, const Integer* at) {
            const View& from = tensors[0];
            const View& index = tensors[2];
            Integer start = 0;
            for (Integer dimension = 0; dimension < ahead; ++dimension) {
                start += at[dimension] * index.strides[dimension];
            }
            Integer offset = 0;
            for (Integer dimension = 0; dimension < depth; ++dimension) {
                const Integer one = indexAt(index, start + dimension * index.strides[ahead]);
                const Integer step = one < 0 && !negativeIndexSupport ? kNowhere : along(from, dimension, one);
                if (step == kNowhere) {
                    return kNowhere;
                }
                offset += step;
            }
            for (Integer dimension = depth; dimension < from.rank; ++dimension) {
                offset += at[ahead + dimension - depth] * from.strides[dimension];
            }
            return offset;
        });
    });
}
ACLQ_PHASE_2(aclnnGatherNd)

namespace {

// Where each element of the result comes from, for elements repeated as often as numbers say. Tensors: self, out,
// repeats; along a dimension, or the elements of the whole (dim -1).
class Repeats : public Kernel {
  public:
    explicit Repeats(Integer dim) : dim_(dim) {}
    void run(const View* tensors, const KernelContext& context) const override {
        const View& self = tensors[0];
        const View& out = tensors[1];
        const Integer length = dim_ < 0 ? self.elements() : self.shape[dim_];
        const Row<Integer> times = Split(tensors[2], (1U << tensors[2].rank) - 1).row<Integer>(0);
        std::vector<Integer> from;
        for (Integer index = 0; index < length; ++index) {
            const Integer count = times[times.size() == 1 ? 0 : static_cast<std::size_t>(index)];
            from.insert(from.end(), static_cast<std::size_t>(std::max<Integer>(count, 0)), index);
        }
        from.resize(static_cast<std::size_t>(out.shape[dim_ < 0 ? 0 : dim_]), kNowhere);
        const auto place = [&from, dim = dim_](const View* views, const Integer* at) {
            const Integer index = from[static_cast<std::size_t>(at[dim < 0 ? 0 : dim])];
            if (index == kNowhere) {
                return kNowhere;
            }
            return dim < 0 ? offsetOf(views[0], index) : offsetAlong(views[0], dim, index, at);
        };
        Pick<decltype(place)>(place).run(tensors, context);
    }

  private:
    const Integer dim_;
};

aclnnStatus repeat(const Call& call, const aclTensor* self, const aclTensor* repeats, Integer dim, Integer length,
                   Integer outputSize, const Dims& expected, const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkRank("repeats", *repeats, 0, 1));
    if (repeats->elements() != 1 && repeats->elements() != length) {
        return refuse("repeats", "shape " + repeats->shape.text(),
                      text("one element, or %lld", static_cast<long long>(length)));
    }
    if (outputSize < 0) {
        return refuse("outputSize", std::to_string(outputSize), "0 or more");
    }
    ACLQ_RETURN_IF_FAILED(checkShape("out", *out, expected, "outputSize elements along the dimension"));
    ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {self->dtype}));
    return out->empty()
               ? call.nothing()
               : call.launch({{"self", self}, {"out", out}, {"repeats", repeats}}, std::make_shared<Repeats>(dim));
}

}  // namespace

aclnnStatus aclnnRepeatInterleaveGetWorkspaceSize(const aclTensor* self, const aclTensor* repeats, int64_t outputSize,
                                                  aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRepeatInterleave);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkIndices("repeats", repeats));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        return repeat(call, self, repeats, -1, self->elements(), outputSize, Dims(&outputSize, 1), out);
    });
}
ACLQ_PHASE_2(aclnnRepeatInterleave)
aclnnStatus aclnnRepeatInterleaveWithDimGetWorkspaceSize(const aclTensor* self, const aclTensor* repeats, int64_t dim,
                                                         int64_t outputSize, aclTensor* out, uint64_t* workspaceSize,
                                                         aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRepeatInterleaveWithDim);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkIndices("repeats", repeats));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        Dims expected = self->shape;
        expected[dim] = outputSize;
        return repeat(call, self, repeats, dim, self->shape[dim], outputSize, expected, out);
    });
}
ACLQ_PHASE_2(aclnnRepeatInterleaveWithDim)

namespace {

// Copies one element.
void copyElement(const View& from, Integer source, const View& to, Integer target) {
    const auto size = static_cast<Integer>(bitsOf(to.dtype) / 8);
    std::memcpy(to.data + (to.offset + target) * size, from.data + (from.offset + source) * size,
                static_cast<std::size_t>(size));
}

// Tensors: selfRef, mask, source. The elements of source, in order, to where mask is not 0.
class MaskedScatter : public Kernel {
  public:
    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[0];
        const Integer available = tensors[2].elements();
        Integer at[kMaxKernelRank] = {};
        Integer used = 0;
        for (Integer index = 0; index < out.elements() && used < available; ++index) {
            countTo(out, index, at);
            Integer there = 0;
            for (Integer dimension = 0; dimension < out.rank; ++dimension) {
                there += at[dimension] * strideAlong(tensors[1], out, dimension);
            }
            if (indexAt(tensors[1], there) != 0) {
                copyElement(tensors[2], offsetOf(tensors[2], used++), out, offsetAt(out, at));
            }
        }
    }
};

// Tensors: selfRef, index, source. Adds up or, in order, replaces.
template <class Domain>
class Put : public Kernel {
  public:
    explicit Put(bool accumulate) : accumulate_(accumulate) {}
    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[0];
        for (Integer index = 0; index < tensors[1].elements(); ++index) {
            const Integer to = offsetOfNumber(out, indexAt(tensors[1], offsetOf(tensors[1], index)));
            const Integer from = offsetOf(tensors[2], index);
            if (to == kNowhere) {
                continue;
            }
            if (!accumulate_) {
                copyElement(tensors[2], from, out, to);
                continue;
            }
            Domain values[2];
            read(out, to, 1, 1, &values[0]);
            read(tensors[2], from, 1, 1, &values[1]);
            const Domain sum = add(values[0], values[1]);
            write(out, to, 1, 1, &sum);
        }
    }

  private:
    const bool accumulate_;
};

// Tensors: selfRef. Writes a number to the diagonal; of a tall matrix again after each block if it wraps.
template <class Domain>
class FillDiagonal : public Kernel {
  public:
    FillDiagonal(Domain value, bool wrap) : value_(value), wrap_(wrap) {}
    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[0];
        for (Integer row = 0; row < out.shape[0]; ++row) {
            Integer offset = row * out.strides[0];
            bool inside = true;
            for (Integer dimension = 1; dimension < out.rank; ++dimension) {
                // After a block of as many rows as there are columns one row is left out.
                const Integer column = out.rank == 2 && wrap_ ? row % (out.shape[1] + 1) : row;
                inside = inside && column < out.shape[dimension];
                offset += column * out.strides[dimension];
            }
            if (inside) {
                write(out, offset, 1, 1, &value_);
            }
        }
    }

  private:
    const Domain value_;
    const bool wrap_;
};

}  // namespace

aclnnStatus aclnnInplaceMaskedScatterGetWorkspaceSize(aclTensor* selfRef, const aclTensor* mask,
                                                      const aclTensor* source, uint64_t* workspaceSize,
                                                      aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceMaskedScatter);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        ACLQ_RETURN_IF_FAILED(checkTensor("mask", mask));
        ACLQ_RETURN_IF_FAILED(checkTensor("source", source));
        ACLQ_RETURN_IF_FAILED(checkDtype("source", *source, {selfRef->dtype}));
        ACLQ_RETURN_IF_FAILED(checkBroadcast("mask", *mask, selfRef->shape));
        return selfRef->empty() || source->empty()
                   ? call.nothing()
                   : call.launch({{"selfRef", selfRef}, {"mask", mask}, {"source", source}},
                                 std::make_shared<MaskedScatter>());
    });
}
ACLQ_PHASE_2(aclnnInplaceMaskedScatter)

aclnnStatus aclnnInplacePutGetWorkspaceSize(aclTensor* selfRef, const aclTensor* index, const aclTensor* source,
                                            bool accumulate, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplacePut);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkTensor("source", source));
        ACLQ_RETURN_IF_FAILED(checkDtype("source", *source, {selfRef->dtype}));
        if (source->elements() != index->elements()) {
            return refuse("source", "shape " + source->shape.text(),
                          text("%lld elements, as many as index", static_cast<long long>(index->elements())));
        }
        if (index->empty() || selfRef->empty()) {
            return call.nothing();
        }
        return call.launch({{"selfRef", selfRef}, {"index", index}, {"source", source}},
                           ofDomain(selfRef->dtype, [&](auto number) -> std::shared_ptr<const Kernel> {
                               return std::make_shared<Put<decltype(number)>>(accumulate);
                           }));
    });
}
ACLQ_PHASE_2(aclnnInplacePut)

aclnnStatus aclnnInplaceFillDiagonalGetWorkspaceSize(aclTensor* selfRef, const aclScalar* fillValue, bool wrap,
                                                     uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceFillDiagonal);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        ACLQ_RETURN_IF_FAILED(checkScalar("fillValue", fillValue));
        ACLQ_RETURN_IF_FAILED(checkRank("selfRef", *selfRef, 2, kMaxKernelRank));
        for (Integer dimension = 1; selfRef->shape.rank() > 2 && dimension < selfRef->shape.rank(); ++dimension) {
            if (selfRef->shape[dimension] != selfRef->shape[0]) {
                return refuse("selfRef", "shape " + selfRef->shape.text(), "dimensions of one size, or two dimensions");
            }
        }
        if (selfRef->empty()) {
            return call.nothing();
        }
        std::shared_ptr<const Kernel> kernel;
        if (isComplex(selfRef->dtype)) {
            kernel = std::make_shared<FillDiagonal<Complex>>(complex(*fillValue), wrap);
        } else if (isFloating(*fillValue)) {
            kernel = std::make_shared<FillDiagonal<double>>(real(*fillValue), wrap);
        } else {
            kernel = std::make_shared<FillDiagonal<Integer>>(integer(*fillValue), wrap);
        }
        return call.launch({{"selfRef", selfRef}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnInplaceFillDiagonal)
