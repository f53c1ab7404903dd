// SPDX-License-Identifier: Apache-2.0
// Convolutions of one to three dimensions and their transposes: products of the weight with the windows as columns
// (gemm.h), in FLOAT, rounded once.
#include "aclnnop/aclnn_convolution.h"

#include "ops/everyday/call.h"
#include "ops/everyday/copy.h"
#include "ops/everyday/gemm.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

constexpr int kAxes = 3;

// One dimension of the image; those that are missing have size 1.
struct Axis {
    std::int64_t image = 1;    // of the side that windows are taken from: the input, or the result of a transpose
    std::int64_t kernel = 1;   // elements of a window
    std::int64_t windows = 1;  // how many
    std::int64_t stride = 1;
    std::int64_t padding = 0;
    std::int64_t dilation = 1;

    // Windows for which an element of the kernel lies inside of the image: [first, end).
    std::int64_t first(std::int64_t element) const {
        const std::int64_t before = padding - element * dilation;
        return before > 0 ? std::min((before + stride - 1) / stride, windows) : 0;
    }
    std::int64_t end(std::int64_t element) const {
        const std::int64_t room = image - 1 + padding - element * dilation;
        return room < 0 ? 0 : std::min(room / stride + 1, windows);
    }
    std::int64_t place(std::int64_t window, std::int64_t element) const {
        return window * stride - padding + element * dilation;
    }
};

struct Plan {
    Axis axes[kAxes];
    std::int64_t batches = 0;
    std::int64_t groups = 0;
    std::int64_t inputs = 0;   // channels of the input in a group
    std::int64_t outputs = 0;  // and of the result
    bool transposed = false;

    std::int64_t product(std::int64_t Axis::*member) const {
        return axes[0].*member * (axes[1].*member) * (axes[2].*member);
    }
};

// The elements of a tensor as floats one after the other: in place where they are.
class Floats {
  public:
    explicit Floats(const View& view) {
        if (view.dtype == ACL_FLOAT && contiguous(view)) {
            data_ = floatsOf(view);
            return;
        }
        copied_.resize(static_cast<std::size_t>(view.elements()));
        copy(view, contiguousLike(view, ACL_FLOAT, copied_.data()));
        data_ = copied_.data();
    }
    const float* data() const { return data_; }

  private:
    std::vector<float> copied_;
    const float* data_;
};

// The columns of windows are made, or spread, for as many rows of windows at a time as fit into a cache.
constexpr std::int64_t kColumns = 256 * 1024;

// Tensors: input, weight, output, bias (may be left out).
class Convolve : public Kernel {
  public:
    explicit Convolve(const Plan& plan) : plan_(plan) {}

    void run(const View* tensors, const KernelContext&) const override {
        const Floats input(tensors[0]);
        const Floats weight(tensors[1]);
        const View& out = tensors[2];
        const std::int64_t imageSize = plan_.product(&Axis::image);
        const std::int64_t windowCount = plan_.product(&Axis::windows);
        const std::int64_t inputSize = plan_.transposed ? windowCount : imageSize;
        const std::int64_t outputSize = plan_.transposed ? imageSize : windowCount;
        const bool direct =
            out.dtype == ACL_FLOAT && contiguous(out) && !overlaps(tensors[0], out) && !overlaps(tensors[1], out);
        std::vector<float> found(direct ? 0 : static_cast<std::size_t>(out.elements()));
        float* results = direct ? floatsOf(out) : found.data();
        const std::int64_t weightSize = plan_.inputs * plan_.outputs * plan_.product(&Axis::kernel);
        const auto each = [&](std::int64_t number) {
            const float* from = input.data() + number * plan_.inputs * inputSize;
            const float* factors = weight.data() + number % plan_.groups * weightSize;
            float* to = results + number * plan_.outputs * outputSize;
            if (plan_.transposed) {
                std::fill_n(to, plan_.outputs * outputSize, 0.0F);
                spread(from, factors, to);
            } else if (plan_.outputs == 1 && plan_.inputs == 1) {
                std::fill_n(to, outputSize, 0.0F);
                depthwise(from, factors, to);
            } else {
                gather(from, factors, to);
            }
        };
        const std::int64_t count = plan_.batches * plan_.groups;
        const std::int64_t work = std::max<std::int64_t>(1, windowCount * weightSize);
        parallelFor(count, std::max<std::int64_t>(1, 4 * kThreadGrain / work),
                    [&](std::int64_t begin, std::int64_t end) {
                        for (std::int64_t number = begin; number < end; ++number) {
                            each(number);
                        }
                    });
        if (tensors[3].present) {
            const Floats bias(tensors[3]);
            const std::int64_t channels = plan_.groups * plan_.outputs;
            for (std::int64_t channel = 0; channel < plan_.batches * channels; ++channel) {
                const float value = bias.data()[channel % channels];
                for (std::int64_t index = 0; index < outputSize; ++index) {
                    results[channel * outputSize + index] += value;
                }
            }
        }
        if (!direct) {
            copy(contiguousLike(out, ACL_FLOAT, results), out);
        }
    }

