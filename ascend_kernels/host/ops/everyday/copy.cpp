// SPDX-License-Identifier: Apache-2.0
// Copies and conversions.
#include "ops/everyday/copy.h"

#include <cstring>

#include "aclnnop/aclnn_cast.h"
#include "aclnnop/aclnn_copy.h"
#include "ops/everyday/elementwise.h"
#include "ops/rows/by_size.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

constexpr ComplexToo kSame{[](auto value) { return value; }};

// The side of the squares in which a tensor is transposed.
constexpr std::int64_t kSide = 64;

template <class T>
void copyRow(const unsigned char* from, std::int64_t fromStep, unsigned char* to, std::int64_t toStep, std::int64_t n) {
    constexpr auto size = static_cast<std::int64_t>(sizeof(T));
    for (std::int64_t i = 0; i < n; ++i) {
        std::memcpy(to + i * toStep * size, from + i * fromStep * size, sizeof(T));
    }
}

// Copies a block of `high` rows and `wide` columns whose columns are contiguous in `from` and whose rows are in `to`.
// Each cache line of `from` is read once, for all the rows that it holds.
template <class T>
void copySquare(const unsigned char* from, std::int64_t fromStep, unsigned char* to, std::int64_t toStep,
                std::int64_t high, std::int64_t wide) {
    constexpr auto size = static_cast<std::int64_t>(sizeof(T));
    constexpr std::int64_t kLine = 64 / size;
    std::int64_t first = 0;
    for (; first + kLine <= high; first += kLine) {
        T rows[kLine][kSide];
        for (std::int64_t column = 0; column < wide; ++column) {
            T line[kLine];
            std::memcpy(line, from + (first + column * fromStep) * size, sizeof line);
            for (std::int64_t row = 0; row < kLine; ++row) {
                rows[row][column] = line[row];
            }
        }
        for (std::int64_t row = 0; row < kLine; ++row) {
            std::memcpy(to + (first + row) * toStep * size, rows[row], static_cast<std::size_t>(wide * size));
        }
    }
    for (; first < high; ++first) {
        copyRow<T>(from + first * size, fromStep, to + first * toStep * size, 1, wide);
    }
}

template <class T>
void copyElements(const View* both) {
    const View& from = both[0];
    const View& to = both[1];
    constexpr auto size = static_cast<std::int64_t>(sizeof(T));
    const auto walk = walkTogether<2>(both);
    // If neighbours in one tensor lie in different rows of the other, square blocks are copied, so that whole cache
    // lines are used.
    if (walk.rank > 1 && walk.step(1) == 1 && walk.step(0) != 1 && walk.strides[0][walk.rank - 2] == 1) {
        const std::int64_t side = walk.shape[walk.rank - 2];
        const std::int64_t bands = (side + kSide - 1) / kSide;
        const std::int64_t grain = std::max<std::int64_t>(1, kThreadGrain / (kSide * walk.length()));
        parallelFor(walk.rows() / side * bands, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t band = begin; band < end; ++band) {
                const std::int64_t first = band % bands * kSide;
                std::int64_t at[2] = {};
                walk.locate(band / bands * side + first, at);
                const std::int64_t high = std::min(kSide, side - first);
                for (std::int64_t column = 0; column < walk.length(); column += kSide) {
                    const std::int64_t wide = std::min(kSide, walk.length() - column);
                    copySquare<T>(from.data + (from.offset + at[0] + column * walk.step(0)) * size, walk.step(0),
                                  to.data + (to.offset + at[1] + column) * size, walk.strides[1][walk.rank - 2], high,
                                  wide);
                }
            }
        });
        return;
    }
    forPieces({walk.rows(), walk.length()}, [&](Pieces pieces) {
        std::int64_t at[2] = {};
        while (pieces.next()) {
            if (pieces.newRow()) {
                walk.locate(pieces.row(), at);
            }
            const unsigned char* source = from.data + (from.offset + at[0] + pieces.first() * walk.step(0)) * size;
            unsigned char* target = to.data + (to.offset + at[1] + pieces.first() * walk.step(1)) * size;
            if (walk.step(0) == 1 && walk.step(1) == 1) {
                std::memmove(target, source, static_cast<std::size_t>(pieces.count() * size));
            } else {
                copyRow<T>(source, walk.step(0), target, walk.step(1), pieces.count());
            }
        }
    });
}

