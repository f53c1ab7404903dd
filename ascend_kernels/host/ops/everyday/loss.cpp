// SPDX-License-Identifier: Apache-2.0
// Losses and their gradients, and the gradients of softmax and log-softmax.
#include <cmath>

#include "aclnnop/aclnn_binary_cross_entropy.h"
#include "aclnnop/aclnn_binary_cross_entropy_backward.h"
#include "aclnnop/aclnn_binary_cross_entropy_with_logits.h"
#include "aclnnop/aclnn_binary_cross_entropy_with_logits_backward.h"
#include "aclnnop/aclnn_kl_div.h"
#include "aclnnop/aclnn_kl_div_backward.h"
#include "aclnnop/aclnn_l1_loss.h"
#include "aclnnop/aclnn_l1_loss_backward.h"
#include "aclnnop/aclnn_logsoftmax_backward.h"
#include "aclnnop/aclnn_mse_loss.h"
#include "aclnnop/aclnn_mse_loss_backward.h"
#include "aclnnop/aclnn_nll_loss.h"
#include "aclnnop/aclnn_nll_loss_backward.h"
#include "aclnnop/aclnn_smooth_l1_loss.h"
#include "aclnnop/aclnn_smooth_l1_loss_backward.h"
#include "aclnnop/aclnn_soft_margin_loss.h"
#include "aclnnop/aclnn_soft_margin_loss_backward.h"
#include "aclnnop/aclnn_softmax_backward.h"
#include "aclnnop/aclnn_softmax_cross_entropy_with_logits.h"
#include "ops/everyday/along.h"
#include "ops/everyday/row_math.h"
#include "ops/everyday/together.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

enum Reduction : std::int64_t { kNone = 0, kMean = 1, kSum = 2 };

aclnnStatus checkReduction(std::int64_t reduction) {
    return reduction >= kNone && reduction <= kSum
               ? ACLNN_SUCCESS
               : refuse("reduction", std::to_string(reduction), "0 (none), 1 (mean), 2 (sum)");
}

// Tensors: the inputs, out: the sum of function(an element of each input), added up in order, over a divisor.
template <std::size_t inputs, class Function>
class Total : public Kernel {
  public:
    Total(const Dims& shape, double divisor, Function function) : divisor_(divisor), function_(std::move(function)) {
        shape_.rank = shape.rank();
        std::copy_n(shape.data(), shape_.rank, shape_.shape);
    }

    void run(const View* tensors, const KernelContext&) const override {
        View together[inputs + 1];
        std::copy_n(tensors, inputs, together);
        together[inputs] = shape_;
        const auto walk = walkTogether<inputs + 1>(together);
        std::vector<double> values[inputs];
        double sum = 0;
        for (std::int64_t row = 0; shape_.elements() > 0 && row < walk.rows(); ++row) {
            std::int64_t at[inputs + 1] = {};
            walk.locate(row, at);
            for (std::size_t input = 0; input < inputs; ++input) {
                values[input].resize(static_cast<std::size_t>(walk.length()));
                read(tensors[input], at[input], walk.step(input), walk.length(), values[input].data());
            }
            for (std::size_t index = 0; index < values[0].size(); ++index) {
                sum += of(values, index, std::make_index_sequence<inputs>());
            }
        }
        put(tensors[inputs], 0, sum / divisor_);
    }

  private:
    template <std::size_t... input>
    double of(const std::vector<double>* values, std::size_t index, std::index_sequence<input...>) const {
        return function_(values[input][index]...);
    }

    View shape_;
    const double divisor_;
    const Function function_;
};

double shareOf(std::int64_t reduction, std::int64_t elements) {
    return reduction == kMean ? 1 / static_cast<double>(elements) : 1;
}

