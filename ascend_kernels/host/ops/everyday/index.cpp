// SPDX-License-Identifier: Apache-2.0
// Operators that read or write elements by tensors of indices.
#include "aclnnop/aclnn_embedding.h"
#include "aclnnop/aclnn_embedding_dense_backward.h"
#include "aclnnop/aclnn_gather.h"
#include "aclnnop/aclnn_gather_v2.h"
#include "aclnnop/aclnn_index.h"
#include "aclnnop/aclnn_index_add.h"
#include "aclnnop/aclnn_index_copy.h"
#include "aclnnop/aclnn_index_fill.h"
#include "aclnnop/aclnn_index_fill_tensor.h"
#include "aclnnop/aclnn_index_put_impl.h"
#include "aclnnop/aclnn_index_select.h"
#include "aclnnop/aclnn_one_hot.h"
#include "aclnnop/aclnn_scatter.h"
#include "aclnnop/aclnn_scatter_add.h"
#include "aclnnop/aclnn_take.h"
#include "ops/everyday/binary.h"
#include "ops/everyday/copy.h"
#include "ops/everyday/pick.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// Copies slices that are contiguous in self and out. Tensors: self, out, index.
class PickSlices : public Kernel {
  public:
    explicit PickSlices(std::int64_t dim) : dim_(dim) {}

    // Whether the dimensions after `dim` are one contiguous piece, as long as the step along `dim`.
    static bool suits(const aclTensor& self, const aclTensor& out, std::int64_t dim) {
        return self.contiguous() && out.contiguous() && dim + 1 < self.shape.rank() &&
               self.shape.rank() <= out.shape.rank();
    }

    void run(const View* tensors, const KernelContext&) const override {
        const View& from = tensors[0];
        const View& out = tensors[1];
        const View& index = tensors[2];
        std::int64_t slice = bitsOf(from.dtype) / 8;
        for (std::int64_t dimension = dim_ + 1; dimension < from.rank; ++dimension) {
            slice *= from.shape[dimension];
        }
        const std::int64_t size = from.shape[dim_];
        const std::int64_t picked = index.elements();
        const std::int64_t elementSize = bitsOf(from.dtype) / 8;
        const unsigned char* source = from.data + from.offset * elementSize;
        unsigned char* target = out.data + out.offset * elementSize;
        const std::int64_t slices = out.elements() * elementSize / slice;
        parallelFor(slices, std::max<std::int64_t>(1, kThreadGrain * 4 / slice),
                    [&](std::int64_t begin, std::int64_t end) {
                        for (std::int64_t number = begin; number < end; ++number) {
                            std::int64_t place = indexAt(index, offsetOf(index, number % picked));
                            place += place < 0 ? size : 0;
                            unsigned char* to = target + number * slice;
                            if (place < 0 || place >= size) {
                                std::memset(to, 0, static_cast<std::size_t>(slice));
                            } else {
                                std::memcpy(to, source + (number / picked * size + place) * slice,
                                            static_cast<std::size_t>(slice));
                            }
                        }
                    });
    }

  private:
    const std::int64_t dim_;
};

// Elements along `dim` of self, row by row of out. Tensors: self, out, index, which has out's shape.
class GatherRows : public Kernel {
  public:
    explicit GatherRows(std::int64_t dim) : dim_(dim) {}

    void run(const View* tensors, const KernelContext&) const override {
        withSize(bitsOf(tensors[1].dtype) / 8, [&](auto element) { gather<decltype(element)>(tensors); });
    }

  private:
    template <class T>
    void gather(const View* tensors) const {
        const View& self = tensors[0];
        const View& out = tensors[1];
        const View& index = tensors[2];
        const std::int64_t last = out.rank - 1;
        const std::int64_t size = self.shape[dim_];
        const std::int64_t step = self.strides[dim_];
        // The distance in self between neighbours of a row that have the same index.
        const std::int64_t along = dim_ == last ? 0 : self.strides[last];
        const Cut cut{.rows = out.elements() / out.shape[last], .length = out.shape[last], .chunk = kRoom};
        forPieces(cut, [&](Pieces pieces) {
            Room<std::int64_t> numbers;
            std::int64_t at[kMaxKernelRank] = {};
            while (pieces.next()) {
                countTo(out, pieces.row() * cut.length + pieces.first(), at);
                const std::int64_t n = pieces.count();
                read(index, offsetAt(index, at), index.strides[last], n, numbers.values);
                const T* from = elements<T>(self) + offsetAt(self, at) - at[dim_] * step;
                T* to = elements<T>(out) + offsetAt(out, at);
                for (std::int64_t i = 0; i < n; ++i) {
                    const std::int64_t number = numbers.values[i] + (numbers.values[i] < 0 ? size : 0);
                    const bool inside = number >= 0 && number < size;
                    to[i * out.strides[last]] = inside ? from[number * step + i * along] : T{};
                }
            }
        });
    }
    template <class T>
    static T* elements(const View& view) {
        return reinterpret_cast<T*>(view.data) + view.offset;
    }

    const std::int64_t dim_;
};

aclnnStatus launchSlices(const Call& call, std::int64_t dim, const char* name, const aclTensor* self,
                         const Argument& index, const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {self->dtype}));
    return out->empty() ? call.nothing()
                        : call.launch({{name, self}, {"out", out}, index}, std::make_shared<PickSlices>(dim));
}

}  // namespace

aclnnStatus aclnnIndexSelectGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index, aclTensor* out,
                                             uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnIndexSelect);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        Dims expected = self->shape;
        expected[dim] = index->elements();
        ACLQ_RETURN_IF_FAILED(
            checkShape("out", *out, expected, "the shape of self with as many places as index names"));
        if (PickSlices::suits(*self, *out, dim)) {
            return launchSlices(call, dim, "self", self, {"index", index}, out);
        }
        return launchPick(call, {{"index", index}}, self, out, [dim](const View* tensors, const std::int64_t* at) {
            return offsetAlong(tensors[0], dim, indexAt(tensors[2], offsetOf(tensors[2], at[dim])), at);
        });
    });
}
ACLQ_PHASE_2(aclnnIndexSelect)

