// SPDX-License-Identifier: Apache-2.0
// Operators that choose between elements: limits, conditions, masks.
#include <atomic>
#include <cstring>
#include <optional>

#include "aclnnop/aclnn_clamp.h"
#include "aclnnop/aclnn_equal.h"
#include "aclnnop/aclnn_masked_fill_scalar.h"
#include "aclnnop/aclnn_masked_fill_tensor.h"
#include "aclnnop/aclnn_masked_select.h"
#include "aclnnop/aclnn_s_where.h"
#include "ops/everyday/binary.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

aclnnStatus clamp(const Call& call, const aclTensor* self, const aclScalar* low, const aclScalar* high, bool lowNeeded,
                  bool highNeeded, const aclTensor* out) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        ACLQ_RETURN_IF_FAILED(low != nullptr || lowNeeded ? checkScalar("clipValueMin", low) : ACLNN_SUCCESS);
        ACLQ_RETURN_IF_FAILED(high != nullptr || highNeeded ? checkScalar("clipValueMax", high) : ACLNN_SUCCESS);
        if (low == nullptr && high == nullptr) {
            return failArgument(ACLNN_ERR_PARAM_NULLPTR, "clipValueMin", "null, like clipValueMax",
                                "at least one limit");
        }
        const bool real = isFloating(self->dtype) || isFloating(out->dtype);
        const aclDataType computed = real && !isFloating(self->dtype) ? out->dtype : self->dtype;
        const std::optional<Constant> least = low != nullptr ? std::optional(constant(*low, computed)) : std::nullopt;
        const std::optional<Constant> most = high != nullptr ? std::optional(constant(*high, computed)) : std::nullopt;
        const auto kernel = elementwise<1>(computed, [=](auto value) {
            // NaN stays NaN. If the limits cross, the upper one wins.
            value = least && value < least->like(value) ? least->like(value) : value;
            return most && value > most->like(value) ? most->like(value) : value;
        });
        if (!canCast(self->dtype, out->dtype)) {
            return refuseCast("out", out->dtype, self->dtype);
        }
        return self->empty() ? call.nothing() : call.launch({{"self", self}, {"out", out}}, kernel);
    });
}

}  // namespace

aclnnStatus aclnnClampGetWorkspaceSize(const aclTensor* self, const aclScalar* clipValueMin,
                                       const aclScalar* clipValueMax, aclTensor* out, uint64_t* workspaceSize,
                                       aclOpExecutor** executor) {
    return clamp(ACLQ_CALL(aclnnClamp), self, clipValueMin, clipValueMax, false, false, out);
}
ACLQ_PHASE_2(aclnnClamp)

aclnnStatus aclnnClampMinGetWorkspaceSize(const aclTensor* self, const aclScalar* clipValueMin, aclTensor* out,
                                          uint64_t* workspaceSize, aclOpExecutor** executor) {
    return clamp(ACLQ_CALL(aclnnClampMin), self, clipValueMin, nullptr, true, false, out);
}
ACLQ_PHASE_2(aclnnClampMin)

aclnnStatus aclnnClampMaxGetWorkspaceSize(const aclTensor* self, const aclScalar* clipValueMax, aclTensor* out,
                                          uint64_t* workspaceSize, aclOpExecutor** executor) {
    return clamp(ACLQ_CALL(aclnnClampMax), self, nullptr, clipValueMax, false, true, out);
}
ACLQ_PHASE_2(aclnnClampMax)

aclnnStatus aclnnInplaceClampMaxGetWorkspaceSize(const aclTensor* selfRef, const aclScalar* clipValueMax,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    return clamp(ACLQ_CALL(aclnnInplaceClampMax), selfRef, nullptr, clipValueMax, false, true, selfRef);
}
ACLQ_PHASE_2(aclnnInplaceClampMax)

aclnnStatus aclnnSWhereGetWorkspaceSize(const aclTensor* condition, const aclTensor* self, const aclTensor* other,
                                        aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnSWhere);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("condition", condition));
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("other", other));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkDtype("condition", *condition, {ACL_BOOL, ACL_UINT8}));
        Dims shape = condition->shape;
        if (!broadcast(shape, self->shape) || !broadcast(shape, other->shape)) {
            return refuse("other", "shape " + other->shape.text(), "a shape that fits to condition and self");
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, shape, "the common shape of the inputs"));
        // Any type serves as a condition: 0 is false.
        const auto kernel =
            elementwise<3>(promote(self->dtype, other->dtype),
                           ComplexToo{[](auto holds, auto a, auto b) { return holds != decltype(holds){} ? a : b; }});
        return out->empty()
                   ? call.nothing()
                   : call.launch({{"condition", condition}, {"self", self}, {"other", other}, {"out", out}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnSWhere)

namespace {

aclnnStatus checkMask(const aclTensor* mask, const Dims& shape) {
    ACLQ_RETURN_IF_FAILED(checkTensor("mask", mask));
    ACLQ_RETURN_IF_FAILED(checkDtype("mask", *mask, {ACL_BOOL, ACL_UINT8}));
    return checkBroadcast("mask", *mask, shape);
}

}  // namespace

aclnnStatus aclnnInplaceMaskedFillScalarGetWorkspaceSize(aclTensor* selfRef, const aclTensor* mask,
                                                         const aclScalar* value, uint64_t* workspaceSize,
                                                         aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceMaskedFillScalar);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        ACLQ_RETURN_IF_FAILED(checkMask(mask, selfRef->shape));
        ACLQ_RETURN_IF_FAILED(checkScalar("value", value));
        const Constant number = constant(*value, ACL_DOUBLE);
        const auto kernel = elementwise<2>(selfRef->dtype, ComplexToo{[=](auto holds, auto old) {
                                               return holds != decltype(holds){} ? number.like(old) : old;
                                           }});
        return selfRef->empty() ? call.nothing()
                                : call.launch({{"mask", mask}, {"selfRef", selfRef}, {"selfRef", selfRef}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnInplaceMaskedFillScalar)

aclnnStatus aclnnInplaceMaskedFillTensorGetWorkspaceSize(aclTensor* selfRef, const aclTensor* mask,
                                                         const aclTensor* value, uint64_t* workspaceSize,
                                                         aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceMaskedFillTensor);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        ACLQ_RETURN_IF_FAILED(checkMask(mask, selfRef->shape));
        ACLQ_RETURN_IF_FAILED(checkTensor("value", value));
        ACLQ_RETURN_IF_FAILED(checkBroadcast("value", *value, selfRef->shape));
        const auto kernel = elementwise<3>(selfRef->dtype, ComplexToo{[](auto holds, auto fresh, auto old) {
                                               return holds != decltype(holds){} ? fresh : old;
                                           }});
        return selfRef->empty()
                   ? call.nothing()
                   : call.launch({{"mask", mask}, {"value", value}, {"selfRef", selfRef}, {"selfRef", selfRef}},
                                 kernel);
    });
}
ACLQ_PHASE_2(aclnnInplaceMaskedFillTensor)

