// SPDX-License-Identifier: Apache-2.0
// Matrix products, plainly: for tests and examples, not for speed. Sums are kept in double precision.
#include "aclnnop/aclnn_addmm.h"
#include "aclnnop/aclnn_addmv.h"
#include "aclnnop/aclnn_baddbmm.h"
#include "aclnnop/aclnn_batch_matmul.h"
#include "aclnnop/aclnn_dot.h"
#include "aclnnop/aclnn_matmul.h"
#include "aclnnop/aclnn_mm.h"
#include "aclnnop/aclnn_mv.h"
#include "ops/elements.h"
#include "ops/everyday/binary.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// The last two dimensions of a view, and the stack of matrices before them.
struct Matrices {
    Matrices(const View& view, std::int64_t rowDimension, std::int64_t columnDimension)
        : rowStep(rowDimension >= 0 ? view.strides[rowDimension] : 0),
          columnStep(columnDimension >= 0 ? view.strides[columnDimension] : 0) {}
    std::int64_t rowStep;
    std::int64_t columnStep;
};

// What is added to a product: beta * added + alpha * product. Nothing is added with beta 0, not even NaN.
struct Addition {
    Argument added{nullptr, nullptr};
    Constant beta{0, 0};
    Constant alpha{1, 1};
};

// Tensors: self, mat2, out, and what is added (may be left out). A vector is a matrix of one row (self) or one column
// (mat2), and out then lacks it.
template <class Domain>
class MatrixProduct : public Kernel {
  public:
    explicit MatrixProduct(const Addition& addition)
        : beta_(addition.beta.like(Domain{})), alpha_(addition.alpha.like(Domain{})) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& a = tensors[0];
        const View& b = tensors[1];
        const View& out = tensors[2];
        const bool row = a.rank == 1;
        const bool column = b.rank == 1;
        const std::int64_t depth = a.shape[a.rank - 1];
        const std::int64_t rows = row ? 1 : a.shape[a.rank - 2];
        const std::int64_t columns = column ? 1 : b.shape[b.rank - 1];
        const Matrices left(a, row ? -1 : a.rank - 2, a.rank - 1);
        const Matrices right(b, column ? 0 : b.rank - 2, column ? -1 : b.rank - 1);
        const std::int64_t inner = out.rank - (row ? 0 : 1) - (column ? 0 : 1);
        const Matrices result(out, row ? -1 : inner, column ? -1 : out.rank - 1);
        View stack = out;
        stack.rank = inner;
        const View stacks[2] = {stackOf(a), stackOf(b)};
        parallelFor(
            stack.elements() * rows,
            std::max<std::int64_t>(1, kThreadGrain / std::max<std::int64_t>(1, depth * columns)),
            [&](std::int64_t begin, std::int64_t end) {
                std::vector<Domain> values(static_cast<std::size_t>(std::max<std::int64_t>(depth, 1)));
                std::vector<Domain> line(static_cast<std::size_t>(std::max(columns, std::int64_t{1})));
                std::vector<Domain> sums(static_cast<std::size_t>(columns));
                for (std::int64_t place = begin; place < end; ++place) {
                    std::int64_t at[2] = {};
                    std::int64_t rest = place / rows;
                    for (std::int64_t dimension = inner; dimension-- > 0;) {
                        for (std::size_t input = 0; input < 2; ++input) {
                            at[input] += rest % stack.shape[dimension] * strideAlong(stacks[input], stack, dimension);
                        }
                        rest /= stack.shape[dimension];
                    }
                    read(a, at[0] + place % rows * left.rowStep, left.columnStep, depth, values.data());
                    std::fill(sums.begin(), sums.end(), Domain{});
                    for (std::int64_t k = 0; k < depth; ++k) {
                        read(b, at[1] + k * right.rowStep, right.columnStep, columns, line.data());
                        for (std::size_t j = 0; j < sums.size(); ++j) {
                            sums[j] = everyday::add(sums[j], multiply(values[static_cast<std::size_t>(k)], line[j]));
                        }
                    }
                    if (tensors[3].present) {
                        add(tensors[3], out, place * columns, sums);
                    }
                    write(out, offsetOf(stack, place / rows) + place % rows * result.rowStep, result.columnStep,
                          columns, sums.data());
                }
            });
    }

  private:
    // To a line of the product that begins with this element of out.
    void add(const View& added, const View& out, std::int64_t first, std::vector<Domain>& sums) const {
        for (std::size_t j = 0; j < sums.size(); ++j) {
            std::int64_t offset = 0;
            std::int64_t rest = first + static_cast<std::int64_t>(j);
            for (std::int64_t dimension = out.rank; dimension-- > 0;) {
                offset += rest % out.shape[dimension] * strideAlong(added, out, dimension);
                rest /= out.shape[dimension];
            }
            Domain value{};
            read(added, offset, 1, 1, &value);
            sums[j] = multiply(sums[j], alpha_);
            sums[j] = beta_ != Domain{} ? everyday::add(sums[j], multiply(beta_, value)) : sums[j];
        }
    }

    const Domain beta_;
    const Domain alpha_;

    static View stackOf(const View& view) {
        View stack = view;
        stack.rank = std::max<std::int64_t>(view.rank - 2, 0);
        return stack;
    }
};

