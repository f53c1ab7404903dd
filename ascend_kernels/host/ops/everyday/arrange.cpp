// SPDX-License-Identifier: Apache-2.0
// Operators that move elements to other places: joined, reversed, repeated, shifted, cut.

#include "aclnnop/aclnn_cat.h"
#include "aclnnop/aclnn_constant_pad_nd.h"
#include "aclnnop/aclnn_diag.h"
#include "aclnnop/aclnn_flip.h"
#include "aclnnop/aclnn_permute.h"
#include "aclnnop/aclnn_reflection_pad1d.h"
#include "aclnnop/aclnn_repeat.h"
#include "aclnnop/aclnn_repeat_interleave.h"
#include "aclnnop/aclnn_roll.h"
#include "aclnnop/aclnn_slice.h"
#include "aclnnop/aclnn_stack.h"
#include "aclnnop/aclnn_tril.h"
#include "aclnnop/aclnn_triu.h"
#include "ops/everyday/along.h"
#include "ops/everyday/binary.h"
#include "ops/everyday/copy.h"
#include "ops/everyday/pick.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// Tensors: the parts, out. The parts follow each other along one dimension of out: a new one (stack) or an existing
// one (cat).
class Join : public Kernel {
  public:
    Join(std::int64_t parts, std::int64_t dim, bool anew) : parts_(parts), dim_(dim), anew_(anew) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[parts_];
        std::int64_t first = 0;
        for (std::int64_t part = 0; part < parts_; ++part) {
            const View& from = tensors[part];
            const std::int64_t size = anew_ ? 1 : from.shape[dim_];
            View to = out;
            to.offset += first * out.strides[dim_];
            if (anew_) {
                --to.rank;
                std::copy(out.shape + dim_ + 1, out.shape + out.rank, to.shape + dim_);
                std::copy(out.strides + dim_ + 1, out.strides + out.rank, to.strides + dim_);
            } else {
                to.shape[dim_] = size;
            }
            if (from.elements() != 0) {
                copy(from, to);
            }
            first += size;
        }
    }

  private:
    const std::int64_t parts_;
    const std::int64_t dim_;
    const bool anew_;
};

aclnnStatus checkParts(const aclTensorList* tensors, std::vector<Argument>& parts) {
    std::vector<aclTensor*> given;
    ACLQ_RETURN_IF_FAILED(readList("tensors", tensors, given));
    if (given.empty()) {
        return refuse("tensors", "none", "at least one tensor");
    }
    for (const aclTensor* tensor : given) {
        ACLQ_RETURN_IF_FAILED(checkTensor("tensors", tensor));
        parts.push_back({"tensors", tensor});
    }
    return ACLNN_SUCCESS;
}

aclnnStatus launchJoin(const Call& call, std::vector<Argument> parts, std::int64_t dim, bool anew, const Dims& expected,
                       const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(
        checkResult("out", *out, expected, OneElement::AnyShape, "the shape of the tensors together"));
    aclDataType common = parts[0].tensor->dtype;
    for (const Argument& part : parts) {
        common = promote(common, part.tensor->dtype);
    }
    if (!canCast(common, out->dtype)) {
        return refuseCast("out", out->dtype, common);
    }
    if (out->empty()) {
        return call.nothing();
    }
    const auto count = static_cast<std::int64_t>(parts.size());
    aclTensor seen = *out;  // with one element, the shapes may differ
    seen.shape = expected;
    seen.strides = Dims::contiguousStrides(expected);
    parts.push_back({"out", out, false, out->shape == expected ? nullptr : &seen});
    return call.launch(parts, std::make_shared<Join>(count, dim, anew));
}

}  // namespace

