// SPDX-License-Identifier: Apache-2.0
// Operators that copy elements by index: the kernel, and the way from an index to an offset.
#pragma once

#include <cstring>
#include <limits>

#include "ops/everyday/call.h"
#include "ops/rows/by_size.h"

namespace aclq::everyday {

// A value that is never an offset; offsets along reversed dimensions are negative.
constexpr std::int64_t kNowhere = std::numeric_limits<std::int64_t>::min();

// The position of an index along a dimension. An index out of range gives an element 0: the chip does not check it.
inline std::int64_t along(const View& from, std::int64_t dimension, std::int64_t index) {
    index += index < 0 ? from.shape[dimension] : 0;
    return index < 0 || index >= from.shape[dimension] ? kNowhere : index * from.strides[dimension];
}

// Offset of the element at `index` along `dim` and at position `at` in the other dimensions.
inline std::int64_t offsetAlong(const View& from, std::int64_t dim, std::int64_t index, const std::int64_t* at) {
    const std::int64_t step = along(from, dim, index);
    return step == kNowhere ? kNowhere : step + offsetAt(from, at) - at[dim] * from.strides[dim];
}

inline std::int64_t indexAt(const View& indices, std::int64_t offset) {
    std::int64_t value = 0;
    read(indices, offset, 1, 1, &value);
    return value;
}

// Moves to the element with this number in logical order.
inline void countTo(const View& view, std::int64_t index, std::int64_t* at) {
    for (std::int64_t dimension = view.rank; dimension-- > 0;) {
        at[dimension] = index % view.shape[dimension];
        index /= view.shape[dimension];
    }
}

// Moves to the next element in logical order; returns its offset.
inline void countOn(const View& view, std::int64_t* at, std::int64_t& offset) {
    for (std::int64_t dimension = view.rank; dimension-- > 0;) {
        offset += view.strides[dimension];
        if (++at[dimension] < view.shape[dimension]) {
            return;
        }
        offset -= view.shape[dimension] * view.strides[dimension];
        at[dimension] = 0;
    }
}

// Copies element by element, in logical order of out, from the offset that `place` returns; kNowhere gives 0.
// Tensors: self, out, and what `place` reads.
template <class Place>
class Pick : public Kernel {
  public:
    explicit Pick(Place place) : place_(std::move(place)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& from = tensors[0];
        const View& out = tensors[1];
        withSize(bitsOf(out.dtype) / 8, [&](auto element) { pick<sizeof(element)>(tensors, from, out); });
    }

  private:
    template <std::int64_t size>
    void pick(const View* tensors, const View& from, const View& out) const {
        parallelFor(out.elements(), kThreadGrain / 8, [&](std::int64_t begin, std::int64_t end) {
            std::int64_t at[kMaxKernelRank] = {};
            countTo(out, begin, at);
            std::int64_t there = offsetAt(out, at);
            for (std::int64_t index = begin; index < end; ++index) {
                unsigned char* to = out.data + (out.offset + there) * size;
                const std::int64_t offset = place_(tensors, at);
                if (offset == kNowhere) {
                    std::memset(to, 0, size);
                } else {
                    std::memcpy(to, from.data + (from.offset + offset) * size, size);
                }
                countOn(out, at, there);
            }
        });
    }

    const Place place_;
};

template <class Place>
aclnnStatus launchPick(const Call& call, std::vector<Argument> others, const aclTensor* self, const aclTensor* out,
                       Place place) {
    ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {self->dtype}));
    if (out->empty()) {
        return call.nothing();
    }
    std::vector<Argument> arguments{{"self", self}, {"out", out}};
    arguments.insert(arguments.end(), others.begin(), others.end());
    return call.launch(arguments, std::make_shared<Pick<Place>>(place));
}

inline aclnnStatus checkIndices(const char* name, const aclTensor* index) {
    ACLQ_RETURN_IF_FAILED(checkGiven(name, index));
    if (index->empty()) {  // it names nothing, whatever its type
        return checkRank(name, *index, 0, kMaxKernelRank);
    }
    ACLQ_RETURN_IF_FAILED(checkTensor(name, index));
    return checkDtype(name, *index, {ACL_INT64, ACL_INT32});
}

}  // namespace aclq::everyday
