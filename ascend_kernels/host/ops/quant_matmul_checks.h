// SPDX-License-Identifier: Apache-2.0
// The checks that the versions of the quantised matrix product have in common.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "ops/quant_matmul.h"

namespace aclq::quant_matmul {

using Tensors = QuantMatmulTensors<Argument>;

inline bool isOneOf(aclDataType dtype, std::initializer_list<aclDataType> dtypes) {
    return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
}
// Scales packed by aclnnTransQuantParamV2.
inline bool isPacked(const Argument& scale) {
    return isOneOf(scale->dtype, {ACL_UINT64, ACL_INT64});
}
// An INT32 input holds int4.
inline aclDataType elementOf(const Argument& argument) {
    return argument->dtype == ACL_INT32 ? ACL_INT4 : argument->dtype;
}
inline bool isInt4(const Argument& argument) {
    return elementOf(argument) == ACL_INT4;
}

// The tensor as it is stored: a transposed view is turned back, and `transposed` is toggled.
aclTensor asStored(const aclTensor& tensor, bool& transposed);

// One of the two matrices, of 2 dimensions or more.
class Side {
  public:
    Side(const aclTensor& tensor, bool transposed) : stored_(asStored(tensor, transposed)), transposed_(transposed) {
        const std::int64_t last = tensor.shape.rank() - 1;
        rows_ = stored_.shape[last - 1];
        columns_ = stored_.shape[last];
        if (tensor.dtype == ACL_INT32 && __builtin_mul_overflow(columns_, 8, &columns_)) {
            columns_ = INT64_MAX;  // no other tensor fits
        }
        lastAxis_ = columns_;
        if (transposed_) {
            std::swap(rows_, columns_);
        }
    }
    const aclTensor& stored() const { return stored_; }
    bool transposed() const { return transposed_; }
    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    // The stored last dimension, in elements.
    std::int64_t lastAxis() const { return lastAxis_; }
    std::int64_t batchRank() const { return stored_.shape.rank() - 2; }
    // Counted from the last batch dimension.
    std::int64_t batchSize(std::int64_t fromEnd) const {
        return fromEnd < batchRank() ? stored_.shape[batchRank() - 1 - fromEnd] : 1;
    }

  private:
    aclTensor stored_;
    bool transposed_;
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
    std::int64_t lastAxis_ = 0;
};

// groupSize holds three lengths.
struct GroupSizes {
    explicit GroupSizes(std::int64_t packed) : m(packed >> 32 & 0xFFFF), n(packed >> 16 & 0xFFFF), k(packed & 0xFFFF) {}
    std::int64_t m, n, k;
};

// A call whose checks have begun.
struct Call {
    const char* operation;
    Tensors tensors;
    bool transposeX1;
    bool transposeX2;
    std::int64_t groupSize = 0;
};

inline std::string number(std::int64_t value) {
    return std::to_string(value);
}

aclnnStatus checkGivenOnes(const Tensors& t);
aclnnStatus checkRanks(const Tensors& t);
// Membership in the lists, before the rules on pairs.
aclnnStatus checkEachDtype(const Tensors& t);
// With a scale for each row (A2, A3).
aclnnStatus checkPerTokenDtypes(const Tensors& t);
// Without one.
aclnnStatus checkPlainDtypes(const Tensors& t);
// With int4 on both sides, without a scale for each row.
aclnnStatus checkInt4Dtypes(const Tensors& t);
// With a scale for each row, on the inference series.
aclnnStatus checkPerTokenDtypesOfInferenceSeries(const Tensors& t);
aclnnStatus checkInt4Shapes(const Call& call, const Side& left, const Side& right);
aclnnStatus checkK(const Tensors& t, const Side& left, const Side& right);
aclnnStatus checkParameter(const Argument& argument, std::int64_t n);
aclnnStatus checkOffset(const Tensors& t, std::int64_t n);
aclnnStatus broadcast(const Tensors& t, const Side& left, const Side& right, Dims& batch);
Dims resultShape(const Dims& batch, std::int64_t m, std::int64_t n);
// The batch, bias and out.
aclnnStatus checkResult(const Tensors& t, const Side& left, const Side& right);
// Formats are looked at after the shapes. All but the offset's are reset to ND before that, unless they are private.
aclnnStatus checkFormats(const Tensors& t);
aclnnStatus checkNotEmpty(const Tensors& t);
// `given`: the tensors of the client, where those of the call are copies.
aclnnStatus finishProduct(const Call& call, const Tensors& given, Scaling scaling, const Side& left, const Side& right,
                          std::uint64_t* workspaceSize, aclOpExecutor** executor);

}  // namespace aclq::quant_matmul
