// SPDX-License-Identifier: Apache-2.0
// Statistics over several elements: variance, standard deviation, norms, normalisation, cumulative operators.
#include <cmath>
#include <optional>

#include "aclnnop/aclnn_add_rms_norm.h"
#include "aclnnop/aclnn_cummax.h"
#include "aclnnop/aclnn_cummin.h"
#include "aclnnop/aclnn_cumprod.h"
#include "aclnnop/aclnn_group_norm.h"
#include "aclnnop/aclnn_layer_norm.h"
#include "aclnnop/aclnn_layer_norm_backward.h"
#include "aclnnop/aclnn_linalg_vector_norm.h"
#include "aclnnop/aclnn_logsumexp.h"
#include "aclnnop/aclnn_norm.h"
#include "aclnnop/aclnn_rms_norm.h"
#include "aclnnop/aclnn_std.h"
#include "aclnnop/aclnn_std_mean_correction.h"
#include "aclnnop/aclnn_var.h"
#include "aclnnop/aclnn_var_mean.h"
#include "ops/everyday/along.h"
#include "ops/everyday/elementwise.h"
#include "ops/everyday/row_math.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

struct Moments {
    double mean = 0;
    double squares = 0;  // the sum of squared distances from the mean
};

Moments momentsOf(const Row<double>& row) {
    const auto n = static_cast<std::int64_t>(row.size());
    Moments found;
    found.mean = sum(row.data(), n) / static_cast<double>(n);
    found.squares = sumOfSquares(row.data(), n, found.mean);
    return found;
}

// One statistic for each kept position. Tensors: self, out.
template <class Figure>
aclnnStatus figure(const Call& call, const aclTensor* self, const char* name, const aclIntArray* dims, bool keep,
                   const aclTensor* out, Figure compute) {
    ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
    Mask gone = 0;
    ACLQ_RETURN_IF_FAILED(readDims(name, dims, self->shape.rank(), gone));
    ACLQ_RETURN_IF_FAILED(checkReduced("out", out, self->shape, gone, keep));
    if (out->empty()) {
        return call.nothing();
    }
    return call.launch({{"self", self}, {"out", out}}, forPlaces(gone, [=](const View* tensors) {
                           // Norm converts the elements to the type of the result first.
                           return [=, from = Split(tensors[0], gone, tensors[1].dtype)](std::int64_t place) {
                               put(tensors[1], place, compute(from.row<double>(place)));
                           };
                       }));
}

enum class Spread { Variance, Deviation };

auto spreadOf(Spread spread, std::int64_t correction) {
    return [=](const Row<double>& row) {
        const double divisor = std::max(0.0, static_cast<double>(row.size()) - static_cast<double>(correction));
        const double variance = momentsOf(row).squares / divisor;
        return spread == Spread::Deviation ? std::sqrt(variance) : variance;
    };
}

// The same with the mean. Tensors: self, variance or deviation, mean.
aclnnStatus spreadAndMean(const Call& call, Spread spread, const aclTensor* self, const aclIntArray* dims,
                          std::int64_t correction, bool keep, const char* name, const aclTensor* out,
                          const aclTensor* meanOut) {
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        Mask gone = 0;
        ACLQ_RETURN_IF_FAILED(readDims("dim", dims, self->shape.rank(), gone));
        ACLQ_RETURN_IF_FAILED(checkReduced(name, out, self->shape, gone, keep));
        ACLQ_RETURN_IF_FAILED(checkReduced("meanOut", meanOut, self->shape, gone, keep));
        if (out->empty()) {
            return call.nothing();
        }
        return call.launch(
            {{"self", self}, {name, out}, {"meanOut", meanOut}}, forPlaces(gone, [=](const View* tensors) {
                return [=, compute = spreadOf(spread, correction), from = Split(tensors[0], gone)](std::int64_t place) {
                    const Row<double> row = from.row<double>(place);
                    put(tensors[1], place, compute(row));
                    put(tensors[2], place, momentsOf(row).mean);
                };
            }));
    });
}

