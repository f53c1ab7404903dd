// SPDX-License-Identifier: Apache-2.0
// Norms of parts, and distances between rows.
#include <cmath>

#include "aclnnop/aclnn_cdist.h"
#include "aclnnop/aclnn_embedding_renorm.h"
#include "aclnnop/aclnn_renorm.h"
#include "ops/everyday/along.h"
#include "ops/everyday/pick.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// The norm of order p of what values(index) gives.
template <class Values>
double normOf(std::int64_t count, double order, Values values) {
    double result = 0;
    for (std::int64_t index = 0; index < count; ++index) {
        const double size = std::fabs(values(index));
        if (std::isinf(order)) {
            result = size > result || size != size ? size : result;
        } else if (order == 0) {
            result += size != 0 ? 1 : 0;
        } else {
            result += order == 1 ? size : (order == 2 ? size * size : std::pow(size, order));
        }
    }
    if (order == 2) {
        return std::sqrt(result);
    }
    return std::isinf(order) || order == 0 || order == 1 ? result : std::pow(result, 1 / order);
}

// Keeps the divisor from 0, as PyTorch does.
constexpr double kSmall = 1e-7;

// Scales rows whose norm is larger than a limit down to it.
struct Limit {
    double order;
    double most;
    void apply(Row<double>& row) const {
        const double norm = normOf(static_cast<std::int64_t>(row.size()), order,
                                   [&](std::int64_t index) { return row[static_cast<std::size_t>(index)]; });
        if (norm > most) {
            for (double& value : row) {
                value *= most / (norm + kSmall);
            }
        }
    }
};

aclnnStatus renorm(const Call& call, const Argument& self, const aclScalar* p, std::int64_t dim,
                   const aclScalar* maxNorm, const Argument& out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor(self.name, self.tensor));
        ACLQ_RETURN_IF_FAILED(checkScalar("p", p));
        ACLQ_RETURN_IF_FAILED(checkScalar("maxNorm", maxNorm));
        ACLQ_RETURN_IF_FAILED(checkTensor(out.name, out.tensor));
        ACLQ_RETURN_IF_FAILED(checkRank(self.name, *self.tensor, 2, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkDim("dim", self->shape.rank(), dim));
        const Limit limit{real(*p), real(*maxNorm)};
        if (!(limit.order > 0)) {
            return refuse("p", std::to_string(limit.order), "more than 0");
        }
        if (!(limit.most >= 0)) {
            return refuse("maxNorm", std::to_string(limit.most), "0 or more");
        }
        ACLQ_RETURN_IF_FAILED(checkShape(out.name, *out.tensor, self->shape, "the shape of self"));
        const Mask others = (1U << self->shape.rank()) - 1 - (1U << dim);
        return out->empty()
                   ? call.nothing()
                   : call.launch({self, out}, turnRows<double>(others, [limit](auto& row) { limit.apply(row); }));
    });
}

// Tensors: selfRef, indices.
class RenormRows : public Kernel {
  public:
    explicit RenormRows(Limit limit) : limit_(limit) {}
    void run(const View* tensors, const KernelContext&) const override {
        const Split rows(tensors[0], 2);
        std::vector<bool> seen(static_cast<std::size_t>(tensors[0].shape[0]));
        for (std::int64_t index = 0; index < tensors[1].elements(); ++index) {
            const std::int64_t row = indexAt(tensors[1], offsetOf(tensors[1], index));
            if (row < 0 || row >= tensors[0].shape[0] || seen[static_cast<std::size_t>(row)]) {
                continue;
            }
            seen[static_cast<std::size_t>(row)] = true;
            Row<double> values = rows.row<double>(row);
            limit_.apply(values);
            rows.put(row, values);
        }
    }

  private:
    const Limit limit_;
};

