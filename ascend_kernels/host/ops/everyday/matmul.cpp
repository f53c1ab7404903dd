// SPDX-License-Identifier: Apache-2.0
// Matrix products. Floats of up to 32 bits are computed in FLOAT (gemm.h), DOUBLE in double precision, integers
// exactly; the latter two by plain loops.
#include "aclnnop/aclnn_addmm.h"
#include "aclnnop/aclnn_addmv.h"
#include "aclnnop/aclnn_baddbmm.h"
#include "aclnnop/aclnn_batch_matmul.h"
#include "aclnnop/aclnn_dot.h"
#include "aclnnop/aclnn_ger.h"
#include "aclnnop/aclnn_matmul.h"
#include "aclnnop/aclnn_mm.h"
#include "aclnnop/aclnn_mv.h"
#include "ops/everyday/binary.h"
#include "ops/everyday/copy.h"
#include "ops/everyday/gemm.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// The summand in beta * added + alpha * product. With beta 0 it is not read, so a NaN in it has no effect.
struct Addition {
    Argument added{nullptr, nullptr};
    Constant beta{0, 0, 0};
    Constant alpha{1, 1, 1};
};

// A stack of matrices; a vector is a matrix of one row (the left one) or one column (the right one).
struct Stack {
    Stack(const View& view, bool vector, bool isColumn) : view(view), outer(view) {
        const std::int64_t last = view.rank - 1;
        outer.rank = std::max<std::int64_t>(view.rank - (vector ? 1 : 2), 0);
        const std::int64_t length = view.shape[last];
        const std::int64_t step = view.strides[last];
        rows = !vector ? view.shape[last - 1] : (isColumn ? length : 1);
        columns = vector && isColumn ? 1 : length;
        rowStep = !vector ? view.strides[last - 1] : (isColumn ? step : 0);
        columnStep = vector && isColumn ? 0 : step;
    }

    // One matrix as a view, transposed if that makes the accesses contiguous.
    View matrix(std::int64_t offset, bool turned) const {
        View one = view;
        one.rank = 2;
        one.offset += offset;
        one.shape[0] = turned ? columns : rows;
        one.shape[1] = turned ? rows : columns;
        one.strides[0] = turned ? columnStep : rowStep;
        one.strides[1] = turned ? rowStep : columnStep;
        return one;
    }

    const View& view;
    View outer;
    std::int64_t rows;
    std::int64_t columns;
    std::int64_t rowStep;
    std::int64_t columnStep;
};

// Offset of a matrix in a stack that is broadcast to another stack.
std::int64_t offsetIn(const View& outer, const View& shape, std::int64_t number) {
    std::int64_t offset = 0;
    for (std::int64_t dimension = shape.rank; dimension-- > 0;) {
        offset += number % shape.shape[dimension] * strideAlong(outer, shape, dimension);
        number /= shape.shape[dimension];
    }
    return offset;
}

// A matrix of a stack as floats: in place if possible, else a copy.
class AsFloats {
  public:
    FloatMatrix at(const Stack& stack, std::int64_t offset) {
        const bool turned = stack.rowStep == 1 && stack.columnStep != 1;
        const View one = stack.matrix(offset, turned);
        // The library wants a leading dimension that is at least the length of a row.
        const bool fits = one.strides[1] == 1 && (one.shape[0] == 1 || one.strides[0] >= one.shape[1]);
        if (one.dtype == ACL_FLOAT && (fits || one.shape[0] * one.shape[1] == 1)) {
            const float* data = reinterpret_cast<const float*>(one.data) + one.offset;
            const std::int64_t step = std::max(one.strides[0], one.shape[1]);
            return turned ? FloatMatrix{data, 1, step} : FloatMatrix{data, step, 1};
        }
        if (offset != offset_) {
            values_.resize(static_cast<std::size_t>(one.shape[0] * one.shape[1]));
            copy(one, contiguousLike(one, ACL_FLOAT, values_.data()));
            offset_ = offset;
        }
        const std::int64_t step = one.shape[1];
        return turned ? FloatMatrix{values_.data(), 1, step} : FloatMatrix{values_.data(), step, 1};
    }

