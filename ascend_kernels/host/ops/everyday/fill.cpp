// SPDX-License-Identifier: Apache-2.0
// Operators whose results come from no input tensor: constants, sequences, random numbers.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>

#include "aclnnop/aclnn_arange.h"
#include "aclnnop/aclnn_bernoulli.h"
#include "aclnnop/aclnn_dropout_do_mask.h"
#include "aclnnop/aclnn_dropout_gen_mask.h"
#include "aclnnop/aclnn_eye.h"
#include "aclnnop/aclnn_fill_scalar.h"
#include "aclnnop/aclnn_fill_tensor.h"
#include "aclnnop/aclnn_linspace.h"
#include "aclnnop/aclnn_multinomial.h"
#include "aclnnop/aclnn_normal.h"
#include "aclnnop/aclnn_normal_out.h"
#include "aclnnop/aclnn_ones.h"
#include "aclnnop/aclnn_random.h"
#include "aclnnop/aclnn_randperm.h"
#include "aclnnop/aclnn_range.h"
#include "aclnnop/aclnn_uniform.h"
#include "aclnnop/aclnn_zero.h"
#include "ops/everyday/along.h"
#include "ops/everyday/binary.h"
#include "ops/everyday/copy.h"
#include "ops/everyday/philox.h"
#include "ops/everyday/pick.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// Sets each element to function(i), where i counts the elements in logical order.
template <class Function>
class Generate : public Kernel {
  public:
    explicit Generate(Function function) : function_(std::move(function)) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[0];
        const std::int64_t length = out.rank > 0 ? out.shape[out.rank - 1] : 1;
        const std::int64_t step = out.rank > 0 ? out.strides[out.rank - 1] : 1;
        forPieces({out.elements() / length, length}, [&](Pieces pieces) {
            using Value = std::decay_t<decltype(function_(std::int64_t{}))>;
            std::vector<Value> values(static_cast<std::size_t>(std::min(length, kChunk)));
            while (pieces.next()) {
                const std::int64_t first = pieces.row() * length + pieces.first();
                for (std::int64_t i = 0; i < pieces.count(); ++i) {
                    values[static_cast<std::size_t>(i)] = function_(first + i);
                }
                write(out, offsetOf(out, first), step, pieces.count(), values.data());
            }
        });
    }

  private:
    const Function function_;
};

template <class Function>
aclnnStatus generate(const Call& call, const char* name, const aclTensor* out, Function function) {
    ACLQ_RETURN_IF_FAILED(checkTensor(name, out));
    return out->empty() ? call.nothing() : call.launch({{name, out}}, std::make_shared<Generate<Function>>(function));
}

aclnnStatus fill(const Call& call, const aclTensor* tensor, std::int64_t value) {
    return call.prepare([&] { return generate(call, "selfRef", tensor, [value](std::int64_t) { return value; }); });
}

}  // namespace

aclnnStatus aclnnInplaceZeroGetWorkspaceSize(aclTensor* selfRef, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return fill(ACLQ_CALL(aclnnInplaceZero), selfRef, 0);
}
ACLQ_PHASE_2(aclnnInplaceZero)

aclnnStatus aclnnInplaceOneGetWorkspaceSize(const aclTensor* selfRef, uint64_t* workspaceSize,
                                            aclOpExecutor** executor) {
    return fill(ACLQ_CALL(aclnnInplaceOne), selfRef, 1);
}
ACLQ_PHASE_2(aclnnInplaceOne)

aclnnStatus aclnnInplaceFillScalarGetWorkspaceSize(aclTensor* selfRef, const aclScalar* value, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceFillScalar);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("value", value));
        if (isComplex(value->dtype)) {
            return generate(call, "selfRef", selfRef, [number = complex(*value)](std::int64_t) { return number; });
        }
        if (isFloating(*value)) {
            return generate(call, "selfRef", selfRef, [number = real(*value)](std::int64_t) { return number; });
        }
        return generate(call, "selfRef", selfRef, [number = integer(*value)](std::int64_t) { return number; });
    });
}
ACLQ_PHASE_2(aclnnInplaceFillScalar)