aclnnStatus aclnnTakeGetWorkspaceSize(const aclTensor* self, const aclTensor* index, aclTensor* out,
                                      uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnTake);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, index->shape, "the shape of index"));
        return launchPick(call, {{"index", index}}, self, out, [](const View* tensors, const std::int64_t* at) {
            const View& from = tensors[0];
            const std::int64_t elements = from.elements();
            std::int64_t number = indexAt(tensors[2], offsetAt(tensors[2], at));
            number += number < 0 ? elements : 0;
            return number < 0 || number >= elements ? kNowhere : offsetOf(from, number);
        });
    });
}
ACLQ_PHASE_2(aclnnTake)

aclnnStatus aclnnGatherGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index, aclTensor* out,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGather);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        // A 0-d tensor counts as a row of one element.
        const std::int64_t rank = self->shape.rank();
        if (std::max<std::int64_t>(rank, 1) != std::max<std::int64_t>(index->shape.rank(), 1)) {
            ACLQ_RETURN_IF_FAILED(checkRank("index", *index, rank, rank));
        }
        ACLQ_RETURN_IF_FAILED(checkDim("dim", rank, dim));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, index->shape, "the shape of index"));
        for (std::int64_t dimension = 0; !index->empty() && dimension < rank; ++dimension) {
            if (dimension != dim && index->shape[dimension] > self->shape[dimension]) {
                return refuse("index", "shape " + index->shape.text(),
                              "no larger than self, " + self->shape.text() + ", but along dim");
            }
        }
        if (rank > 0 && index->shape.rank() > 0) {
            ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {self->dtype}));
            return out->empty() ? call.nothing()
                                : call.launch({{"self", self}, {"out", out}, {"index", index}},
                                              std::make_shared<GatherRows>(dim));
        }
        return launchPick(call, {{"index", index}}, self, out, [dim](const View* tensors, const std::int64_t* at) {
            const View& from = tensors[0];
            const std::int64_t number = indexAt(tensors[2], offsetAt(tensors[2], at));
            if (from.rank == 0) {
                return number == 0 || number == -1 ? 0 : kNowhere;
            }
            return offsetAlong(from, dim, number, at);
        });
    });
}
ACLQ_PHASE_2(aclnnGather)

aclnnStatus aclnnEmbeddingGetWorkspaceSize(const aclTensor* weight, const aclTensor* indices, const aclTensor* out,
                                           uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnEmbedding);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("weight", weight));
        ACLQ_RETURN_IF_FAILED(checkIndices("indices", indices));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("weight", *weight, 2, 2));
        std::int64_t sizes[Dims::kMaxRank] = {};
        const std::int64_t rank = indices->shape.rank();
        std::copy_n(indices->shape.data(), rank, sizes);
        sizes[rank] = weight->shape[1];
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes, static_cast<std::uint64_t>(rank + 1)),
                                         "the shape of indices and the columns of weight"));
        if (PickSlices::suits(*weight, *out, 0)) {
            return launchSlices(call, 0, "weight", weight, {"indices", indices}, out);
        }
        return launchPick(call, {{"indices", indices}}, weight, out,
                          [rank](const View* tensors, const std::int64_t* at) {
                              const std::int64_t place[] = {0, at[rank]};
                              return offsetAlong(tensors[0], 0, indexAt(tensors[2], offsetAt(tensors[2], at)), place);
                          });
    });
}
ACLQ_PHASE_2(aclnnEmbedding)

namespace {

// The elements of self[indices]: some dimensions are indexed, the others are taken whole. In the result, the shape of
// the indices replaces the indexed dimensions if those are adjacent; else it comes first.
struct Picks {
    std::vector<Argument> given;
    unsigned picked = 0;  // the indexed dimensions, as bits
    Dims common;          // the common shape of the indices
    Dims shape;           // of the result
    bool nothing = false;
    bool neighbours = false;
    std::int64_t first = 0;
    std::int64_t before = 0;

    bool picks(std::int64_t dimension) const { return (picked >> dimension & 1U) != 0; }

    aclnnStatus read(const aclTensor* self, const aclTensorList* indices) {
        std::vector<aclTensor*> list;
        ACLQ_RETURN_IF_FAILED(readList("indices", indices, list));
        const std::int64_t rank = self->shape.rank();
        if (list.empty() || static_cast<std::int64_t>(list.size()) > rank) {
            return refuse("indices", text("%zu tensors", list.size()),
                          text("1 to %lld tensors", static_cast<long long>(rank)));
        }
        // An empty tensor of self's type stands for a whole dimension: torch_npu's convention. One of another type
        // selects nothing.
        for (const aclTensor* index : list) {
            if (index != nullptr) {
                ACLQ_RETURN_IF_FAILED(checkAlive("indices", index));
                ACLQ_RETURN_IF_FAILED(checkRank("indices", *index, 0, kMaxKernelRank));
            }
            nothing = nothing || (index != nullptr && index->empty() && index->dtype != self->dtype);
        }
        for (std::size_t dimension = 0; dimension < list.size(); ++dimension) {
            const aclTensor* index = list[dimension];
            if (index == nullptr || index->empty()) {
                continue;
            }
            ACLQ_RETURN_IF_FAILED(checkIndices("indices", index));
            if (!broadcast(common, index->shape)) {
                return refuse("indices", "shape " + index->shape.text(), "a shape that fits to " + common.text());
            }
            picked |= 1U << dimension;
            given.push_back({"indices", index});
        }
        nothing = nothing || picked == 0;
        first = picked != 0 ? __builtin_ctz(picked) : 0;
        neighbours = picked != 0 && (((picked >> first) + 1) & (picked >> first)) == 0;
        before = neighbours ? first : 0;
        std::int64_t sizes[Dims::kMaxRank] = {};
        std::uint64_t count = 0;
        for (std::int64_t dimension = 0; dimension <= rank; ++dimension) {
            if (dimension == before && picked != 0) {
                for (std::int64_t index = 0; index < common.rank(); ++index) {
                    sizes[count++] = common[index];
                }
            }
            if (dimension < rank && !picks(dimension)) {
                sizes[count++] = self->shape[dimension];
            }
        }
        if (count > static_cast<std::uint64_t>(kMaxKernelRank)) {
            return refuse("indices", text("a result of %llu dimensions", static_cast<unsigned long long>(count)),
                          "a result of at most 8 dimensions");
        }
        shape = Dims(sizes, count);
        return ACLNN_SUCCESS;
    }

