// SPDX-License-Identifier: Apache-2.0
// Where elements belong in sorted sequences.
#include "aclnnop/aclnn_bucketize.h"
#include "aclnnop/aclnn_searchsorted.h"
#include "ops/everyday/along.h"
#include "ops/everyday/binary.h"
#include "ops/everyday/pick.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

using Integer = std::int64_t;

// Tensors: the sequences, the elements (may be left out for a number), the order of the sequences (may be left out),
// out. Rows of elements are searched in the sequence of the same number, or all in the only one.
template <class T>
class Search : public Kernel {
  public:
    Search(bool right, T number) : right_(right), number_(number) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& sequence = tensors[0];
        const View& out = tensors[3];
        const Integer length = sequence.shape[sequence.rank - 1];
        const Split rows(sequence, 1U << (sequence.rank - 1));
        const Integer each = out.elements() / std::max<Integer>(1, rows.outer.elements());
        for (Integer row = 0; row < rows.outer.elements(); ++row) {
            Row<T> values = rows.row<T>(row);
            if (tensors[2].present) {
                const auto order = Split(tensors[2], 1U << (tensors[2].rank - 1)).template row<Integer>(row);
                const Row<T> given = values;
                for (Integer index = 0; index < length; ++index) {
                    const Integer from = order[static_cast<std::size_t>(index)];
                    values[static_cast<std::size_t>(index)] =
                        from >= 0 && from < length ? given[static_cast<std::size_t>(from)] : T{};
                }
            }
            for (Integer index = row * each; index < (row + 1) * each; ++index) {
                T value = number_;
                if (tensors[1].present) {
                    read(tensors[1], offsetOf(tensors[1], index), 1, 1, &value);
                }
                put(out, index, placeOf(values, value));
            }
        }
    }

  private:
    // NaN comes last, as it does in sorting.
    static bool less(T a, T b) { return a < b || (b != b && a == a); }

    Integer placeOf(const Row<T>& values, T value) const {
        std::size_t begin = 0;
        std::size_t end = values.size();
        while (begin < end) {
            const std::size_t middle = begin + (end - begin) / 2;
            const bool after = right_ ? !less(value, values[middle]) : less(values[middle], value);
            begin = after ? middle + 1 : begin;
            end = after ? end : middle;
        }
        return static_cast<Integer>(begin);
    }

    const bool right_;
    const T number_;
};

aclnnStatus checkIndexType(const char* name, bool narrow, const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkTensor(name, out));
    return checkDtype(name, *out, {narrow ? ACL_INT32 : ACL_INT64});
}

aclnnStatus search(const Call& call, const Argument& sequence, const Operand& self, bool outInt32, bool right,
                   const aclTensor* sorter, const aclTensor* out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor(sequence.name, sequence.tensor));
        ACLQ_RETURN_IF_FAILED(self.isScalar ? checkScalar(self.name, self.scalar)
                                            : checkTensor(self.name, self.tensor));
        ACLQ_RETURN_IF_FAILED(checkIndexType("out", outInt32, out));
        ACLQ_RETURN_IF_FAILED(checkRank(sequence.name, *sequence.tensor, 1, kMaxKernelRank));
        const Dims& rows = sequence->shape;
        if (self.isScalar || rows.rank() == 1) {
            ACLQ_RETURN_IF_FAILED(checkRank(sequence.name, *sequence.tensor, 1, self.isScalar ? 1 : kMaxKernelRank));
        } else {
            Dims expected = self.tensor->shape;
            if (expected.rank() == rows.rank()) {
                expected[rows.rank() - 1] = rows.last();
            }
            ACLQ_RETURN_IF_FAILED(checkShape(sequence.name, *sequence.tensor, expected,
                                             "the shape of self, except for the last dimension"));
        }
        ACLQ_RETURN_IF_FAILED(
            checkShape("out", *out, self.isScalar ? Dims() : self.tensor->shape, "the shape of self"));
        if (sorter != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkTensor("sorter", sorter));
            ACLQ_RETURN_IF_FAILED(checkDtype("sorter", *sorter, {ACL_INT64}));
            ACLQ_RETURN_IF_FAILED(checkShape("sorter", *sorter, rows, "the shape of the sequence"));
        }
        if (out->empty()) {
            return call.nothing();
        }
        const bool floats =
            isFloating(sequence->dtype) || (self.isScalar ? isFloating(*self.scalar) : isFloating(self.tensor->dtype));
        const auto kernel = inDomain(floats, [&]<class T>(T) -> std::shared_ptr<const Kernel> {
            const T number = self.isScalar ? as<T>(*self.scalar, ACL_DOUBLE) : T{};
            return std::make_shared<Search<T>>(right, number);
        });
        return call.launch(
            {{sequence.name, sequence.tensor}, {self.name, self.tensor}, {"sorter", sorter}, {"out", out}}, kernel);
    });
}

}  // namespace

aclnnStatus aclnnSearchSortedGetWorkspaceSize(const aclTensor* sortedSequence, const aclTensor* self,
                                              const bool outInt32, const bool right, const aclTensor* sorter,
                                              aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return search(ACLQ_CALL(aclnnSearchSorted), {"sortedSequence", sortedSequence}, {"self", self}, outInt32, right,
                  sorter, out);
}
ACLQ_PHASE_2(aclnnSearchSorted)
aclnnStatus aclnnSearchSortedsGetWorkspaceSize(const aclTensor* sortedSequence, const aclScalar* self,
                                               const bool outInt32, const bool right, const aclTensor* sorter,
                                               aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return search(ACLQ_CALL(aclnnSearchSorteds), {"sortedSequence", sortedSequence}, {"self", self}, outInt32, right,
                  sorter, out);
}
ACLQ_PHASE_2(aclnnSearchSorteds)

aclnnStatus aclnnBucketizeGetWorkspaceSize(const aclTensor* self, const aclTensor* boundaries, const bool outInt32,
                                           const bool right, aclTensor* out, uint64_t* workspaceSize,
                                           aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBucketize);
    if (boundaries != nullptr && pools().tensors.find(boundaries) != nullptr && boundaries->shape.rank() != 1) {
        return call.prepare([&] { return checkRank("boundaries", *boundaries, 1, 1); });
    }
    return search(call, {"boundaries", boundaries}, {"self", self}, outInt32, right, nullptr, out);
}
ACLQ_PHASE_2(aclnnBucketize)