aclnnStatus aclnnInplaceFillTensorGetWorkspaceSize(aclTensor* selfRef, const aclTensor* value, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceFillTensor);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        ACLQ_RETURN_IF_FAILED(checkTensor("value", value));
        if (value->elements() != 1) {
            return refuse("value", "shape " + value->shape.text(), "one element");
        }
        ACLQ_RETURN_IF_FAILED(checkRank("value", *value, 0, std::max<std::int64_t>(selfRef->shape.rank(), 1)));
        return selfRef->empty() ? call.nothing() : call.launch({{"value", value}, {"selfRef", selfRef}}, copyKernel());
    });
}
ACLQ_PHASE_2(aclnnInplaceFillTensor)

namespace {

// start, start + step, ...: as many as out has.
aclnnStatus sequence(const Call& call, const aclScalar* start, const aclScalar* end, const aclScalar* step,
                     const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkScalar("start", start));
    ACLQ_RETURN_IF_FAILED(checkScalar("end", end));
    ACLQ_RETURN_IF_FAILED(checkScalar("step", step));
    if (isFloating(*start) || isFloating(*step)) {
        return generate(call, "out", out, [first = real(*start), distance = real(*step)](std::int64_t index) {
            return first + distance * static_cast<double>(index);
        });
    }
    return generate(call, "out", out, [first = integer(*start), distance = integer(*step)](std::int64_t index) {
        return add(first, multiply(distance, index));
    });
}

}  // namespace

aclnnStatus aclnnArangeGetWorkspaceSize(const aclScalar* start, const aclScalar* end, const aclScalar* step,
                                        aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnArange);
    return call.prepare([&] { return sequence(call, start, end, step, out); });
}
ACLQ_PHASE_2(aclnnArange)

aclnnStatus aclnnRangeGetWorkspaceSize(const aclScalar* start, const aclScalar* end, const aclScalar* step,
                                       aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRange);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("start", start));
        ACLQ_RETURN_IF_FAILED(checkScalar("end", end));
        ACLQ_RETURN_IF_FAILED(checkScalar("step", step));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("out", *out, 1, kMaxKernelRank));
        // As the type of the result sees them.
        const bool whole = !isFloating(out->dtype);
        const auto seen = [whole](const aclScalar& scalar) {
            return whole ? static_cast<double>(integer(scalar)) : real(scalar);
        };
        const double distance = seen(*step);
        const double way = seen(*end) - seen(*start);
        if (distance == 0 || distance != distance) {
            return refuse("step", std::to_string(distance), "a number that is not 0");
        }
        if (distance > 0 ? way < 0 : way > 0) {
            return refuse("step", std::to_string(distance), "a step from start in the direction of end");
        }
        return sequence(call, start, end, step, out);
    });
}
ACLQ_PHASE_2(aclnnRange)

aclnnStatus aclnnLinspaceGetWorkspaceSize(const aclScalar* start, const aclScalar* end, int64_t steps, aclTensor* out,
                                          uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnLinspace);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkScalar("start", start));
        ACLQ_RETURN_IF_FAILED(checkScalar("end", end));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        if (steps != out->elements()) {
            return refuse("steps", std::to_string(steps),
                          text("%lld, the elements of out", static_cast<long long>(out->elements())));
        }
        const double first = real(*start);
        const double last = real(*end);
        const double distance = steps > 1 ? (last - first) / static_cast<double>(steps - 1) : 0;
        // Computed from the nearer end, so that both ends are exact.
        return generate(call, "out", out, [=](std::int64_t index) {
            return index < steps / 2 || steps == 1 ? first + distance * static_cast<double>(index)
                                                   : last - distance * static_cast<double>(steps - 1 - index);
        });
    });
}
ACLQ_PHASE_2(aclnnLinspace)

aclnnStatus aclnnEyeGetWorkspaceSize(int64_t n, int64_t m, aclTensor* out, uint64_t* workspaceSize,
                                     aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnEye);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        const std::int64_t sizes[] = {n, m};
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes, 2), "n rows and m columns"));
        return generate(call, "out", out,
                        [m](std::int64_t index) { return std::int64_t{index / m == index % m ? 1 : 0}; });
    });
}
ACLQ_PHASE_2(aclnnEye)

