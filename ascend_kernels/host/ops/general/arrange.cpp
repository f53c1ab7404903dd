// SPDX-License-Identifier: Apache-2.0
// Operators that move elements to other places: joined, picked by index, reversed, repeated, cut.
#include <cstring>
#include <limits>

#include "aclnnop/aclnn_cat.h"
#include "aclnnop/aclnn_flip.h"
#include "aclnnop/aclnn_gather.h"
#include "aclnnop/aclnn_index.h"
#include "aclnnop/aclnn_index_select.h"
#include "aclnnop/aclnn_repeat.h"
#include "aclnnop/aclnn_stack.h"
#include "aclnnop/aclnn_tril.h"
#include "aclnnop/aclnn_triu.h"
#include "ops/elements.h"
#include "ops/general/copy.h"

using namespace aclq;
using namespace aclq::general;

namespace {

// Tensors: the parts, out. Each part goes to its place along a dimension, which out has anew (stack) or longer (cat).
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
    if (tensors == nullptr) {
        return failArgument(ACLNN_ERR_PARAM_NULLPTR, "tensors", "null", "an aclTensorList");
    }
    const aclTensorList* list = pools().tensorLists.find(tensors);
    if (list == nullptr || list->tensors.empty() || list->tensors.size() >= kMaxArguments) {
        return refuse("tensors", list == nullptr ? "no live aclTensorList" : text("%zu tensors", list->tensors.size()), text("1 to %zu tensors", kMaxArguments - 1));
    }
    for (const aclTensor* tensor : list->tensors) {
        ACLQ_RETURN_IF_FAILED(checkTensor("tensors", tensor));
        parts.push_back({"tensors", tensor});
    }
    return ACLNN_SUCCESS;
}

aclnnStatus launchJoin(const Call& call, std::vector<Argument> parts, std::int64_t dim, bool anew, const Dims& expected, const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkShape("out", *out, expected, "the shape of the tensors together"));
    if (out->empty()) {
        return call.nothing();
    }
    const auto count = static_cast<std::int64_t>(parts.size());
    parts.push_back({"out", out});
    return call.launch(parts, std::make_shared<Join>(count, dim, anew));
}

}  // namespace

aclnnStatus aclnnCatGetWorkspaceSize(const aclTensorList* tensors, int64_t dim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnCat);
    return call.prepare([&]() -> aclnnStatus {
        std::vector<Argument> all;
        ACLQ_RETURN_IF_FAILED(checkParts(tensors, all));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const std::int64_t rank = out->shape.rank();
        ACLQ_RETURN_IF_FAILED(checkRank("out", *out, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", rank, dim));
        // A 1-D tensor without elements fits to everything, as it always did.
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
                    return refuse("tensors", "shape " + shape.text(), expected.text() + " but for dimension " + std::to_string(dim));
                }
                expected[dim] += shape[dim];
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

aclnnStatus aclnnStackGetWorkspaceSize(const aclTensorList* tensors, int64_t dim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnStack);
    return call.prepare([&]() -> aclnnStatus {
        std::vector<Argument> parts;
        ACLQ_RETURN_IF_FAILED(checkParts(tensors, parts));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const Dims& shape = parts[0].tensor->shape;
        ACLQ_RETURN_IF_FAILED(checkDim("dim", shape.rank() + 1, dim));
        std::int64_t sizes[Dims::kMaxRank] = {};
        for (std::int64_t index = 0; index <= shape.rank(); ++index) {
            sizes[index] = index < dim ? shape[index] : (index == dim ? static_cast<std::int64_t>(parts.size()) : shape[index - 1]);
        }
        for (const Argument& part : parts) {
            ACLQ_RETURN_IF_FAILED(checkShape("tensors", *part.tensor, shape, "the shape of the first one"));
        }
        return launchJoin(call, std::move(parts), dim, true, Dims(sizes, static_cast<std::uint64_t>(shape.rank() + 1)), out);
    });
}
ACLQ_PHASE_2(aclnnStack)

namespace {

// Offset of a place in a tensor that `at` counts through.
std::int64_t offsetAt(const View& view, const std::int64_t* at) {
    std::int64_t offset = 0;
    for (std::int64_t dimension = 0; dimension < view.rank; ++dimension) {
        offset += at[dimension] * view.strides[dimension];
    }
    return offset;
}

// Not an offset; those of reversed dimensions are negative.
constexpr std::int64_t kNowhere = std::numeric_limits<std::int64_t>::min();

// Where an index leads along a dimension; an index that leads nowhere gives an element 0: the chip does not check.
std::int64_t along(const View& from, std::int64_t dimension, std::int64_t index) {
    index += index < 0 ? from.shape[dimension] : 0;
    return index < 0 || index >= from.shape[dimension] ? kNowhere : index * from.strides[dimension];
}

// Offset of the place that is at `index` along `dim`, and elsewhere as `at` says.
std::int64_t offsetAlong(const View& from, std::int64_t dim, std::int64_t index, const std::int64_t* at) {
    const std::int64_t step = along(from, dim, index);
    return step == kNowhere ? kNowhere : step + offsetAt(from, at) - at[dim] * from.strides[dim];
}

std::int64_t indexAt(const View& indices, std::int64_t offset) {
    std::int64_t value = 0;
    read(indices, offset, 1, 1, &value);
    return value;
}

// Copies element by element, in logical order of out, from where `place` says; kNowhere gives 0.
// Tensors: self, out, and what `place` reads.
template <class Place>
class Pick : public Kernel {
  public:
    explicit Pick(Place place) : place_(std::move(place)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& from = tensors[0];
        const View& out = tensors[1];
        const std::int64_t size = bitsOf(out.dtype) / 8;
        parallelFor(out.elements(), kThreadGrain / 8, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t index = begin; index < end; ++index) {
                std::int64_t at[kMaxKernelRank] = {};
                std::int64_t rest = index;
                for (std::int64_t dimension = out.rank; dimension-- > 0;) {
                    at[dimension] = rest % out.shape[dimension];
                    rest /= out.shape[dimension];
                }
                unsigned char* to = out.data + (out.offset + offsetAt(out, at)) * size;
                const std::int64_t offset = place_(tensors, at);
                if (offset == kNowhere) {
                    std::memset(to, 0, static_cast<std::size_t>(size));
                } else {
                    std::memcpy(to, from.data + (from.offset + offset) * size, static_cast<std::size_t>(size));
                }
            }
        });
    }

  private:
    const Place place_;
};

template <class Place>
aclnnStatus launchPick(const Call& call, std::vector<Argument> others, const aclTensor* self, const aclTensor* out, Place place) {
    ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {self->dtype}));
    if (out->empty()) {
        return call.nothing();
    }
    std::vector<Argument> arguments{{"self", self}, {"out", out}};
    arguments.insert(arguments.end(), others.begin(), others.end());
    return call.launch(arguments, std::make_shared<Pick<Place>>(place));
}