    // Offset in `from` of the element at position `at` of the result.
    std::int64_t place(const View& from, const View* indices, const std::int64_t* at) const {
        View all;
        all.rank = common.rank();
        std::int64_t offset = 0;
        std::int64_t whole = before == 0 && picked != 0 ? all.rank : 0;
        for (std::int64_t dimension = 0; dimension < from.rank; ++dimension) {
            if (picks(dimension)) {
                const View& index = *indices++;
                std::int64_t where = 0;
                for (std::int64_t place = 0; place < all.rank; ++place) {
                    where += at[before + place] * strideAlong(index, all, place);
                }
                const std::int64_t step = along(from, dimension, indexAt(index, where));
                if (step == kNowhere) {
                    return kNowhere;
                }
                offset += step;
                whole = neighbours && dimension == first ? before + all.rank : whole;
            } else {
                offset += at[whole++] * from.strides[dimension];
            }
        }
        return offset;
    }
};

}  // namespace

aclnnStatus aclnnIndexGetWorkspaceSize(const aclTensor* self, const aclTensorList* indices, aclTensor* out,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnIndex);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        Picks picks;
        ACLQ_RETURN_IF_FAILED(picks.read(self, indices));
        if (out->empty()) {
            return call.nothing();
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, picks.shape, "the shape that the indices pick"));
        return launchPick(call, picks.given, self, out, [picks](const View* tensors, const std::int64_t* at) {
            return picks.place(tensors[0], tensors + 2, at);
        });
    });
}
ACLQ_PHASE_2(aclnnIndex)