aclnnStatus aclnnCatGetWorkspaceSize(const aclTensorList* tensors, int64_t dim, aclTensor* out, uint64_t* workspaceSize,
                                     aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnCat);
    return call.prepare([&]() -> aclnnStatus {
        std::vector<Argument> all;
        ACLQ_RETURN_IF_FAILED(checkParts(tensors, all));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const std::int64_t rank = out->shape.rank();
        ACLQ_RETURN_IF_FAILED(checkRank("out", *out, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", rank, dim));
        aclDataType common = all[0].tensor->dtype;
        for (const Argument& part : all) {
            common = promote(common, part.tensor->dtype);
        }
        if (common == ACL_COMPLEX128) {
            return refuse("tensors", "the common type COMPLEX128", "a narrower one, which CANN joins");
        }
        // An empty 1-D tensor may be joined to any shape, as in PyTorch.
        std::vector<Argument> parts;
        Dims expected;
        for (const Argument& part : all) {
            const Dims& shape = part.tensor->shape;
            if (shape.rank() == 1 && shape[0] == 0) {
                continue;
            }
            Dims other = shape;
            if (parts.empty()) {
                expected = shape;
            } else {
                if (shape.rank() == rank && expected.rank() == rank) {
                    other[dim] = expected[dim];
                }
                if (!(other == expected)) {
                    return refuse("tensors", "shape " + shape.text(),
                                  expected.text() + " except in dimension " + std::to_string(dim));
                }
                expected[dim] = sumOfLengths(expected[dim], shape[dim]);
            }
            ACLQ_RETURN_IF_FAILED(checkRank("tensors", *part.tensor, rank, rank));
            parts.push_back(part);
        }
        if (parts.empty()) {
            return call.nothing();
        }
        return launchJoin(call, std::move(parts), dim, false, expected, out);
    });
}
ACLQ_PHASE_2(aclnnCat)

aclnnStatus aclnnStackGetWorkspaceSize(const aclTensorList* tensors, int64_t dim, aclTensor* out,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnStack);
    return call.prepare([&]() -> aclnnStatus {
        std::vector<Argument> parts;
        ACLQ_RETURN_IF_FAILED(checkParts(tensors, parts));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const Dims& shape = parts[0].tensor->shape;
        ACLQ_RETURN_IF_FAILED(checkDim("dim", shape.rank() + 1, dim));
        std::int64_t sizes[Dims::kMaxRank] = {};
        for (std::int64_t index = 0; index <= shape.rank(); ++index) {
            sizes[index] = index < dim ? shape[index]
                                       : (index == dim ? static_cast<std::int64_t>(parts.size()) : shape[index - 1]);
        }
        for (const Argument& part : parts) {
            ACLQ_RETURN_IF_FAILED(checkShape("tensors", *part.tensor, shape, "the shape of the first one"));
        }
        return launchJoin(call, std::move(parts), dim, true, Dims(sizes, static_cast<std::uint64_t>(shape.rank() + 1)),
                          out);
    });
}
ACLQ_PHASE_2(aclnnStack)

aclnnStatus aclnnFlipGetWorkspaceSize(const aclTensor* self, const aclIntArray* dims, aclTensor* out,
                                      uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnFlip);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        std::vector<std::int64_t> given;
        ACLQ_RETURN_IF_FAILED(readArray("dims", dims, given));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        unsigned reversed = 0;
        for (std::int64_t dim : given) {
            ACLQ_RETURN_IF_FAILED(checkDim("dims", self->shape.rank(), dim));
            reversed |= 1U << dim;
        }
        return launchPick(call, {}, self, out, [reversed](const View* tensors, const std::int64_t* at) {
            std::int64_t offset = 0;
            for (std::int64_t dimension = 0; dimension < tensors[0].rank; ++dimension) {
                const bool back = (reversed >> dimension & 1U) != 0;
                offset += (back ? tensors[0].shape[dimension] - 1 - at[dimension] : at[dimension]) *
                          tensors[0].strides[dimension];
            }
            return offset;
        });
    });
}
ACLQ_PHASE_2(aclnnFlip)

