// SPDX-License-Identifier: Apache-2.0
// aclnnTransQuantParamV2 and V3: scales and offsets packed into the 64-bit parameters of the matrix unit.
#pragma once

#include <memory>

#include "ops/phase1.h"

namespace aclq {

template <class T>
struct TransQuantParamTensors {
    T scale, offset, out;
    auto all() const { return std::array{scale, offset, out}; }
};

// Both functions of CANN set this bit: the product's int8 result is signed.
constexpr std::uint64_t kSignedResult = 1ULL << 46;
// An offset, rounded already, in its field.
std::uint64_t offsetField(std::int32_t offset);

std::shared_ptr<const Kernel> makeTransQuantParam(bool roundToNearest);

// The shape that torch_npu gives the result.
Dims transQuantParamShape(const Dims& scale, const Dims* offset);

}  // namespace aclq