namespace {

// How a new element is combined with the existing one.
enum class Way { Replace, Add, Multiply };

aclnnStatus wayOf(std::int64_t reduce, Way& way) {
    if (reduce < 0 || reduce > 2) {
        return refuse("reduce", std::to_string(reduce), "0 (replace), 1 (add), 2 (multiply)");
    }
    way = static_cast<Way>(reduce);
    return ACLNN_SUCCESS;
}

// Elements at separate places of a tensor, one after the other: a place may occur again. kNowhere is left out.
template <class Function>
void atEach(const std::int64_t* places, std::int64_t n, Function function) {
    for (std::int64_t i = 0; i < n; ++i) {
        if (places[i] != kNowhere) {
            function(places[i], i);
        }
    }
}

// An element of a tensor, which may lie at any address.
template <class T>
T load(const View& view, std::int64_t place) {
    T value;
    std::memcpy(&value, view.data + (view.offset + place) * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    return value;
}
template <class T>
void store(const View& view, std::int64_t place, T value) {
    std::memcpy(view.data + (view.offset + place) * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
}

// T is the type of the target, or an unsigned one of its size: integers wrap around, whether they have a sign or not.
template <class T>
void combineAtEach(const View& target, Way way, const std::int64_t* places, std::int64_t n, const T* values) {
    using Wide = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
    if (way == Way::Add) {
        atEach(places, n, [&](std::int64_t place, std::int64_t i) {
            store(target, place, static_cast<T>(Wide{load<T>(target, place)} + Wide{values[i]}));
        });
    } else {
        atEach(places, n, [&](std::int64_t place, std::int64_t i) {
            store(target, place, static_cast<T>(Wide{load<T>(target, place)} * Wide{values[i]}));
        });
    }
}

// The values in the type of the target, which Add and Multiply find in the type they compute in.
template <class Domain>
void bringToEach(const View& target, Way way, const std::int64_t* places, std::int64_t n, const Domain* values) {
    if (way != Way::Replace) {
        if constexpr (!std::is_same_v<Domain, std::int64_t>) {
            return combineAtEach(target, way, places, n, values);
        } else if (target.dtype == ACL_BOOL) {
            return atEach(places, n, [&](std::int64_t place, std::int64_t i) {
                const std::int64_t old = load<std::uint8_t>(target, place) != 0;
                const std::int64_t value = way == Way::Add ? add(old, values[i]) : multiply(old, values[i]);
                store(target, place, value != 0);
            });
        }
    }
    Room<Domain> room;  // as wide as the widest element
    const View converted = contiguousLike(target, target.dtype, room.values);
    write(converted, 0, 1, n, values);
    withSize(bitsOf(target.dtype) / 8, [&](auto element) {
        using T = decltype(element);
        const T* const from = reinterpret_cast<const T*>(room.values);
        if constexpr (std::is_unsigned_v<T>) {
            if (way != Way::Replace) {
                return combineAtEach(target, way, places, n, from);
            }
        }
        atEach(places, n, [&](std::int64_t place, std::int64_t i) { store(target, place, from[i]); });
    });
}

// Writes elements to indexed positions, in logical order of `shape`. Tensors: the target, the elements (broadcast to
// shape), and those that `place` reads. `place` returns an offset in the target, whose strides may differ from those of
// tensors[0], or kNowhere. The elements may be one number. With `rows`, the places along the last dimension of shape
// are those along the last dimension of the target.
template <class Domain, class Place>
class Bring : public Kernel {
  public:
    Bring(const Dims& shape, Way way, Domain factor, bool rows, Place place)
        : way_(way), factor_(factor), rows_(rows), place_(std::move(place)) {
        shape_.rank = shape.rank();
        std::copy_n(shape.data(), shape_.rank, shape_.shape);
    }

    void run(const View* tensors, const KernelContext&) const override {
        // Elements for the same position are added or multiplied in double precision.
        constexpr aclDataType kExact = std::is_same_v<Domain, Complex> ? ACL_COMPLEX128 : ACL_DOUBLE;
        if (way_ == Way::Replace || std::is_same_v<Domain, std::int64_t> || tensors[0].dtype == kExact) {
            bring(tensors, tensors[0]);
            return;
        }
        Row<Domain> exact(static_cast<std::size_t>(tensors[0].elements()));
        const View target = contiguousLike(tensors[0], kExact, exact.data());
        copy(tensors[0], target);
        bring(tensors, target);
        copy(target, tensors[0]);
    }

  private:
    void bring(const View* tensors, const View& target) const {
        if (!rows_) {
            bringElements(tensors, target);
            return;
        }
        // Threads take different columns. Elements of a target with other strides may share memory.
        const std::int64_t length = shape_.shape[shape_.rank - 1];
        const std::int64_t rows = std::max<std::int64_t>(1, shape_.elements() / std::max<std::int64_t>(1, length));
        const std::int64_t grain = contiguous(target) ? std::max<std::int64_t>(64, kThreadGrain / rows) : length;
        parallelFor(length, grain,
                    [&](std::int64_t begin, std::int64_t end) { bringRows(tensors, target, begin, end); });
    }

    // One row of elements after the other; `step` becomes that of the elements in a row.
    View rowsOf(const View& elements, std::int64_t& step) const {
        View walk = shape_;
        for (std::int64_t dimension = 0; dimension < walk.rank; ++dimension) {
            walk.strides[dimension] = elements.present ? strideAlong(elements, shape_, dimension) : 0;
        }
        step = 0;
        if (walk.rank > 0) {
            step = walk.strides[walk.rank - 1];
            walk.shape[walk.rank - 1] = 1;
        }
        return walk;
    }

    void readElements(const View& elements, std::int64_t from, std::int64_t step, std::int64_t n,
                      Domain* values) const {
        if (elements.present) {
            read(elements, from, step, n, values);
        } else {
            std::fill_n(values, n, Domain{1});
        }
        for (std::int64_t i = 0; i < n; ++i) {
            values[i] = multiply(values[i], factor_);
        }
    }

    void bringElements(const View* tensors, const View& target) const {
        std::int64_t step = 0;
        const View walk = rowsOf(tensors[1], step);
        const std::int64_t last = std::max<std::int64_t>(0, walk.rank - 1);
        const std::int64_t length = walk.rank == 0 ? 1 : shape_.shape[last];
        Room<Domain> values;
        Room<std::int64_t> places;
        std::int64_t at[kMaxKernelRank] = {};
        std::int64_t from = 0;
        const std::int64_t rows = walk.elements();
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t first = 0; first < length; first += kRoom) {
                const std::int64_t n = std::min(kRoom, length - first);
                readElements(tensors[1], from + first * step, step, n, values.values);
                at[last] = first;
                if constexpr (requires { place_.row(target, tensors, at, n, places.values); }) {
                    place_.row(target, tensors, at, n, places.values);
                } else {
                    for (std::int64_t i = 0; i < n; ++i, ++at[last]) {
                        places.values[i] = place_(target, tensors, at);
                    }
                }
                bringToEach(target, way_, places.values, n, values.values);
            }
            at[last] = 0;
            countOn(walk, at, from);
        }
    }

    // The columns from `begin` to `end` of each row.
    void bringRows(const View* tensors, const View& target, std::int64_t begin, std::int64_t end) const {
        const View& elements = tensors[1];
        std::int64_t step = 0;
        const View walk = rowsOf(elements, step);
        const std::int64_t targetStep = target.strides[target.rank - 1];
        Room<Domain> values;
        Room<Domain> old;
        std::int64_t at[kMaxKernelRank] = {};
        std::int64_t from = 0;
        const std::int64_t count = walk.elements();
        for (std::int64_t index = 0; index < count; ++index, countOn(walk, at, from)) {
            const std::int64_t offset = place_(target, tensors, at);
            if (offset == kNowhere) {
                continue;
            }
            for (std::int64_t first = begin; first < end; first += kRoom) {
                const std::int64_t n = std::min(kRoom, end - first);
                const std::int64_t to = offset + first * targetStep;
                readElements(elements, from + first * step, step, n, values.values);
                combine(target, to, targetStep, n, values.values, old.values);
                write(target, to, targetStep, n, values.values);
            }
        }
    }

    void combine(const View& target, std::int64_t to, std::int64_t step, std::int64_t n, Domain* values,
                 Domain* old) const {
        if (way_ == Way::Replace) {
            return;
        }
        read(target, to, step, n, old);
        for (std::int64_t i = 0; i < n; ++i) {
            values[i] = way_ == Way::Add ? add(old[i], values[i]) : multiply(old[i], values[i]);
        }
    }

    View shape_;
    const Way way_;
    const Domain factor_;
    const bool rows_;
    const Place place_;
};

// Copies the first tensor to the second, then runs the kernel on the second and the following ones.
class Onto : public Kernel {
  public:
    explicit Onto(std::shared_ptr<const Kernel> then) : then_(std::move(then)) {}

    void run(const View* tensors, const KernelContext& context) const override {
        copy(tensors[0], tensors[1]);
        then_->run(tensors + 1, context);
    }

  private:
    const std::shared_ptr<const Kernel> then_;
};

// The tensors and attributes of a scatter.
struct Target {
    Argument self;
    Argument out;  // the same tensor if it is changed in place
    bool inPlace;
};

template <class Place>
aclnnStatus launchBring(const Call& call, const Target& target, const Argument& elements, const Argument& index,
                        const Dims& shape, Way way, const Constant& factor, bool rows, Place place) {
    ACLQ_RETURN_IF_FAILED(checkTensor(target.out.name, target.out.tensor));
    ACLQ_RETURN_IF_FAILED(checkDtype(target.out.name, *target.out.tensor, {target.self.tensor->dtype}));
    ACLQ_RETURN_IF_FAILED(
        checkShape(target.out.name, *target.out.tensor, target.self.tensor->shape, "the shape of self"));
    if (target.out.tensor->empty()) {
        return call.nothing();
    }
    const std::shared_ptr<const Kernel> kernel =
        ofDomain(target.self.tensor->dtype, [&]<class T>(T number) -> std::shared_ptr<const Kernel> {
            return std::make_shared<Bring<T, Place>>(shape, way, factor.like(number), rows, place);
        });
    if (target.inPlace) {
        return call.launch({target.out, elements, index}, kernel);
    }
    return call.launch({target.self, target.out, elements, index}, std::make_shared<Onto>(kernel));
}

const Constant kOne{1, 1, 1};

// The place of an element of index: where it points along dim, elsewhere its position.
struct ScatterPlace {
    std::int64_t dim;

