// SPDX-License-Identifier: Apache-2.0
// Tensors seen along some of their dimensions: what reductions, sorting and normalisation have in common.
#pragma once

#include <algorithm>

#include "ops/everyday/call.h"

namespace aclq::everyday {

// The dimensions that are taken together, as bits.
using Mask = unsigned;

// A tensor seen as kept dimensions and, for each place in them, the elements of the others.
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

    // All elements that belong to a place, piece by piece: use(values, n). Floats are used where they lie.
    template <class Domain, class Use>
    void forEach(std::int64_t place, Use&& use) const {
        Room<Domain> room;
        forPiecesOf(place, [&](std::int64_t at, std::int64_t step, std::int64_t n) { piece(at, step, n, room, use); });
    }

    // The same all at once.
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

    // And back; as many as there are elements.
    template <class Values>
    void put(std::int64_t place, const Values& values) const {
        auto next = values.data();
        forPiecesOf(place, [&](std::int64_t at, std::int64_t step, std::int64_t n) {
            write(view_, at, step, n, next);
            next += n;
        });
    }

    // Some elements of places that lie side by side: `n` of them from this place on, their element of this number.
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
    // Whether places lie side by side while the elements of one do not, so that memory is walked across them.
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

// Places that are worth a thread together.
inline std::int64_t grain(const Split& split) {
    return std::max<std::int64_t>(1, kThreadGrain / std::max<std::int64_t>(1, split.inner.elements()));
}

// Does something for each place of the first tensor, the dimensions of `gone` taken together: prepare(tensors) gives
// what is called with the numbers of places, in several threads.
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

// Turns rows along the dimensions of `gone`, converted to the type of the result, into others: function(row). Tensors:
// self, out of the same shape.
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

// Phase 1 says which dimensions: those of an array (empty: all; null: all, where CANN lets it be null), or one.
// 161001 for a null array, where CANN needs one.
aclnnStatus checkGivenDims(const char* argument, const aclIntArray* dims);
aclnnStatus readDims(const char* argument, const aclIntArray* dims, std::int64_t rank, Mask& gone);
// Checks self, and makes `dim` a dimension of it.
aclnnStatus oneDim(const aclTensor* self, std::int64_t& dim, Mask& gone);
// The shape without them; with ones in their place if they are kept.
Dims reducedShape(const Dims& shape, Mask gone, bool keep);
// Whether a result of one element may have any shape of one element, as CANN lets some reductions have it.
enum class OneElement { AsComputed, AnyShape };
// A result has the shape that is computed for it.
aclnnStatus checkResult(const char* argument, const aclTensor& out, const Dims& expected, OneElement one,
                        const char* source);
// out is there and has the reduced shape.
aclnnStatus checkReduced(const char* argument, const aclTensor* out, const Dims& shape, Mask gone, bool keep,
                         OneElement one = OneElement::AsComputed);
// The result type is said twice.
aclnnStatus checkSaid(aclDataType dtype, const aclTensor* out);

}  // namespace aclq::everyday