Dims leading(const Dims& shape) {
    return Dims(shape.data(), static_cast<std::uint64_t>(std::max<std::int64_t>(shape.rank() - 2, 0)));
}

aclnnStatus product(const Call& call, const aclTensor* self, const aclTensor* mat2, std::int64_t low, std::int64_t high,
                    const Argument& out, const Addition& addition = {}) {
    ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
    ACLQ_RETURN_IF_FAILED(checkTensor("mat2", mat2));
    ACLQ_RETURN_IF_FAILED(checkTensor(out.name, out.tensor));
    ACLQ_RETURN_IF_FAILED(checkRank("self", *self, low, high));
    ACLQ_RETURN_IF_FAILED(checkRank("mat2", *mat2, low, high));
    const std::int64_t depth = self->shape.last();
    const std::int64_t rank = mat2->shape.rank();
    if (mat2->shape[rank == 1 ? 0 : rank - 2] != depth) {
        return refuse("mat2", "shape " + mat2->shape.text(),
                      text("%lld rows, as many as self has columns", static_cast<long long>(depth)));
    }
    Dims expected = leading(self->shape);
    if (!broadcast(expected, leading(mat2->shape))) {
        return refuse("mat2", "shape " + mat2->shape.text(), "leading dimensions that fit to " + self->shape.text());
    }
    std::int64_t sizes[Dims::kMaxRank] = {};
    std::uint64_t count = 0;
    for (; count < static_cast<std::uint64_t>(expected.rank()); ++count) {
        sizes[count] = expected[static_cast<std::int64_t>(count)];
    }
    if (self->shape.rank() > 1) {
        sizes[count++] = self->shape[self->shape.rank() - 2];
    }
    if (rank > 1) {
        sizes[count++] = mat2->shape.last();
    }
    ACLQ_RETURN_IF_FAILED(checkShape(out.name, *out.tensor, Dims(sizes, count), "the shape of the product"));
    if (addition.added.name != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkTensor(addition.added.name, addition.added.tensor));
        ACLQ_RETURN_IF_FAILED(checkBroadcast(addition.added.name, *addition.added.tensor, out.tensor->shape));
    }
    if (out.tensor->empty()) {
        return call.nothing();
    }
    const bool real = isFloating(self->dtype) || isFloating(mat2->dtype);
    const auto kernel = inDomain(real, [&]<class T>(T) { return std::make_shared<MatrixProduct<T>>(addition); });
    return call.launch({{"self", self}, {"mat2", mat2}, out, addition.added}, kernel);
}

aclnnStatus plain(const Call& call, const aclTensor* self, const aclTensor* mat2, std::int64_t low, std::int64_t high,
                  const aclTensor* out) {
    return call.prepare([&] { return product(call, self, mat2, low, high, {"out", out}); });
}