namespace {

// The number of this index of a standard normal distribution, by Box and Muller's way: two draws give two numbers; the
// logarithm's argument is not 0.
double standardNormal(const Philox& random, std::int64_t index) {
    const std::int64_t first = index / 2 * 2;
    const double radius = std::sqrt(-2 * std::log(1 - random.fraction(first)));
    const double angle = 2 * std::numbers::pi * random.fraction(first + 1);
    return radius * (index % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

// As many steps between 0 and 1 as the type tells apart: rounding must not reach the upper end.
double stepsOf(aclDataType dtype) {
    return dtype == ACL_BF16 ? 0x1p8 : (dtype == ACL_FLOAT16 ? 0x1p11 : (dtype == ACL_FLOAT ? 0x1p24 : 0x1p53));
}
double uniformNumber(const Philox& random, double steps, std::int64_t index) {
    const double drawn = steps > 0x1p32 ? random.longFraction(index) : random.fraction(index);
    return std::floor(drawn * steps) / steps;
}

// The stream of a seed and an offset that are tensors.
Philox streamOf(const View* tensors, std::int64_t further) {
    std::int64_t seed = 0;
    std::int64_t offset = 0;
    read(tensors[0], 0, 1, 1, &seed);
    read(tensors[1], 0, 1, 1, &offset);
    return {seed, add(offset, further)};
}

// make(random) gives what Generate takes. Seed and offset are read when the kernel runs, so that a captured graph draws
// new numbers in each replay. Tensors: seed, offset, the result.
template <class Make>
class GenerateLater : public Kernel {
  public:
    GenerateLater(std::int64_t further, Make make) : further_(further), make_(std::move(make)) {}

    void run(const View* tensors, const KernelContext& context) const override {
        const auto function = make_(streamOf(tensors, further_));
        Generate<std::decay_t<decltype(function)>>(function).run(tensors + 2, context);
    }

  private:
    const std::int64_t further_;
    const Make make_;
};

aclnnStatus checkStream(const aclTensor* seed, const aclTensor* offset) {
    for (const Argument& one : {Argument{"seedTensor", seed}, {"offsetTensor", offset}}) {
        ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
        if (one->elements() != 1) {
            return refuse(one, "shape " + one->shape.text(), "one element");
        }
    }
    return ACLNN_SUCCESS;
}

template <class Make>
aclnnStatus generateLater(const Call& call, const char* name, const aclTensor* out, const aclTensor* seed,
                          const aclTensor* offset, std::int64_t further, Make make) {
    ACLQ_RETURN_IF_FAILED(checkAllGiven({{name, out}, {"seedTensor", seed}, {"offsetTensor", offset}}));
    ACLQ_RETURN_IF_FAILED(checkTensor(name, out));
    ACLQ_RETURN_IF_FAILED(checkStream(seed, offset));
    return out->empty() ? call.nothing()
                        : call.launch({{"seedTensor", seed}, {"offsetTensor", offset}, {name, out}},
                                      std::make_shared<GenerateLater<Make>>(further, make));
}

aclnnStatus checkDeviation(double deviation) {
    return deviation >= 0 ? ACLNN_SUCCESS : refuse("std", std::to_string(deviation), "0 or more");
}
aclnnStatus checkOrder(const char* name, double low, double high) {
    return low <= high ? ACLNN_SUCCESS : refuse(name, std::to_string(high), "at least " + std::to_string(low));
}

auto normalOf(double mean, double deviation) {
    return [=](const Philox& random) {
        return [=](std::int64_t index) { return mean + deviation * standardNormal(random, index); };
    };
}
auto uniformOf(double low, double high, double steps) {
    return [=](const Philox& random) {
        return [=](std::int64_t index) { return low + (high - low) * uniformNumber(random, steps, index); };
    };
}
auto integersOf(std::int64_t low, std::int64_t high) {
    const auto count = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    return [=](const Philox& random) {
        return [=](std::int64_t index) {
            return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + random.pair(index) % count);
        };
    };
}

}  // namespace

aclnnStatus aclnnInplaceNormalTensorGetWorkspaceSize(const aclTensor* selfRef, float mean, float std,
                                                     const aclTensor* seedTensor, const aclTensor* offsetTensor,
                                                     int64_t offset, uint64_t* workspaceSize,
                                                     aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceNormalTensor);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkDeviation(static_cast<double>(std)));
        return generateLater(call, "selfRef", selfRef, seedTensor, offsetTensor, offset,
                             normalOf(static_cast<double>(mean), static_cast<double>(std)));
    });
}
ACLQ_PHASE_2(aclnnInplaceNormalTensor)