auto normOf(double order) {
    return [=](const Row<double>& row) {
        double sum = order == -HUGE_VAL ? HUGE_VAL : 0;
        for (double value : row) {
            value = std::fabs(value);
            if (value != value) {
                return value;
            }
            if (std::isinf(order)) {
                sum = order > 0 ? std::max(sum, value) : std::min(sum, value);
            } else if (order == 0) {
                sum += value != 0 ? 1 : 0;
            } else {
                sum += order == 1 ? value : (order == 2 ? value * value : std::pow(value, order));
            }
        }
        return std::isinf(order) || order == 0 || order == 1 ? sum
                                                             : (order == 2 ? std::sqrt(sum) : std::pow(sum, 1 / order));
    };
}

double logSumExp(const Row<double>& row) {
    const auto n = static_cast<std::int64_t>(row.size());
    const double shift = largest(row.data(), n);
    if (std::isinf(shift)) {
        return shift;
    }
    Row<double> powers = row;
    return shift + std::log(exponentials(powers.data(), n, shift));
}

}  // namespace

aclnnStatus aclnnStdGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, int64_t correction, bool keepdim,
                                     aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnStd);
    return call.prepare(
        [&] { return figure(call, self, "dim", dim, keepdim, out, spreadOf(Spread::Deviation, correction)); });
}
ACLQ_PHASE_2(aclnnStd)

aclnnStatus aclnnVarCorrectionGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, int64_t correction,
                                               bool keepdim, aclTensor* out, uint64_t* workspaceSize,
                                               aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnVarCorrection);
    return call.prepare(
        [&] { return figure(call, self, "dim", dim, keepdim, out, spreadOf(Spread::Variance, correction)); });
}
ACLQ_PHASE_2(aclnnVarCorrection)

aclnnStatus aclnnVarGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool unbiased, bool keepdim,
                                     aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnVar);
    return call.prepare(
        [&] { return figure(call, self, "dim", dim, keepdim, out, spreadOf(Spread::Variance, unbiased ? 1 : 0)); });
}
ACLQ_PHASE_2(aclnnVar)

aclnnStatus aclnnVarMeanGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, int64_t correction,
                                         bool keepdim, aclTensor* varOut, aclTensor* meanOut, uint64_t* workspaceSize,
                                         aclOpExecutor** executor) {
    return spreadAndMean(ACLQ_CALL(aclnnVarMean), Spread::Variance, self, dim, correction, keepdim, "varOut", varOut,
                         meanOut);
}
ACLQ_PHASE_2(aclnnVarMean)

aclnnStatus aclnnStdMeanCorrectionGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, int64_t correction,
                                                   bool keepdim, aclTensor* stdOut, aclTensor* meanOut,
                                                   uint64_t* workspaceSize, aclOpExecutor** executor) {
    return spreadAndMean(ACLQ_CALL(aclnnStdMeanCorrection), Spread::Deviation, self, dim, correction, keepdim, "stdOut",
                         stdOut, meanOut);
}
ACLQ_PHASE_2(aclnnStdMeanCorrection)

aclnnStatus aclnnLinalgVectorNormGetWorkspaceSize(const aclTensor* self, const aclScalar* ord, const aclIntArray* dims,
                                                  bool keepDims, aclDataType dtype, aclTensor* out,
                                                  uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLinalgVectorNorm);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("ord", ord));
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        ACLQ_RETURN_IF_FAILED(checkGivenDims("dims", dims));
        return figure(call, self, "dims", dims, keepDims, out, normOf(real(*ord)));
    });
}
ACLQ_PHASE_2(aclnnLinalgVectorNorm)

aclnnStatus aclnnNormGetWorkspaceSize(const aclTensor* self, const aclScalar* pScalar, const aclIntArray* dim,
                                      bool keepdim, aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnNorm);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkGivenDims("dim", dim));
        ACLQ_RETURN_IF_FAILED(checkScalar("pScalar", pScalar));
        return figure(call, self, "dim", dim, keepdim, out, normOf(real(*pScalar)));
    });
}
ACLQ_PHASE_2(aclnnNorm)

