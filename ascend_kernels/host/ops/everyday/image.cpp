// SPDX-License-Identifier: Apache-2.0
// Windows that move over the last two dimensions: pooling, windows as columns; and images of another size.
#include <cmath>

#include "aclnnop/aclnn_adaptive_avg_pool2d.h"
#include "aclnnop/aclnn_avgpool2d.h"
#include "aclnnop/aclnn_im2col.h"
#include "aclnnop/aclnn_max_pool.h"
#include "aclnnop/aclnn_upsample_nearest_2d.h"
#include "ops/everyday/along.h"
#include "ops/everyday/pick.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// One number for each of the two dimensions, height and width.
struct Pair {
    std::int64_t of[2] = {};
};

// Reads one number (for both) or two, each at least `low`. `otherwise` stands for an empty array, where it may be
// empty.
aclnnStatus readPair(const char* name, const aclIntArray* array, std::int64_t low, const Pair* otherwise, Pair& pair) {
    std::vector<std::int64_t> values;
    ACLQ_RETURN_IF_FAILED(readArray(name, array, values));
    if (values.empty() && otherwise != nullptr) {
        pair = *otherwise;
        return ACLNN_SUCCESS;
    }
    if (values.empty() || values.size() > 2) {
        return refuse(name, text("%zu numbers", values.size()), otherwise != nullptr ? "0 to 2" : "1 or 2");
    }
    for (const std::int64_t value : values) {
        if (value < low || value > std::numeric_limits<std::int32_t>::max()) {
            return refuse(name, std::to_string(value), text("%lld or more", static_cast<long long>(low)));
        }
    }
    pair = {{values.front(), values.back()}};
    return ACLNN_SUCCESS;
}

// Windows along one dimension.
struct Windows {
    std::int64_t size;    // of the dimension
    std::int64_t kernel;  // elements of a window,
    std::int64_t spread;  // and the distance between them
    std::int64_t stride;
    std::int64_t before;  // padding
    std::int64_t after;

    std::int64_t first(std::int64_t window) const { return window * stride - before; }
    std::int64_t reach() const { return spread * (kernel - 1) + 1; }
    // How many there are; `ceil`: the last one may go beyond the padding, but not begin there.
    std::int64_t count(bool ceil) const {
        const std::int64_t room = size + before + after - reach();
        if (room < 0) {
            return 0;
        }
        std::int64_t windows = room / stride + 1;
        if (ceil && room % stride != 0 && windows * stride < size + before) {
            ++windows;
        }
        return windows;
    }
};

// Pooling: fold(plane, windows, row, column) gives an element of the result. Tensors: self, out.
template <class Fold>
aclnnStatus pool(const Call& call, const aclTensor* self, const Windows (&windows)[2], bool ceil, const aclTensor* out,
                 Fold fold) {
    const std::int64_t rank = self->shape.rank();
    Dims expected = self->shape;
    for (std::int64_t axis = 0; axis < 2; ++axis) {
        std::int64_t& size = expected[rank - 2 + axis];
        size = windows[axis].count(ceil);
        if (size == 0) {
            return refuse("self", "shape " + self->shape.text(), "at least as large as a window, padding included");
        }
    }
    ACLQ_RETURN_IF_FAILED(checkShape("out", *out, expected, "the windows of self"));
    if (out->empty()) {
        return call.nothing();
    }
    const Mask image = 3U << (rank - 2);
    return call.launch({{"self", self}, {"out", out}},
                       forPlaces(image, [=, high = windows[0], wide = windows[1]](const View* tensors) {
                           return
                               [=, from = Split(tensors[0], image), to = Split(tensors[1], image)](std::int64_t place) {
                                   const Row<double> plane = from.row<double>(place);
                                   const std::int64_t rows = to.inner.shape[0];
                                   const std::int64_t columns = to.inner.shape[1];
                                   std::vector<double> found;
                                   found.reserve(static_cast<std::size_t>(rows * columns));
                                   for (std::int64_t row = 0; row < rows; ++row) {
                                       for (std::int64_t column = 0; column < columns; ++column) {
                                           found.push_back(fold(plane, high, wide, row, column));
                                       }
                                   }
                                   to.put(place, found);
                               };
                       }));
}

// Calls use(value) for the elements of a window that lie inside of the plane.
template <class Use>
void forWindow(const Row<double>& plane, const Windows& high, const Windows& wide, std::int64_t row,
               std::int64_t column, Use&& use) {
    const std::int64_t left = std::max<std::int64_t>(wide.first(column), 0);
    const std::int64_t right = std::min(wide.first(column) + wide.kernel, wide.size);
    const std::int64_t bottom = std::min(high.first(row) + high.kernel, high.size);
    for (std::int64_t y = std::max<std::int64_t>(high.first(row), 0); y < bottom; ++y) {
        for (std::int64_t x = left; x < right; ++x) {
            use(plane[static_cast<std::size_t>(y * wide.size + x)]);
        }
    }
}

