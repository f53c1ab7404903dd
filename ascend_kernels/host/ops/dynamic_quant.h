// SPDX-License-Identifier: Apache-2.0
// aclnnDynamicQuant, V2, V3, V4: scales (and offsets) found from the data, then x quantised with them.
#pragma once

#include <memory>

#include "ops/phase1.h"
#include "runtime/settings.h"

namespace aclq {

template <class T>
struct DynamicQuantTensors {
    T x, smooth, groups, y, scale, offset;
    auto all() const { return std::array{x, smooth, groups, y, scale, offset}; }
};

enum class QuantMode { PerToken, PerTensor, PerChannel };

struct DynamicQuantAttributes {
    bool symmetric;
    QuantMode mode;
    float dstTypeMax = 0.0F;  // checked, and not used on these chips
};

// `family`, and CANN's major version: the last bits of the results depend on both.
std::shared_ptr<const Kernel> makeDynamicQuant(const DynamicQuantAttributes& attributes, Family family, int version);

// The shape of scale and offset; x has 2 dimensions or more.
Dims dynamicQuantParameterShape(const Dims& x, QuantMode mode);
// False for a name that is not a mode.
bool readQuantMode(const char* name, QuantMode& mode);

}  // namespace aclq