// The inputs repeat to the shape of the first two; the last tensor is the result.
template <std::size_t count, class Function>
aclnnStatus lossOf(const Call& call, const Argument (&tensors)[count], std::int64_t reduction, Function function) {
    if (reduction == kNone) {
        return together(call, tensors, function);
    }
    constexpr std::size_t inputs = count - 1;
    Dims shape;
    for (std::size_t index = 0; index < count; ++index) {
        const Argument& one = tensors[index];
        ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
        if (index < inputs && !broadcast(shape, one->shape)) {
            return refuse(one, "shape " + one->shape.text(), "a shape that fits to " + shape.text());
        }
    }
    if (tensors[inputs].seenAs == nullptr) {
        ACLQ_RETURN_IF_FAILED(checkShape(tensors[inputs], Dims(), "one element"));
    }
    return call.launch({tensors, count},
                       std::make_shared<Total<inputs, Function>>(
                           shape, reduction == kMean ? static_cast<double>(shape.elements()) : 1, function));
}

template <class Function>
aclnnStatus loss(const Call& call, const aclTensor* self, const aclTensor* target, std::int64_t reduction,
                 const char* name, const aclTensor* out, Function function) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkReduction(reduction));
        return lossOf(call, {{"self", self}, {"target", target}, {name, out}}, reduction, function);
    });
}

// slope(self, target) is the gradient of one element.
template <class Slope>
aclnnStatus lossBackward(const Call& call, const char* gradName, const aclTensor* gradOutput, const aclTensor* self,
                         const aclTensor* target, std::int64_t reduction, const char* name, const aclTensor* out,
                         Slope slope) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkReduction(reduction));
        ACLQ_RETURN_IF_FAILED(checkTensor(name, out));
        const double share = shareOf(reduction, out->elements());
        return together(call, {{gradName, gradOutput}, {"self", self}, {"target", target}, {name, out}},
                        [=](double grad, double a, double b) { return grad * slope(a, b) * share; });
    });
}

double sign(double value) {
    return value > 0 ? 1 : (value < 0 ? -1 : value);
}

constexpr auto kSquare = [](double a, double b) { return (a - b) * (a - b); };
constexpr auto kSquareSlope = [](double a, double b) { return 2 * (a - b); };
constexpr auto kDistance = [](double a, double b) { return std::fabs(a - b); };
constexpr auto kDistanceSlope = [](double a, double b) { return sign(a - b); };

auto smooth(double beta) {
    return [=](double a, double b) {
        const double distance = std::fabs(a - b);
        return distance < beta ? distance * distance / (2 * beta) : distance - beta / 2;
    };
}
auto smoothSlope(double beta) {
    return [=](double a, double b) { return std::fabs(a - b) < beta ? (a - b) / beta : sign(a - b); };
}

}  // namespace

aclnnStatus aclnnMseLossGetWorkspaceSize(const aclTensor* self, const aclTensor* target, int64_t reduction,
                                         aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return loss(ACLQ_CALL(aclnnMseLoss), self, target, reduction, "out", out, kSquare);
}
ACLQ_PHASE_2(aclnnMseLoss)
aclnnStatus aclnnMseLossBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                 const aclTensor* target, int64_t reduction, aclTensor* out,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    return lossBackward(ACLQ_CALL(aclnnMseLossBackward), "gradOutput", gradOutput, self, target, reduction, "out", out,
                        kSquareSlope);
}
ACLQ_PHASE_2(aclnnMseLossBackward)

aclnnStatus aclnnL1LossGetWorkspaceSize(const aclTensor* self, const aclTensor* target, int64_t reduction,
                                        aclTensor* result, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return loss(ACLQ_CALL(aclnnL1Loss), self, target, reduction, "result", result, kDistance);
}
ACLQ_PHASE_2(aclnnL1Loss)
aclnnStatus aclnnL1LossBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                const aclTensor* target, int64_t reduction, aclTensor* gradInput,
                                                uint64_t* workspaceSize, aclOpExecutor** executor) {
    return lossBackward(ACLQ_CALL(aclnnL1LossBackward), "gradOutput", gradOutput, self, target, reduction, "gradInput",
                        gradInput, kDistanceSlope);
}
ACLQ_PHASE_2(aclnnL1LossBackward)