aclnnStatus checkIndices(const char* name, const aclTensor* index) {
    ACLQ_RETURN_IF_FAILED(checkTensor(name, index));
    return checkDtype(name, *index, {ACL_INT64, ACL_INT32});
}

}  // namespace

aclnnStatus aclnnIndexSelectGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnIndexSelect);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        Dims expected = self->shape;
        expected[dim] = index->elements();
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, expected, "the shape of self with as many places as index names"));
        return launchPick(call, {{"index", index}}, self, out, [dim](const View* tensors, const std::int64_t* at) {
            return offsetAlong(tensors[0], dim, indexAt(tensors[2], offsetOf(tensors[2], at[dim])), at);
        });
    });
}
ACLQ_PHASE_2(aclnnIndexSelect)

aclnnStatus aclnnGatherGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGather);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const std::int64_t rank = self->shape.rank();
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkRank("index", *index, rank, rank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", rank, dim));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, index->shape, "the shape of index"));
        for (std::int64_t dimension = 0; dimension < rank; ++dimension) {
            if (dimension != dim && index->shape[dimension] > self->shape[dimension]) {
                return refuse("index", "shape " + index->shape.text(), "no larger than self, " + self->shape.text() + ", but along dim");
            }
        }
        return launchPick(call, {{"index", index}}, self, out, [dim](const View* tensors, const std::int64_t* at) {
            return offsetAlong(tensors[0], dim, indexAt(tensors[2], offsetAt(tensors[2], at)), at);
        });
    });
}
ACLQ_PHASE_2(aclnnGather)

namespace {

aclnnStatus readArray(const char* name, const aclIntArray* array, std::vector<std::int64_t>& values) {
    const aclIntArray* found = array != nullptr ? pools().intArrays.find(array) : nullptr;
    if (found == nullptr) {
        return array == nullptr ? failArgument(ACLNN_ERR_PARAM_NULLPTR, name, "null", "an aclIntArray") : refuse(name, "no live aclIntArray", "one");
    }
    values = found->values;
    return ACLNN_SUCCESS;
}

}  // namespace

aclnnStatus aclnnFlipGetWorkspaceSize(const aclTensor* self, const aclIntArray* dims, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnFlip);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        std::vector<std::int64_t> given;
        ACLQ_RETURN_IF_FAILED(readArray("dims", dims, given));
        unsigned reversed = 0;
        for (std::int64_t dim : given) {
            ACLQ_RETURN_IF_FAILED(checkDim("dims", self->shape.rank(), dim));
            reversed |= 1U << dim;
        }
        return launchPick(call, {}, self, out, [reversed](const View* tensors, const std::int64_t* at) {
            std::int64_t offset = 0;
            for (std::int64_t dimension = 0; dimension < tensors[0].rank; ++dimension) {
                const bool back = (reversed >> dimension & 1U) != 0;
                offset += (back ? tensors[0].shape[dimension] - 1 - at[dimension] : at[dimension]) * tensors[0].strides[dimension];
            }
            return offset;
        });
    });
}
ACLQ_PHASE_2(aclnnFlip)