  private:
    static bool overlaps(const View& a, const View& b) {
        const auto range = [](const View& view) {
            const Extend extend = extendOf(view);
            const unsigned char* first = view.data + extend.first;
            return std::pair(first, first + extend.size);
        };
        const auto [firstA, endA] = range(a);
        const auto [firstB, endB] = range(b);
        return firstA < endB && firstB < endA;
    }

    // Rows of windows, numbered along the first two axes, and how many of them are taken together.
    std::int64_t windowRows() const { return plan_.axes[0].windows * plan_.axes[1].windows; }
    std::int64_t together(std::int64_t depth) const {
        const std::int64_t row = std::max<std::int64_t>(1, depth * plan_.axes[2].windows);
        return std::clamp<std::int64_t>(kColumns / row, 1, windowRows());
    }

    // Calls use(image, column, count) for the elements of a window's element number `element` in a row of windows:
    // `count` elements of the image from `image` on, a stride apart, belong to the windows from `column` on.
    template <class Use>
    void forRow(std::int64_t element, std::int64_t row, Use&& use) const {
        const Axis* axes = plan_.axes;
        const std::int64_t third = element % axes[2].kernel;
        const std::int64_t second = element / axes[2].kernel % axes[1].kernel;
        const std::int64_t first = element / axes[2].kernel / axes[1].kernel;
        const std::int64_t z = axes[0].place(row / axes[1].windows, first);
        const std::int64_t y = axes[1].place(row % axes[1].windows, second);
        const std::int64_t begin = axes[2].first(third);
        const std::int64_t end = axes[2].end(third);
        if (z >= 0 && z < axes[0].image && y >= 0 && y < axes[1].image && begin < end) {
            use((z * axes[1].image + y) * axes[2].image + axes[2].place(begin, third), begin, end - begin);
        }
    }

    void depthwise(const float* from, const float* factors, float* to) const {
        const std::int64_t step = plan_.axes[2].stride;
        for (std::int64_t element = 0; element < plan_.product(&Axis::kernel); ++element) {
            const float factor = factors[element];
            for (std::int64_t row = 0; row < windowRows(); ++row) {
                float* target = to + row * plan_.axes[2].windows;
                forRow(element, row, [&](std::int64_t image, std::int64_t column, std::int64_t count) {
                    for (std::int64_t index = 0; index < count; ++index) {
                        target[column + index] += factor * from[image + index * step];
                    }
                });
            }
        }
    }