aclnnStatus aclnnSmoothL1LossGetWorkspaceSize(const aclTensor* self, const aclTensor* target, int64_t reduction,
                                              float beta, aclTensor* result, uint64_t* workspaceSize,
                                              aclOpExecutor** executor) {
    if (!(beta >= 0)) {
        const Call call = ACLQ_CALL(aclnnSmoothL1Loss);
        return call.prepare([&] { return refuse("beta", std::to_string(beta), "0 or more"); });
    }
    return loss(ACLQ_CALL(aclnnSmoothL1Loss), self, target, reduction, "result", result,
                smooth(static_cast<double>(beta)));
}
ACLQ_PHASE_2(aclnnSmoothL1Loss)
aclnnStatus aclnnSmoothL1LossBackwardGetWorkspaceSize(const aclTensor* gradOut, const aclTensor* self,
                                                      const aclTensor* target, int64_t reduction, float beta,
                                                      aclTensor* gradInput, uint64_t* workspaceSize,
                                                      aclOpExecutor** executor) {
    if (!(beta >= 0)) {
        const Call call = ACLQ_CALL(aclnnSmoothL1LossBackward);
        return call.prepare([&] { return refuse("beta", std::to_string(beta), "0 or more"); });
    }
    return lossBackward(ACLQ_CALL(aclnnSmoothL1LossBackward), "gradOut", gradOut, self, target, reduction, "gradInput",
                        gradInput, smoothSlope(static_cast<double>(beta)));
}
ACLQ_PHASE_2(aclnnSmoothL1LossBackward)

namespace {

// self: (rows, classes) or (classes,), target: (rows,) or (), weight: (classes,).
aclnnStatus checkClasses(const aclTensor* self, const aclTensor* target, const aclTensor* weight) {
    ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
    ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, 2));
    ACLQ_RETURN_IF_FAILED(checkTensor("target", target));
    ACLQ_RETURN_IF_FAILED(checkDtype("target", *target, {ACL_INT64, ACL_INT32, ACL_UINT8}));
    ACLQ_RETURN_IF_FAILED(checkTensor("weight", weight));
    const std::int64_t classes = self->shape.last();
    ACLQ_RETURN_IF_FAILED(checkShape("weight", *weight, Dims(&classes, 1), "the classes of self"));
    return checkShape("target", *target, Dims(self->shape.data(), static_cast<std::uint64_t>(self->shape.rank() - 1)),
                      "a class for each row of self");
}

// The class and weight of each row; the weight is 0 if the class is ignored or out of range.
struct Classes {
    Classes(const View& self, const View& target, const View& weight, std::int64_t ignored)
        : numbers(Split(target, (1U << target.rank) - 1).row<std::int64_t>(0)), weights(numbers.size()) {
        const Row<double> all = Split(weight, 1).row<double>(0);
        for (std::size_t row = 0; row < numbers.size(); ++row) {
            const bool counts =
                numbers[row] != ignored && numbers[row] >= 0 && numbers[row] < self.shape[self.rank - 1];
            weights[row] = counts ? all[static_cast<std::size_t>(numbers[row])] : 0;
            numbers[row] = counts ? numbers[row] : -1;
            total += weights[row];
        }
    }

    Row<std::int64_t> numbers;  // -1: none
    std::vector<double> weights;
    double total = 0;
};

// Tensors: self, target, weight, out, totalWeight.
class NegativeLikelihood : public Kernel {
  public:
    NegativeLikelihood(std::int64_t reduction, std::int64_t ignored) : reduction_(reduction), ignored_(ignored) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& self = tensors[0];
        const Classes classes(self, tensors[1], tensors[2], ignored_);
        double sum = 0;
        for (std::size_t row = 0; row < classes.numbers.size(); ++row) {
            const auto number = static_cast<std::int64_t>(row);
            double value = 0;
            if (classes.numbers[row] >= 0) {
                read(self, offsetOf(self, number * self.shape[self.rank - 1] + classes.numbers[row]), 1, 1, &value);
                value *= -classes.weights[row];
            }
            sum += value;
            if (reduction_ == kNone) {
                put(tensors[3], number, value);
            }
        }
        if (reduction_ != kNone) {
            put(tensors[3], 0, reduction_ == kMean ? sum / classes.total : sum);
        }
        put(tensors[4], 0, reduction_ == kNone ? 0 : classes.total);
    }

  private:
    const std::int64_t reduction_;
    const std::int64_t ignored_;
};

