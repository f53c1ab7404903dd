// SPDX-License-Identifier: Apache-2.0
// Channels normalised over all other dimensions, and the gradients.
#include <cmath>

#include "aclnnop/aclnn_batch_norm.h"
#include "aclnnop/aclnn_batch_norm_backward.h"
#include "ops/everyday/along.h"
#include "ops/everyday/row_math.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// All dimensions except that of the channels, 1.
Mask besideChannels(const Dims& shape) {
    return ((1U << shape.rank()) - 1) & ~2U;
}

// One number for each channel; `otherwise` for all if the tensor was left out.
Row<double> perChannel(const View& view, std::int64_t channels, double otherwise) {
    return view.present ? Split(view, 1).row<double>(0) : Row<double>(static_cast<std::size_t>(channels), otherwise);
}

// Tensors: input, weight, bias, running mean, running variance, output, mean, 1 / standard deviation.
auto normalise(Mask gone, bool training, double momentum, double eps) {
    return forPlaces(gone, [=](const View* tensors) {
        const std::int64_t channels = tensors[0].shape[1];
        return [=, from = Split(tensors[0], gone), to = Split(tensors[5], gone),
                weight = perChannel(tensors[1], channels, 1), bias = perChannel(tensors[2], channels, 0),
                means = perChannel(tensors[3], channels, 0),
                variances = perChannel(tensors[4], channels, 1)](std::int64_t channel) {
            const auto place = static_cast<std::size_t>(channel);
            Row<double> row = from.row<double>(channel);
            const auto count = static_cast<std::int64_t>(row.size());
            double mean = means[place];
            double variance = variances[place];
            if (training) {
                mean = sum(row.data(), count) / static_cast<double>(count);
                const double squares = sumOfSquares(row.data(), count, mean);
                variance = squares / static_cast<double>(count);
                // Of a single element the sum of squares is 0.
                const double unbiased = squares / static_cast<double>(std::max<std::int64_t>(count - 1, 1));
                for (const auto& [tensor, before, now] :
                     {std::tuple(3, means[place], mean), std::tuple(4, variances[place], unbiased)}) {
                    if (tensors[tensor].present) {
                        put(tensors[tensor], channel, (1 - momentum) * before + momentum * now);
                    }
                }
            }
            const double scale = 1 / std::sqrt(variance + eps);
            if (training) {
                put(tensors[6], channel, mean);
                put(tensors[7], channel, scale);
            }
            for (double& value : row) {
                value = (value - mean) * scale * weight[place] + bias[place];
            }
            to.put(channel, row);
        };
    });
}

// Tensors: gradOut, input, weight, running mean, running variance, mean, 1 / standard deviation, gradients of input,
// weight and bias (each may be left out).
auto gradients(Mask gone, bool training, double eps) {
    return forPlaces(gone, [=](const View* tensors) {
        const std::int64_t channels = tensors[1].shape[1];
        const int moments = training ? 5 : 3;
        return [=, slopes = Split(tensors[0], gone), from = Split(tensors[1], gone), to = Split(tensors[7], gone),
                weight = perChannel(tensors[2], channels, 1), means = perChannel(tensors[moments], channels, 0),
                spreads = perChannel(tensors[moments + 1], channels, 1)](std::int64_t channel) {
            const auto place = static_cast<std::size_t>(channel);
            const double scale = training ? spreads[place] : 1 / std::sqrt(spreads[place] + eps);
            const Row<double> slope = slopes.row<double>(channel);
            Row<double> row = from.row<double>(channel);
            const auto count = static_cast<double>(row.size());
            double total = 0;
            double products = 0;
            for (std::size_t index = 0; index < row.size(); ++index) {
                row[index] = (row[index] - means[place]) * scale;
                total += slope[index];
                products += slope[index] * row[index];
            }
            if (tensors[8].present) {
                put(tensors[8], channel, products);
            }
            if (tensors[9].present) {
                put(tensors[9], channel, total);
            }
            if (tensors[7].present) {
                for (std::size_t index = 0; index < row.size(); ++index) {
                    // With moments of the batch, these depend on the element as well.
                    const double share = training ? (total + row[index] * products) / count : 0;
                    row[index] = weight[place] * scale * (slope[index] - share);
                }
                to.put(channel, row);
            }
        };
    });
}

// A tensor with one number for each channel, if it is given or needed.
aclnnStatus checkChannels(const Argument& argument, const Dims& input, bool needed) {
    if (!argument && !needed) {
        return ACLNN_SUCCESS;
    }
    ACLQ_RETURN_IF_FAILED(checkTensor(argument.name, argument.tensor));
    return checkShape(argument, Dims(input.data() + 1, 1), "the channels of input");
}

}  // namespace