// Tensors: x1 (..., p, m), x2 (..., r, m), out (..., p, r).
class Distances : public Kernel {
  public:
    explicit Distances(double order) : order_(order) {}
    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[2];
        const std::int64_t length = tensors[0].shape[tensors[0].rank - 1];
        parallelFor(out.elements(), std::max<std::int64_t>(1, kThreadGrain / std::max<std::int64_t>(1, length)),
                    [&](std::int64_t begin, std::int64_t end) {
                        std::vector<double> rows[2];
                        rows[0].resize(static_cast<std::size_t>(length));
                        rows[1].resize(static_cast<std::size_t>(length));
                        for (std::int64_t index = begin; index < end; ++index) {
                            std::int64_t at[kMaxKernelRank] = {};
                            countTo(out, index, at);
                            for (std::int64_t side = 0; side < 2; ++side) {
                                const View& x = tensors[side];
                                std::int64_t offset = at[out.rank - 2 + side] * x.strides[x.rank - 2];
                                for (std::int64_t dimension = 0; dimension + 2 < x.rank; ++dimension) {
                                    const std::int64_t step = x.shape[dimension] == 1 ? 0 : x.strides[dimension];
                                    offset += at[dimension + out.rank - x.rank] * step;
                                }
                                read(x, offset, x.strides[x.rank - 1], length, rows[side].data());
                            }
                            const double distance = normOf(length, order_, [&](std::int64_t i) {
                                return rows[0][static_cast<std::size_t>(i)] - rows[1][static_cast<std::size_t>(i)];
                            });
                            write(out, offsetAt(out, at), 1, 1, &distance);
                        }
                    });
    }

  private:
    const double order_;
};

}  // namespace

aclnnStatus aclnnRenormGetWorkspaceSize(const aclTensor* self, const aclScalar* p, int64_t dim,
                                        const aclScalar* maxNorm, aclTensor* out, uint64_t* workspaceSize,
                                        aclOpExecutor** executor) {
    return renorm(ACLQ_CALL(aclnnRenorm), {"self", self}, p, dim, maxNorm, {"out", out});
}
ACLQ_PHASE_2(aclnnRenorm)
aclnnStatus aclnnInplaceRenormGetWorkspaceSize(aclTensor* selfRef, const aclScalar* p, int64_t dim,
                                               const aclScalar* maxNorm, uint64_t* workspaceSize,
                                               aclOpExecutor** executor) {
    return renorm(ACLQ_CALL(aclnnInplaceRenorm), {"selfRef", selfRef}, p, dim, maxNorm, {"selfRef", selfRef});
}
ACLQ_PHASE_2(aclnnInplaceRenorm)

aclnnStatus aclnnEmbeddingRenormGetWorkspaceSize(aclTensor* selfRef, const aclTensor* indices, double maxNorm,
                                                 double normType, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnEmbeddingRenorm);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        ACLQ_RETURN_IF_FAILED(checkIndices("indices", indices));
        ACLQ_RETURN_IF_FAILED(checkRank("selfRef", *selfRef, 2, 2));
        return selfRef->empty() || indices->empty()
                   ? call.nothing()
                   : call.launch({{"selfRef", selfRef}, {"indices", indices}},
                                 std::make_shared<RenormRows>(Limit{normType, maxNorm}));
    });
}
ACLQ_PHASE_2(aclnnEmbeddingRenorm)

aclnnStatus aclnnCdistGetWorkspaceSize(const aclTensor* x1, const aclTensor* x2, float p, int64_t compute_mode,
                                       aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnCdist);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("x1", x1));
        ACLQ_RETURN_IF_FAILED(checkTensor("x2", x2));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("x1", *x1, 2, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkRank("x2", *x2, 2, kMaxKernelRank));
        if (!(p >= 0)) {
            return refuse("p", std::to_string(p), "0 or more");
        }
        if (std::fabs(p - 2) < 1e-6 && compute_mode != 2) {
            return refuse("compute_mode", std::to_string(compute_mode), "2 for p = 2: without a product of matrices");
        }
        const Dims& first = x1->shape;
        const Dims& second = x2->shape;
        if (first.last() != second.last()) {
            return refuse("x2", "shape " + second.text(),
                          text("%lld columns, as many as x1", static_cast<long long>(first.last())));
        }
        Dims expected(first.data(), static_cast<std::uint64_t>(first.rank() - 2));
        if (!broadcast(expected, Dims(second.data(), static_cast<std::uint64_t>(second.rank() - 2)))) {
            return refuse("x2", "shape " + second.text(), "leading dimensions that fit to " + first.text());
        }
        std::vector<std::int64_t> sizes(expected.data(), expected.data() + expected.rank());
        sizes.push_back(first[first.rank() - 2]);
        sizes.push_back(second[second.rank() - 2]);
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes.data(), sizes.size()), "the rows of x1 and x2"));
        return out->empty() ? call.nothing()
                            : call.launch({{"x1", x1}, {"x2", x2}, {"out", out}},
                                          std::make_shared<Distances>(static_cast<double>(p)));
    });
}
ACLQ_PHASE_2(aclnnCdist)