aclnnStatus aclnnRepeatGetWorkspaceSize(const aclTensor* self, const aclIntArray* repeats, aclTensor* out,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRepeat);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        std::vector<std::int64_t> times;
        ACLQ_RETURN_IF_FAILED(readArray("repeats", repeats, times));
        const auto rank = static_cast<std::int64_t>(times.size());
        if (rank < self->shape.rank() || rank > kMaxKernelRank) {
            return refuse("repeats", text("%zu numbers", times.size()), "one for each dimension, or more, at most 8");
        }
        const std::int64_t ahead = rank - self->shape.rank();
        for (std::int64_t dimension = 0; dimension < rank; ++dimension) {
            std::int64_t& size = times[static_cast<std::size_t>(dimension)];
            size = multiply(size, dimension < ahead ? 1 : self->shape[dimension - ahead]);
        }
        ACLQ_RETURN_IF_FAILED(
            checkShape("out", *out, Dims(times.data(), times.size()), "the shape of self times repeats"));
        return launchPick(call, {}, self, out, [ahead](const View* tensors, const std::int64_t* at) {
            std::int64_t offset = 0;
            for (std::int64_t dimension = 0; dimension < tensors[0].rank; ++dimension) {
                offset += at[dimension + ahead] % tensors[0].shape[dimension] * tensors[0].strides[dimension];
            }
            return offset;
        });
    });
}
ACLQ_PHASE_2(aclnnRepeat)

namespace {

aclnnStatus triangle(const Call& call, const aclTensor* self, std::int64_t diagonal, bool lower, const aclTensor* out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 2, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        return launchPick(call, {}, self, out, [=](const View* tensors, const std::int64_t* at) {
            const std::int64_t rank = tensors[0].rank;
            const std::int64_t right = at[rank - 1] - at[rank - 2];
            return (lower ? right <= diagonal : right >= diagonal) ? offsetAt(tensors[0], at) : kNowhere;
        });
    });
}

}  // namespace

aclnnStatus aclnnTrilGetWorkspaceSize(const aclTensor* self, int64_t diagonal, aclTensor* out, uint64_t* workspaceSize,
                                      aclOpExecutor** executor) {
    return triangle(ACLQ_CALL(aclnnTril), self, diagonal, true, out);
}
ACLQ_PHASE_2(aclnnTril)
aclnnStatus aclnnTriuGetWorkspaceSize(const aclTensor* self, int64_t diagonal, aclTensor* out, uint64_t* workspaceSize,
                                      aclOpExecutor** executor) {
    return triangle(ACLQ_CALL(aclnnTriu), self, diagonal, false, out);
}
ACLQ_PHASE_2(aclnnTriu)
aclnnStatus aclnnInplaceTrilGetWorkspaceSize(const aclTensor* selfRef, int64_t diagonal, uint64_t* workspaceSize,
                                             aclOpExecutor** executor) {
    return triangle(ACLQ_CALL(aclnnInplaceTril), selfRef, diagonal, true, selfRef);
}
ACLQ_PHASE_2(aclnnInplaceTril)
aclnnStatus aclnnInplaceTriuGetWorkspaceSize(aclTensor* selfRef, int64_t diagonal, uint64_t* workspaceSize,
                                             aclOpExecutor** executor) {
    return triangle(ACLQ_CALL(aclnnInplaceTriu), selfRef, diagonal, false, selfRef);
}
ACLQ_PHASE_2(aclnnInplaceTriu)