aclnnStatus aclnnLogSumExpGetWorkspaceSize(const aclTensor* self, const aclIntArray* dim, bool keepDim, aclTensor* out,
                                           uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLogSumExp);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkGivenDims("dim", dim));
        return figure(call, self, "dim", dim, keepDim, out, logSumExp);
    });
}
ACLQ_PHASE_2(aclnnLogSumExp)

aclnnStatus aclnnCumprodGetWorkspaceSize(const aclTensor* self, const aclScalar* dim, aclDataType dtype, aclTensor* out,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnCumprod);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("dim", dim));
        ACLQ_RETURN_IF_FAILED(checkSaid(dtype, out));
        std::int64_t dimension = integer(*dim);
        Mask along = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dimension, along));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        const auto kernel = inDomain(isFloating(dtype), [&]<class T>(T) {
            return turnRows<T>(along, [](Row<T>& row) {
                for (std::size_t index = 1; index < row.size(); ++index) {
                    row[index] = multiply(row[index], row[index - 1]);
                }
            });
        });
        return self->empty() ? call.nothing() : call.launch({{"self", self}, {"out", out}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnCumprod)

namespace {

// Tensors: self, values, indices. After a NaN, all results are NaN.
aclnnStatus runningExtreme(const Call& call, const aclTensor* self, std::int64_t dim, bool largest,
                           const aclTensor* values, const aclTensor* indices) {
    return call.prepare([&]() -> aclnnStatus {
        Mask along = 0;
        ACLQ_RETURN_IF_FAILED(oneDim(self, dim, along));
        ACLQ_RETURN_IF_FAILED(checkTensor("valuesOut", values));
        ACLQ_RETURN_IF_FAILED(checkTensor("indicesOut", indices));
        ACLQ_RETURN_IF_FAILED(checkShape("valuesOut", *values, self->shape, "the shape of self"));
        ACLQ_RETURN_IF_FAILED(checkShape("indicesOut", *indices, self->shape, "the shape of self"));
        const auto kernel = inDomain(isFloating(self->dtype), [&]<class T>(T) {
            return forPlaces(along, [=](const View* tensors) {
                return [=, from = Split(tensors[0], along), best = Split(tensors[1], along),
                        where = Split(tensors[2], along)](std::int64_t place) {
                    Row<T> row = from.row<T>(place);
                    std::vector<std::int64_t> numbers(row.size());
                    for (std::size_t index = 1; index < row.size(); ++index) {
                        const T before = row[index - 1];
                        const T value = row[index];
                        const bool better =
                            value != value || (before == before && (largest ? value >= before : value <= before));
                        row[index] = better ? value : before;
                        numbers[index] = better ? static_cast<std::int64_t>(index) : numbers[index - 1];
                    }
                    best.put(place, row);
                    where.put(place, numbers);
                };
            });
        });
        return self->empty() ? call.nothing()
                             : call.launch({{"self", self}, {"valuesOut", values}, {"indicesOut", indices}}, kernel);
    });
}

}  // namespace

aclnnStatus aclnnCummaxGetWorkspaceSize(const aclTensor* self, int64_t dim, aclTensor* valuesOut, aclTensor* indicesOut,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    return runningExtreme(ACLQ_CALL(aclnnCummax), self, dim, true, valuesOut, indicesOut);
}
ACLQ_PHASE_2(aclnnCummax)
aclnnStatus aclnnCumminGetWorkspaceSize(const aclTensor* self, int64_t dim, aclTensor* valuesOut, aclTensor* indicesOut,
                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    return runningExtreme(ACLQ_CALL(aclnnCummin), self, dim, false, valuesOut, indicesOut);
}
ACLQ_PHASE_2(aclnnCummin)

namespace {

// The last `count` dimensions of `shape`, as bits, if `given` has their sizes.
aclnnStatus lastDims(const char* argument, const Dims& given, const Dims& shape, Mask& last) {
    const std::int64_t ahead = shape.rank() - given.rank();
    last = 0;
    for (std::int64_t index = 0; index < given.rank(); ++index) {
        if (ahead < 0 || given[index] != shape[ahead + index]) {
            return refuse(argument, given.text(), "the last dimensions of " + shape.text());
        }
        last |= 1U << (ahead + index);
    }
    return given.rank() > 0 ? ACLNN_SUCCESS : refuse(argument, given.text(), "the last dimensions of " + shape.text());
}

// Weights are optional; they have the length of a row.
Row<double> factors(const View& view, std::size_t count, double otherwise) {
    return view.present ? Split(view, (1U << view.rank) - 1).row<double>(0) : Row<double>(count, otherwise);
}

aclnnStatus checkRow(const char* name, const aclTensor* tensor, const Dims& row, bool needed) {
    if (tensor == nullptr && !needed) {
        return ACLNN_SUCCESS;
    }
    ACLQ_RETURN_IF_FAILED(checkTensor(name, tensor));
    return checkShape(name, *tensor, row, "normalizedShape");
}

// Mean and 1 / standard deviation: one element for each row, in any shape.
aclnnStatus checkPerRow(const char* name, const aclTensor* tensor, std::int64_t rows, bool needed) {
    if (tensor == nullptr && !needed) {
        return ACLNN_SUCCESS;
    }
    ACLQ_RETURN_IF_FAILED(checkTensor(name, tensor));
    return tensor->elements() == rows ? ACLNN_SUCCESS
                                      : refuse(name, "shape " + tensor->shape.text(),
                                               text("%lld elements, one for each row", static_cast<long long>(rows)));
}

aclnnStatus readShape(const aclIntArray* normalizedShape, Dims& shape) {
    std::vector<std::int64_t> sizes;
    ACLQ_RETURN_IF_FAILED(readArray("normalizedShape", normalizedShape, sizes));
    if (sizes.size() > static_cast<std::size_t>(kMaxKernelRank)) {
        return refuse("normalizedShape", text("%zu numbers", sizes.size()), "at most 8");
    }
    shape = Dims(sizes.data(), sizes.size());
    return ACLNN_SUCCESS;
}

}  // namespace

aclnnStatus aclnnLayerNormGetWorkspaceSize(const aclTensor* input, const aclIntArray* normalizedShape,
                                           const aclTensor* weightOptional, const aclTensor* biasOptional, double eps,
                                           aclTensor* out, aclTensor* meanOutOptional, aclTensor* rstdOutOptional,
                                           uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLayerNorm);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("input", input));
        Dims shape;
        ACLQ_RETURN_IF_FAILED(readShape(normalizedShape, shape));
        Mask last = 0;
        ACLQ_RETURN_IF_FAILED(lastDims("normalizedShape", shape, input->shape, last));
        ACLQ_RETURN_IF_FAILED(checkRow("weightOptional", weightOptional, shape, false));
        ACLQ_RETURN_IF_FAILED(checkRow("biasOptional", biasOptional, shape, false));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, input->shape, "the shape of input"));
        if (input->empty()) {
            return call.nothing();
        }
        const std::int64_t rows = input->elements() / shape.elements();
        ACLQ_RETURN_IF_FAILED(checkPerRow("meanOutOptional", meanOutOptional, rows, false));
        ACLQ_RETURN_IF_FAILED(checkPerRow("rstdOutOptional", rstdOutOptional, rows, false));
        const auto kernel = forPlaces(last, [=](const View* tensors) {
            const auto count = static_cast<std::size_t>(shape.elements());
            return [=, from = Split(tensors[0], last), to = Split(tensors[3], last),
                    weight = factors(tensors[1], count, 1), bias = factors(tensors[2], count, 0)](std::int64_t place) {
                Row<double> row = from.row<double>(place);
                const Moments moments = momentsOf(row);
                const double scale = 1 / std::sqrt(moments.squares / static_cast<double>(row.size()) + eps);
                for (std::size_t index = 0; index < row.size(); ++index) {
                    row[index] = (row[index] - moments.mean) * scale * weight[index] + bias[index];
                }
                to.put(place, row);
                if (tensors[4].present) {
                    put(tensors[4], place, moments.mean);
                }
                if (tensors[5].present) {
                    put(tensors[5], place, scale);
                }
            };
        });
        return call.launch({{"input", input},
                            {"weightOptional", weightOptional},
                            {"biasOptional", biasOptional},
                            {"out", out},
                            {"meanOutOptional", meanOutOptional},
                            {"rstdOutOptional", rstdOutOptional}},
                           kernel);
    });
}
ACLQ_PHASE_2(aclnnLayerNorm)