aclnnStatus aclnnInplaceUniformTensorGetWorkspaceSize(const aclTensor* selfRef, double from, double to,
                                                      const aclTensor* seedTensor, const aclTensor* offsetTensor,
                                                      uint64_t offset, uint64_t* workspaceSize,
                                                      aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceUniformTensor);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkOrder("to", from, to));
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        return generateLater(call, "selfRef", selfRef, seedTensor, offsetTensor, static_cast<std::int64_t>(offset),
                             uniformOf(from, to, stepsOf(selfRef->dtype)));
    });
}
ACLQ_PHASE_2(aclnnInplaceUniformTensor)

aclnnStatus aclnnInplaceRandomTensorGetWorkspaceSize(const aclTensor* selfRef, int64_t from, int64_t to,
                                                     const aclTensor* seedTensor, const aclTensor* offsetTensor,
                                                     int64_t offset, uint64_t* workspaceSize,
                                                     aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceRandomTensor);
    return call.prepare([&]() -> aclnnStatus {
        if (to <= from) {
            return refuse("to", std::to_string(to), text("more than from, %lld", static_cast<long long>(from)));
        }
        return generateLater(call, "selfRef", selfRef, seedTensor, offsetTensor, offset, integersOf(from, to));
    });
}
ACLQ_PHASE_2(aclnnInplaceRandomTensor)

aclnnStatus aclnnInplaceNormalGetWorkspaceSize(const aclTensor* selfRef, float mean, float std, int64_t seed,
                                               int64_t offset, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceNormal);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkDeviation(static_cast<double>(std)));
        return generate(call, "selfRef", selfRef,
                        normalOf(static_cast<double>(mean), static_cast<double>(std))(Philox(seed, offset)));
    });
}
ACLQ_PHASE_2(aclnnInplaceNormal)

aclnnStatus aclnnInplaceUniformGetWorkspaceSize(const aclTensor* selfRef, double low, double high, uint64_t seed,
                                                uint64_t offset, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceUniform);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkOrder("high", low, high));
        ACLQ_RETURN_IF_FAILED(checkTensor("selfRef", selfRef));
        return generate(call, "selfRef", selfRef, uniformOf(low, high, stepsOf(selfRef->dtype))(Philox(seed, offset)));
    });
}
ACLQ_PHASE_2(aclnnInplaceUniform)

aclnnStatus aclnnNormalFloatFloatGetWorkspaceSize(float mean, float std, int64_t seed, int64_t offset, aclTensor* out,
                                                  uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnNormalFloatFloat);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkDeviation(static_cast<double>(std)));
        return generate(call, "out", out,
                        normalOf(static_cast<double>(mean), static_cast<double>(std))(Philox(seed, offset)));
    });
}
ACLQ_PHASE_2(aclnnNormalFloatFloat)

namespace {

// Standard normal numbers, scaled and moved by numbers or by tensors that repeat to out. Tensors: mean and std as far
// as they are tensors, out.
class NormalAround : public Kernel {
  public:
    NormalAround(std::optional<double> mean, std::optional<double> deviation, const Philox& random)
        : mean_(mean), deviation_(deviation), random_(random) {}

    void run(const View* tensors, const KernelContext&) const override {
        const std::size_t inputs = (mean_ ? 0 : 1) + (deviation_ ? 0 : 1);
        const View& out = tensors[inputs];
        std::int64_t at[kMaxKernelRank] = {};
        for (std::int64_t index = 0; index < out.elements(); ++index) {
            countTo(out, index, at);
            const double mean = mean_ ? *mean_ : valueAt(tensors[0], out, at);
            const double deviation = deviation_ ? *deviation_ : valueAt(tensors[inputs - 1], out, at);
            const double value = mean + deviation * standardNormal(random_, index);
            write(out, offsetAt(out, at), 1, 1, &value);
        }
    }