namespace {

// Tensors: self, mask, out. The shape of the result is known only now; the client reads it from out.
class MaskedSelect : public Kernel {
  public:
    MaskedSelect(const Dims& shape, const aclTensor* out) : shape_(shape), out_(lateShapeOf(out)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[2];
        const std::int64_t size = bitsOf(out.dtype) / 8;
        View shape;
        shape.rank = shape_.rank();
        std::copy_n(shape_.data(), shape.rank, shape.shape);
        const View together[3] = {tensors[0], tensors[1], shape};
        const auto walk = walkTogether<3>(together);
        std::int64_t found = 0;
        for (std::int64_t row = 0; row < walk.rows(); ++row) {
            std::int64_t at[3] = {};
            walk.locate(row, at);
            for (std::int64_t i = 0; i < walk.length(); ++i) {
                if (tensors[1].data[tensors[1].offset + at[1] + i * walk.step(1)] != 0) {
                    const unsigned char* from = tensors[0].data + (tensors[0].offset + at[0] + i * walk.step(0)) * size;
                    std::memcpy(out.data + (out.offset + offsetOf(out, found++)) * size, from,
                                static_cast<std::size_t>(size));
                }
            }
        }
        out_->set(Dims(&found, 1));
    }

  private:
    const Dims shape_;
    const std::shared_ptr<LateShape> out_;
};

}  // namespace

aclnnStatus aclnnMaskedSelectGetWorkspaceSize(const aclTensor* self, const aclTensor* mask, aclTensor* out,
                                              uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnMaskedSelect);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkAllGiven({{"self", self}, {"mask", mask}, {"out", out}}));
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("mask", mask));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkDtype("mask", *mask, {ACL_BOOL, ACL_UINT8}));
        ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {self->dtype}));
        Dims shape = self->shape;
        if (!broadcast(shape, mask->shape)) {
            return refuse("mask", "shape " + mask->shape.text(), "a shape that fits to " + self->shape.text());
        }
        ACLQ_RETURN_IF_FAILED(checkRank("out", *out, 1, 1));
        if (out->elements() < shape.elements()) {
            return refuse("out", "shape " + out->shape.text(),
                          text("(%lld,) or more, room for all elements", static_cast<long long>(shape.elements())));
        }
        if (shape.elements() == 0) {
            return call.nothing();
        }
        return call.launch({{"self", self}, {"mask", mask}, {"out", out}}, std::make_shared<MaskedSelect>(shape, out));
    });
}
ACLQ_PHASE_2(aclnnMaskedSelect)

namespace {

// Tensors: self, other, out: one BOOL.
template <class Domain>
class Equal : public Kernel {
  public:
    explicit Equal(bool sameShape) : sameShape_(sameShape) {}

    void run(const View* tensors, const KernelContext&) const override {
        tensors[2].data[tensors[2].offset] = sameShape_ && same(tensors) ? 1 : 0;
    }

  private:
    static bool same(const View* both) {
        const View& a = both[0];
        const View& b = both[1];
        const auto walk = walkTogether<2>(both);
        std::atomic<bool> different{false};
        forPieces({a.elements() == 0 ? 0 : walk.rows(), walk.length()}, [&](Pieces pieces) {
            std::vector<Domain> values[2];
            std::int64_t at[2] = {};
            while (pieces.next() && !different) {
                walk.locate(pieces.row(), at);
                const std::int64_t n = pieces.count();
                values[0].resize(static_cast<std::size_t>(n));
                values[1].resize(static_cast<std::size_t>(n));
                read(a, at[0] + pieces.first() * walk.step(0), walk.step(0), n, values[0].data());
                read(b, at[1] + pieces.first() * walk.step(1), walk.step(1), n, values[1].data());
                if (values[0] != values[1]) {
                    different = true;
                }
            }
        });
        return !different;
    }

    const bool sameShape_;
};

}  // namespace

aclnnStatus aclnnEqualGetWorkspaceSize(const aclTensor* self, const aclTensor* other, aclTensor* out,
                                       uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnEqual);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("other", other));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {ACL_BOOL}));
        if (out->elements() != 1) {
            return refuse("out", "shape " + out->shape.text(), "one element");
        }
        const bool sameShape = self->shape == other->shape;
        const auto kernel = inDomain(isFloating(promote(self->dtype, other->dtype)),
                                     [&](auto number) { return std::make_shared<Equal<decltype(number)>>(sameShape); });
        return call.launch({{"self", self}, {"other", other}, {"out", out}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnEqual)
