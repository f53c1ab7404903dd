// SPDX-License-Identifier: Apache-2.0
// Linear equations.
#include "aclnnop/aclnn_triangular_solve.h"
#include "ops/everyday/call.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// Tensors: the right-hand sides, the matrices, the solutions, and the matrices without their other triangle.
template <class Domain>
class TriangularSolve : public Kernel {
  public:
    TriangularSolve(bool upper, bool transpose, bool unit) : upper_(upper), transpose_(transpose), unit_(unit) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& solution = tensors[2];
        const std::int64_t rank = solution.rank;
        const std::int64_t size = solution.shape[rank - 2];
        const std::int64_t columns = solution.shape[rank - 1];
        View batch = solution;
        batch.rank -= 2;
        const std::int64_t work = std::max<std::int64_t>(1, size * size * std::max<std::int64_t>(columns, 1));
        parallelFor(batch.elements(), std::max<std::int64_t>(1, kThreadGrain / work),
                    [&](std::int64_t begin, std::int64_t end) {
                        std::vector<Domain> matrix(static_cast<std::size_t>(size * size));
                        std::vector<Domain> values(static_cast<std::size_t>(size * columns));
                        for (std::int64_t number = begin; number < end; ++number) {
                            std::int64_t at[4] = {};
                            for (int tensor = 0; tensor < 4; ++tensor) {
                                at[tensor] = offsetIn(tensors[tensor], batch, number);
                            }
                            take(tensors[0], at[0], size, columns, values.data());
                            take(tensors[1], at[1], size, size, matrix.data());
                            keepTriangle(matrix, size);
                            give(tensors[3], at[3], size, size, matrix.data());
                            solve(matrix, values, size, columns);
                            give(solution, at[2], size, columns, values.data());
                        }
                    });
    }

  private:
    static std::int64_t offsetIn(const View& view, const View& batch, std::int64_t number) {
        View outer = view;
        outer.rank -= 2;
        std::int64_t offset = 0;
        for (std::int64_t dimension = batch.rank; dimension-- > 0;) {
            offset += number % batch.shape[dimension] * strideAlong(outer, batch, dimension);
            number /= batch.shape[dimension];
        }
        return offset;
    }
    static void take(const View& view, std::int64_t at, std::int64_t rows, std::int64_t columns, Domain* to) {
        for (std::int64_t row = 0; row < rows; ++row) {
            read(view, at + row * view.strides[view.rank - 2], view.strides[view.rank - 1], columns,
                 to + row * columns);
        }
    }
    static void give(const View& view, std::int64_t at, std::int64_t rows, std::int64_t columns, const Domain* from) {
        for (std::int64_t row = 0; row < rows; ++row) {
            write(view, at + row * view.strides[view.rank - 2], view.strides[view.rank - 1], columns,
                  from + row * columns);
        }
    }

    void keepTriangle(std::vector<Domain>& matrix, std::int64_t size) const {
        for (std::int64_t row = 0; row < size; ++row) {
            for (std::int64_t column = 0; column < size; ++column) {
                if (upper_ ? column < row : column > row) {
                    matrix[static_cast<std::size_t>(row * size + column)] = Domain{};
                }
            }
        }
    }

    // Row by row, from the one that has one unknown on.
    void solve(const std::vector<Domain>& matrix, std::vector<Domain>& values, std::int64_t size,
               std::int64_t columns) const {
        const bool backward = upper_ != transpose_;
        for (std::int64_t step = 0; step < size; ++step) {
            const std::int64_t row = backward ? size - 1 - step : step;
            Domain* unknown = values.data() + row * columns;
            for (std::int64_t other = 0; other < step; ++other) {
                const std::int64_t known = backward ? size - 1 - other : other;
                const Domain factor =
                    matrix[static_cast<std::size_t>(transpose_ ? known * size + row : row * size + known)];
                const Domain* found = values.data() + known * columns;
                for (std::int64_t column = 0; column < columns; ++column) {
                    unknown[column] -= factor * found[column];
                }
            }
            if (!unit_) {
                const Domain pivot = matrix[static_cast<std::size_t>(row * size + row)];
                for (std::int64_t column = 0; column < columns; ++column) {
                    unknown[column] /= pivot;
                }
            }
        }
    }

    const bool upper_;
    const bool transpose_;
    const bool unit_;
};

}  // namespace

aclnnStatus aclnnTriangularSolveGetWorkspaceSize(const aclTensor* self, const aclTensor* A, bool upper, bool transpose,
                                                 bool unitriangular, aclTensor* xOut, aclTensor* mOut,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnTriangularSolve);
    return call.prepare([&]() -> aclnnStatus {
        for (const Argument& one : {Argument{"self", self}, {"A", A}, {"xOut", xOut}, {"mOut", mOut}}) {
            ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
            ACLQ_RETURN_IF_FAILED(checkRank(one.name, *one, 2, kMaxKernelRank));
        }
        const std::int64_t size = self->shape[self->shape.rank() - 2];
        if (A->shape.last() != size || A->shape[A->shape.rank() - 2] != size) {
            return refuse(
                "A", "shape " + A->shape.text(),
                text("matrices of %lld rows and columns, as many as self has rows", static_cast<long long>(size)));
        }
        if (unitriangular && A->dtype != ACL_FLOAT) {
            return refuse("A", "dtype " + nameOf(A->dtype), "FLOAT, as unitriangular is true");
        }
        Dims common(self->shape.data(), static_cast<std::uint64_t>(self->shape.rank() - 2));
        if (!broadcast(common, Dims(A->shape.data(), static_cast<std::uint64_t>(A->shape.rank() - 2)))) {
            return refuse("A", "shape " + A->shape.text(), "leading dimensions that fit to " + self->shape.text());
        }
        std::int64_t sizes[Dims::kMaxRank] = {};
        std::copy_n(common.data(), common.rank(), sizes);
        const auto count = static_cast<std::uint64_t>(common.rank());
        sizes[count] = size;
        sizes[count + 1] = self->shape.last();
        ACLQ_RETURN_IF_FAILED(checkShape("xOut", *xOut, Dims(sizes, count + 2), "the shape of the solutions"));
        sizes[count + 1] = size;
        ACLQ_RETURN_IF_FAILED(checkShape("mOut", *mOut, Dims(sizes, count + 2), "the shape of A, repeated"));
        if (mOut->empty()) {
            return call.nothing();
        }
        const auto kernel = ofDomain(self->dtype, [&]<class T>(T) -> std::shared_ptr<const Kernel> {
            if constexpr (std::is_same_v<T, std::int64_t>) {
                return nullptr;  // no integers: the table of types says so
            } else {
                return std::make_shared<TriangularSolve<T>>(upper, transpose, unitriangular);
            }
        });
        return call.launch({{"self", self}, {"A", A}, {"xOut", xOut}, {"mOut", mOut}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnTriangularSolve)
