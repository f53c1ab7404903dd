// SPDX-License-Identifier: Apache-2.0
#include "ops/dynamic_quant.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <vector>

#include "ops/rows/pieces.h"
#include "ops/rows/read.h"
#include "ops/rows/view.h"
#include "ops/rows/write.h"
#include "simd/numeric.h"

namespace aclq {
namespace {

using scalar::kEpsilon;
using scalar::Overflow;
using scalar::Parameters;
using scalar::toHalf;
using scalar::widen;

// On the inference series rows longer than this are quantised symmetrically, and no offset is written.
constexpr std::int64_t kLongRow = 4096;

// True if the kernels of mid-2026, which store largest * (1 / limit), run for these rows (8.1 has other kernels).
bool usesProduct(int version, bool grouped, bool smoothed, bool int8, std::int64_t rows, std::int64_t length) {
    if (version < 9 || grouped) {
        return false;
    }
    const bool singleRow = int8 && (length == 4096 || length == 5120 || length == 10240) && rows >= 4 && rows <= 384;
    const bool multiRow = length % 8 == 0 && length >= 128 && length <= (smoothed ? 12736 : 16320);
    const bool doubleBuffer = (length + 15) / 16 * 16 <= (smoothed ? 10272 : 15024);
    return singleRow || multiRow || doubleBuffer;
}

float roundToHalf(float value) {
    return widen(toHalf<Overflow::Saturate>(value));
}

// The inference series computes in half precision.
Parameters inferenceSeries(MinMax extent, bool isSymmetric) {
    if (isSymmetric) {
        const float largest = std::max(std::fabs(extent.low), std::fabs(extent.high));
        const float inverse = largest <= kEpsilon ? 0.0F : 127.0F / largest;
        return {largest * (1.0F / 127.0F), 0.0F, roundToHalf(inverse), 0.0F};
    }
    const float spread = extent.high - extent.low;
    const float inverse = spread <= kEpsilon ? 0.0F : 255.0F / spread;
    const float sum = extent.high + extent.low;
    const float scaled = -sum * inverse;
    const float offset = scaled * 0.5F;
    return {spread / 255.0F, offset, roundToHalf(inverse), roundToHalf(offset)};
}

void quantizeInferenceSeries(const float* values, const float* factor, const float* shift, std::int64_t step,
                             std::int64_t n, std::int8_t* y) {
    for (std::int64_t i = 0; i < n; ++i) {
        const float product = roundToHalf(values[i] * factor[i * step]);
        // A sum of halves may need more bits than a float has.
        const float sum = shift == nullptr ? product
                                           : widen(toHalf<Overflow::Saturate>(static_cast<double>(product) +
                                                                              static_cast<double>(shift[i * step])));
        y[i] = scalar::toInt8Away(sum);
    }
}

MinMax join(MinMax a, MinMax b) {
    if (a.low != a.low || b.low != b.low) {
        return {__builtin_nanf(""), __builtin_nanf("")};
    }
    return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

constexpr MinMax kNothing{__builtin_inff(), -__builtin_inff()};

// Which row of the smooth scales applies to which rows of x.
class Groups {
  public:
    // Consecutive rows, up to `end`. Group -1: rows of no group.
    struct Run {
        std::int64_t end;
        std::int64_t group;
    };

    // One group for all.
    explicit Groups(std::int64_t rows) : runs_{{rows, 0}} {}

    // Row r, counted from 1, belongs to the first group whose end is r or more; rows after the last end belong to no
    // group.
    Groups(const std::vector<std::int64_t>& ends, std::int64_t rows) {
        std::int64_t row = 0;
        const auto upTo = [&](std::int64_t end, std::int64_t group) {
            if (end > row) {
                runs_.push_back({end, group});
                row = end;
            }
        };
        for (std::size_t group = 0; group < ends.size(); ++group) {
            upTo(std::min(ends[group], rows), static_cast<std::int64_t>(group));
        }
        upTo(rows, -1);
    }

    const Run& of(std::int64_t row) const {
        return *std::upper_bound(runs_.begin(), runs_.end(), row,
                                 [](std::int64_t number, const Run& run) { return number < run.end; });
    }

  private:
    std::vector<Run> runs_;
};

using Views = DynamicQuantTensors<const View&>;

// Shared by all threads: the tensors, and the contents of the small ones.
struct Shared {
    Shared(const Views& tensors, const DynamicQuantAttributes& attributes, Family chip, int version)
        : x(tensors.x),
          y(tensors.y),
          scale(tensors.scale),
          offset(tensors.offset),
          symmetric(attributes.symmetric),
          mode(attributes.mode),
          family(chip),
          length(x.shape[x.rank - 1]),
          rows(x.elements() / length),
          channels(x.shape[x.rank - 2]),
          limits(limitsOf(y.dtype == ACL_INT8 ? Integers::Int8 : Integers::Int4)),
          groups(rows) {
        // The inference series checks smooth scales and groups, and ignores them.
        if (family == Family::A2) {
            smooth = readFloats(tensors.smooth);
        }
        const bool grouped = family == Family::A2 && tensors.groups.present;
        if (grouped) {
            groups = Groups(readIntegers(tensors.groups), rows);
        }
        scaleByProduct = mode == QuantMode::PerToken &&
                         usesProduct(version, grouped, !smooth.empty(), y.dtype == ACL_INT8, rows, length);
    }

    bool covered(std::int64_t row) const { return groups.of(row).group >= 0; }

    // Long rows of the inference series are always quantised symmetrically.
    bool symmetricRows() const { return symmetric || (family == Family::InferenceSeries && length > kLongRow); }

    Parameters derive(MinMax extent) const {
        if (family == Family::InferenceSeries) {
            return inferenceSeries(extent, symmetricRows());
        }
        return symmetric ? scalar::symmetric(extent, limits, scaleByProduct) : scalar::asymmetric(extent, limits);
    }

    void store(std::int64_t index, const Parameters& parameters) const {
        writeFloat(scale, index, parameters.scale);
        if (offset.present && symmetricRows() == symmetric) {
            writeFloat(offset, index, parameters.offset);
        }
    }

    const View& x;
    const View& y;
    const View& scale;
    const View& offset;
    const bool symmetric;
    const QuantMode mode;
    const Family family;
    const std::int64_t length;
    const std::int64_t rows;
    const std::int64_t channels;
    const Limits limits;
    bool scaleByProduct = false;
    Floats smooth;
    Groups groups;
};

void fillZeros(const IntegerOutput& to, std::int64_t n) {
    std::memset(to.to.data, 0, static_cast<std::size_t>(to.packed ? n / 2 : n));
}

// The work of one thread on a row of x at a time.
class Row {
  public:
    explicit Row(const Shared& shared) : s_(shared), reader_(shared.x), writer_(shared.y) {}

    void load(std::int64_t row) {
        row_ = row;
        data_ = reader_.read(offsetOf(s_.x, row * s_.length), s_.x.strides[s_.x.rank - 1], s_.length);
        factor_ = nullptr;
        step_ = 1;
        if (!s_.smooth.empty()) {
            factor_ = s_.smooth.data();
            if (s_.mode == QuantMode::PerChannel) {
                factor_ += row % s_.channels;
                step_ = 0;
            } else {
                factor_ += s_.groups.of(row).group * s_.length;
            }
        }
    }

    MinMax extent() const {
        MinMax extent{};
        kernels().minMaxOfRows(sourceOf(s_.x.dtype), data_, factor_, step_, 1, s_.length, &extent);
        return extent;
    }

    const std::vector<float>& values() {
        values_.resize(static_cast<std::size_t>(s_.length));
        kernels().smoothRow(sourceOf(s_.x.dtype), data_, factor_, step_, s_.length, values_.data());
        return values_;
    }

    // One set of parameters for the row (step 0), or one for each element, as arrays of factors and shifts.
    void write(const float* factor, const float* shift, std::int64_t step) {
        if (s_.family == Family::InferenceSeries) {
            values();
        }
        forChunks([&](std::int64_t first, std::int64_t n, const IntegerOutput& to) {
            const std::int64_t at = first * step;
            if (s_.family == Family::InferenceSeries) {
                quantizeInferenceSeries(values_.data() + first, factor + at, s_.symmetricRows() ? nullptr : shift + at,
                                        step, n, static_cast<std::int8_t*>(to.to.data));
                return;
            }
            const AffineRows affine{.smooth = factor_ == nullptr ? nullptr : factor_ + first * step_,
                                    .smoothStep = step_,
                                    .factor = factor + at,
                                    .shift = s_.symmetric ? nullptr : shift + at,
                                    .step = step,
                                    .rowStep = 0};
            const auto* from = static_cast<const std::uint16_t*>(data_) + first;
            kernels().quantizeAffine(affine, sourceOf(s_.x.dtype), from, 1, n, to);
        });
    }

    // Rows of no group are undefined on the chip; here they are zeros.
    void writeZeros(std::int64_t row) {
        row_ = row;
        forChunks([](std::int64_t, std::int64_t n, const IntegerOutput& to) { fillZeros(to, n); });
    }

  private:
    template <class Fill>
    void forChunks(Fill&& fill) {
        const std::int64_t last = s_.y.rank - 1;
        const std::int64_t step = writer_.logicalStride(last);
        const std::int64_t at = offsetOf(s_.y, row_ * s_.y.shape[last]) * (s_.y.dtype == ACL_INT32 ? 8 : 1);
        for (std::int64_t first = 0; first < s_.length; first += kChunk) {
            const std::int64_t n = std::min(kChunk, s_.length - first);
            fill(first, n, writer_.prepare(at, step, first, n));
            writer_.store(at, step, first, n);
        }
    }

    const Shared& s_;
    RowReader reader_;
    QuantizedWriter writer_;
    std::int64_t row_ = 0;
    const void* data_ = nullptr;
    const float* factor_ = nullptr;
    std::int64_t step_ = 1;
    std::vector<float> values_;
};

// Calls work(row, begin, end) for parts of a range of rows, in several threads if there are many elements.
template <class Work>
void forParts(const Shared& shared, std::int64_t begin, std::int64_t end, Work&& work) {
    parallelFor(end - begin, (kThreadGrain + shared.length - 1) / shared.length,
                [&](std::int64_t first, std::int64_t last) {
                    Row row(shared);
                    work(row, begin + first, begin + last);
                });
}

// Calls work(row, number) for each row of a range.
template <class Work>
void forRows(const Shared& shared, std::int64_t begin, std::int64_t end, Work&& work) {
    forParts(shared, begin, end, [&](Row& row, std::int64_t first, std::int64_t last) {
        for (std::int64_t number = first; number < last; ++number) {
            work(row, number);
        }
    });
}

// Whether all tensors are contiguous, so that one kernel reads and writes them in place.
bool dense(const Shared& shared) {
    const bool wholeBytes = shared.y.dtype != ACL_INT4 || (shared.y.offset % 2 == 0 && shared.length % 2 == 0);
    return shared.family == Family::A2 && wholeBytes && contiguous(shared.x) && contiguous(shared.y) &&
           contiguous(shared.scale) && (!shared.offset.present || contiguous(shared.offset));
}

void quantizeDense(const Shared& shared, std::int64_t begin, std::int64_t end) {
    const std::int64_t n = shared.length;
    QuantizedWriter writer(shared.y);
    for (std::int64_t row = begin; row < end;) {
        const auto [endOfGroup, group] = shared.groups.of(row);
        const std::int64_t count = std::min(end, endOfGroup) - row;
        const IntegerOutput to = writer.prepare(row * n, 1, 0, count * n);
        float* const scale = floatsOf(shared.scale) + row;
        float* const offset = shared.offset.present ? floatsOf(shared.offset) + row : nullptr;
        if (group >= 0) {
            const float* const smooth = shared.smooth.empty() ? nullptr : shared.smooth.data() + group * n;
            const unsigned char* const x = shared.x.data + (shared.x.offset + row * n) * 2;
            kernels().quantizeDynamic({smooth, shared.symmetric, shared.scaleByProduct, scale, offset},
                                      sourceOf(shared.x.dtype), x, count, n, to.to, to.packed);
        } else {
            fillZeros(to, count * n);
            std::fill_n(scale, count, 0.0F);
            std::fill_n(offset, offset != nullptr ? count : 0, 0.0F);
        }
        row += count;
    }
}

void perToken(const Shared& shared) {
    if (dense(shared)) {
        parallelFor(shared.rows, (kThreadGrain + shared.length - 1) / shared.length,
                    [&](std::int64_t first, std::int64_t last) { quantizeDense(shared, first, last); });
        return;
    }
    forRows(shared, 0, shared.rows, [&](Row& row, std::int64_t number) {
        if (!shared.covered(number)) {
            row.writeZeros(number);
            shared.store(number, Parameters{});
            return;
        }
        row.load(number);
        const Parameters parameters = shared.derive(row.extent());
        row.write(&parameters.factor, &parameters.shift, 0);
        shared.store(number, parameters);
    });
}

void perTensor(const Shared& shared) {
    MinMax extent = kNothing;
    std::mutex mutex;
    forParts(shared, 0, shared.rows, [&](Row& row, std::int64_t first, std::int64_t last) {
        MinMax part = kNothing;
        for (std::int64_t number = first; number < last; ++number) {
            if (shared.covered(number)) {
                row.load(number);
                part = join(part, row.extent());
            }
        }
        const std::lock_guard lock(mutex);
        extent = join(extent, part);
    });
    const Parameters parameters = shared.derive(extent);
    forRows(shared, 0, shared.rows, [&](Row& row, std::int64_t number) {
        if (!shared.covered(number)) {
            row.writeZeros(number);
            return;
        }
        row.load(number);
        row.write(&parameters.factor, &parameters.shift, 0);
    });
    shared.store(0, parameters);
}

// Channels are the elements of the last dimension; each block of second-last rows has its own parameters.
void perChannel(const Shared& shared) {
    const auto length = static_cast<std::size_t>(shared.length);
    std::vector<MinMax> extents(length);
    std::vector<float> factors(length);
    std::vector<float> shifts(length);
    std::mutex mutex;
    for (std::int64_t block = 0; block < shared.rows / shared.channels; ++block) {
        std::fill(extents.begin(), extents.end(), kNothing);
        forParts(shared, block * shared.channels, (block + 1) * shared.channels,
                 [&](Row& row, std::int64_t first, std::int64_t last) {
                     std::vector<MinMax> part(length, kNothing);
                     for (std::int64_t number = first; number < last; ++number) {
                         row.load(number);
                         const std::vector<float>& values = row.values();
                         for (std::size_t i = 0; i < length; ++i) {
                             part[i] = join(part[i], MinMax{values[i] + 0.0F, values[i] + 0.0F});
                         }
                     }
                     const std::lock_guard lock(mutex);
                     std::transform(part.begin(), part.end(), extents.begin(), extents.begin(), join);
                 });
        for (std::size_t i = 0; i < length; ++i) {
            const Parameters parameters = shared.derive(extents[i]);
            factors[i] = parameters.factor;
            shifts[i] = parameters.shift;
            shared.store(block * shared.length + static_cast<std::int64_t>(i), parameters);
        }
        forRows(shared, block * shared.channels, (block + 1) * shared.channels, [&](Row& each, std::int64_t number) {
            each.load(number);
            each.write(factors.data(), shifts.data(), 1);
        });
    }
}

class DynamicQuant : public KernelOf<DynamicQuantTensors> {
  public:
    DynamicQuant(const DynamicQuantAttributes& attributes, Family family, int version)
        : attributes_(attributes), family_(family), version_(version) {}

    void compute(const Views& tensors, const KernelContext&) const override {
        const Shared shared(tensors, attributes_, family_, version_);
        switch (attributes_.mode) {
            case QuantMode::PerToken:
                return perToken(shared);
            case QuantMode::PerTensor:
                return perTensor(shared);
            case QuantMode::PerChannel:
                return perChannel(shared);
        }
    }

  private:
    const DynamicQuantAttributes attributes_;
    const Family family_;
    const int version_;
};

}  // namespace

std::shared_ptr<const Kernel> makeDynamicQuant(const DynamicQuantAttributes& attributes, Family family, int version) {
    return std::make_shared<DynamicQuant>(attributes, family, version);
}

}  // namespace aclq
