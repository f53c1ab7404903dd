// SPDX-License-Identifier: Apache-2.0
// The gradients of groups of channels that were normalised together.
#include "aclnnop/aclnn_group_norm_backward.h"
#include "ops/everyday/along.h"
#include "runtime/thread_pool.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// Tensors: gradOut, input, mean, rstd, gamma, and the gradients of input, gamma and beta; the last four may be left
// out. Each place of the split tensors is a channel of an image.
class GroupNormBackward : public Kernel {
  public:
    GroupNormBackward(std::int64_t groups, Mask image) : groups_(groups), image_(image) {}

    void run(const View* tensors, const KernelContext&) const override {
        // A thread has whole groups, and so all that is added to their channels.
        parallelFor(groups_, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t group = begin; group < end; ++group) {
                oneGroup(tensors, group);
            }
        });
    }

  private:
    void oneGroup(const View* tensors, std::int64_t group) const {
        const Split slopes(tensors[0], image_);
        const Split from(tensors[1], image_);
        const Split to(tensors[5], image_);
        const std::int64_t images = tensors[1].shape[0];
        const std::int64_t channels = tensors[1].shape[1];
        const std::int64_t width = channels / groups_;
        const std::int64_t first = group * width;
        Row<double> gamma(static_cast<std::size_t>(width), 1);
        if (tensors[4].present) {
            read(tensors[4], offsetOf(tensors[4], first), tensors[4].strides[0], width, gamma.data());
        }
        Row<double> ofGamma(gamma.size(), 0);
        Row<double> ofBeta(gamma.size(), 0);
        std::vector<Row<double>> slope(gamma.size());
        std::vector<Row<double>> row(gamma.size());
        for (std::int64_t image = 0; image < images; ++image) {
            double mean = 0;
            double scale = 0;
            read(tensors[2], offsetOf(tensors[2], image * groups_ + group), 1, 1, &mean);
            read(tensors[3], offsetOf(tensors[3], image * groups_ + group), 1, 1, &scale);
            double total = 0;
            double products = 0;
            for (std::size_t channel = 0; channel < gamma.size(); ++channel) {
                const std::int64_t place = image * channels + first + static_cast<std::int64_t>(channel);
                slope[channel] = slopes.row<double>(place);
                row[channel] = from.row<double>(place);
                double here = 0;
                double product = 0;
                for (std::size_t index = 0; index < row[channel].size(); ++index) {
                    row[channel][index] = (row[channel][index] - mean) * scale;
                    here += slope[channel][index];
                    product += slope[channel][index] * row[channel][index];
                }
                ofBeta[channel] += here;
                ofGamma[channel] += product;
                total += here * gamma[channel];
                products += product * gamma[channel];
            }
            if (tensors[5].present) {
                const auto count = static_cast<double>(gamma.size() * row[0].size());
                for (std::size_t channel = 0; channel < gamma.size(); ++channel) {
                    for (std::size_t index = 0; index < row[channel].size(); ++index) {
                        const double share = (total + row[channel][index] * products) / count;
                        row[channel][index] = scale * (slope[channel][index] * gamma[channel] - share);
                    }
                    to.put(image * channels + first + static_cast<std::int64_t>(channel), row[channel]);
                }
            }
        }
        for (const auto& [tensor, values] : {std::pair(6, &ofGamma), std::pair(7, &ofBeta)}) {
            if (const View& out = tensors[tensor]; out.present) {
                write(out, offsetOf(out, first), out.strides[0], width, values->data());
            }
        }
    }

    const std::int64_t groups_;
    const Mask image_;
};

aclnnStatus checkGiven(const Argument& argument, const Dims& shape, const char* source) {
    ACLQ_RETURN_IF_FAILED(checkTensor(argument.name, argument.tensor));
    return checkShape(argument, shape, source);
}

}  // namespace

aclnnStatus aclnnGroupNormBackwardGetWorkspaceSize(const aclTensor* gradOut, const aclTensor* input,
                                                   const aclTensor* mean, const aclTensor* rstd, const aclTensor* gamma,
                                                   int64_t N, int64_t C, int64_t HxW, int64_t group,
                                                   const aclBoolArray* outputMask, aclTensor* gradInput,
                                                   aclTensor* gradGammaOut, aclTensor* gradBetaOut,
                                                   uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGroupNormBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkAllGiven({{"gradOut", gradOut}, {"input", input}, {"mean", mean}, {"rstd", rstd}}));
        std::array<bool, 3> mask{};
        ACLQ_RETURN_IF_FAILED(readMask("outputMask", outputMask, "input, gamma, beta", mask));
        if (group <= 0 || C % group != 0) {
            return refuse("group", std::to_string(group), text("a divisor of C, %lld", static_cast<long long>(C)));
        }
        ACLQ_RETURN_IF_FAILED(checkTensor("input", input));
        ACLQ_RETURN_IF_FAILED(checkRank("input", *input, 2, kMaxKernelRank));
        const Dims& shape = input->shape;
        const std::int64_t image = product(shape.data() + 2, shape.rank() - 2);
        for (const auto& [name, given, found] :
             {std::tuple("N", N, shape[0]), std::tuple("C", C, shape[1]), std::tuple("HxW", HxW, image)}) {
            if (given != found) {
                return refuse(
                    name, std::to_string(given),
                    text("%lld, from the shape of input, %s", static_cast<long long>(found), shape.text().c_str()));
            }
        }
        ACLQ_RETURN_IF_FAILED(checkGiven({"gradOut", gradOut}, shape, "the shape of input"));
        for (const Argument& one : {Argument{"mean", mean}, {"rstd", rstd}}) {
            ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
            if (one->elements() != N * group) {
                return refuse(one, "shape " + one->shape.text(),
                              text("%lld elements, N times group", static_cast<long long>(N * group)));
            }
        }
        const Dims channels(&C, 1);
        const Argument factor{"gamma", gamma};
        const Argument wanted[] = {{"gradInput", mask[0] ? gradInput : nullptr},
                                   {"gradGammaOut", mask[1] ? gradGammaOut : nullptr},
                                   {"gradBetaOut", mask[2] ? gradBetaOut : nullptr}};
        if (factor) {
            ACLQ_RETURN_IF_FAILED(checkGiven(factor, channels, "C"));
        }
        for (std::size_t index = 0; index < std::size(wanted); ++index) {
            if (mask[index]) {
                ACLQ_RETURN_IF_FAILED(
                    checkGiven(wanted[index], index == 0 ? shape : channels, index == 0 ? "the shape of input" : "C"));
            }
        }
        if (input->empty()) {
            return call.nothing();
        }
        const Mask all = (1U << shape.rank()) - 1;
        return call.launch({{"gradOut", gradOut},
                            {"input", input},
                            {"mean", mean},
                            {"rstd", rstd},
                            factor,
                            wanted[0],
                            wanted[1],
                            wanted[2]},
                           std::make_shared<GroupNormBackward>(group, all & ~3U));
    });
}
ACLQ_PHASE_2(aclnnGroupNormBackward)