aclnnStatus aclnnRmsNormGetWorkspaceSize(const aclTensor* x, const aclTensor* gamma, double epsilon, aclTensor* yOut,
                                         aclTensor* rstdOut, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRmsNorm);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("x", x));
        ACLQ_RETURN_IF_FAILED(checkTensor("gamma", gamma));
        Mask last = 0;
        ACLQ_RETURN_IF_FAILED(lastDims("gamma", gamma->shape, x->shape, last));
        ACLQ_RETURN_IF_FAILED(checkTensor("yOut", yOut));
        ACLQ_RETURN_IF_FAILED(checkShape("yOut", *yOut, x->shape, "the shape of x"));
        ACLQ_RETURN_IF_FAILED(checkTensor("rstdOut", rstdOut));
        if (x->empty()) {
            return call.nothing();
        }
        ACLQ_RETURN_IF_FAILED(checkPerRow("rstdOut", rstdOut, x->elements() / gamma->elements(), true));
        const auto kernel = forPlaces(last, [=](const View* tensors) {
            return [=, from = Split(tensors[0], last), to = Split(tensors[2], last),
                    weight = factors(tensors[1], 0, 1)](std::int64_t place) {
                Row<double> row = from.row<double>(place);
                double squares = 0;
                for (const double value : row) {
                    squares += value * value;
                }
                const double scale = 1 / std::sqrt(squares / static_cast<double>(row.size()) + epsilon);
                for (std::size_t index = 0; index < row.size(); ++index) {
                    row[index] = row[index] * scale * weight[index];
                }
                to.put(place, row);
                put(tensors[3], place, scale);
            };
        });
        return call.launch({{"x", x}, {"gamma", gamma}, {"yOut", yOut}, {"rstdOut", rstdOut}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnRmsNorm)

namespace {

// Which sum the bfloat16 kernels of AddRmsNorm normalise, the one that is stored or the one before it was rounded,
// depends on which of them suits the shape.
struct SumTaken {
    bool exactSquares = false;  // in the sum of squares
    bool exactRow = false;      // in the result

    SumTaken(aclDataType dtype, std::int64_t rows, std::int64_t length) {
        constexpr std::int64_t kWhole = 12288;  // longer rows are split
        constexpr std::int64_t kMerged = 2000;  // shorter ones are taken together, where there are many
        if (dtype != ACL_BF16) {
            return;
        }
        const std::int64_t padded = (length + 15) / 16 * 16;
        exactRow = length <= kWhole && rows > settings().soc->vectorCores && padded > kMerged;
        exactSquares = exactRow || length > kWhole;
    }
};

}  // namespace

aclnnStatus aclnnAddRmsNormGetWorkspaceSize(const aclTensor* x1, const aclTensor* x2, const aclTensor* gamma,
                                            double epsilon, const aclTensor* yOut, const aclTensor* rstdOut,
                                            const aclTensor* xOut, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnAddRmsNorm);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("x1", x1));
        ACLQ_RETURN_IF_FAILED(checkTensor("x2", x2));
        ACLQ_RETURN_IF_FAILED(checkTensor("gamma", gamma));
        ACLQ_RETURN_IF_FAILED(checkTensor("yOut", yOut));
        if (rstdOut != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkTensor("rstdOut", rstdOut));
            if (xOut == nullptr) {
                return failArgument(ACLNN_ERR_PARAM_NULLPTR, "xOut", "null", "a tensor, as rstdOut is given");
            }
        }
        ACLQ_RETURN_IF_FAILED(checkShape("x2", *x2, x1->shape, "the shape of x1"));
        Mask last = 0;
        ACLQ_RETURN_IF_FAILED(lastDims("gamma", gamma->shape, x1->shape, last));
        ACLQ_RETURN_IF_FAILED(checkShape("yOut", *yOut, x1->shape, "the shape of x1"));
        if (xOut != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkTensor("xOut", xOut));
            ACLQ_RETURN_IF_FAILED(checkShape("xOut", *xOut, x1->shape, "the shape of x1"));
        }
        if (x1->empty()) {
            return call.nothing();
        }
        const std::int64_t rows = x1->elements() / gamma->elements();
        ACLQ_RETURN_IF_FAILED(checkPerRow("rstdOut", rstdOut, rows, false));
        const auto kernel =
            forPlaces(last, [=, taken = SumTaken(x1->dtype, rows, gamma->elements())](const View* tensors) {
                return [=, left = Split(tensors[0], last), right = Split(tensors[1], last),
                        to = Split(tensors[3], last), sum = Split(tensors[5].present ? tensors[5] : tensors[3], last),
                        weight = factors(tensors[2], 0, 1)](std::int64_t place) {
                    const aclDataType dtype = tensors[0].dtype;
                    Row<double> row = left.row<double>(place);
                    const Row<double> other = right.row<double>(place);
                    std::vector<double> rounded(row.size());
                    double squares = 0;
                    for (std::size_t index = 0; index < row.size(); ++index) {
                        row[index] = roundTo(ACL_FLOAT, row[index] + other[index]);
                        rounded[index] = roundTo(dtype, row[index]);
                        const double value = taken.exactSquares ? row[index] : rounded[index];
                        squares += value * value;
                    }
                    if (tensors[5].present) {
                        sum.put(place, rounded);
                    }
                    const double scale =
                        roundTo(ACL_FLOAT, 1 / std::sqrt(squares / static_cast<double>(row.size()) + epsilon));
                    for (std::size_t index = 0; index < row.size(); ++index) {
                        const double value = taken.exactRow ? row[index] : rounded[index];
                        // The 16-bit types are rounded before the factor and behind it.
                        row[index] = roundTo(dtype, roundTo(ACL_FLOAT, value * scale)) * weight[index];
                    }
                    to.put(place, row);
                    if (tensors[4].present) {
                        put(tensors[4], place, scale);
                    }
                };
            });
        return call.launch(
            {{"x1", x1}, {"x2", x2}, {"gamma", gamma}, {"yOut", yOut}, {"rstdOut", rstdOut}, {"xOut", xOut}}, kernel);
    });
}
ACLQ_PHASE_2(aclnnAddRmsNorm)