// Means of windows that share out a plane: the window `index` of `count` begins at size * index / count, rounded down,
// and ends before size * (index + 1) / count, rounded up.
std::vector<double> shares(const Split& from, const Split& to, std::int64_t place) {
    const Row<double> plane = from.row<double>(place);
    const auto window = [&](int axis, std::int64_t index) {
        const std::int64_t size = from.inner.shape[axis];
        const std::int64_t count = to.inner.shape[axis];
        return std::pair(size * index / count, (size * (index + 1) + count - 1) / count);
    };
    std::vector<double> found;
    for (std::int64_t row = 0; row < to.inner.shape[0]; ++row) {
        const auto [top, bottom] = window(0, row);
        for (std::int64_t column = 0; column < to.inner.shape[1]; ++column) {
            const auto [left, right] = window(1, column);
            double sum = 0;
            for (std::int64_t y = top; y < bottom; ++y) {
                for (std::int64_t x = left; x < right; ++x) {
                    sum += plane[static_cast<std::size_t>(y * from.inner.shape[1] + x)];
                }
            }
            found.push_back(sum / static_cast<double>((bottom - top) * (right - left)));
        }
    }
    return found;
}

}  // namespace

aclnnStatus aclnnAvgPool2dGetWorkspaceSize(const aclTensor* self, const aclIntArray* kernelSize,
                                           const aclIntArray* strides, const aclIntArray* paddings, const bool ceilMode,
                                           const bool countIncludePad, const int64_t divisorOverride,
                                           const int8_t cubeMathType, aclTensor* out, uint64_t* workspaceSize,
                                           aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnAvgPool2d);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        Pair kernel;
        Pair stride;
        Pair padding;
        ACLQ_RETURN_IF_FAILED(readPair("kernelSize", kernelSize, 1, nullptr, kernel));
        ACLQ_RETURN_IF_FAILED(readPair("strides", strides, 1, &kernel, stride));
        ACLQ_RETURN_IF_FAILED(readPair("paddings", paddings, 0, nullptr, padding));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 3, 4));
        for (int axis = 0; axis < 2; ++axis) {
            if (padding.of[axis] > kernel.of[axis] / 2) {
                return refuse("paddings", std::to_string(padding.of[axis]),
                              text("at most half of kernelSize, %lld", static_cast<long long>(kernel.of[axis] / 2)));
            }
        }
        if (cubeMathType < 0 || cubeMathType > 2) {
            return refuse("cubeMathType", std::to_string(cubeMathType), "0, 1, 2");
        }
        const std::int64_t rank = self->shape.rank();
        Windows windows[2];
        for (int axis = 0; axis < 2; ++axis) {
            windows[axis] = {
                self->shape[rank - 2 + axis], kernel.of[axis], 1, stride.of[axis], padding.of[axis], padding.of[axis]};
        }
        return pool(call, self, windows, ceilMode, out,
                    [=](const Row<double>& plane, const Windows& high, const Windows& wide, std::int64_t row,
                        std::int64_t column) {
                        double sum = 0;
                        std::int64_t count = 0;
                        forWindow(plane, high, wide, row, column, [&](double value) {
                            sum += value;
                            ++count;
                        });
                        if (countIncludePad) {  // but not what lies beyond the padding
                            count = 1;
                            for (const auto& [axis, window] : {std::pair(&high, row), std::pair(&wide, column)}) {
                                count *= std::min(axis->kernel, axis->size + axis->after - axis->first(window));
                            }
                        }
                        return sum / static_cast<double>(divisorOverride != 0 ? divisorOverride : count);
                    });
    });
}
ACLQ_PHASE_2(aclnnAvgPool2d)