  private:
    static double valueAt(const View& from, const View& out, const std::int64_t* at) {
        std::int64_t offset = 0;
        for (std::int64_t dimension = 0; dimension < out.rank; ++dimension) {
            offset += at[dimension] * strideAlong(from, out, dimension);
        }
        double value = 0;
        read(from, offset, 1, 1, &value);
        return value;
    }

    const std::optional<double> mean_;
    const std::optional<double> deviation_;
    const Philox random_;
};

aclnnStatus normalAround(const Call& call, std::initializer_list<Argument> inputs, std::optional<double> mean,
                         std::optional<double> deviation, std::int64_t seed, std::int64_t offset,
                         const aclTensor* out) {
    return call.prepare([&]() -> aclnnStatus {
        std::vector<Argument> arguments;
        Dims shape;
        for (const Argument& one : inputs) {
            ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
            if (!broadcast(shape, one->shape)) {
                return refuse(one, "shape " + one->shape.text(), "a shape that fits to " + shape.text());
            }
            arguments.push_back(one);
        }
        ACLQ_RETURN_IF_FAILED(checkDeviation(deviation.value_or(0)));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, shape, "the common shape of the inputs"));
        arguments.push_back({"out", out});
        return out->empty()
                   ? call.nothing()
                   : call.launch(arguments, std::make_shared<NormalAround>(mean, deviation, Philox(seed, offset)));
    });
}

}  // namespace

aclnnStatus aclnnNormalFloatTensorGetWorkspaceSize(float mean, const aclTensor* std, int64_t seed, int64_t offset,
                                                   aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return normalAround(ACLQ_CALL(aclnnNormalFloatTensor), {{"std", std}}, static_cast<double>(mean), std::nullopt,
                        seed, offset, out);
}
ACLQ_PHASE_2(aclnnNormalFloatTensor)
aclnnStatus aclnnNormalTensorFloatGetWorkspaceSize(const aclTensor* mean, float std, int64_t seed, int64_t offset,
                                                   aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    return normalAround(ACLQ_CALL(aclnnNormalTensorFloat), {{"mean", mean}}, std::nullopt, static_cast<double>(std),
                        seed, offset, out);
}
ACLQ_PHASE_2(aclnnNormalTensorFloat)
aclnnStatus aclnnNormalTensorTensorGetWorkspaceSize(const aclTensor* mean, const aclTensor* std, int64_t seed,
                                                    int64_t offset, aclTensor* out, uint64_t* workspaceSize,
                                                    aclOpExecutor** executor) {
    return normalAround(ACLQ_CALL(aclnnNormalTensorTensor), {{"mean", mean}, {"std", std}}, std::nullopt, std::nullopt,
                        seed, offset, out);
}
ACLQ_PHASE_2(aclnnNormalTensorTensor)

namespace {

// Draws from the rows of self, which are weights. Tensors: self (..., n), out (..., samples).
class Multinomial : public Kernel {
  public:
    Multinomial(bool replacement, const Philox& random) : replacement_(replacement), random_(random) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[1];
        const Split from(tensors[0], 1U << (tensors[0].rank - 1));
        const Split to(out, 1U << (out.rank - 1));
        const std::int64_t samples = out.shape[out.rank - 1];
        for (std::int64_t row = 0; row < from.outer.elements(); ++row) {
            Row<double> weights = from.row<double>(row);
            std::vector<std::int64_t> drawn;
            double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
            for (std::int64_t sample = 0; sample < samples; ++sample) {
                double rest = random_.longFraction(row * samples + sample) * sum;
                std::size_t found = 0;
                std::size_t last = 0;  // with a weight, should rounding lead beyond the end
                for (; found < weights.size(); ++found) {
                    last = weights[found] > 0 ? found : last;
                    if (rest < weights[found]) {
                        break;
                    }
                    rest -= weights[found];
                }
                found = found < weights.size() ? found : last;
                drawn.push_back(static_cast<std::int64_t>(found));
                if (!replacement_) {
                    weights[found] = 0;
                    sum = std::accumulate(weights.begin(), weights.end(), 0.0);
                }
            }
            to.put(row, drawn);
        }
    }