namespace {

// Tensors: self, gamma, beta (may be left out), out, the means and 1 / deviation of each group.
class GroupNorm : public Kernel {
  public:
    GroupNorm(std::int64_t groups, double eps) : groups_(groups), eps_(eps) {}

    void run(const View* tensors, const KernelContext&) const override {
        const Mask image = ((1U << tensors[0].rank) - 1) & ~3U;
        const Split from(tensors[0], image);
        const Split to(tensors[3], image);
        const std::int64_t channels = tensors[0].shape[1];
        const std::int64_t size = channels / groups_;
        const Row<double> weight = factors(tensors[1], static_cast<std::size_t>(channels), 1);
        const Row<double> bias = factors(tensors[2], static_cast<std::size_t>(channels), 0);
        const std::int64_t all = tensors[0].shape[0] * groups_;
        const std::int64_t length = from.inner.elements();
        const auto count = static_cast<double>(size * length);
        parallelFor(all, grain(from), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t group = begin; group < end; ++group) {
                std::vector<Row<double>> rows;
                Moments moments;
                for (std::int64_t channel = 0; channel < size; ++channel) {
                    rows.push_back(from.row<double>(group * size + channel));
                    moments.mean += sum(rows.back().data(), length);
                }
                moments.mean /= count;
                for (const auto& row : rows) {
                    moments.squares += sumOfSquares(row.data(), length, moments.mean);
                }
                const double scale = 1 / std::sqrt(moments.squares / count + eps_);
                for (std::int64_t channel = 0; channel < size; ++channel) {
                    Row<double>& row = rows[static_cast<std::size_t>(channel)];
                    const auto number = static_cast<std::size_t>((group % groups_) * size + channel);
                    for (double& value : row) {
                        value = (value - moments.mean) * scale * weight[number] + bias[number];
                    }
                    to.put(group * size + channel, row);
                }
                put(tensors[4], group, moments.mean);
                put(tensors[5], group, scale);
            }
        });
    }

  private:
    const std::int64_t groups_;
    const double eps_;
};

}  // namespace