// Tensors: gradOutput, self, target, weight, totalWeight, out.
class NegativeLikelihoodBackward : public Kernel {
  public:
    NegativeLikelihoodBackward(std::int64_t reduction, std::int64_t ignored)
        : reduction_(reduction), ignored_(ignored) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& self = tensors[1];
        const Classes classes(self, tensors[2], tensors[3], ignored_);
        const std::int64_t count = self.shape[self.rank - 1];
        const Split out(tensors[5], 1U << (self.rank - 1));
        double total = 0;
        read(tensors[4], 0, 1, 1, &total);
        for (std::size_t row = 0; row < classes.numbers.size(); ++row) {
            Row<double> slopes(static_cast<std::size_t>(count), 0.0);
            if (classes.numbers[row] >= 0) {
                double grad = 0;
                read(tensors[0], reduction_ == kNone ? offsetOf(tensors[0], static_cast<std::int64_t>(row)) : 0, 1, 1,
                     &grad);
                slopes[static_cast<std::size_t>(classes.numbers[row])] =
                    -grad * classes.weights[row] / (reduction_ == kMean ? total : 1);
            }
            out.put(static_cast<std::int64_t>(row), slopes);
        }
    }

  private:
    const std::int64_t reduction_;
    const std::int64_t ignored_;
};

aclnnStatus checkOne(const char* name, const aclTensor* tensor) {
    ACLQ_RETURN_IF_FAILED(checkTensor(name, tensor));
    return tensor->elements() == 1 ? ACLNN_SUCCESS : refuse(name, "shape " + tensor->shape.text(), "one element");
}

}  // namespace

aclnnStatus aclnnNLLLossGetWorkspaceSize(const aclTensor* self, const aclTensor* target, const aclTensor* weight,
                                         int64_t reduction, int64_t ignoreIndex, aclTensor* out,
                                         aclTensor* totalWeightOut, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnNLLLoss);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkReduction(reduction));
        ACLQ_RETURN_IF_FAILED(checkClasses(self, target, weight));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(reduction == kNone ? checkShape("out", *out, target->shape, "the shape of target")
                                                 : checkOne("out", out));
        ACLQ_RETURN_IF_FAILED(checkOne("totalWeightOut", totalWeightOut));
        return call.launch(
            {{"self", self}, {"target", target}, {"weight", weight}, {"out", out}, {"totalWeightOut", totalWeightOut}},
            std::make_shared<NegativeLikelihood>(reduction, ignoreIndex));
    });
}
ACLQ_PHASE_2(aclnnNLLLoss)

aclnnStatus aclnnNLLLossBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                 const aclTensor* target, const aclTensor* weight, int64_t reduction,
                                                 int64_t ignoreIndex, const aclTensor* totalWeight, aclTensor* out,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnNLLLossBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkReduction(reduction));
        ACLQ_RETURN_IF_FAILED(checkClasses(self, target, weight));
        ACLQ_RETURN_IF_FAILED(checkTensor("gradOutput", gradOutput));
        ACLQ_RETURN_IF_FAILED(reduction == kNone
                                  ? checkShape("gradOutput", *gradOutput, target->shape, "the shape of target")
                                  : checkOne("gradOutput", gradOutput));
        ACLQ_RETURN_IF_FAILED(checkOne("totalWeight", totalWeight));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        if (out->empty()) {
            return call.nothing();
        }
        return call.launch({{"gradOutput", gradOutput},
                            {"self", self},
                            {"target", target},
                            {"weight", weight},
                            {"totalWeight", totalWeight},
                            {"out", out}},
                           std::make_shared<NegativeLikelihoodBackward>(reduction, ignoreIndex));
    });
}
ACLQ_PHASE_2(aclnnNLLLossBackward)