    std::int64_t operator()(const View& to, const View* tensors, const std::int64_t* at) const {
        std::int64_t place = 0;
        row(to, tensors, at, 1, &place);
        return place;
    }
    // The n places from `at` on along the last dimension.
    void row(const View& to, const View* tensors, const std::int64_t* at, std::int64_t n, std::int64_t* places) const {
        const View& index = tensors[2];
        if (to.rank == 0) {
            std::fill_n(places, n, 0);
            return;
        }
        const std::int64_t last = to.rank - 1;
        read(index, offsetAt(index, at), index.rank == 0 ? 0 : index.strides[index.rank - 1], n, places);
        const std::int64_t start = offsetAt(to, at) - at[dim] * to.strides[dim];
        const std::int64_t step = dim == last ? 0 : to.strides[last];
        for (std::int64_t i = 0; i < n; ++i) {
            const std::int64_t offset = along(to, dim, places[i]);
            places[i] = offset == kNowhere ? kNowhere : start + i * step + offset;
        }
    }
};

// self.scatter(dim, index, src): each element of index is the position along dim of the corresponding element of src.
aclnnStatus scatter(const Call& call, const Target& target, std::int64_t dim, const aclTensor* index,
                    const aclTensor* src, const Constant& factor, std::int64_t reduce) {
    ACLQ_RETURN_IF_FAILED(checkTensor(target.self.name, target.self.tensor));
    ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
    Way way = Way::Replace;
    ACLQ_RETURN_IF_FAILED(wayOf(reduce, way));
    const Dims& shape = target.self.tensor->shape;
    ACLQ_RETURN_IF_FAILED(checkDim("dim", shape.rank(), dim));
    // A 0-d tensor counts as a row of one element.
    const bool fits = index->empty() || index->shape.rank() == shape.rank() ||
                      (index->elements() == 1 && shape.rank() <= 1 && index->shape.rank() <= 1);
    for (std::int64_t dimension = 0;
         fits && !index->empty() && dimension < index->shape.rank() && dimension < shape.rank(); ++dimension) {
        if (dimension != dim && index->shape[dimension] > shape[dimension]) {
            return refuse("index", "shape " + index->shape.text(),
                          "no larger than self, " + shape.text() + ", but along dim");
        }
        if (src != nullptr && src->shape.rank() == index->shape.rank() &&
            index->shape[dimension] > src->shape[dimension]) {
            return refuse("index", "shape " + index->shape.text(), "no larger than src, " + src->shape.text());
        }
    }
    if (!fits ||
        (src != nullptr && !index->empty() && src->shape.rank() != index->shape.rank() && src->elements() != 1)) {
        return refuse("index", "shape " + index->shape.text(),
                      "as many dimensions as self, " + shape.text() + ", and src");
    }
    // Only the part of src with the shape of index is used.
    aclTensor seen;
    Argument elements{"src", src};
    if (src != nullptr && src->shape.rank() == index->shape.rank()) {
        seen = *src;
        seen.shape = index->shape;
        elements.seenAs = &seen;
    }
    return launchBring(call, target, elements, {"index", index}, index->shape, way, factor, false, ScatterPlace{dim});
}

aclnnStatus scatterTensor(const Call& call, const Target& target, std::int64_t dim, const aclTensor* index,
                          const aclTensor* src, std::int64_t reduce) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("src", src));
        return scatter(call, target, dim, index, src, kOne, reduce);
    });
}

aclnnStatus scatterNumber(const Call& call, const Target& target, std::int64_t dim, const aclTensor* index,
                          const aclScalar* value, std::int64_t reduce) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("value", value));
        return scatter(call, target, dim, index, nullptr, constant(*value, ACL_DOUBLE), reduce);
    });
}

Target to(const aclTensor* self, const aclTensor* out) {
    return {{"self", self}, {"out", out}, false};
}
Target inPlace(const aclTensor* selfRef) {
    return {{"selfRef", selfRef}, {"selfRef", selfRef}, true};
}

}  // namespace

aclnnStatus aclnnScatterGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index,
                                         const aclTensor* src, int64_t reduce, aclTensor* out, uint64_t* workspaceSize,
                                         aclOpExecutor** executor) {
    return scatterTensor(ACLQ_CALL(aclnnScatter), to(self, out), dim, index, src, reduce);
}
ACLQ_PHASE_2(aclnnScatter)
aclnnStatus aclnnInplaceScatterGetWorkspaceSize(aclTensor* selfRef, int64_t dim, const aclTensor* index,
                                                const aclTensor* src, int64_t reduce, uint64_t* workspaceSize,
                                                aclOpExecutor** executor) {
    return scatterTensor(ACLQ_CALL(aclnnInplaceScatter), inPlace(selfRef), dim, index, src, reduce);
}
ACLQ_PHASE_2(aclnnInplaceScatter)
aclnnStatus aclnnScatterAddGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index,
                                            const aclTensor* src, aclTensor* out, uint64_t* workspaceSize,
                                            aclOpExecutor** executor) {
    return scatterTensor(ACLQ_CALL(aclnnScatterAdd), to(self, out), dim, index, src,
                         static_cast<std::int64_t>(Way::Add));
}
ACLQ_PHASE_2(aclnnScatterAdd)
aclnnStatus aclnnScatterValueGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index,
                                              const aclScalar* value, int64_t reduce, aclTensor* out,
                                              uint64_t* workspaceSize, aclOpExecutor** executor) {
    return scatterNumber(ACLQ_CALL(aclnnScatterValue), to(self, out), dim, index, value, reduce);
}
ACLQ_PHASE_2(aclnnScatterValue)
aclnnStatus aclnnInplaceScatterValueGetWorkspaceSize(aclTensor* selfRef, int64_t dim, const aclTensor* index,
                                                     const aclScalar* value, int64_t reduce, uint64_t* workspaceSize,
                                                     aclOpExecutor** executor) {
    return scatterNumber(ACLQ_CALL(aclnnInplaceScatterValue), inPlace(selfRef), dim, index, value, reduce);
}
ACLQ_PHASE_2(aclnnInplaceScatterValue)