  private:
    std::vector<float> values_;
    std::int64_t offset_ = std::numeric_limits<std::int64_t>::min();  // of the matrix that was copied last
};

// Tensors: self, mat2, out, and the summand (optional). If self or mat2 is a vector, out lacks that dimension.
template <class Domain>
class MatrixProduct : public Kernel {
  public:
    explicit MatrixProduct(const Addition& addition)
        : beta_(addition.beta.like(Domain{})), alpha_(addition.alpha.like(Domain{})) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[2];
        const Stack a(tensors[0], tensors[0].rank == 1, false);
        const Stack b(tensors[1], tensors[1].rank == 1, true);
        View outer = out;
        outer.rank = out.rank - (tensors[0].rank == 1 ? 0 : 1) - (tensors[1].rank == 1 ? 0 : 1);
        const std::int64_t rows = a.rows;
        const std::int64_t columns = b.columns;
        const std::int64_t matrices = outer.elements();
        if constexpr (std::is_same_v<Domain, double>) {
            if (out.dtype != ACL_DOUBLE && tensors[0].dtype != ACL_DOUBLE && tensors[1].dtype != ACL_DOUBLE) {
                AsFloats left;
                AsFloats right;
                std::vector<float> product;
                for (std::int64_t number = 0; number < matrices; ++number) {
                    float* to = inPlace(tensors, number * rows * columns);
                    if (to == nullptr) {
                        product.resize(static_cast<std::size_t>(rows * columns));
                        to = product.data();
                    }
                    everyday::multiply(left.at(a, offsetIn(a.outer, outer, number)),
                                       right.at(b, offsetIn(b.outer, outer, number)), to, rows, columns, a.columns);
                    if (to == product.data()) {
                        store(tensors, number * rows, rows, columns, [&](std::int64_t row, std::vector<Domain>& sums) {
                            std::copy_n(product.data() + row * columns, columns, sums.data());
                        });
                    }
                }
                return;
            }
        }
        for (std::int64_t number = 0; number < matrices; ++number) {
            const View left = a.matrix(offsetIn(a.outer, outer, number), false);
            const View right = b.matrix(offsetIn(b.outer, outer, number), false);
            store(tensors, number * rows, rows, columns, [&](std::int64_t row, std::vector<Domain>& sums) {
                std::vector<Domain> values(static_cast<std::size_t>(a.columns));
                std::vector<Domain> line(static_cast<std::size_t>(columns));
                read(left, row * left.strides[0], left.strides[1], a.columns, values.data());
                std::fill(sums.begin(), sums.end(), Domain{});
                for (std::int64_t k = 0; k < a.columns; ++k) {
                    read(right, k * right.strides[0], right.strides[1], columns, line.data());
                    for (std::size_t j = 0; j < sums.size(); ++j) {
                        sums[j] =
                            everyday::add(sums[j], everyday::multiply(values[static_cast<std::size_t>(k)], line[j]));
                    }
                }
            });
        }
    }

  private:
    // The address of a matrix of the result, if it can be computed in place.
    float* inPlace(const View* tensors, std::int64_t first) const {
        const View& out = tensors[2];
        return out.dtype == ACL_FLOAT && !tensors[3].present && contiguous(out)
                   ? reinterpret_cast<float*>(out.data) + out.offset + first
                   : nullptr;
    }

    // Rows of the result, starting with row `first` of all; find(row, sums) computes the product.
    template <class Find>
    void store(const View* tensors, std::int64_t first, std::int64_t rows, std::int64_t columns, Find&& find) const {
        const View& out = tensors[2];
        const std::int64_t step = columns > 1 ? out.strides[out.rank - 1] : 1;
        parallelFor(rows, std::max<std::int64_t>(1, kThreadGrain / (columns * 8)),
                    [&](std::int64_t begin, std::int64_t end) {
                        std::vector<Domain> sums(static_cast<std::size_t>(columns));
                        for (std::int64_t row = begin; row < end; ++row) {
                            find(row, sums);
                            const std::int64_t element = (first + row) * columns;
                            if (tensors[3].present) {
                                add(tensors[3], out, element, sums);
                            }
                            write(out, offsetOf(out, element), step, columns, sums.data());
                        }
                    });
    }

    // Writes a row of the product to out, starting at this element.
    void add(const View& added, const View& out, std::int64_t first, std::vector<Domain>& sums) const {
        for (Domain& sum : sums) {
            sum = everyday::multiply(sum, alpha_);
        }
        if (beta_ == Domain{}) {
            return;
        }
        std::int64_t offset = 0;
        std::int64_t rest = first;
        for (std::int64_t dimension = out.rank; dimension-- > 0;) {
            offset += rest % out.shape[dimension] * strideAlong(added, out, dimension);
            rest /= out.shape[dimension];
        }
        std::vector<Domain> values(sums.size());
        read(added, offset, sums.size() > 1 ? strideAlong(added, out, out.rank - 1) : 0,
             static_cast<std::int64_t>(sums.size()), values.data());
        for (std::size_t j = 0; j < sums.size(); ++j) {
            sums[j] = everyday::add(sums[j], everyday::multiply(beta_, values[j]));
        }
    }

    const Domain beta_;
    const Domain alpha_;
};

