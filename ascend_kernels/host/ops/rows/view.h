// SPDX-License-Identifier: Apache-2.0
// What is read off a view without touching its memory.
#pragma once

#include <cstdint>

#include "meta/executor.h"
#include "simd/kernels.h"

namespace aclq {

// Whether the elements are consecutive in memory, in logical order.
bool contiguous(const View& view);
// Offset of an element from the view's first one, in elements, given its number in logical order.
std::int64_t offsetOf(const View& view, std::int64_t index);
// The first element of a contiguous tensor of floats.
inline float* floatsOf(const View& view) {
    return reinterpret_cast<float*>(view.data) + view.offset;
}
// The type of the row kernels' input.
inline Source sourceOf(aclDataType dtype) {
    return dtype == ACL_FLOAT16 ? Source::Half : (dtype == ACL_BF16 ? Source::BFloat16 : Source::Float);
}

}  // namespace aclq