aclnnStatus aclnnIndexAddGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index,
                                          const aclTensor* source, const aclScalar* alpha, aclTensor* out,
                                          uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnIndexAdd);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkTensor("source", source));
        ACLQ_RETURN_IF_FAILED(checkScalar("alpha", alpha));
        Dims shape = self->shape;
        shape[dim] = index->elements();
        ACLQ_RETURN_IF_FAILED(
            checkShape("source", *source, shape, "the shape of self with as many places as index names"));
        return launchBring(call, to(self, out), {"source", source}, {"index", index}, shape, Way::Add,
                           constant(*alpha, ACL_DOUBLE), dim + 1 < self->shape.rank(),
                           [dim](const View& to, const View* tensors, const std::int64_t* at) {
                               return offsetAlong(to, dim, indexAt(tensors[2], offsetOf(tensors[2], at[dim])), at);
                           });
    });
}
ACLQ_PHASE_2(aclnnIndexAdd)

namespace {

aclnnStatus fillPlaces(const Call& call, const Target& target, std::int64_t dim, const aclTensor* index,
                       const aclScalar* value) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor(target.self.name, target.self.tensor));
        Dims shape = target.self.tensor->shape;
        ACLQ_RETURN_IF_FAILED(checkDim("dim", shape.rank(), dim));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkScalar("value", value));
        if (shape.rank() > 0) {
            shape[dim] = index->elements();
        }
        return launchBring(
            call, target, {"value", nullptr}, {"index", index}, shape, Way::Replace, constant(*value, ACL_DOUBLE),
            dim + 1 < shape.rank(), [dim](const View& to, const View* tensors, const std::int64_t* at) {
                return to.rank == 0 ? 0 : offsetAlong(to, dim, indexAt(tensors[2], offsetOf(tensors[2], at[dim])), at);
            });
    });
}

// The indices are an aclIntArray, on the host.
aclnnStatus fillPlaces(const Call& call, const Target& target, std::int64_t dim, const aclIntArray* index,
                       const aclScalar* value) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor(target.self.name, target.self.tensor));
        Dims shape = target.self.tensor->shape;
        ACLQ_RETURN_IF_FAILED(checkDim("dim", shape.rank(), dim));
        std::vector<std::int64_t> places;
        ACLQ_RETURN_IF_FAILED(readArray("index", index, places));
        const std::int64_t size = shape.rank() > 0 ? shape[dim] : 1;
        const bool empty = target.self.tensor->empty();
        for (const std::int64_t place : places) {
            if (!empty && (place < -size || place >= size)) {
                return refuse("index", std::to_string(place),
                              text("%lld to %lld", static_cast<long long>(-size), static_cast<long long>(size - 1)));
            }
        }
        ACLQ_RETURN_IF_FAILED(checkScalar("value", value));
        if (shape.rank() > 0) {
            shape[dim] = static_cast<std::int64_t>(places.size());
        }
        return launchBring(
            call, target, {"value", nullptr}, {"index", nullptr}, shape, Way::Replace, constant(*value, ACL_DOUBLE),
            dim + 1 < shape.rank(), [dim, places](const View& to, const View*, const std::int64_t* at) {
                return to.rank == 0 ? 0 : offsetAlong(to, dim, places[static_cast<std::size_t>(at[dim])], at);
            });
    });
}

}  // namespace

aclnnStatus aclnnIndexFillTensorGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclIntArray* index,
                                                 const aclScalar* value, aclTensor* out, uint64_t* workspaceSize,
                                                 aclOpExecutor** executor) {
    return fillPlaces(ACLQ_CALL(aclnnIndexFillTensor), to(self, out), dim, index, value);
}
ACLQ_PHASE_2(aclnnIndexFillTensor)
aclnnStatus aclnnInplaceIndexFillTensorGetWorkspaceSize(aclTensor* selfRef, int64_t dim, const aclIntArray* index,
                                                        const aclScalar* value, uint64_t* workspaceSize,
                                                        aclOpExecutor** executor) {
    return fillPlaces(ACLQ_CALL(aclnnInplaceIndexFillTensor), inPlace(selfRef), dim, index, value);
}
ACLQ_PHASE_2(aclnnInplaceIndexFillTensor)
aclnnStatus aclnnIndexFillGetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index,
                                           const aclScalar* value, aclTensor* out, uint64_t* workspaceSize,
                                           aclOpExecutor** executor) {
    return fillPlaces(ACLQ_CALL(aclnnIndexFill), to(self, out), dim, index, value);
}
ACLQ_PHASE_2(aclnnIndexFill)
aclnnStatus aclnnInplaceIndexFillGetWorkspaceSize(aclTensor* selfRef, int64_t dim, const aclTensor* index,
                                                  const aclScalar* value, uint64_t* workspaceSize,
                                                  aclOpExecutor** executor) {
    return fillPlaces(ACLQ_CALL(aclnnInplaceIndexFill), inPlace(selfRef), dim, index, value);
}
ACLQ_PHASE_2(aclnnInplaceIndexFill)

aclnnStatus aclnnIndexPutImplGetWorkspaceSize(aclTensor* selfRef, const aclTensorList* indices, const aclTensor* values,
                                              bool accumulate, bool, uint64_t* workspaceSize,
                                              aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnIndexPutImpl);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        ACLQ_RETURN_IF_FAILED(checkTensor("values", values));
        Picks picks;
        ACLQ_RETURN_IF_FAILED(picks.read(selfRef, indices));
        if (picks.nothing || picks.shape.elements() == 0) {
            return call.nothing();
        }
        ACLQ_RETURN_IF_FAILED(checkBroadcast("values", *values, picks.shape));
        std::vector<Argument> arguments{{"selfRef", selfRef}, {"values", values}};
        arguments.insert(arguments.end(), picks.given.begin(), picks.given.end());
        const auto place = [picks](const View& to, const View* tensors, const std::int64_t* at) {
            return picks.place(to, tensors + 2, at);
        };
        const auto kernel = ofDomain(selfRef->dtype, [&]<class T>(T) -> std::shared_ptr<const Kernel> {
            return std::make_shared<Bring<T, std::remove_const_t<decltype(place)>>>(
                picks.shape, accumulate ? Way::Add : Way::Replace, T{1}, !picks.picks(selfRef->shape.rank() - 1),
                place);
        });
        return call.launch(arguments, kernel);
    });
}
ACLQ_PHASE_2(aclnnIndexPutImpl)