aclnnStatus aclnnBatchNormGetWorkspaceSize(const aclTensor* input, const aclTensor* weight, const aclTensor* bias,
                                           aclTensor* runningMean, aclTensor* runningVar, bool training,
                                           double momentum, double eps, aclTensor* output, aclTensor* saveMean,
                                           aclTensor* saveInvstd, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBatchNorm);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("input", input));
        ACLQ_RETURN_IF_FAILED(checkTensor("output", output));
        ACLQ_RETURN_IF_FAILED(checkRank("input", *input, 2, kMaxKernelRank));
        for (const Argument& one : {Argument{"weight", weight}, Argument{"bias", bias},
                                    Argument{"runningMean", runningMean}, Argument{"runningVar", runningVar}}) {
            ACLQ_RETURN_IF_FAILED(checkChannels(one, input->shape, false));
        }
        ACLQ_RETURN_IF_FAILED(checkShape("output", *output, input->shape, "the shape of input"));
        // They are left alone without training.
        Argument mean{"saveMean", training ? saveMean : nullptr};
        Argument spread{"saveInvstd", training ? saveInvstd : nullptr};
        ACLQ_RETURN_IF_FAILED(checkChannels(mean, input->shape, training));
        ACLQ_RETURN_IF_FAILED(checkChannels(spread, input->shape, training));
        if (input->empty()) {
            return call.nothing();
        }
        return call.launch({{"input", input},
                            {"weight", weight},
                            {"bias", bias},
                            {"runningMean", runningMean},
                            {"runningVar", runningVar},
                            {"output", output},
                            mean,
                            spread},
                           normalise(besideChannels(input->shape), training, momentum, eps));
    });
}
ACLQ_PHASE_2(aclnnBatchNorm)

aclnnStatus aclnnBatchNormBackwardGetWorkspaceSize(const aclTensor* gradOut, const aclTensor* input,
                                                   const aclTensor* weight, const aclTensor* runningMean,
                                                   const aclTensor* runningVar, const aclTensor* saveMean,
                                                   const aclTensor* saveInvstd, bool training, double eps,
                                                   const aclBoolArray* outputMask, aclTensor* gradInput,
                                                   aclTensor* gradWeight, aclTensor* gradBias, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBatchNormBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("gradOut", gradOut));
        ACLQ_RETURN_IF_FAILED(checkTensor("input", input));
        std::array<bool, 3> mask{};
        ACLQ_RETURN_IF_FAILED(readMask("outputMask", outputMask, "input, weight, bias", mask));
        ACLQ_RETURN_IF_FAILED(checkRank("input", *input, 2, kMaxKernelRank));
        ACLQ_RETURN_IF_FAILED(checkShape("gradOut", *gradOut, input->shape, "the shape of input"));
        const Argument given[] = {{"weight", weight},
                                  {"runningMean", runningMean},
                                  {"runningVar", runningVar},
                                  {"saveMean", saveMean},
                                  {"saveInvstd", saveInvstd}};
        for (std::size_t index = 0; index < std::size(given); ++index) {
            ACLQ_RETURN_IF_FAILED(checkChannels(given[index], input->shape, training && index > 2));
        }
        const Argument wanted[] = {{"gradInput", mask[0] ? gradInput : nullptr},
                                   {"gradWeight", mask[1] ? gradWeight : nullptr},
                                   {"gradBias", mask[2] ? gradBias : nullptr}};
        if (mask[0]) {
            ACLQ_RETURN_IF_FAILED(checkTensor("gradInput", gradInput));
            ACLQ_RETURN_IF_FAILED(checkShape("gradInput", *gradInput, input->shape, "the shape of input"));
        }
        ACLQ_RETURN_IF_FAILED(checkChannels(wanted[1], input->shape, mask[1]));
        ACLQ_RETURN_IF_FAILED(checkChannels(wanted[2], input->shape, mask[2]));
        if (input->empty()) {
            return call.nothing();
        }
        return call.launch({{"gradOut", gradOut},
                            {"input", input},
                            given[0],
                            given[1],
                            given[2],
                            given[3],
                            given[4],
                            wanted[0],
                            wanted[1],
                            wanted[2]},
                           gradients(besideChannels(input->shape), training, eps));
    });
}
ACLQ_PHASE_2(aclnnBatchNormBackward)