aclnnStatus aclnnRollGetWorkspaceSize(const aclTensor* x, const aclIntArray* shifts, const aclIntArray* dims,
                                      aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRoll);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("x", x));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, x->shape, "the shape of x"));
        std::vector<std::int64_t> steps;
        std::vector<std::int64_t> along;
        ACLQ_RETURN_IF_FAILED(readArray("shifts", shifts, steps));
        ACLQ_RETURN_IF_FAILED(readArray("dims", dims, along));
        const bool flat = along.empty();
        if (steps.size() != (flat ? 1 : along.size())) {
            return refuse("shifts", text("%zu numbers", steps.size()),
                          flat ? "1, as dims names none" : text("%zu, as many as dims", along.size()));
        }
        if (!flat && x->shape.rank() == 0) {
            return refuse("dims", text("%zu numbers", along.size()), "none, as x is a number");
        }
        for (std::size_t index = 0; index < along.size(); ++index) {
            ACLQ_RETURN_IF_FAILED(checkDim("dims", x->shape.rank(), along[index]));
        }
        return launchPick(call, {}, x, out, [=](const View* tensors, const std::int64_t* at) {
            const View& from = tensors[0];
            std::int64_t where[kMaxKernelRank] = {};
            std::copy_n(at, from.rank, where);
            if (flat) {
                std::int64_t number = 0;
                for (std::int64_t dimension = 0; dimension < from.rank; ++dimension) {
                    number = number * from.shape[dimension] + at[dimension];
                }
                const std::int64_t count = from.elements();
                return offsetOf(from, ((number - steps[0] % count) % count + count) % count);
            }
            for (std::size_t index = 0; index < (from.rank > 0 ? along.size() : 0); ++index) {
                const std::int64_t size = from.shape[along[index]];
                where[along[index]] = ((where[along[index]] - steps[index] % size) % size + size) % size;
            }
            return offsetAt(from, where);
        });
    });
}
ACLQ_PHASE_2(aclnnRoll)

aclnnStatus aclnnRepeatInterleaveIntWithDimGetWorkspaceSize(const aclTensor* self, int64_t repeats, int64_t dim,
                                                            int64_t outputSize, aclTensor* out, uint64_t* workspaceSize,
                                                            aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRepeatInterleaveIntWithDim);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        Dims expected = self->shape;
        if (repeats < 0 || outputSize != multiply(expected[dim], repeats)) {
            return refuse("outputSize", std::to_string(outputSize),
                          text("the size of dimension %lld times repeats", static_cast<long long>(dim)));
        }
        expected[dim] = outputSize;
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(
            checkShape("out", *out, expected, "the shape of self with repeats times as many places along dim"));
        return launchPick(call, {}, self, out, [=](const View* tensors, const std::int64_t* at) {
            return offsetAlong(tensors[0], dim, at[dim] / repeats, at);
        });
    });
}
ACLQ_PHASE_2(aclnnRepeatInterleaveIntWithDim)

aclnnStatus aclnnRepeatInterleaveIntGetWorkspaceSize(const aclTensor* self, int64_t repeats, int64_t outputSize,
                                                     aclTensor* out, uint64_t* workspaceSize,
                                                     aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRepeatInterleaveInt);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        if (repeats < 0 || outputSize != multiply(self->elements(), repeats)) {
            return refuse("outputSize", std::to_string(outputSize), "the elements of self times repeats");
        }
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(&outputSize, 1), "outputSize"));
        return launchPick(call, {}, self, out, [=](const View* tensors, const std::int64_t* at) {
            return offsetOf(tensors[0], at[0] / repeats);
        });
    });
}
ACLQ_PHASE_2(aclnnRepeatInterleaveInt)

namespace {

// Tensors: self, out.
class Pad : public Kernel {
  public:
    Pad(std::vector<std::int64_t> ahead, const aclScalar& value)
        : ahead_(std::move(ahead)), real_(real(value)), integer_(integer(value)), isReal_(isFloating(value)) {}

    void run(const View* tensors, const KernelContext&) const override {
        View from = tensors[0];
        View to = tensors[1];
        View border;
        border.dtype = isReal_ ? ACL_DOUBLE : ACL_INT64;
        border.data = const_cast<unsigned char*>(
            reinterpret_cast<const unsigned char*>(isReal_ ? static_cast<const void*>(&real_) : &integer_));
        copy(border, to);
        // The part of self that lies inside out.
        for (std::int64_t dimension = 0; dimension < to.rank; ++dimension) {
            const std::int64_t ahead = ahead_[static_cast<std::size_t>(dimension)];
            from.offset += std::max<std::int64_t>(-ahead, 0) * from.strides[dimension];
            to.offset += std::max<std::int64_t>(ahead, 0) * to.strides[dimension];
            const std::int64_t size = std::min(from.shape[dimension] + std::min<std::int64_t>(ahead, 0),
                                               to.shape[dimension] - std::max<std::int64_t>(ahead, 0));
            from.shape[dimension] = to.shape[dimension] = std::max<std::int64_t>(size, 0);
        }
        if (to.elements() != 0) {
            copy(from, to);
        }
    }