Dims leading(const Dims& shape) {
    return Dims(shape.data(), static_cast<std::uint64_t>(std::max<std::int64_t>(shape.rank() - 2, 0)));
}

// A weight that a client calls FRACTAL_NZ after TransMatmulWeight, which left it in ND. One that is really in blocks
// shows them in the shape of its storage.
bool isNamedNz(const aclTensor& tensor) {
    return tensor.format == ACL_FORMAT_FRACTAL_NZ && tensor.storage.rank() == 1;
}

aclnnStatus checkWeight(const Argument& weight) {
    ACLQ_RETURN_IF_FAILED(checkGiven(weight));
    if (!isNamedNz(*weight)) {
        return checkTensor(weight.name, weight.tensor);
    }
    return TypeRules::check(weight.name, weight->dtype);
}

aclnnStatus product(const Call& call, const Argument& left, const Argument& right, std::int64_t low, std::int64_t high,
                    const Argument& out, const Addition& addition = {}) {
    const aclTensor* self = left.tensor;
    const aclTensor* mat2 = right.tensor;
    ACLQ_RETURN_IF_FAILED(checkTensor(left.name, self));
    ACLQ_RETURN_IF_FAILED(checkWeight(right));
    ACLQ_RETURN_IF_FAILED(checkTensor(out.name, out.tensor));
    ACLQ_RETURN_IF_FAILED(checkRank(left.name, *self, low, high));
    ACLQ_RETURN_IF_FAILED(checkRank(right.name, *mat2, low, high));
    const std::int64_t depth = self->shape.last();
    const std::int64_t rank = mat2->shape.rank();
    if (mat2->shape[rank == 1 ? 0 : rank - 2] != depth) {
        return refuse(right.name, "shape " + mat2->shape.text(),
                      text("%lld rows, as many as %s has columns", static_cast<long long>(depth), left.name));
    }
    Dims expected = leading(self->shape);
    if (!broadcast(expected, leading(mat2->shape))) {
        return refuse(right.name, "shape " + mat2->shape.text(),
                      "leading dimensions that fit to " + self->shape.text());
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
    return call.launch({left, right, out, addition.added}, kernel);
}

aclnnStatus plain(const Call& call, const aclTensor* self, const aclTensor* mat2, std::int64_t low, std::int64_t high,
                  const aclTensor* out, const char* name = "mat2") {
    return call.prepare([&] { return product(call, {"self", self}, {name, mat2}, low, high, {"out", out}); });
}

// The second matrix may be a vector.
aclnnStatus added(const Call& call, const Argument& self, const Argument& left, const Argument& right,
                  std::int64_t rank, bool vector, const aclScalar* beta, const aclScalar* alpha, const Argument& out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("beta", beta));
        ACLQ_RETURN_IF_FAILED(checkScalar("alpha", alpha));
        const aclTensor* second = right.tensor;
        ACLQ_RETURN_IF_FAILED(checkTensor(left.name, left.tensor));
        ACLQ_RETURN_IF_FAILED(checkTensor(right.name, second));
        ACLQ_RETURN_IF_FAILED(checkRank(left.name, *left.tensor, rank, rank));
        ACLQ_RETURN_IF_FAILED(checkRank(right.name, *second, vector ? 1 : rank, vector ? 1 : rank));
        return product(call, left, right, 1, rank, out,
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
        return product(call, {"self", self}, {"vec", vec}, 1, 2, {"out", out});
    });
}
ACLQ_PHASE_2(aclnnMv)