aclnnStatus aclnnAdaptiveAvgPool2dGetWorkspaceSize(const aclTensor* self, const aclIntArray* outputSize, aclTensor* out,
                                                   uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnAdaptiveAvgPool2d);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        std::vector<std::int64_t> sizes;
        ACLQ_RETURN_IF_FAILED(readArray("outputSize", outputSize, sizes));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 3, 4));
        if (sizes.size() != 2) {
            return refuse("outputSize", text("%zu numbers", sizes.size()), "2 (height and width)");
        }
        const std::int64_t rank = self->shape.rank();
        Dims expected = self->shape;
        for (std::int64_t axis = 0; axis < 2; ++axis) {
            const std::int64_t size = sizes[static_cast<std::size_t>(axis)];
            if (size <= 0) {
                return refuse("outputSize", std::to_string(size), "more than 0");
            }
            if (self->shape[rank - 2 + axis] == 0) {
                return refuse("self", "shape " + self->shape.text(), "an image with elements");
            }
            expected[rank - 2 + axis] = size;
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, expected, "the shape of self with outputSize"));
        if (out->empty()) {
            return call.nothing();
        }
        const Mask image = 3U << (rank - 2);
        return call.launch({{"self", self}, {"out", out}}, forPlaces(image, [=](const View* tensors) {
                               return [from = Split(tensors[0], image), to = Split(tensors[1], image)](
                                          std::int64_t place) { to.put(place, shares(from, to, place)); };
                           }));
    });
}
ACLQ_PHASE_2(aclnnAdaptiveAvgPool2d)

aclnnStatus aclnnMaxPoolGetWorkspaceSize(const aclTensor* self, const aclIntArray* kernelShape,
                                         const aclIntArray* strides, const int64_t autoPad, const aclIntArray* pads,
                                         const aclIntArray* dilations, const int64_t ceilMode, aclTensor* out,
                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnMaxPool);
    return call.prepare([&]() -> aclnnStatus {
        constexpr Pair kOne{{1, 1}};
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        Pair kernel;
        Pair stride;
        Pair dilation;
        ACLQ_RETURN_IF_FAILED(readPair("kernelShape", kernelShape, 1, nullptr, kernel));
        ACLQ_RETURN_IF_FAILED(readPair("strides", strides, 1, &kOne, stride));
        std::vector<std::int64_t> border;
        ACLQ_RETURN_IF_FAILED(readArray("pads", pads, border));
        ACLQ_RETURN_IF_FAILED(readPair("dilations", dilations, 1, &kOne, dilation));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 3, 4));
        if (autoPad != 0) {
            return refuse("autoPad", std::to_string(autoPad), "0 (pads says how)");
        }
        if (dilation.of[0] != 1 || dilation.of[1] != 1) {
            return refuse(
                "dilations",
                text("%lld and %lld", static_cast<long long>(dilation.of[0]), static_cast<long long>(dilation.of[1])),
                "1");
        }
        if (ceilMode != 0 && ceilMode != 1) {
            return refuse("ceilMode", std::to_string(ceilMode), "0 (whole windows only), 1");
        }
        // Top, left, bottom, right.
        switch (border.size()) {
            case 0:
                border = {0, 0, 0, 0};
                break;
            case 1:
                border.resize(4, border[0]);
                break;
            case 2:
                border = {border[0], border[1], border[0], border[1]};
                break;
            case 4:
                break;
            default:
                return refuse("pads", text("%zu numbers", border.size()), "0, 1, 2 or 4");
        }
        const std::int64_t rank = self->shape.rank();
        Windows windows[2];
        for (std::size_t axis = 0; axis < 2; ++axis) {
            const std::int64_t before = border[axis];
            const std::int64_t after = border[axis + 2];
            if (before < 0 || after < 0 || before > kernel.of[axis] || after > kernel.of[axis] - before) {
                return refuse(
                    "pads", text("%lld and %lld", static_cast<long long>(before), static_cast<long long>(after)),
                    text("0 or more, together at most kernelShape, %lld", static_cast<long long>(kernel.of[axis])));
            }
            windows[axis] = {self->shape[rank - 2 + static_cast<std::int64_t>(axis)],
                             kernel.of[axis],
                             1,
                             stride.of[axis],
                             before,
                             after};
        }
        return pool(call, self, windows, ceilMode != 0, out,
                    [](const Row<double>& plane, const Windows& high, const Windows& wide, std::int64_t row,
                       std::int64_t column) {
                        double largest = -HUGE_VAL;
                        forWindow(plane, high, wide, row, column, [&](double value) {
                            largest = largest != largest || value <= largest ? largest : value;
                        });
                        return largest;
                    });
    });
}
ACLQ_PHASE_2(aclnnMaxPool)