  private:
    const bool replacement_;
    const Philox random_;
};

// The same with the seed and the offset of the moment. Tensors: seed, offset, self, out.
class MultinomialLater : public Kernel {
  public:
    MultinomialLater(bool replacement, std::int64_t further) : replacement_(replacement), further_(further) {}

    void run(const View* tensors, const KernelContext& context) const override {
        Multinomial(replacement_, streamOf(tensors, further_)).run(tensors + 2, context);
    }

  private:
    const bool replacement_;
    const std::int64_t further_;
};

aclnnStatus checkDraws(const aclTensor* self, std::int64_t numsamples, bool replacement, const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
    ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
    ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 1, 2));
    if (numsamples < 1 || (!replacement && numsamples > self->shape.last())) {
        return refuse("numsamples", std::to_string(numsamples),
                      replacement ? std::string("1 or more")
                                  : text("1 to %lld, the columns of self", static_cast<long long>(self->shape.last())));
    }
    Dims expected = self->shape;
    expected[expected.rank() - 1] = numsamples;
    ACLQ_RETURN_IF_FAILED(checkShape("out", *out, expected, "numsamples for each row of self"));
    return self->shape.last() != 0 ? ACLNN_SUCCESS
                                   : refuse("self", "shape " + self->shape.text(), "rows with elements");
}

}  // namespace

aclnnStatus aclnnMultinomialGetWorkspaceSize(const aclTensor* self, int64_t numsamples, bool replacement, int64_t seed,
                                             int64_t offset, aclTensor* out, uint64_t* workspaceSize,
                                             aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnMultinomial);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkDraws(self, numsamples, replacement, out));
        return out->empty() ? call.nothing()
                            : call.launch({{"self", self}, {"out", out}},
                                          std::make_shared<Multinomial>(replacement, Philox(seed, offset)));
    });
}
ACLQ_PHASE_2(aclnnMultinomial)

aclnnStatus aclnnMultinomialTensorGetWorkspaceSize(const aclTensor* self, int64_t numsamples, bool replacement,
                                                   const aclTensor* seedTensor, const aclTensor* offsetTensor,
                                                   int64_t offset, aclTensor* out, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnMultinomialTensor);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkDraws(self, numsamples, replacement, out));
        ACLQ_RETURN_IF_FAILED(checkStream(seedTensor, offsetTensor));
        return out->empty()
                   ? call.nothing()
                   : call.launch(
                         {{"seedTensor", seedTensor}, {"offsetTensor", offsetTensor}, {"self", self}, {"out", out}},
                         std::make_shared<MultinomialLater>(replacement, offset));
    });
}
ACLQ_PHASE_2(aclnnMultinomialTensor)

aclnnStatus aclnnInplaceRandomGetWorkspaceSize(const aclTensor* selfRef, int64_t low, int64_t high, int64_t seed,
                                               int64_t offset, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceRandom);
    return call.prepare([&]() -> aclnnStatus {
        if (high <= low) {
            return refuse("high", std::to_string(high), text("more than low, %lld", static_cast<long long>(low)));
        }
        return generate(call, "selfRef", selfRef, integersOf(low, high)(Philox(seed, offset)));
    });
}
ACLQ_PHASE_2(aclnnInplaceRandom)

namespace {

// Tensors: prob, the result.
class Draws : public Kernel {
  public:
    Draws(std::int64_t seed, std::int64_t offset) : random_(seed, offset) {}
    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[1];
        for (std::int64_t index = 0; index < out.elements(); ++index) {
            std::int64_t at[kMaxKernelRank] = {};
            countTo(out, index, at);
            std::int64_t from = 0;
            for (std::int64_t dimension = 0; dimension < out.rank; ++dimension) {
                from += at[dimension] * strideAlong(tensors[0], out, dimension);
            }
            double limit = 0;
            read(tensors[0], from, 1, 1, &limit);
            const std::int64_t value = random_.fraction(index) < limit ? 1 : 0;
            write(out, offsetAt(out, at), 1, 1, &value);
        }
    }

  private:
    const Philox random_;
};