aclnnStatus aclnnGroupNormGetWorkspaceSize(const aclTensor* self, const aclTensor* gamma, const aclTensor* beta,
                                           int64_t N, int64_t C, int64_t HxW, int64_t group, double eps, aclTensor* out,
                                           aclTensor* meanOut, aclTensor* rstdOut, uint64_t* workspaceSize,
                                           aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnGroupNorm);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkTensor("meanOut", meanOut));
        ACLQ_RETURN_IF_FAILED(checkTensor("rstdOut", rstdOut));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 2, kMaxKernelRank));
        const Dims& shape = self->shape;
        const std::int64_t image = product(shape.data() + 2, shape.rank() - 2);
        for (const auto& [name, given, found] :
             {std::tuple("N", N, shape[0]), std::tuple("C", C, shape[1]), std::tuple("HxW", HxW, image)}) {
            if (given != found) {
                return refuse(
                    name, std::to_string(given),
                    text("%lld, from the shape of self, %s", static_cast<long long>(found), shape.text().c_str()));
            }
        }
        if (group <= 0 || C % group != 0) {
            return refuse("group", std::to_string(group), text("a divisor of C, %lld", static_cast<long long>(C)));
        }
        if (!(eps > 0)) {
            return refuse("eps", std::to_string(eps), "more than 0");
        }
        for (const Argument& factor : {Argument{"gamma", gamma}, Argument{"beta", beta}}) {
            if (factor) {
                ACLQ_RETURN_IF_FAILED(checkTensor(factor.name, factor.tensor));
                ACLQ_RETURN_IF_FAILED(checkShape(factor, Dims(&C, 1), "C"));
            }
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, shape, "the shape of self"));
        const std::int64_t perGroup[] = {N, group};
        ACLQ_RETURN_IF_FAILED(checkShape("meanOut", *meanOut, Dims(perGroup, 2), "N and group"));
        ACLQ_RETURN_IF_FAILED(checkShape("rstdOut", *rstdOut, Dims(perGroup, 2), "N and group"));
        if (self->empty()) {
            return call.nothing();
        }
        return call.launch({{"self", self},
                            {"gamma", gamma},
                            {"beta", beta},
                            {"out", out},
                            {"meanOut", meanOut},
                            {"rstdOut", rstdOut}},
                           std::make_shared<GroupNorm>(group, eps));
    });
}
ACLQ_PHASE_2(aclnnGroupNorm)