aclnnStatus aclnnIm2colGetWorkspaceSize(const aclTensor* self, const aclIntArray* kernelSize,
                                        const aclIntArray* dilation, const aclIntArray* padding,
                                        const aclIntArray* stride, const aclTensor* out, uint64_t* workspaceSize,
                                        aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnIm2col);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        Pair values[4];
        int number = 0;
        for (const auto& [name, array, low] :
             {std::tuple("kernelSize", kernelSize, 1), std::tuple("dilation", dilation, 1),
              std::tuple("padding", padding, 0), std::tuple("stride", stride, 1)}) {
            std::vector<std::int64_t> given;
            ACLQ_RETURN_IF_FAILED(readArray(name, array, given));
            if (given.size() != 2) {
                return refuse(name, text("%zu numbers", given.size()), "2 (height and width)");
            }
            ACLQ_RETURN_IF_FAILED(readPair(name, array, low, nullptr, values[number++]));
        }
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 3, 4));
        const std::int64_t rank = self->shape.rank();
        Windows windows[2];
        for (int axis = 0; axis < 2; ++axis) {
            windows[axis] = {self->shape[rank - 2 + axis], values[0].of[axis], values[1].of[axis],
                             values[3].of[axis],           values[2].of[axis], values[2].of[axis]};
            if (windows[axis].count(false) == 0) {
                return refuse("self", "shape " + self->shape.text(), "at least as large as a window, padding included");
            }
        }
        const std::int64_t channels = self->shape[rank - 3];
        const std::int64_t sizes[] = {self->shape[0], channels * values[0].of[0] * values[0].of[1],
                                      windows[0].count(false) * windows[1].count(false)};
        const bool stacked = rank == 4;
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, Dims(sizes + (stacked ? 0 : 1), stacked ? 3 : 2),
                                         "elements of windows, and windows"));
        return launchPick(call, {}, self, out,
                          [=, high = windows[0], wide = windows[1], across = windows[1].count(false)](
                              const View* tensors, const std::int64_t* at) {
                              const View& from = tensors[0];
                              const std::int64_t* place = at + (stacked ? 1 : 0);
                              const std::int64_t column = place[0] % wide.kernel;
                              const std::int64_t row = place[0] / wide.kernel % high.kernel;
                              const std::int64_t channel = place[0] / wide.kernel / high.kernel;
                              const std::int64_t y = high.first(place[1] / across) + row * high.spread;
                              const std::int64_t x = wide.first(place[1] % across) + column * wide.spread;
                              if (y < 0 || y >= high.size || x < 0 || x >= wide.size) {
                                  return kNowhere;
                              }
                              const std::int64_t* step = from.strides + (stacked ? 1 : 0);
                              return (stacked ? at[0] * from.strides[0] : 0) + channel * step[0] + y * step[1] +
                                     x * step[2];
                          });
    });
}
ACLQ_PHASE_2(aclnnIm2col)

aclnnStatus aclnnUpsampleNearest2dGetWorkspaceSize(const aclTensor* self, const aclIntArray* outputSize, aclTensor* out,
                                                   uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnUpsampleNearest2d);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("self", self));
        std::vector<std::int64_t> sizes;
        ACLQ_RETURN_IF_FAILED(readArray("outputSize", outputSize, sizes));
        ACLQ_RETURN_IF_FAILED(checkTensor("out", out));
        ACLQ_RETURN_IF_FAILED(checkRank("self", *self, 4, 4));
        const std::int64_t first = self->format == ACL_FORMAT_NHWC ? 1 : 2;  // of the two dimensions of the image
        if (sizes.size() != 2) {
            return refuse("outputSize", text("%zu numbers", sizes.size()), "2 (height and width)");
        }
        Dims expected = self->shape;
        for (std::int64_t axis = 0; axis < 2; ++axis) {
            const std::int64_t size = sizes[static_cast<std::size_t>(axis)];
            if (size <= 0) {
                return refuse("outputSize", std::to_string(size), "more than 0");
            }
            if (self->shape[first + axis] == 0) {
                return refuse("self", "shape " + self->shape.text(), "an image with elements");
            }
            expected[first + axis] = size;
        }
        ACLQ_RETURN_IF_FAILED(checkShape("out", *out, expected, "the shape of self with outputSize"));
        if (out->empty()) {
            return call.nothing();
        }
        // Where the rows and columns come from.
        std::vector<std::int64_t> source[2];
        for (std::int64_t axis = 0; axis < 2; ++axis) {
            const std::int64_t size = self->shape[first + axis];
            const std::int64_t wanted = expected[first + axis];
            const float scale = static_cast<float>(size) / static_cast<float>(wanted);
            for (std::int64_t index = 0; index < wanted; ++index) {
                const float place = std::floor(static_cast<float>(index) * scale);
                source[axis].push_back(std::min(static_cast<std::int64_t>(place), size - 1));
            }
        }
        return launchPick(call, {}, self, out,
                          [=, rows = source[0], columns = source[1]](const View* tensors, const std::int64_t* at) {
                              std::int64_t place[4] = {at[0], at[1], at[2], at[3]};
                              place[first] = rows[static_cast<std::size_t>(at[first])];
                              place[first + 1] = columns[static_cast<std::size_t>(at[first + 1])];
                              return offsetAt(tensors[0], place);
                          });
    });
}
ACLQ_PHASE_2(aclnnUpsampleNearest2d)