aclnnStatus drawWith(const Call& call, const aclScalar* prob, Philox random, const char* name, const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkScalar("prob", prob));
    const double limit = real(*prob);
    if (!(limit >= 0 && limit <= 1)) {
        return refuse("prob", std::to_string(limit), "0 to 1");
    }
    return generate(call, name, out,
                    [=](std::int64_t index) { return std::int64_t{random.fraction(index) < limit ? 1 : 0}; });
}

aclnnStatus drawWith(const Call& call, const aclTensor* prob, std::int64_t seed, std::int64_t offset, const char* name,
                     const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkTensor(name, out));
    ACLQ_RETURN_IF_FAILED(checkTensor("prob", prob));
    ACLQ_RETURN_IF_FAILED(checkBroadcast("prob", *prob, out->shape));
    return out->empty() ? call.nothing()
                        : call.launch({{"prob", prob}, {name, out}}, std::make_shared<Draws>(seed, offset));
}

// self gives the result its shape and type; its elements are not read.
aclnnStatus checkModel(const aclTensor* self, const aclTensor* out) {
    ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
    ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
    return checkShape("out", *out, self->shape, "the shape of self");
}

}  // namespace

aclnnStatus aclnnBernoulliGetWorkspaceSize(const aclTensor* self, const aclScalar* prob, int64_t seed, int64_t offset,
                                           aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBernoulli);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkModel(self, out));
        return drawWith(call, prob, Philox(seed, offset), "out", out);
    });
}
ACLQ_PHASE_2(aclnnBernoulli)

aclnnStatus aclnnBernoulliTensorGetWorkspaceSize(const aclTensor* self, const aclTensor* prob, int64_t seed,
                                                 int64_t offset, aclTensor* out, uint64_t* workspaceSize,
                                                 aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnBernoulliTensor);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkModel(self, out));
        return drawWith(call, prob, seed, offset, "out", out);
    });
}
ACLQ_PHASE_2(aclnnBernoulliTensor)

aclnnStatus aclnnInplaceBernoulliGetWorkspaceSize(const aclTensor* selfRef, const aclScalar* prob, int64_t seed,
                                                  int64_t offset, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceBernoulli);
    return call.prepare([&] { return drawWith(call, prob, Philox(seed, offset), "selfRef", selfRef); });
}
ACLQ_PHASE_2(aclnnInplaceBernoulli)

aclnnStatus aclnnInplaceBernoulliTensorGetWorkspaceSize(const aclTensor* selfRef, const aclTensor* prob, int64_t seed,
                                                        int64_t offset, uint64_t* workspaceSize,
                                                        aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnInplaceBernoulliTensor);
    return call.prepare([&] { return drawWith(call, prob, seed, offset, "selfRef", selfRef); });
}
ACLQ_PHASE_2(aclnnInplaceBernoulliTensor)

aclnnStatus aclnnRandpermGetWorkspaceSize(int64_t n, int64_t seed, int64_t offset, aclTensor* out,
                                          uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnRandperm);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(&n, 1), "n elements"));
        if (out->empty()) {
            return call.nothing();
        }
        std::vector<std::int64_t> numbers(static_cast<std::size_t>(n));
        std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
        const Philox random(seed, offset);
        for (std::int64_t index = n - 1; index > 0; --index) {
            const std::uint64_t other = random.pair(index) % static_cast<std::uint64_t>(index + 1);
            std::swap(numbers[static_cast<std::size_t>(index)], numbers[other]);
        }
        return generate(call, "out", out, [numbers = std::move(numbers)](std::int64_t index) {
            return numbers[static_cast<std::size_t>(index)];
        });
    });
}
ACLQ_PHASE_2(aclnnRandperm)

