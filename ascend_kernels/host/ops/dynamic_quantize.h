// SPDX-License-Identifier: Apache-2.0
// The kernel behind the dynamic quantisation operators.
#pragma once

#include "meta/executor.h"
#include "runtime/settings.h"

namespace aclq {

enum class QuantMode { PerToken, PerTensor, PerChannel };

// Tensors: x, smooth scales (may be left out), group index (may be left out), y, scale, offset (left out: symmetric).
class DynamicQuantize : public Kernel {
  public:
    // version: CANN's major version, on which the last bits of the symmetric scale depend.
    DynamicQuantize(bool symmetric, QuantMode mode, Family family, int version)
        : symmetric_(symmetric), mode_(mode), family_(family), version_(version) {}
    void run(const View* tensors, const KernelContext& context) const override;

  private:
    const bool symmetric_;
    const QuantMode mode_;
    const Family family_;
    const int version_;
};

}  // namespace aclq