// The second matrix may be a vector.
aclnnStatus added(const Call& call, const Argument& self, const aclTensor* mat1, const aclTensor* mat2,
                  std::int64_t rank, bool vector, const aclScalar* beta, const aclScalar* alpha, const Argument& out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("beta", beta));
        ACLQ_RETURN_IF_FAILED(checkScalar("alpha", alpha));
        ACLQ_RETURN_IF_FAILED(checkTensor("mat1", mat1));
        ACLQ_RETURN_IF_FAILED(checkTensor("mat2", mat2));
        ACLQ_RETURN_IF_FAILED(checkRank("mat1", *mat1, rank, rank));
        ACLQ_RETURN_IF_FAILED(checkRank("mat2", *mat2, vector ? 1 : rank, vector ? 1 : rank));
        return product(call, mat1, mat2, 1, rank, out,
                       {self, constant(*beta, ACL_DOUBLE), constant(*alpha, ACL_DOUBLE)});
    });
}

}  // namespace

aclnnStatus aclnnMatmulGetWorkspaceSize(const aclTensor* self, const aclTensor* mat2, aclTensor* out, int8_t,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain(ACLQ_CALL(aclnnMatmul), self, mat2, 1, kMaxKernelRank, out);
}
ACLQ_PHASE_2(aclnnMatmul)

aclnnStatus aclnnBatchMatMulGetWorkspaceSize(const aclTensor* self, const aclTensor* mat2, aclTensor* out, int8_t,
                                             uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain(ACLQ_CALL(aclnnBatchMatMul), self, mat2, 3, 3, out);
}
ACLQ_PHASE_2(aclnnBatchMatMul)

aclnnStatus aclnnMmGetWorkspaceSize(const aclTensor* self, const aclTensor* mat2, aclTensor* out, int8_t,
                                    uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain(ACLQ_CALL(aclnnMm), self, mat2, 2, 2, out);
}
ACLQ_PHASE_2(aclnnMm)

aclnnStatus aclnnMvGetWorkspaceSize(const aclTensor* self, const aclTensor* vec, aclTensor* out, int8_t,
                                    uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnMv);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("vec", vec));
        ACLQ_RETURN_IF_FAILED(checkRank("vec", *vec, 1, 1));
        return product(call, self, vec, 1, 2, {"out", out});
    });
}
ACLQ_PHASE_2(aclnnMv)

aclnnStatus aclnnDotGetWorkspaceSize(const aclTensor* self, const aclTensor* tensor, aclTensor* out,
                                     uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain(ACLQ_CALL(aclnnDot), self, tensor, 1, 1, out);
}
ACLQ_PHASE_2(aclnnDot)

aclnnStatus aclnnAddmmGetWorkspaceSize(const aclTensor* self, const aclTensor* mat1, const aclTensor* mat2,
                                       const aclScalar* beta, const aclScalar* alpha, aclTensor* out, int8_t,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    return added(ACLQ_CALL(aclnnAddmm), {"self", self}, mat1, mat2, 2, false, beta, alpha, {"out", out});
}
ACLQ_PHASE_2(aclnnAddmm)

aclnnStatus aclnnInplaceAddmmGetWorkspaceSize(const aclTensor* selfRef, const aclTensor* mat1, const aclTensor* mat2,
                                              const aclScalar* beta, const aclScalar* alpha, int8_t,
                                              uint64_t* workspaceSize, aclOpExecutor** executor) {
    return added(ACLQ_CALL(aclnnInplaceAddmm), {"selfRef", selfRef}, mat1, mat2, 2, false, beta, alpha,
                 {"selfRef", selfRef});
}
ACLQ_PHASE_2(aclnnInplaceAddmm)

aclnnStatus aclnnBaddbmmGetWorkspaceSize(const aclTensor* self, const aclTensor* batch1, const aclTensor* batch2,
                                         const aclScalar* beta, const aclScalar* alpha, aclTensor* out, int8_t,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    return added(ACLQ_CALL(aclnnBaddbmm), {"self", self}, batch1, batch2, 3, false, beta, alpha, {"out", out});
}
ACLQ_PHASE_2(aclnnBaddbmm)

aclnnStatus aclnnAddmvGetWorkspaceSize(const aclTensor* self, const aclTensor* mat, const aclTensor* vec,
                                       const aclScalar* alpha, const aclScalar* beta, aclTensor* out, int8_t,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    return added(ACLQ_CALL(aclnnAddmv), {"self", self}, mat, vec, 2, true, beta, alpha, {"out", out});
}
ACLQ_PHASE_2(aclnnAddmv)