namespace {

// Bytes of a mask with one bit for each element, rounded up to a multiple of 16.
std::int64_t maskBytes(std::int64_t elements) {
    return (elements / 128 + (elements % 128 != 0 ? 1 : 0)) * 16;
}

aclnnStatus checkMask(const char* name, const aclTensor* mask, std::int64_t elements) {
    ACLQ_RETURN_IF_FAILED(checkTensor(name, mask));
    ACLQ_RETURN_IF_FAILED(checkDtype(name, *mask, {ACL_UINT8}));
    return mask->elements() >= maskBytes(elements)
               ? ACLNN_SUCCESS
               : refuse(name, "shape " + mask->shape.text(),
                        text("%lld bytes, a bit for each element", static_cast<long long>(maskBytes(elements))));
}

// An element stays with the probability 1 - prob, drawn as InplaceBernoulli draws it: the same seed gives the same mask
// in both ways of a dropout.
auto maskOf(const Philox& random, double prob) {
    return [=](std::int64_t byte) {
        std::int64_t bits = 0;
        for (std::int64_t bit = 0; bit < 8; ++bit) {
            bits |= (random.fraction(byte * 8 + bit) < 1 - prob ? std::int64_t{1} : 0) << bit;
        }
        return bits;
    };
}

aclnnStatus checkProbability(double prob) {
    return prob >= 0 && prob <= 1 ? ACLNN_SUCCESS : refuse("prob", std::to_string(prob), "0 to 1");
}

}  // namespace

aclnnStatus aclnnDropoutGenMaskV2GetWorkspaceSize(const aclIntArray* shape, double prob, int64_t seed, int64_t offset,
                                                  aclDataType, aclTensor* out, uint64_t* workspaceSize,
                                                  aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnDropoutGenMaskV2);
    return call.prepare([&]() -> aclnnStatus {
        std::vector<std::int64_t> sizes;
        ACLQ_RETURN_IF_FAILED(readArray("shape", shape, sizes));
        ACLQ_RETURN_IF_FAILED(checkProbability(prob));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(
            checkMask("out", out, Dims(sizes.data(), std::min<std::size_t>(sizes.size(), Dims::kMaxRank)).elements()));
        return generate(call, "out", out, maskOf(Philox(seed, offset), prob));
    });
}
ACLQ_PHASE_2(aclnnDropoutGenMaskV2)

aclnnStatus aclnnDropoutGenMaskV2TensorGetWorkspaceSize(const aclIntArray* shape, double prob,
                                                        const aclTensor* seedTensor, const aclTensor* offsetTensor,
                                                        int64_t offset, aclDataType, aclTensor* out,
                                                        uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnDropoutGenMaskV2Tensor);
    return call.prepare([&]() -> aclnnStatus {
        std::vector<std::int64_t> sizes;
        ACLQ_RETURN_IF_FAILED(readArray("shape", shape, sizes));
        ACLQ_RETURN_IF_FAILED(checkProbability(prob));
        ACLQ_RETURN_IF_FAILED(
            checkMask("out", out, Dims(sizes.data(), std::min<std::size_t>(sizes.size(), Dims::kMaxRank)).elements()));
        return generateLater(call, "out", out, seedTensor, offsetTensor, offset,
                             [=](const Philox& random) { return maskOf(random, prob); });
    });
}
ACLQ_PHASE_2(aclnnDropoutGenMaskV2Tensor)

aclnnStatus aclnnDropoutDoMaskGetWorkspaceSize(const aclTensor* self, const aclTensor* mask, double prob,
                                               aclTensor* out, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnDropoutDoMask);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        ACLQ_RETURN_IF_FAILED(checkProbability(prob));
        ACLQ_RETURN_IF_FAILED(checkMask("mask", mask, self->elements()));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, self->shape, "the shape of self"));
        // Tensors: self, mask, out.
        class Masked : public Kernel {
          public:
            explicit Masked(double prob) : scale_(1 / (1 - prob)) {}
            void run(const View* tensors, const KernelContext&) const override {
                for (std::int64_t index = 0; index < tensors[0].elements(); ++index) {
                    double value = 0;
                    std::int64_t bits = 0;
                    read(tensors[0], offsetOf(tensors[0], index), 1, 1, &value);
                    read(tensors[1], offsetOf(tensors[1], index / 8), 1, 1, &bits);
                    value = (bits >> (index % 8) & 1) != 0 ? value * scale_ : 0;
                    write(tensors[2], offsetOf(tensors[2], index), 1, 1, &value);
                }
            }

          private:
            const double scale_;
        };
        return self->empty()
                   ? call.nothing()
                   : call.launch({{"self", self}, {"mask", mask}, {"out", out}}, std::make_shared<Masked>(prob));
    });
}
ACLQ_PHASE_2(aclnnDropoutDoMask)
