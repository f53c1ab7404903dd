// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding.
#include "aclnnop/aclnn_rotary_position_embedding.h"
#include "ops/everyday/call.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// Which elements of a row form a pair.
enum Mode : std::int64_t { kHalf = 0, kInterleave = 1, kQuarter = 2, kInterleaveHalf = 3 };

// For each element of a result the element that is multiplied by the cosine, and the one (negated or not) that is
// multiplied by the sine.
struct Source {
    std::int64_t straight;
    std::int64_t turned;
    bool negated;
};

std::vector<Source> sourcesOf(std::int64_t mode, std::int64_t size) {
    std::vector<Source> sources;
    for (std::int64_t index = 0; index < size; ++index) {
        if (mode == kInterleave) {
            sources.push_back({index, index ^ 1, index % 2 == 0});
        } else if (mode == kInterleaveHalf) {
            const bool first = index < size / 2;
            const std::int64_t even = 2 * (first ? index : index - size / 2);
            sources.push_back({first ? even : even + 1, first ? even + 1 : even, first});
        } else {
            // Parts of two blocks, one pair of them (half) or two (quarter).
            const std::int64_t block = mode == kHalf ? size / 2 : size / 4;
            const bool first = index / block % 2 == 0;
            sources.push_back({index, first ? index + block : index - block, first});
        }
    }
    return sources;
}

// The code with which CANN refuses where it plans the work.
aclnnStatus refuseTiling(const char* argument, const std::string& got, const std::string& allowed) {
    return failArgument(ACLNN_ERR_INNER_TILING_ERROR, argument, got, allowed);
}

// Tensors: x, cos, sin, out.
class Rotate : public Kernel {
  public:
    Rotate(std::int64_t mode, std::int64_t size) : sources_(sourcesOf(mode, size)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[3];
        const std::int64_t last = out.rank - 1;
        const std::int64_t size = out.shape[last];
        View outer = out;
        --outer.rank;
        const std::int64_t rows = outer.elements();
        parallelFor(rows, std::max<std::int64_t>(1, kThreadGrain / (4 * size)),
                    [&](std::int64_t begin, std::int64_t end) {
                        std::vector<double> values[3];
                        for (auto& one : values) {
                            one.resize(static_cast<std::size_t>(size));
                        }
                        std::vector<double> found(static_cast<std::size_t>(size));
                        for (std::int64_t row = begin; row < end; ++row) {
                            for (int tensor = 0; tensor < 3; ++tensor) {
                                read(tensors[tensor], offsetOfRow(tensors[tensor], outer, row),
                                     strideAlong(tensors[tensor], out, last), size, values[tensor].data());
                            }
                            for (std::size_t index = 0; index < found.size(); ++index) {
                                const Source& source = sources_[index];
                                const double turned = values[0][static_cast<std::size_t>(source.turned)];
                                found[index] = values[0][static_cast<std::size_t>(source.straight)] * values[1][index] +
                                               (source.negated ? -turned : turned) * values[2][index];
                            }
                            write(out, offsetOfRow(out, outer, row), out.strides[last], size, found.data());
                        }
                    });
    }

  private:
    static std::int64_t offsetOfRow(const View& view, const View& outer, std::int64_t row) {
        std::int64_t offset = 0;
        for (std::int64_t dimension = outer.rank; dimension-- > 0;) {
            offset += view.shape[dimension] == 1 ? 0 : row % outer.shape[dimension] * view.strides[dimension];
            row /= outer.shape[dimension];
        }
        return offset;
    }

    const std::vector<Source> sources_;
};

}  // namespace

aclnnStatus aclnnRotaryPositionEmbeddingGetWorkspaceSize(const aclTensor* x, const aclTensor* cos, const aclTensor* sin,
                                                         int64_t mode, aclTensor* out, uint64_t* workspaceSize,
                                                         aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRotaryPositionEmbedding);
    return call.prepare([&]() -> aclnnStatus {
        for (const Argument& one : {Argument{"x", x}, {"cos", cos}, {"sin", sin}, {"out", out}}) {
            ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
        }
        if (mode < kHalf || mode > kInterleaveHalf) {
            return refuseTiling("mode", std::to_string(mode),
                                "0 (half), 1 (interleave), 2 (quarter), 3 (interleave-half)");
        }
        for (const Argument& one : {Argument{"x", x}, {"cos", cos}, {"sin", sin}, {"out", out}}) {
            if (one->shape.rank() != 4) {
                return refuseTiling(one.name, "shape " + one->shape.text(), "4 dimensions");
            }
        }
        const std::int64_t parts = mode == kQuarter ? 4 : 2;
        if (x->shape.last() % parts != 0) {
            return refuseTiling("x", "shape " + x->shape.text(),
                                text("a last dimension that is a multiple of %lld", static_cast<long long>(parts)));
        }
        for (const Argument& one : {Argument{"cos", cos}, {"sin", sin}}) {
            Dims common = x->shape;
            if (!broadcast(common, one->shape) || !(common == x->shape) || one->shape.last() != x->shape.last()) {
                return refuseTiling(
                    one.name, "shape " + one->shape.text(),
                    "a shape that repeats to " + x->shape.text() + " along all dimensions except the last");
            }
        }
        if (!(out->shape == x->shape)) {
            return refuseTiling("out", "shape " + out->shape.text(), x->shape.text() + ", the shape of x");
        }
        return out->empty() ? call.nothing()
                            : call.launch({{"x", x}, {"cos", cos}, {"sin", sin}, {"out", out}},
                                          std::make_shared<Rotate>(mode, x->shape.last()));
    });
}
ACLQ_PHASE_2(aclnnRotaryPositionEmbedding)