aclnnStatus aclnnRepeatGetWorkspaceSize(const aclTensor* self, const aclIntArray* repeats, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
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
            times[static_cast<std::size_t>(dimension)] *= dimension < ahead ? 1 : self->shape[dimension - ahead];
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(times.data(), times.size()), "the shape of self times repeats"));
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

aclnnStatus triangle(const Call& call, const aclTensor* self, std::int64_t diagonal, bool lower, aclTensor* out) {
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

aclnnStatus aclnnTrilGetWorkspaceSize(const aclTensor* self, int64_t diagonal, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return triangle(ACLQ_CALL(aclnnTril), self, diagonal, true, out); }
ACLQ_PHASE_2(aclnnTril)
aclnnStatus aclnnTriuGetWorkspaceSize(const aclTensor* self, int64_t diagonal, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) { return triangle(ACLQ_CALL(aclnnTriu), self, diagonal, false, out); }
ACLQ_PHASE_2(aclnnTriu)

aclnnStatus aclnnIndexGetWorkspaceSize(const aclTensor* self, const aclTensorList* indices, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnIndex);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const aclTensorList* list = indices != nullptr ? pools().tensorLists.find(indices) : nullptr;
        const std::int64_t rank = self->shape.rank();
        if (list == nullptr || list->tensors.empty() || static_cast<std::int64_t>(list->tensors.size()) > rank) {
            return refuse("indices", list == nullptr ? "no live aclTensorList" : text("%zu tensors", list->tensors.size()), text("1 to %lld tensors", static_cast<long long>(rank)));
        }
        // Which dimensions are picked from, and the common shape of their indices.
        std::vector<Argument> given;
        unsigned picked = 0;
        Dims common;
        for (std::size_t dimension = 0; dimension < list->tensors.size(); ++dimension) {
            const aclTensor* index = list->tensors[dimension];
            if (index == nullptr || (index->shape.rank() == 1 && index->empty() && index->dtype != ACL_INT64 && index->dtype != ACL_INT32)) {
                continue;
            }
            if (index->empty() && !out->empty()) {
                continue;  // "the whole dimension"
            }
            ACLQ_RETURN_IF_FAILED(checkIndices("indices", index));
            if (!broadcast(common, index->shape)) {
                return refuse("indices", "shape " + index->shape.text(), "a shape that fits to " + common.text());
            }
            picked |= 1U << dimension;
            given.push_back({"indices", index});
        }
        if (out->empty()) {
            return call.nothing();
        }
        // Their places stand where the first of them was, if they are neighbours, else in front.
        const std::int64_t first = picked != 0 ? __builtin_ctz(picked) : 0;
        const bool neighbours = picked != 0 && (((picked >> first) + 1) & (picked >> first)) == 0;
        const std::int64_t before = neighbours ? first : 0;
        std::int64_t sizes[Dims::kMaxRank] = {};
        std::uint64_t count = 0;
        for (std::int64_t dimension = 0; dimension <= rank; ++dimension) {
            if (static_cast<std::int64_t>(count) == before && dimension == (neighbours ? first : 0) && picked != 0) {
                for (std::int64_t index = 0; index < common.rank(); ++index) {
                    sizes[count++] = common[index];
                }
            }
            if (dimension < rank && (picked >> dimension & 1U) == 0) {
                sizes[count++] = self->shape[dimension];
            }
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes, count), "the shape that the indices pick"));
        const std::int64_t places = common.rank();
        return launchPick(call, given, self, out, [=](const View* tensors, const std::int64_t* at) {
            const View& from = tensors[0];
            View all;
            all.rank = places;
            std::int64_t offset = 0;
            std::int64_t whole = before == 0 && picked != 0 ? places : 0;
            std::size_t used = 2;
            for (std::int64_t dimension = 0; dimension < from.rank; ++dimension) {
                if ((picked >> dimension & 1U) != 0) {
                    const View& index = tensors[used++];
                    std::int64_t where = 0;
                    for (std::int64_t place = 0; place < places; ++place) {
                        where += at[before + place] * strideAlong(index, all, place);
                    }
                    const std::int64_t step = along(from, dimension, indexAt(index, where));
                    if (step == kNowhere) {
                        return kNowhere;
                    }
                    offset += step;
                    whole = neighbours && dimension == first ? before + places : whole;
                } else {
                    offset += at[whole++] * from.strides[dimension];
                }
            }
            return offset;
        });
    });
}
ACLQ_PHASE_2(aclnnIndex)