    // The result is the weight times the windows as columns.
    void gather(const float* from, const float* factors, float* to) const {
        const std::int64_t kernel = plan_.product(&Axis::kernel);
        const std::int64_t depth = plan_.inputs * kernel;
        const std::int64_t wide = plan_.axes[2].windows;
        const std::int64_t imageSize = plan_.product(&Axis::image);
        const std::int64_t step = plan_.axes[2].stride;
        const std::int64_t most = together(depth);
        std::vector<float> columns(static_cast<std::size_t>(depth * most * wide));
        std::vector<float> part(static_cast<std::size_t>(plan_.outputs * most * wide));
        for (std::int64_t first = 0; first < windowRows(); first += most) {
            const std::int64_t rows = std::min(most, windowRows() - first);
            const std::int64_t width = rows * wide;
            std::fill(columns.begin(), columns.end(), 0.0F);
            for (std::int64_t line = 0; line < depth; ++line) {
                const float* plane = from + line / kernel * imageSize;
                for (std::int64_t row = 0; row < rows; ++row) {
                    float* target = columns.data() + line * width + row * wide;
                    forRow(line % kernel, first + row,
                           [&](std::int64_t image, std::int64_t column, std::int64_t count) {
                               for (std::int64_t index = 0; index < count; ++index) {
                                   target[column + index] = plane[image + index * step];
                               }
                           });
                }
            }
            multiply({factors, depth, 1}, {columns.data(), width, 1}, part.data(), plan_.outputs, width, depth);
            for (std::int64_t channel = 0; channel < plan_.outputs; ++channel) {
                std::copy_n(part.data() + channel * width, width, to + (channel * windowRows() + first) * wide);
            }
        }
    }

    // The transpose: each element of the input spreads its window over the result.
    void spread(const float* from, const float* factors, float* to) const {
        const std::int64_t kernel = plan_.product(&Axis::kernel);
        const std::int64_t lines = plan_.outputs * kernel;
        const std::int64_t wide = plan_.axes[2].windows;
        const std::int64_t imageSize = plan_.product(&Axis::image);
        const std::int64_t step = plan_.axes[2].stride;
        const std::int64_t most = together(lines);
        std::vector<float> columns(static_cast<std::size_t>(lines * most * wide));
        for (std::int64_t first = 0; first < windowRows(); first += most) {
            const std::int64_t rows = std::min(most, windowRows() - first);
            const std::int64_t width = rows * wide;
            multiply({factors, 1, lines}, {from + first * wide, windowRows() * wide, 1}, columns.data(), lines, width,
                     plan_.inputs);
            for (std::int64_t line = 0; line < lines; ++line) {
                float* plane = to + line / kernel * imageSize;
                for (std::int64_t row = 0; row < rows; ++row) {
                    const float* values = columns.data() + line * width + row * wide;
                    forRow(line % kernel, first + row,
                           [&](std::int64_t image, std::int64_t column, std::int64_t count) {
                               for (std::int64_t index = 0; index < count; ++index) {
                                   plane[image + index * step] += values[column + index];
                               }
                           });
                }
            }
        }
    }

    const Plan plan_;
};

// One number for each axis, from `low` on.
aclnnStatus readAxes(const char* name, const aclIntArray* array, std::int64_t axes, std::int64_t low,
                     std::vector<std::int64_t>& values) {
    ACLQ_RETURN_IF_FAILED(readArray(name, array, values));
    if (static_cast<std::int64_t>(values.size()) != axes) {
        return refuse(name, text("%zu numbers", values.size()),
                      text("%lld, one for each dimension of the image", static_cast<long long>(axes)));
    }
    for (const std::int64_t value : values) {
        if (value < low || value > std::numeric_limits<std::int32_t>::max()) {
            return refuse(name, std::to_string(value), text("%lld or more", static_cast<long long>(low)));
        }
    }
    return ACLNN_SUCCESS;
}

}  // namespace