namespace {

// Tensors: gradOut, input, mean, rstd, weight, and the gradients of input, weight and bias; the last four are optional.
class LayerNormBackward : public Kernel {
  public:
    explicit LayerNormBackward(Mask last) : last_(last) {}

    void run(const View* tensors, const KernelContext&) const override {
        const Split slopes(tensors[0], last_);
        const Split from(tensors[1], last_);
        const Split to(tensors[5], last_);
        const Row<double> means = factors(tensors[2], 0, 0);
        const Row<double> scales = factors(tensors[3], 0, 0);
        const auto count = static_cast<std::size_t>(from.inner.elements());
        const Row<double> weight = factors(tensors[4], count, 1);
        std::vector<double> weightSlope(count);
        std::vector<double> biasSlope(count);
        for (std::int64_t place = 0; place < from.outer.elements(); ++place) {
            const Row<double> slope = slopes.row<double>(place);
            Row<double> row = from.row<double>(place);
            const double scale = scales[static_cast<std::size_t>(place)];
            double sum = 0;
            double products = 0;
            for (std::size_t index = 0; index < count; ++index) {
                row[index] = (row[index] - means[static_cast<std::size_t>(place)]) * scale;
                sum += slope[index] * weight[index];
                products += slope[index] * weight[index] * row[index];
                weightSlope[index] += slope[index] * row[index];
                biasSlope[index] += slope[index];
            }
            if (tensors[5].present) {
                for (std::size_t index = 0; index < count; ++index) {
                    row[index] = scale * (slope[index] * weight[index] -
                                          (sum + row[index] * products) / static_cast<double>(count));
                }
                to.put(place, row);
            }
        }
        for (const auto& [view, values] : {std::pair(&tensors[6], &weightSlope), std::pair(&tensors[7], &biasSlope)}) {
            if (view->present) {
                Split(*view, (1U << view->rank) - 1).put(0, *values);
            }
        }
    }