  private:
    const std::vector<std::int64_t> ahead_;
    const double real_;
    const std::int64_t integer_;
    const bool isReal_;
};

}  // namespace

aclnnStatus aclnnConstantPadNdGetWorkspaceSize(const aclTensor* self, const aclIntArray* pad, const aclScalar* value,
                                               aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnConstantPadNd);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkScalar("value", value));
        std::vector<std::int64_t> lengths;
        ACLQ_RETURN_IF_FAILED(readArray("pad", pad, lengths));
        const std::int64_t rank = self->shape.rank();
        if (lengths.size() % 2 != 0 || static_cast<std::int64_t>(lengths.size()) > 2 * rank) {
            return refuse("pad", text("%zu numbers", lengths.size()),
                          text("pairs, at most %lld", static_cast<long long>(rank)));
        }
        for (const std::int64_t length : lengths) {
            constexpr std::int64_t kMost =
                std::int64_t{1} << 48;  // more than any memory holds, and small enough that sums do not overflow
            if (length < -kMost || length > kMost) {
                return refuse("pad", std::to_string(length), "a length");
            }
        }
        Dims expected = self->shape;
        bool widened = false;
        bool nothing = false;
        std::vector<std::int64_t> ahead(static_cast<std::size_t>(rank));
        for (std::size_t pair = 0; pair < lengths.size() / 2; ++pair) {
            const std::int64_t dimension = rank - 1 - static_cast<std::int64_t>(pair);
            expected[dimension] += lengths[2 * pair] + lengths[2 * pair + 1];
            widened = widened || lengths[2 * pair] > 0 || lengths[2 * pair + 1] > 0;
            nothing = nothing || expected[dimension] == 0;
            ahead[static_cast<std::size_t>(dimension)] = lengths[2 * pair];
        }
        if (widened && nothing) {
            return refuse("pad", "lengths that leave nothing of " + self->shape.text(),
                          "a result with elements where something is added");
        }
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, expected, "the shape of self with its border"));
        return out->empty() ? call.nothing()
                            : call.launch({{"self", self}, {"out", out}}, std::make_shared<Pad>(ahead, *value));
    });
}
ACLQ_PHASE_2(aclnnConstantPadNd)

aclnnStatus aclnnPermuteGetWorkspaceSize(const aclTensor* self, const aclIntArray* dims, aclTensor* out,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnPermute);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        std::vector<std::int64_t> order;
        ACLQ_RETURN_IF_FAILED(readArray("dims", dims, order));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const std::int64_t rank = self->shape.rank();
        if (static_cast<std::int64_t>(order.size()) != rank) {
            return refuse("dims", text("%zu numbers", order.size()),
                          text("%lld, one for each dimension of self", static_cast<long long>(rank)));
        }
        aclTensor turned = *self;
        Mask seen = 0;
        for (std::int64_t dimension = 0; dimension < rank; ++dimension) {
            std::int64_t from = order[static_cast<std::size_t>(dimension)];
            ACLQ_RETURN_IF_FAILED(checkDim("dims", rank, from));
            if ((seen >> from & 1U) != 0) {
                return refuse("dims", text("dimension %lld twice", static_cast<long long>(from)),
                              "each dimension once");
            }
            seen |= 1U << from;
            turned.shape[dimension] = self->shape[from];
            turned.strides[dimension] = self->strides[from];
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, turned.shape, "the shape of self in the order of dims"));
        return out->empty() ? call.nothing()
                            : call.launch({{"self", self, false, &turned}, {"out", out}}, copyKernel());
    });
}
ACLQ_PHASE_2(aclnnPermute)

