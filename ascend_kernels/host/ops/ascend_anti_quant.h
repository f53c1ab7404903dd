// SPDX-License-Identifier: Apache-2.0
// aclnnAscendAntiQuant: (x + offset) * scale.
#pragma once

#include <memory>

#include "ops/phase1.h"

namespace aclq {

template <class T>
struct AntiQuantTensors {
    T x, scale, offset, y;
    auto all() const { return std::array{x, scale, offset, y}; }
};

std::shared_ptr<const Kernel> makeAntiQuant(bool scaleTwice);

}  // namespace aclq