// Between FLOAT, FLOAT16 and BF16. FLOAT is read and written where it lies.
void convertFloats(const View* both) {
    const View& from = both[0];
    const View& to = both[1];
    const auto walk = walkTogether<2>(both);
    forPieces({.rows = walk.rows(), .length = walk.length(), .chunk = kRoom}, [&](Pieces pieces) {
        Room<float> room;
        std::int64_t at[2] = {};
        while (pieces.next()) {
            if (pieces.newRow()) {
                walk.locate(pieces.row(), at);
            }
            const std::int64_t n = pieces.count();
            const std::int64_t source = at[0] + pieces.first() * walk.step(0);
            const std::int64_t target = at[1] + pieces.first() * walk.step(1);
            if (auto* const floats = const_cast<float*>(floatsAt(to, target, walk.step(1)))) {
                read(from, source, walk.step(0), n, floats);
                continue;
            }
            const float* floats = floatsAt(from, source, walk.step(0));
            if (floats == nullptr) {
                read(from, source, walk.step(0), n, room.values);
                floats = room.values;
            }
            write(to, target, walk.step(1), n, floats);
        }
    });
}

bool hasWholeBytes(aclDataType dtype) {
    return bitsOf(dtype) >= 8;
}

aclnnStatus prepareCopy(const Call& call, const char* fromName, const aclTensor* from, const char* toName,
                        const aclTensor* to, bool repeats) {
    ACLQ_RETURN_IF_FAILED(checkGiven(fromName, from));
    ACLQ_RETURN_IF_FAILED(checkGiven(toName, to));
    // Equal types: the bytes are copied as they are.
    if (from->dtype != to->dtype || !hasWholeBytes(to->dtype)) {
        ACLQ_RETURN_IF_FAILED(checkTensor(fromName, from));
        ACLQ_RETURN_IF_FAILED(checkTensor(toName, to));
    }
    ACLQ_RETURN_IF_FAILED(checkRank(fromName, *from, 0, kMaxKernelRank));
    ACLQ_RETURN_IF_FAILED(checkRank(toName, *to, 0, kMaxKernelRank));
    ACLQ_RETURN_IF_FAILED(repeats ? checkBroadcast(fromName, *from, to->shape)
                                  : checkShape(toName, *to, from->shape, "the shape of self"));
    if (to->empty()) {
        return call.nothing();
    }
    return call.launch({{fromName, from}, {toName, to}}, copyKernel());
}

}  // namespace

void aclq::everyday::copy(const View& from, const View& to) {
    const View both[2] = {from, to};
    if (from.dtype == to.dtype) {
        withSize(bitsOf(to.dtype) / 8, [&](auto element) { copyElements<decltype(element)>(both); });
        return;
    }
    if (fitsFloat(from.dtype) && fitsFloat(to.dtype)) {
        return convertFloats(both);
    }
    elementwise<1>(from.dtype, kSame)->run(both, {});
}

std::shared_ptr<const Kernel> aclq::everyday::copyKernel() {
    class Copy : public Kernel {
      public:
        void run(const View* tensors, const KernelContext&) const override { copy(tensors[0], tensors[1]); }
    };
    return std::make_shared<Copy>();
}

aclnnStatus aclnnInplaceCopyGetWorkspaceSize(aclTensor* selfRef, const aclTensor* src, uint64_t* workspaceSize,
                                             aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceCopy);
    return call.prepare([&] { return prepareCopy(call, "src", src, "selfRef", selfRef, true); });
}
ACLQ_PHASE_2(aclnnInplaceCopy)

aclnnStatus aclnnCastGetWorkspaceSize(const aclTensor* self, const aclDataType dtype, aclTensor* out,
                                      uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnCast);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkGiven("out", out));
        if (dtype != out->dtype) {
            return refuse("dtype", nameOf(dtype), nameOf(out->dtype) + ", the dtype of out");
        }
        return prepareCopy(call, "self", self, "out", out, false);
    });
}
ACLQ_PHASE_2(aclnnCast)