namespace {

// Tensors: gradOutput, output, gradInput. `turn` computes the gradients of a row from the gradients of its output and
// the output.
template <class Turn>
aclnnStatus rowGradient(const Call& call, const aclTensor* gradOutput, const aclTensor* output, std::int64_t dim,
                        const aclTensor* gradInput, Turn turn) {
    return call.prepare([&]() -> aclnnStatus {
        Mask along = 0;
        ACLQ_RETURN_IF_FAILED(checkTensor("output", output));
        ACLQ_RETURN_IF_FAILED(oneDim(gradOutput, dim, along));
        ACLQ_RETURN_IF_FAILED(checkShape("output", *output, gradOutput->shape, "the shape of gradOutput"));
        ACLQ_RETURN_IF_FAILED(checkTensor("gradInput", gradInput));
        ACLQ_RETURN_IF_FAILED(checkShape("gradInput", *gradInput, gradOutput->shape, "the shape of gradOutput"));
        if (gradInput->empty()) {
            return call.nothing();
        }
        return call.launch({{"gradOutput", gradOutput}, {"output", output}, {"gradInput", gradInput}},
                           forPlaces(along, [=](const View* tensors) {
                               return [grad = Split(tensors[0], along), result = Split(tensors[1], along),
                                       to = Split(tensors[2], along), turn](std::int64_t place) {
                                   Row<double> slopes = grad.row<double>(place);
                                   turn(slopes, result.row<double>(place));
                                   to.put(place, slopes);
                               };
                           }));
    });
}

}  // namespace

aclnnStatus aclnnSoftmaxBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* output, int64_t dim,
                                                 aclTensor* gradInput, uint64_t* workspaceSize,
                                                 aclOpExecutor** executor) {
    return rowGradient(ACLQ_CALL(aclnnSoftmaxBackward), gradOutput, output, dim, gradInput,
                       [](Row<double>& slopes, const Row<double>& result) {
                           double sum = 0;
                           for (std::size_t index = 0; index < slopes.size(); ++index) {
                               sum += slopes[index] * result[index];
                           }
                           for (std::size_t index = 0; index < slopes.size(); ++index) {
                               slopes[index] = (slopes[index] - sum) * result[index];
                           }
                       });
}
ACLQ_PHASE_2(aclnnSoftmaxBackward)

aclnnStatus aclnnLogSoftmaxBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* output, int64_t dim,
                                                    aclTensor* gradInput, uint64_t* workspaceSize,
                                                    aclOpExecutor** executor) {
    return rowGradient(ACLQ_CALL(aclnnLogSoftmaxBackward), gradOutput, output, dim, gradInput,
                       [](Row<double>& slopes, const Row<double>& result) {
                           double sum = 0;
                           for (const double slope : slopes) {
                               sum += slope;
                           }
                           for (std::size_t index = 0; index < slopes.size(); ++index) {
                               slopes[index] -= std::exp(result[index]) * sum;
                           }
                       });
}
ACLQ_PHASE_2(aclnnLogSoftmaxBackward)

aclnnStatus aclnnSoftmaxCrossEntropyWithLogitsGetWorkspaceSize(const aclTensor* features, aclTensor* labels,
                                                               aclTensor* loss, aclTensor* backprop,
                                                               uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnSoftmaxCrossEntropyWithLogits);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("features", features));
        ACLQ_RETURN_IF_FAILED(checkTensor("labels", labels));
        ACLQ_RETURN_IF_FAILED(checkTensor("loss", loss));
        ACLQ_RETURN_IF_FAILED(checkTensor("backprop", backprop));
        ACLQ_RETURN_IF_FAILED(checkRank("features", *features, 2, 2));
        ACLQ_RETURN_IF_FAILED(checkShape("labels", *labels, features->shape, "the shape of features"));
        ACLQ_RETURN_IF_FAILED(checkShape("loss", *loss, Dims(features->shape.data(), 1), "the rows of features"));
        ACLQ_RETURN_IF_FAILED(checkShape("backprop", *backprop, features->shape, "the shape of features"));
        if (features->empty()) {
            return call.nothing();
        }
        constexpr Mask kRows = 2;
        return call.launch({{"features", features}, {"labels", labels}, {"loss", loss}, {"backprop", backprop}},
                           forPlaces(kRows, [](const View* tensors) {
                               return [=, from = Split(tensors[0], kRows), target = Split(tensors[1], kRows),
                                       to = Split(tensors[3], kRows)](std::int64_t place) {
                                   Row<double> row = from.row<double>(place);
                                   const Row<double> label = target.row<double>(place);
                                   const auto n = static_cast<std::int64_t>(row.size());
                                   const double shift = largest(row.data(), n);
                                   Row<double> powers = row;
                                   const double all = exponentials(powers.data(), n, shift);
                                   const double logarithm = std::log(all);
                                   double total = 0;
                                   for (std::size_t index = 0; index < row.size(); ++index) {
                                       total += label[index] * (logarithm - (row[index] - shift));
                                       row[index] = powers[index] / all - label[index];
                                   }
                                   put(tensors[2], place, total);
                                   to.put(place, row);
                               };
                           }));
    });
}
ACLQ_PHASE_2(aclnnSoftmaxCrossEntropyWithLogits)
namespace {

// An optional factor: the tensor, or self in its place, whose elements are then not looked at.
struct Factor {
    Argument argument;
    bool given;
    double of(double value) const { return given ? value : 1; }
};
Factor factor(const char* name, const aclTensor* tensor, const aclTensor* self) {
    return tensor != nullptr ? Factor{{name, tensor}, true} : Factor{{"self", self}, false};
}

// The mean of kMeanOfRows divides by the size of dimension 0.
constexpr std::int64_t kMeanOfRows = 3;

}  // namespace