namespace {

// Tensors: grad, indices, out.
class EmbeddingGradient : public Kernel {
  public:
    EmbeddingGradient(std::int64_t padding, bool byFrequency) : padding_(padding), byFrequency_(byFrequency) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& grad = tensors[0];
        const View& indices = tensors[1];
        const View& out = tensors[2];
        const std::int64_t rows = out.shape[0];
        const std::int64_t columns = out.shape[1];
        std::vector<double> sums(static_cast<std::size_t>(rows * columns));
        std::vector<double> line(static_cast<std::size_t>(columns));
        std::vector<double> times(static_cast<std::size_t>(rows));
        for (std::int64_t number = 0; number < indices.elements(); ++number) {
            const std::int64_t row = indexAt(indices, offsetOf(indices, number));
            if (row < 0 || row >= rows || row == padding_) {
                continue;
            }
            ++times[static_cast<std::size_t>(row)];
            read(grad, offsetOf(grad, number * columns), grad.strides[grad.rank - 1], columns, line.data());
            for (std::size_t column = 0; column < line.size(); ++column) {
                sums[static_cast<std::size_t>(row * columns) + column] += line[column];
            }
        }
        for (std::int64_t row = 0; row < rows; ++row) {
            double* first = sums.data() + row * columns;
            const double count = times[static_cast<std::size_t>(row)];
            for (std::int64_t column = 0; byFrequency_ && count > 0 && column < columns; ++column) {
                first[column] /= count;
            }
            write(out, row * out.strides[0], out.strides[1], columns, first);
        }
    }

  private:
    const std::int64_t padding_;
    const bool byFrequency_;
};

}  // namespace

aclnnStatus aclnnEmbeddingDenseBackwardGetWorkspaceSize(const aclTensor* grad, const aclTensor* indices,
                                                        uint64_t numWeights, uint64_t paddingIdx, bool scaleGradByFreq,
                                                        const aclTensor* out, uint64_t* workspaceSize,
                                                        aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnEmbeddingDenseBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("grad", grad));
        ACLQ_RETURN_IF_FAILED(checkRank("grad", *grad, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkIndices("indices", indices));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const std::int64_t columns = grad->shape.last();
        if (columns > 0 && grad->elements() / columns != indices->elements()) {
            return refuse("grad", "shape " + grad->shape.text(),
                          text("a row for each of the %lld indices", static_cast<long long>(indices->elements())));
        }
        const std::int64_t sizes[] = {static_cast<std::int64_t>(numWeights), columns};
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes, 2), "numWeights rows like those of grad"));
        return out->empty() ? call.nothing()
                            : call.launch({{"grad", grad}, {"indices", indices}, {"out", out}},
                                          std::make_shared<EmbeddingGradient>(static_cast<std::int64_t>(paddingIdx),
                                                                              scaleGradByFreq));
    });
}
ACLQ_PHASE_2(aclnnEmbeddingDenseBackward)

aclnnStatus aclnnOneHotGetWorkspaceSize(const aclTensor* self, int numClasses, const aclTensor* onValue,
                                        const aclTensor* offValue, int64_t axis, aclTensor* out,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnOneHot);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkIndices("self", self));
        for (const auto& [name, value] : {std::pair("onValue", onValue), std::pair("offValue", offValue)}) {
            // CANN checks no more than this. The first element is read, so there must be one.
            ACLQ_RETURN_IF_FAILED(checkTensor(name, value));
            if (value->empty()) {
                return refuse(name, "shape " + value->shape.text(), "an element, of which the first is taken");
            }
        }
        ACLQ_RETURN_IF_FAILED(checkDtype("offValue", *offValue, {onValue->dtype}));
        if (numClasses < (self->empty() ? 1 : 0)) {
            return refuse("numClasses", std::to_string(numClasses),
                          self->empty() ? "1 or more for a self without elements" : "0 or more");
        }
        const std::int64_t rank = self->shape.rank();
        if (axis < -1 || axis > rank) {
            return refuse("axis", std::to_string(axis),
                          text("-1, for the last, to %lld", static_cast<long long>(rank)));
        }
        const std::int64_t dim = axis < 0 ? rank : axis;
        std::vector<std::int64_t> sizes(self->shape.data(), self->shape.data() + rank);
        sizes.insert(sizes.begin() + dim, numClasses);
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(
            checkShape("out", *out, Dims(sizes.data(), sizes.size()), "the shape of self with numClasses at axis"));
        ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {onValue->dtype}));
        if (out->empty()) {
            return call.nothing();
        }
        class OneHot : public Kernel {
          public:
            explicit OneHot(std::int64_t dim) : dim_(dim) {}

            void run(const View* tensors, const KernelContext&) const override {
                const View& to = tensors[1];
                View off = tensors[2];
                off.rank = 0;
                copy(off, to);
                View on = tensors[3];
                on.rank = 0;
                for (std::int64_t number = 0; number < tensors[0].elements(); ++number) {
                    std::int64_t at[kMaxKernelRank] = {};
                    countTo(tensors[0], number, at);
                    const std::int64_t index = indexAt(tensors[0], offsetAt(tensors[0], at));
                    std::copy_backward(at + dim_, at + tensors[0].rank, at + to.rank);  // to positions in out
                    View one = to;
                    one.rank = 0;
                    const std::int64_t offset = index < 0 ? kNowhere : offsetAlong(to, dim_, index, at);
                    if (offset != kNowhere) {
                        one.offset += offset;
                        copy(on, one);
                    }
                }
            }

          private:
            const std::int64_t dim_;
        };
        return call.launch({{"self", self}, {"out", out}, {"offValue", offValue}, {"onValue", onValue}},
                           std::make_shared<OneHot>(dim));
    });
}
ACLQ_PHASE_2(aclnnOneHot)