aclnnStatus aclnnConvolutionGetWorkspaceSize(const aclTensor* input, const aclTensor* weight, const aclTensor* bias,
                                             const aclIntArray* stride, const aclIntArray* padding,
                                             const aclIntArray* dilation, bool transposed,
                                             const aclIntArray* outputPadding, const int64_t groups, aclTensor* output,
                                             int8_t cubeMathType, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnConvolution);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("input", input));
        ACLQ_RETURN_IF_FAILED(checkTensor("weight", weight));
        ACLQ_RETURN_IF_FAILED(checkTensor("output", output));
        const std::int64_t rank = input->shape.rank();
        const std::int64_t axes = rank - 2;
        ACLQ_RETURN_IF_FAILED(checkRank("input", *input, 3, 5));
        ACLQ_RETURN_IF_FAILED(checkRank("weight", *weight, rank, rank));
        std::vector<std::int64_t> steps;
        std::vector<std::int64_t> borders;
        std::vector<std::int64_t> spreads;
        std::vector<std::int64_t> more;
        ACLQ_RETURN_IF_FAILED(readAxes("stride", stride, axes, 1, steps));
        ACLQ_RETURN_IF_FAILED(readArray("padding", padding, borders));
        const bool bothSides = !transposed && axes < 3 && static_cast<std::int64_t>(borders.size()) == 2 * axes;
        ACLQ_RETURN_IF_FAILED(readAxes("padding", padding, bothSides ? 2 * axes : axes, 0, borders));
        ACLQ_RETURN_IF_FAILED(readAxes("dilation", dilation, axes, 1, spreads));
        ACLQ_RETURN_IF_FAILED(transposed ? readAxes("outputPadding", outputPadding, axes, 0, more)
                                         : readArray("outputPadding", outputPadding, more));
        if (cubeMathType < 0 || cubeMathType > 3) {
            return refuse("cubeMathType", std::to_string(cubeMathType), "0, 1, 2, 3");
        }
        const std::int64_t channels = input->shape[1];
        constexpr std::int64_t kMostGroups = 65535;
        if (groups < 1 || groups > kMostGroups || channels % groups != 0 || weight->shape[0] % groups != 0) {
            return refuse("groups", std::to_string(groups),
                          "1 to 65535, a divisor of the channels of input and the first dimension of weight");
        }
        Plan plan;
        plan.batches = input->shape[0];
        plan.groups = groups;
        plan.inputs = channels / groups;
        plan.outputs = transposed ? weight->shape[1] : weight->shape[0] / groups;
        plan.transposed = transposed;
        if (transposed ? weight->shape[0] != channels : weight->shape[1] != plan.inputs) {
            return refuse("weight", "shape " + weight->shape.text(),
                          text("%lld, from the %lld channels of input, as its %s dimension",
                               static_cast<long long>(transposed ? channels : plan.inputs),
                               static_cast<long long>(channels), transposed ? "first" : "second"));
        }
        Dims expected = input->shape;
        expected[1] = plan.outputs * groups;
        for (std::int64_t index = 0; index < axes; ++index) {
            const auto number = static_cast<std::size_t>(index);
            Axis& axis = plan.axes[kAxes - axes + index];
            const std::int64_t size = input->shape[2 + index];
            const std::int64_t after = bothSides ? borders[2 * number + 1] : borders[number];
            axis.kernel = weight->shape[2 + index];
            axis.stride = steps[number];
            axis.padding = bothSides ? borders[2 * number] : borders[number];
            axis.dilation = spreads[number];
            const std::int64_t reach = axis.dilation * (axis.kernel - 1) + 1;
            const std::int64_t room = size + axis.padding + after - reach;
            if (axis.kernel < 1 || (!transposed && room < 0)) {
                return refuse(
                    "weight", "shape " + weight->shape.text(),
                    "kernels of one element or more, not larger than input with its padding, " + input->shape.text());
            }
            const std::int64_t wanted = transposed ? (size - 1) * axis.stride - 2 * axis.padding + reach + more[number]
                                                   : room / axis.stride + 1;
            if (wanted < 1) {
                return refuse("padding", std::to_string(axis.padding), "less, so that the result has elements");
            }
            axis.image = transposed ? wanted : size;
            axis.windows = transposed ? size : wanted;
            expected[2 + index] = wanted;
        }
        ACLQ_RETURN_IF_FAILED(checkShape("output", *output, expected, "the shape of the result"));
        const aclDataType common = promote(input->dtype, weight->dtype);
        if (output->dtype != common) {
            return refuse("output", "dtype " + nameOf(output->dtype), nameOf(common) + ", as input and weight say");
        }
        if (bias != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkTensor("bias", bias));
            ACLQ_RETURN_IF_FAILED(checkShape("bias", *bias, Dims(&expected[1], 1), "the channels of output"));
        }
        return output->empty() ? call.nothing()
                               : call.launch({{"input", input}, {"weight", weight}, {"output", output}, {"bias", bias}},
                                             std::make_shared<Convolve>(plan));
    });
}
ACLQ_PHASE_2(aclnnConvolution)
