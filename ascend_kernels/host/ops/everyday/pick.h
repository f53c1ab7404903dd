// SPDX-License-Identifier: Apache-2.0
// Operators whose elements are copies of elements elsewhere: the kernel, and what leads from an index to a place.
#pragma once

#include <cstring>
#include <limits>

#include "ops/elements.h"
#include "ops/everyday/call.h"

namespace aclq::everyday {

// Not an offset; those of reversed dimensions are negative.
constexpr std::int64_t kNowhere = std::numeric_limits<std::int64_t>::min();

// Where an index leads along a dimension; an index that leads nowhere gives an element 0: the chip does not check.
inline std::int64_t along(const View& from, std::int64_t dimension, std::int64_t index) {
    index += index < 0 ? from.shape[dimension] : 0;
    return index < 0 || index >= from.shape[dimension] ? kNowhere : index * from.strides[dimension];
}

// Offset of the place that is at `index` along `dim`, and elsewhere as `at` says.
inline std::int64_t offsetAlong(const View& from, std::int64_t dim, std::int64_t index, const std::int64_t* at) {
    const std::int64_t step = along(from, dim, index);
    return step == kNowhere ? kNowhere : step + offsetAt(from, at) - at[dim] * from.strides[dim];
}

inline std::int64_t indexAt(const View& indices, std::int64_t offset) {
    std::int64_t value = 0;
    read(indices, offset, 1, 1, &value);
    return value;
}

// Counts through the dimensions of a view to the element of this number.
inline void countTo(const View& view, std::int64_t index, std::int64_t* at) {
    for (std::int64_t dimension = view.rank; dimension-- > 0;) {
        at[dimension] = index % view.shape[dimension];
        index /= view.shape[dimension];
    }
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
                countTo(out, index, at);
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
    ACLQ_RETURN_IF_FAILED(checkTensor(name, index));
    return checkDtype(name, *index, {ACL_INT64, ACL_INT32});
}

}  // namespace aclq::everyday
