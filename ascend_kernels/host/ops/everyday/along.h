// SPDX-License-Identifier: Apache-2.0
// Tensors split into reduced and kept dimensions, as reductions, sorting and normalisation need them.
#pragma once

#include <algorithm>

#include "ops/everyday/call.h"

namespace aclq::everyday {

// The reduced dimensions, as bits.
using Mask = unsigned;

// A tensor as its kept dimensions and, for each position in them, the elements along the reduced dimensions.
struct Split {
    // Elements are read as the type `seen`, to which they are converted.
    Split(const View& view, Mask gone, aclDataType seen) : Split(view, gone) { seen_ = seen; }
    Split(const View& view, Mask gone) : view_(view), seen_(view.dtype) {
        for (std::int64_t dimension = 0; dimension < view.rank; ++dimension) {
            View& part = (gone >> dimension & 1U) != 0 ? inner : outer;
            part.shape[part.rank] = view.shape[dimension];
            part.strides[part.rank] = view.strides[dimension];
            ++part.rank;
        }
    }

    // All elements of one position, piece by piece: use(values, n). Floats are used where they lie.
    template <class Domain, class Use>
    void forEach(std::int64_t place, Use&& use) const {
        Room<Domain> room;
        forPiecesOf(place, [&](std::int64_t at, std::int64_t step, std::int64_t n) { piece(at, step, n, room, use); });
    }

    // The same in one piece.
    template <class Domain>
    Row<Domain> row(std::int64_t place) const {
        Row<Domain> found(static_cast<std::size_t>(inner.elements()));
        Domain* next = found.data();
        forPiecesOf(place, [&](std::int64_t at, std::int64_t step, std::int64_t n) {
            readThrough(seen_, view_, at, step, n, next);
            next += n;
        });
        return found;
    }

    // Writes the elements of one position back; `values` has one value for each.
    template <class Values>
    void put(std::int64_t place, const Values& values) const {
        auto next = values.data();
        forPiecesOf(place, [&](std::int64_t at, std::int64_t step, std::int64_t n) {
            write(view_, at, step, n, next);
            next += n;
        });
    }

    // One element of each of `n` adjacent positions, starting with this position: the element with this number.
    template <class Domain>
    void across(std::int64_t place, std::int64_t element, std::int64_t n, Domain* to) const {
        readThrough(seen_, view_, offsetOf(outer, place) + offsetOf(inner, element), 1, n, to);
    }
    // The same for elements of the only place: `n` from `first` on in the row that begins with this element.
    template <class Domain, class Use>
    void part(std::int64_t row, std::int64_t first, std::int64_t n, Use&& use) const {
        Room<Domain> room;
        const std::int64_t step = inner.rank > 0 ? inner.strides[inner.rank - 1] : 1;
        for (const std::int64_t end = first + n; first < end; first += kRoom) {
            piece(offsetOf(inner, row) + first * step, step, std::min(kRoom, end - first), room, use);
        }
    }
    // Whether adjacent positions are contiguous in memory and the elements of one position are not: then several
    // positions are processed together.
    bool sideBySide() const {
        return outer.rank > 0 && outer.strides[outer.rank - 1] == 1 && outer.shape[outer.rank - 1] > 1 &&
               (inner.rank == 0 || inner.strides[inner.rank - 1] != 1);
    }

    View outer;
    View inner;

  private:
    std::int64_t length() const { return inner.rank > 0 ? inner.shape[inner.rank - 1] : 1; }

    template <class Domain, class Use>
    void piece(std::int64_t at, std::int64_t step, std::int64_t n, Room<Domain>& room, Use&& use) const {
        if constexpr (std::is_same_v<Domain, double>) {
            const float* floats = seen_ == ACL_FLOAT ? floatsAt(view_, at, step) : nullptr;
            if (floats != nullptr) {
                return use(floats, n);
            }
        }
        readThrough(seen_, view_, at, step, n, room.values);
        use(static_cast<const Domain*>(room.values), n);
    }

    template <class Use>
    void forPiecesOf(std::int64_t place, Use&& use) const {
        const std::int64_t begin = offsetOf(outer, place);
        const std::int64_t step = inner.rank > 0 ? inner.strides[inner.rank - 1] : 1;
        const std::int64_t rows = inner.elements() / std::max<std::int64_t>(length(), 1);
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::int64_t at = begin + offsetOf(inner, row * length());
            for (std::int64_t first = 0; first < length(); first += kRoom) {
                use(at + first * step, step, std::min(kRoom, length() - first));
            }
        }
    }

    const View& view_;
    aclDataType seen_;
};

// Writes one element, given its number in logical order.
template <class Domain>
void put(const View& view, std::int64_t index, Domain value) {
    write(view, offsetOf(view, index), 1, 1, &value);
}

// The number of positions that justifies a thread.
inline std::int64_t grain(const Split& split) {
    return std::max<std::int64_t>(1, kThreadGrain / std::max<std::int64_t>(1, split.inner.elements()));
}

// Calls a function for each kept position of the first tensor, in several threads; `gone` are the reduced dimensions.
// prepare(tensors) returns the function, which takes the numbers of positions.
template <class Prepare>
class ForPlaces : public Kernel {
  public:
    ForPlaces(Mask gone, Prepare prepare) : gone_(gone), prepare_(std::move(prepare)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const Split split(tensors[0], gone_);
        const auto work = prepare_(tensors);
        parallelFor(split.outer.elements(), grain(split), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t place = begin; place < end; ++place) {
                work(place);
            }
        });
    }

  private:
    const Mask gone_;
    const Prepare prepare_;
};

template <class Prepare>
std::shared_ptr<const Kernel> forPlaces(Mask gone, Prepare prepare) {
    return std::make_shared<ForPlaces<Prepare>>(gone, std::move(prepare));
}

// Applies function(row) to each row along the dimensions of `gone`, converted to the type of the result. Tensors: self,
// and out of the same shape.
template <class Domain, class Function>
std::shared_ptr<const Kernel> turnRows(Mask gone, Function function) {
    return forPlaces(gone, [gone, function](const View* tensors) {
        return [from = Split(tensors[0], gone, tensors[1].dtype), to = Split(tensors[1], gone),
                function](std::int64_t place) {
            Row<Domain> row = from.row<Domain>(place);
            function(row);
            to.put(place, row);
        };
    });
}

// The reduced dimensions from an argument of phase 1: an array (empty: all; null: all if CANN accepts null, else
// 161001), or a single dimension.
aclnnStatus checkGivenDims(const char* argument, const aclIntArray* dims);
aclnnStatus readDims(const char* argument, const aclIntArray* dims, std::int64_t rank, Mask& gone);
// Checks self, and makes `dim` non-negative.
aclnnStatus oneDim(const aclTensor* self, std::int64_t& dim, Mask& gone);
// The shape without the reduced dimensions, or with size 1 for them if they are kept.
Dims reducedShape(const Dims& shape, Mask gone, bool keep);
// Whether a result of one element may have any shape with one element: CANN allows it for some reductions.
enum class OneElement { AsComputed, AnyShape };
// Checks that a result has the computed shape.
aclnnStatus checkResult(const char* argument, const aclTensor& out, const Dims& expected, OneElement one,
                        const char* source);
// Checks that out is not null and has the reduced shape.
aclnnStatus checkReduced(const char* argument, const aclTensor* out, const Dims& shape, Mask gone, bool keep,
                         OneElement one = OneElement::AsComputed);
// Checks that the dtype argument and the type of out agree.
aclnnStatus checkSaid(aclDataType dtype, const aclTensor* out);

}  // namespace aclq::everyday