  private:
    const Mask last_;
};

}  // namespace

aclnnStatus aclnnLayerNormBackwardGetWorkspaceSize(const aclTensor* gradOut, const aclTensor* input,
                                                   const aclIntArray* normalizedShape, const aclTensor* mean,
                                                   const aclTensor* rstd, const aclTensor* weightOptional,
                                                   const aclTensor*, const aclBoolArray* outputMask,
                                                   aclTensor* gradInputOut, aclTensor* gradWeightOut,
                                                   aclTensor* gradBiasOut, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLayerNormBackward);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("gradOut", gradOut));
        ACLQ_RETURN_IF_FAILED(checkTensor("input", input));
        ACLQ_RETURN_IF_FAILED(checkShape("gradOut", *gradOut, input->shape, "the shape of input"));
        Dims shape;
        ACLQ_RETURN_IF_FAILED(readShape(normalizedShape, shape));
        Mask last = 0;
        ACLQ_RETURN_IF_FAILED(lastDims("normalizedShape", shape, input->shape, last));
        std::array<bool, 3> mask{};
        ACLQ_RETURN_IF_FAILED(readMask("outputMask", outputMask, "input, weight, bias", mask));
        if (input->empty()) {
            return call.nothing();
        }
        const std::int64_t rows = input->elements() / shape.elements();
        ACLQ_RETURN_IF_FAILED(checkPerRow("mean", mean, rows, true));
        ACLQ_RETURN_IF_FAILED(checkPerRow("rstd", rstd, rows, true));
        ACLQ_RETURN_IF_FAILED(checkRow("weightOptional", weightOptional, shape, false));
        const aclTensor* wanted[] = {mask[0] ? gradInputOut : nullptr, mask[1] ? gradWeightOut : nullptr,
                                     mask[2] ? gradBiasOut : nullptr};
        ACLQ_RETURN_IF_FAILED(checkRow("gradInputOut", wanted[0], input->shape, mask[0]));
        ACLQ_RETURN_IF_FAILED(checkRow("gradWeightOut", wanted[1], shape, mask[1]));
        ACLQ_RETURN_IF_FAILED(checkRow("gradBiasOut", wanted[2], shape, mask[2]));
        return call.launch({{"gradOut", gradOut},
                            {"input", input},
                            {"mean", mean},
                            {"rstd", rstd},
                            {"weightOptional", weightOptional},
                            {"gradInputOut", wanted[0]},
                            {"gradWeightOut", wanted[1]},
                            {"gradBiasOut", wanted[2]}},
                           std::make_shared<LayerNormBackward>(last));
    });
}
ACLQ_PHASE_2(aclnnLayerNormBackward)
