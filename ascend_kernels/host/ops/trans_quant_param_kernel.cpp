// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ops/rows/pieces.h"
#include "ops/rows/view.h"
#include "ops/rows/write.h"
#include "ops/trans_quant_param.h"

namespace aclq {
namespace {

class TransQuantParam : public KernelOf<TransQuantParamTensors> {
  public:
    explicit TransQuantParam(bool roundToNearest) : roundToNearest_(roundToNearest) {}

    void compute(const Views& tensors, const KernelContext&) const override {
        const Values scale(tensors.scale);
        const Values offset(tensors.offset);
        parallelFor(std::max(scale.count, offset.count), kThreadGrain, [&](std::int64_t begin, std::int64_t end) {
            RowWriter writer(tensors.out);
            kernels().packScales({scale.from(begin), scale.step, offset.from(begin), offset.step, roundToNearest_},
                                 end - begin, writer.prepareOutput(begin, 1, end - begin));
        });
    }

  private:
    // The values of a tensor, which is contiguous, as phase 2 has checked. A single value serves for all.
    struct Values {
        explicit Values(const View& view)
            : values(view.present ? floatsOf(view) : nullptr),
              count(view.present ? view.elements() : 0),
              step(count > 1 ? 1 : 0) {}
        const float* from(std::int64_t first) const { return step == 0 ? values : values + first; }

        const float* const values;  // null: left out
        const std::int64_t count;
        const std::int64_t step;
    };

    const bool roundToNearest_;
};

}  // namespace

std::shared_ptr<const Kernel> makeTransQuantParam(bool roundToNearest) {
    return std::make_shared<TransQuantParam>(roundToNearest);
}

std::uint64_t offsetField(std::int32_t offset) {
    constexpr int kShift = 37;
    return static_cast<std::uint64_t>(std::clamp(offset, -256, 255) & 0x1FF) << kShift;
}

}  // namespace aclq