aclnnStatus aclnnGatherV2GetWorkspaceSize(const aclTensor* self, int64_t dim, const aclTensor* index, aclTensor* out,
                                          uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGatherV2);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const std::int64_t rank = self->shape.rank();
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", rank, dim));
        const std::int64_t named = index->shape.rank();
        // A number as the index leaves out the dimension, or leaves one place of it.
        const bool kept = named == 0 && out->shape.rank() == rank;
        std::int64_t sizes[Dims::kMaxRank] = {};
        std::uint64_t count = 0;
        for (std::int64_t dimension = 0; dimension < rank; ++dimension) {
            if (dimension != dim) {
                sizes[count++] = self->shape[dimension];
                continue;
            }
            if (kept) {
                sizes[count++] = 1;
            }
            for (std::int64_t place = 0; place < named; ++place) {
                sizes[count++] = index->shape[place];
            }
        }
        ACLQ_RETURN_IF_FAILED(
            checkShape("out", *out, Dims(sizes, count), "the shape of self with that of index in the place of dim"));
        if (PickSlices::suits(*self, *out, dim)) {
            return launchSlices(call, dim, "self", self, {"index", index}, out);
        }
        return launchPick(
            call, {{"index", index}}, self, out,
            [=, width = kept ? 1 : named](const View* tensors, const std::int64_t* at) {
                const View& from = tensors[0];
                const std::int64_t where = kept ? 0 : offsetAt(tensors[2], at + dim);
                std::int64_t offset = along(from, dim, indexAt(tensors[2], where));
                for (std::int64_t dimension = 0; offset != kNowhere && dimension < from.rank; ++dimension) {
                    if (dimension != dim) {
                        offset += at[dimension < dim ? dimension : dimension - 1 + width] * from.strides[dimension];
                    }
                }
                return offset;
            });
    });
}
ACLQ_PHASE_2(aclnnGatherV2)

namespace {

// Copies slice after slice, so that of several for one place the last one stays. Tensors: the target, source, index.
class PutSlices : public Kernel {
  public:
    explicit PutSlices(std::int64_t dim) : dim_(dim) {}

    void run(const View* tensors, const KernelContext&) const override {
        View from = tensors[1];
        View to = tensors[0];
        const View& index = tensors[2];
        if (to.rank == 0) {
            if (leads(indexAt(index, 0), 1)) {
                copy(from, to);
            }
            return;
        }
        const std::int64_t size = to.shape[dim_];
        const std::int64_t step = from.rank > 0 ? from.strides[dim_] : 0;
        const std::int64_t base[2] = {to.offset, from.offset};
        to.shape[dim_] = 1;
        if (from.rank > 0) {
            from.shape[dim_] = 1;
        }
        for (std::int64_t number = 0; number < index.elements(); ++number) {
            std::int64_t place = indexAt(index, offsetOf(index, number));
            if (!leads(place, size)) {
                continue;
            }
            place += place < 0 ? size : 0;
            to.offset = base[0] + place * to.strides[dim_];
            from.offset = base[1] + number * step;
            copy(from, to);
        }
    }

  private:
    // Whether the index leads to a place; the chip does not check.
    static bool leads(std::int64_t place, std::int64_t size) { return place >= -size && place < size; }

    const std::int64_t dim_;
};

aclnnStatus copySlices(const Call& call, const Target& target, std::int64_t dim, const aclTensor* index,
                       const aclTensor* source) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", target.self.tensor));
        ACLQ_RETURN_IF_FAILED(checkIndices("index", index));
        ACLQ_RETURN_IF_FAILED(checkTensor("source", source));
        ACLQ_RETURN_IF_FAILED(checkTensor(target.out.name, target.out.tensor));
        const Dims& shape = target.self.tensor->shape;
        ACLQ_RETURN_IF_FAILED(checkDtype("source", *source, {target.self.tensor->dtype}));
        ACLQ_RETURN_IF_FAILED(checkDtype(target.out.name, *target.out.tensor, {target.self.tensor->dtype}));
        ACLQ_RETURN_IF_FAILED(checkShape(target.out.name, *target.out.tensor, shape, "the shape of selfRef"));
        ACLQ_RETURN_IF_FAILED(checkRank("index", *index, 0, 1));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", shape.rank(), dim));
        Dims expected = shape;
        if (shape.rank() > 0) {
            expected[dim] = index->elements();
        }
        if (shape.rank() == 0 && index->elements() != 1) {
            return refuse("index", "shape " + index->shape.text(), "one element, as selfRef is a number");
        }
        ACLQ_RETURN_IF_FAILED(
            checkShape("source", *source, expected, "the shape of selfRef with as many places as index names"));
        if (target.out.tensor->empty()) {
            return call.nothing();
        }
        const auto kernel = std::make_shared<PutSlices>(dim);
        const Argument from{"source", source};
        const Argument names{"index", index};
        if (!target.inPlace) {
            return call.launch({target.self, target.out, from, names}, std::make_shared<Onto>(kernel));
        }
        return source->empty() ? call.nothing() : call.launch({target.out, from, names}, kernel);
    });
}

}  // namespace

aclnnStatus aclnnIndexCopyGetWorkspaceSize(aclTensor* selfRef, int64_t dim, const aclTensor* index,
                                           const aclTensor* source, aclTensor* outRef, uint64_t* workspaceSize,
                                           aclOpExecutor** executor) {
    return copySlices(ACLQ_CALL(aclnnIndexCopy), {{"selfRef", selfRef}, {"outRef", outRef}, false}, dim, index, source);
}
ACLQ_PHASE_2(aclnnIndexCopy)
aclnnStatus aclnnInplaceIndexCopyGetWorkspaceSize(aclTensor* selfRef, int64_t dim, const aclTensor* index,
                                                  const aclTensor* source, uint64_t* workspaceSize,
                                                  aclOpExecutor** executor) {
    return copySlices(ACLQ_CALL(aclnnInplaceIndexCopy), {{"selfRef", selfRef}, {"selfRef", selfRef}, true}, dim, index,
                      source);
}
ACLQ_PHASE_2(aclnnInplaceIndexCopy)
