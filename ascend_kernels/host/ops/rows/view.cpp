// SPDX-License-Identifier: Apache-2.0
#include "ops/rows/view.h"

namespace aclq {

bool contiguous(const View& view) {
    std::int64_t step = 1;
    for (std::int64_t dimension = view.rank; dimension-- > 0;) {
        if (view.shape[dimension] != 1 && view.strides[dimension] != step) {
            return false;
        }
        step *= view.shape[dimension];
    }
    return true;
}

std::int64_t offsetOf(const View& view, std::int64_t index) {
    std::int64_t offset = 0;
    for (std::int64_t dimension = view.rank; dimension-- > 0;) {
        offset += index % view.shape[dimension] * view.strides[dimension];
        index /= view.shape[dimension];
    }
    return offset;
}

}  // namespace aclq