aclnnStatus aclnnSoftMarginLossGetWorkspaceSize(const aclTensor* self, const aclTensor* target, int64_t reduction,
                                                aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return loss(ACLQ_CALL(aclnnSoftMarginLoss), self, target, reduction, "out", out,
                [](double x, double y) { return softplus(-x * y); });
}
ACLQ_PHASE_2(aclnnSoftMarginLoss)
aclnnStatus aclnnSoftMarginLossBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                        const aclTensor* target, int64_t reduction, aclTensor* out,
                                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    return lossBackward(ACLQ_CALL(aclnnSoftMarginLossBackward), "gradOutput", gradOutput, self, target, reduction,
                        "out", out, [](double x, double y) { return -y * sigmoid(-x * y); });
}
ACLQ_PHASE_2(aclnnSoftMarginLossBackward)

aclnnStatus aclnnKlDivGetWorkspaceSize(const aclTensor* self, const aclTensor* target, int64_t reduction,
                                       bool logTarget, aclTensor* out, uint64_t* workspaceSize,
                                       aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnKlDiv);
    return call.prepare([&]() -> aclnnStatus {
        if (reduction < kNone || reduction > kMeanOfRows) {
            return refuse("reduction", std::to_string(reduction), "0 (none), 1 (mean), 2 (sum), 3 (mean of rows)");
        }
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        const bool rows = reduction == kMeanOfRows && self->shape.rank() > 0;
        const double share = rows ? 1 / static_cast<double>(self->shape[0]) : 1;
        return lossOf(call, {{"self", self}, {"target", target}, {"out", out}},
                      reduction == kMeanOfRows ? std::int64_t{kSum} : reduction, [=](double x, double y) {
                          const double one = logTarget ? std::exp(y) * (y - x) : (y > 0 ? y * (std::log(y) - x) : 0);
                          return (y != y ? y : one) * share;
                      });
    });
}
ACLQ_PHASE_2(aclnnKlDiv)
aclnnStatus aclnnKlDivBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                               const aclTensor* target, int64_t reduction, bool logTarget,
                                               aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnKlDivBackward);
    return call.prepare([&]() -> aclnnStatus {
        if (reduction < kNone || reduction > kMeanOfRows) {
            return refuse("reduction", std::to_string(reduction), "0 (none), 1 (mean), 2 (sum), 3 (mean of rows)");
        }
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const bool rows = reduction == kMeanOfRows && out->shape.rank() > 0;
        const double share = rows ? 1 / static_cast<double>(out->shape[0])
                                  : shareOf(reduction, std::max<std::int64_t>(1, out->elements()));
        return together(call, {{"gradOutput", gradOutput}, {"self", self}, {"target", target}, {"out", out}},
                        [=](double grad, double, double y) {
                            return -grad * (logTarget ? std::exp(y) : (y > 0 || y != y ? y : 0)) * share;
                        });
    });
}
ACLQ_PHASE_2(aclnnKlDivBackward)