aclnnStatus aclnnDotGetWorkspaceSize(const aclTensor* self, const aclTensor* tensor, aclTensor* out,
                                     uint64_t* workspaceSize, aclOpExecutor** executor) {
    return plain(ACLQ_CALL(aclnnDot), self, tensor, 1, 1, out, "tensor");
}
ACLQ_PHASE_2(aclnnDot)

aclnnStatus aclnnAddmmGetWorkspaceSize(const aclTensor* self, const aclTensor* mat1, const aclTensor* mat2,
                                       const aclScalar* beta, const aclScalar* alpha, aclTensor* out, int8_t,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    return added(ACLQ_CALL(aclnnAddmm), {"self", self}, {"mat1", mat1}, {"mat2", mat2}, 2, false, beta, alpha,
                 {"out", out});
}
ACLQ_PHASE_2(aclnnAddmm)

aclnnStatus aclnnInplaceAddmmGetWorkspaceSize(const aclTensor* selfRef, const aclTensor* mat1, const aclTensor* mat2,
                                              const aclScalar* beta, const aclScalar* alpha, int8_t,
                                              uint64_t* workspaceSize, aclOpExecutor** executor) {
    return added(ACLQ_CALL(aclnnInplaceAddmm), {"selfRef", selfRef}, {"mat1", mat1}, {"mat2", mat2}, 2, false, beta,
                 alpha, {"selfRef", selfRef});
}
ACLQ_PHASE_2(aclnnInplaceAddmm)

aclnnStatus aclnnBaddbmmGetWorkspaceSize(const aclTensor* self, const aclTensor* batch1, const aclTensor* batch2,
                                         const aclScalar* beta, const aclScalar* alpha, aclTensor* out, int8_t,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    return added(ACLQ_CALL(aclnnBaddbmm), {"self", self}, {"batch1", batch1}, {"batch2", batch2}, 3, false, beta, alpha,
                 {"out", out});
}
ACLQ_PHASE_2(aclnnBaddbmm)

aclnnStatus aclnnAddmvGetWorkspaceSize(const aclTensor* self, const aclTensor* mat, const aclTensor* vec,
                                       const aclScalar* alpha, const aclScalar* beta, aclTensor* out, int8_t,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    return added(ACLQ_CALL(aclnnAddmv), {"self", self}, {"mat", mat}, {"vec", vec}, 2, true, beta, alpha, {"out", out});
}
ACLQ_PHASE_2(aclnnAddmv)

aclnnStatus aclnnGerGetWorkspaceSize(const aclTensor* self, const aclTensor* vec2, aclTensor* out,
                                     uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGer);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("vec2", vec2));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, 1));
        ACLQ_RETURN_IF_FAILED(checkRank("vec2", *vec2, 1, 1));
        const std::int64_t sizes[] = {self->shape[0], vec2->shape[0]};
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes, 2), "the elements of self and of vec2"));
        const aclDataType common = promote(self->dtype, vec2->dtype);
        if (!canCast(common, out->dtype)) {
            return refuseCast("out", out->dtype, common);
        }
        if (out->empty()) {
            return call.nothing();
        }
        aclTensor column = *self;
        const std::int64_t high[] = {sizes[0], 1};
        const std::int64_t step[] = {self->strides[0], 1};
        column.shape = Dims(high, 2);
        column.strides = Dims(step, 2);
        return call.launch({{"self", self, false, &column}, {"vec2", vec2}, {"out", out}},
                           elementwise<2>(common, ComplexToo{[](auto a, auto b) { return everyday::multiply(a, b); }}));
    });
}
ACLQ_PHASE_2(aclnnGer)