aclnnStatus aclnnSliceGetWorkspaceSize(const aclTensor* self, int64_t dim, int64_t start, int64_t end, int64_t step,
                                       aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnSlice);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        if (step <= 0) {
            return refuse("step", std::to_string(step), "more than 0");
        }
        const std::int64_t size = self->shape[dim];
        start = std::clamp<std::int64_t>(start < 0 ? start + size : start, 0, size);
        end = std::clamp<std::int64_t>(end < 0 ? end + size : end, start, size);
        aclTensor part = *self;
        part.shape[dim] = end > start ? (end - start - 1) / step + 1 : 0;
        part.offset = add(part.offset, multiply(start, self->strides[dim]));
        part.strides[dim] = part.shape[dim] > 1 ? multiply(self->strides[dim], step) : self->strides[dim];
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, part.shape, "the shape of the slice"));
        return out->empty() ? call.nothing() : call.launch({{"self", self, false, &part}, {"out", out}}, copyKernel());
    });
}
ACLQ_PHASE_2(aclnnSlice)

aclnnStatus aclnnReflectionPad1dGetWorkspaceSize(const aclTensor* self, const aclIntArray* padding, aclTensor* out,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnReflectionPad1d);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        std::vector<std::int64_t> lengths;
        ACLQ_RETURN_IF_FAILED(readArray("padding", padding, lengths));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 2, 3));
        const std::int64_t size = self->shape.last();
        if (self->empty() && (self->shape.rank() == 2 || self->shape[1] == 0 || size == 0)) {
            return refuse("self", "shape " + self->shape.text(), "dimensions above 0, except the first of three");
        }
        if (lengths.size() != 2) {
            return refuse("padding", text("%zu numbers", lengths.size()), "2 (left and right)");
        }
        for (const std::int64_t length : lengths) {
            if (length < 0 || length >= size) {
                return refuse("padding", std::to_string(length),
                              text("0 to %lld, less than the last dimension of self",
                                   static_cast<long long>(std::max<std::int64_t>(size - 1, 0))));
            }
        }
        Dims expected = self->shape;
        expected[expected.rank() - 1] += lengths[0] + lengths[1];
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, expected, "the shape of self with its border"));
        return launchPick(call, {}, self, out, [left = lengths[0]](const View* tensors, const std::int64_t* at) {
            const View& from = tensors[0];
            const std::int64_t last = from.rank - 1;
            const std::int64_t end = from.shape[last] - 1;
            const std::int64_t place = std::abs(at[last] - left);
            return offsetAt(from, at) + ((place > end ? 2 * end - place : place) - at[last]) * from.strides[last];
        });
    });
}
ACLQ_PHASE_2(aclnnReflectionPad1d)

aclnnStatus aclnnDiagGetWorkspaceSize(const aclTensor* self, int64_t diagonal, aclTensor* out, uint64_t* workspaceSize,
                                      aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnDiag);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 0, 2));
        constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
        if (diagonal < -kMost || diagonal > kMost) {
            return refuse("diagonal", std::to_string(diagonal), "a number of 32 bits");
        }
        const std::int64_t down = std::max<std::int64_t>(-diagonal, 0);   // rows above the diagonal,
        const std::int64_t across = std::max<std::int64_t>(diagonal, 0);  // or columns before it
        const bool matrix = self->shape.rank() == 2;
        if (matrix) {
            const std::int64_t length =
                std::max<std::int64_t>(std::min(self->shape[0] - down, self->shape[1] - across), 0);
            ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(&length, 1), "the diagonal of self"));
        } else {
            const std::int64_t size = self->elements() + down + across;
            const std::int64_t sizes[] = {size, size};
            ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes, 2), "a matrix with self as its diagonal"));
        }
        return launchPick(call, {}, self, out, [=](const View* tensors, const std::int64_t* at) {
            const View& from = tensors[0];
            if (matrix) {
                return (at[0] + down) * from.strides[0] + (at[0] + across) * from.strides[1];
            }
            const std::int64_t place = at[0] - down;
            return place == at[1] - across && place >= 0 && place < from.elements()
                       ? place * (from.rank > 0 ? from.strides[0] : 0)
                       : kNowhere;
        });
    });
}
ACLQ_PHASE_2(aclnnDiag)