aclnnStatus aclnnBinaryCrossEntropyGetWorkspaceSize(const aclTensor* self, const aclTensor* target,
                                                    const aclTensor* weight, int64_t reduction, aclTensor* out,
                                                    uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBinaryCrossEntropy);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkReduction(reduction));
        const Factor scale = factor("weight", weight, self);
        // Logarithms are at least -100, as in PyTorch.
        return lossOf(call, {{"self", self}, {"target", target}, scale.argument, {"out", out}}, reduction,
                      [=](double x, double y, double w) {
                          const double favour = std::max(std::log(x), -100.0);
                          const double against = std::max(std::log1p(-x), -100.0);
                          return -scale.of(w) * (y * favour + (1 - y) * against);
                      });
    });
}
ACLQ_PHASE_2(aclnnBinaryCrossEntropy)
aclnnStatus aclnnBinaryCrossEntropyBackwardGetWorkspaceSize(const aclTensor* gradOutput, const aclTensor* self,
                                                            const aclTensor* target, const aclTensor* weightOptional,
                                                            int64_t reduction, aclTensor* out, uint64_t* workspaceSize,
                                                            aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBinaryCrossEntropyBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkReduction(reduction));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const Factor scale = factor("weightOptional", weightOptional, self);
        const double share = shareOf(reduction, out->elements());
        return together(call,
                        {{"gradOutput", gradOutput}, {"self", self}, {"target", target}, scale.argument, {"out", out}},
                        [=](double grad, double x, double y, double w) {
                            return grad * scale.of(w) * share * (x - y) / std::max((1 - x) * x, 1e-12);
                        });
    });
}
ACLQ_PHASE_2(aclnnBinaryCrossEntropyBackward)

aclnnStatus aclnnBinaryCrossEntropyWithLogitsGetWorkspaceSize(const aclTensor* self, const aclTensor* target,
                                                              const aclTensor* weightOptional,
                                                              const aclTensor* posWeightOptional, int64_t reduction,
                                                              aclTensor* out, uint64_t* workspaceSize,
                                                              aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBinaryCrossEntropyWithLogits);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkReduction(reduction));
        const Factor scale = factor("weightOptional", weightOptional, self);
        const Factor positive = factor("posWeightOptional", posWeightOptional, self);
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        aclTensor number = *out;  // a sum may be one element with any number of dimensions
        Argument result{"out", out};
        if (reduction != kNone && out->elements() == 1) {
            number.shape = Dims();
            result.seenAs = &number;
        }
        return lossOf(call, {{"self", self}, {"target", target}, scale.argument, positive.argument, result}, reduction,
                      [=](double x, double y, double w, double p) {
                          return scale.of(w) * ((1 - y) * x + (1 + (positive.of(p) - 1) * y) * softplus(-x));
                      });
    });
}
ACLQ_PHASE_2(aclnnBinaryCrossEntropyWithLogits)
aclnnStatus aclnnBinaryCrossEntropyWithLogitsBackwardGetWorkspaceSize(
    const aclTensor* gradOutput, const aclTensor* self, const aclTensor* target, const aclTensor* weightOptional,
    const aclTensor* posWeightOptional, int64_t reduction, aclTensor* out, uint64_t* workspaceSize,
    aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBinaryCrossEntropyWithLogitsBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkReduction(reduction));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const Factor scale = factor("weightOptional", weightOptional, self);
        const Factor positive = factor("posWeightOptional", posWeightOptional, self);
        const double share = shareOf(reduction, out->elements());
        return together(call,
                        {{"gradOutput", gradOutput},
                         {"self", self},
                         {"target", target},
                         scale.argument,
                         positive.argument,
                         {"out", out}},
                        [=](double grad, double x, double y, double w, double p) {
                            const double weighted = positive.of(p) * y;
                            return grad * scale.of(w) * share * ((weighted + 1 - y) * sigmoid(x) - weighted);
                        });
    });
}
ACLQ_PHASE_2(aclnnBinaryCrossEntropyWithLogitsBackward)
