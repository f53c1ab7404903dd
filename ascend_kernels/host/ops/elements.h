// SPDX-License-Identifier: Apache-2.0
// From tensors of any strides to rows of contiguous elements, and back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <new>
#include <vector>

#include "meta/executor.h"
#include "runtime/thread_pool.h"
#include "simd/kernels.h"

namespace aclq {

// Elements that row kernels are given at a time: buffers of so many stay in the nearest cache. A multiple of 8.
constexpr std::int64_t kChunk = 4096;
// Elements worth a thread of their own.
constexpr std::int64_t kThreadGrain = 64 * 1024;

// Results of so many bytes are written past the caches: they would push out more than would be read again.
constexpr std::int64_t kStreamed = 4 * 1024 * 1024;
// Rows that a strided tensor is read in together (RowReader).
constexpr std::int64_t kTileRows = 16;

// How rows are cut into pieces: parts of one row, or several whole ones.
struct Cut {
    std::int64_t rows;
    std::int64_t length;
    std::int64_t interleaved = 1;  // more: part 0 of each of so many rows, part 1 of each, ...
    std::int64_t chunk = kChunk;   // elements of a part
    std::int64_t inner = 1;        // rows of the last dimension but one: only they lie behind each other
    std::int64_t together = 1;     // whole rows of a piece
    bool dense = false;            // pieces that follow each other become one: partly written lines cost most

    std::int64_t parts() const { return (length + chunk - 1) / chunk; }
    std::int64_t groups() const { return (inner + together - 1) / together; }
    std::int64_t pieces() const { return rows / inner * groups() * parts(); }
};

// A range of pieces, one after the other.
class Pieces {
  public:
    Pieces(std::int64_t begin, std::int64_t end, const Cut& cut)
        : piece_(begin - 1), end_(end), cut_(cut), parts_(cut.parts()), groups_(cut.groups()) {}

    bool next() {
        if (++piece_ >= end_) {
            return false;
        }
        const std::int64_t before = row_;
        std::int64_t taken = 1;
        if (cut_.interleaved > 1) {
            const std::int64_t group = piece_ / (cut_.interleaved * parts_) * cut_.interleaved;
            const std::int64_t beside = std::min(cut_.interleaved, cut_.rows - group);
            const std::int64_t rest = piece_ - group * parts_;
            row_ = group + rest % beside;
            part_ = rest / beside;
        } else {
            const std::int64_t group = piece_ / parts_;
            const std::int64_t number = group % groups_;
            row_ = group / groups_ * cut_.inner + number * cut_.together;
            part_ = piece_ % parts_;
            if (cut_.dense) {
                taken = std::min(end_ - piece_, parts_ > 1 ? parts_ - part_ : groups_ - number);
            }
            rows_ = parts_ > 1 ? 1 : std::min(taken * cut_.together, cut_.inner - number * cut_.together);
        }
        count_ = std::min(taken * cut_.chunk, cut_.length - part_ * cut_.chunk);
        piece_ += taken - 1;
        newRow_ = row_ != before;
        return true;
    }
    bool newRow() const { return newRow_; }
    std::int64_t row() const { return row_; }
    // From that row on; more than one only if they are whole.
    std::int64_t rows() const { return rows_; }
    std::int64_t first() const { return part_ * cut_.chunk; }
    std::int64_t count() const { return count_; }

  private:
    std::int64_t piece_;
    const std::int64_t end_;
    const Cut& cut_;
    const std::int64_t parts_;
    const std::int64_t groups_;
    std::int64_t row_ = -1;
    std::int64_t rows_ = 1;
    std::int64_t part_ = 0;
    std::int64_t count_ = 0;
    bool newRow_ = true;
};

// Calls work(pieces) for all rows, in several threads if there are many elements.
template <class Work>
void forPieces(const Cut& cut, Work&& work) {
    // Threads take whole sets of interleaved pieces, so that no two of them read the same lines.
    const std::int64_t unit = cut.interleaved;
    const std::int64_t size = std::max<std::int64_t>(unit * cut.together * std::min(cut.length, cut.chunk), 1);
    const std::int64_t pieces = cut.pieces();
    parallelFor(
        (pieces + unit - 1) / unit, (kThreadGrain + size - 1) / size,
        [&](std::int64_t begin, std::int64_t end) { work(Pieces(begin * unit, std::min(end * unit, pieces), cut)); });
}

// Several tensors walked together: one shape, the strides of each. Dimensions that need no separate step are merged.
template <std::size_t count>
struct Walk {
    std::int64_t rank = 0;
    std::int64_t shape[kMaxKernelRank] = {};
    std::int64_t strides[count][kMaxKernelRank] = {};

    void addDimension(std::int64_t size, const std::int64_t (&steps)[count]) {
        if (size == 1) {
            return;
        }
        bool merges = rank > 0;
        for (std::size_t tensor = 0; tensor < count && merges; ++tensor) {
            merges = strides[tensor][rank - 1] == steps[tensor] * size;
        }
        if (merges) {
            size *= shape[--rank];
        }
        addApart(size, steps);
    }

    // Keeps the dimension apart even if it could be merged.
    void addApart(std::int64_t size, const std::int64_t (&steps)[count]) {
        shape[rank] = size;
        for (std::size_t tensor = 0; tensor < count; ++tensor) {
            strides[tensor][rank] = steps[tensor];
        }
        ++rank;
    }

    // Elements of a row (the last dimension), and how many rows there are.
    std::int64_t length() const { return rank > 0 ? shape[rank - 1] : 1; }
    std::int64_t step(std::size_t tensor) const { return rank > 0 ? strides[tensor][rank - 1] : 1; }
    std::int64_t rows() const {
        std::int64_t product = 1;
        for (std::int64_t index = 0; index + 1 < rank; ++index) {
            product *= shape[index];
        }
        return product;
    }

    // How to cut rows of so many elements for a tensor that is read and one that is written: large pieces where both
    // have all elements behind each other, else such as fit into buffers.
    Cut cut(std::int64_t length, bool dense, std::size_t read) const {
        const std::int64_t interleaved = rank > 1 && step(read) != 1 && strides[read][rank - 2] == 1 ? kTileRows : 1;
        const std::int64_t chunk = dense ? kThreadGrain : kChunk;
        const std::int64_t inner = dense && rank > 1 ? shape[rank - 2] : 1;
        return {rows(), length, interleaved, chunk, inner, std::clamp<std::int64_t>(chunk / length, 1, inner), dense};
    }
    // Whether the elements of a tensor's rows, so many and so far apart, lie behind each other, and those rows behind
    // each other.
    bool dense(std::size_t tensor, std::int64_t length, std::int64_t step) const {
        return step == 1 && (rank < 2 || strides[tensor][rank - 2] == length);
    }
    // How many rows from this one on lie side by side in an interleaved tensor.
    std::int64_t beside(std::int64_t row) const { return rank > 1 ? shape[rank - 2] - row % shape[rank - 2] : 1; }

    // Where a row begins in each tensor.
    void locate(std::int64_t row, std::int64_t (&offsets)[count]) const {
        for (std::int64_t& offset : offsets) {
            offset = 0;
        }
        for (std::int64_t index = rank - 1; index-- > 0;) {
            const std::int64_t position = row % shape[index];
            row /= shape[index];
            for (std::size_t tensor = 0; tensor < count; ++tensor) {
                offsets[tensor] += position * strides[tensor][index];
            }
        }
    }
};

// Reads rows of a tensor, giving a pointer to contiguous elements of its own type.
class RowReader {
  public:
    explicit RowReader(const View& view);
    // n elements from `offset` on, `step` apart (in elements, without the view's own offset). With `beside` rows lying
    // side by side, this one the first (their offsets follow each other), they are read together, line by line, and
    // kept for the next calls.
    const void* read(std::int64_t offset, std::int64_t step, std::int64_t n, std::int64_t beside = 1);

  private:
    const View& view_;
    const std::int64_t size_;
    std::vector<unsigned char> buffer_;
    // The rows in the buffer.
    std::int64_t offset_ = 0;
    std::int64_t step_ = 0;
    std::int64_t length_ = 0;
    std::int64_t rows_ = 0;
};

// Whether results go past the caches; at the end they become visible to all.
class Streamer {
  public:
    explicit Streamer(std::int64_t bytes) : active_(bytes >= kStreamed) {}
    ~Streamer() {
        if (active_) {
            kernels().finishStreaming();
        }
    }
    Streamer(const Streamer&) = delete;
    Streamer& operator=(const Streamer&) = delete;
    bool active() const { return active_; }

  private:
    const bool active_;
};

// Writes rows of elements of whole bytes; those of 8 only where they lie behind each other.
class RowWriter {
  public:
    explicit RowWriter(const View& view);
    // Where to put n elements; store() brings them to their place if that is elsewhere.
    void* prepare(std::int64_t offset, std::int64_t step, std::int64_t n);
    // The same for kernels that can stream.
    Output prepareOutput(std::int64_t offset, std::int64_t step, std::int64_t n);
    void store(std::int64_t offset, std::int64_t step, std::int64_t n);

  private:
    unsigned char* place(std::int64_t offset) const { return view_.data + (view_.offset + offset) * size_; }

    const View& view_;
    const std::int64_t size_;
    const Streamer streamer_;
    std::vector<unsigned char> buffer_;
    bool buffered_ = false;
};

// Writes int8 values into a tensor of INT8, INT4 or INT32 (eight int4 each). Positions count logical elements.
class QuantizedWriter {
  public:
    explicit QuantizedWriter(const View& view);

    // Strides in logical elements: those of the tensor, but an INT32's count eight per element.
    std::int64_t logicalStride(std::int64_t dimension) const;
    // False if rows must not be merged, because elements of a row do not lie at one distance.
    bool mergeable() const;

    // Where to put n values (a multiple of 8 for INT32) of the row that begins at `offset`, from its element `first`
    // on; store() brings them to their place if that is elsewhere.
    IntegerOutput prepare(std::int64_t offset, std::int64_t step, std::int64_t first, std::int64_t n);
    void store(std::int64_t offset, std::int64_t step, std::int64_t first, std::int64_t n);

  private:
    // Where the values lie behind each other in memory: their place; null: they do not.
    unsigned char* place(std::int64_t offset, std::int64_t step, std::int64_t first, std::int64_t n) const;

    const View& view_;
    const Streamer streamer_;
    std::vector<std::uint8_t> buffer_;
};

// Memory that begins where a line does, as kernels that read a line at a time like it. A little costs less to get than
// that is worth.
template <class T>
struct LineAllocator {
    using value_type = T;
    static constexpr std::align_val_t kLine{64};
    static constexpr std::size_t kLittle = 1024;  // elements
    LineAllocator() = default;
    template <class Other>
    LineAllocator(const LineAllocator<Other>&) {}
    T* allocate(std::size_t n) {
        return static_cast<T*>(n < kLittle ? ::operator new(n * sizeof(T)) : ::operator new(n * sizeof(T), kLine));
    }
    void deallocate(T* memory, std::size_t n) {
        n < kLittle ? ::operator delete(memory) : ::operator delete(memory, kLine);
    }
    bool operator==(const LineAllocator&) const = default;
};
using Floats = std::vector<float, LineAllocator<float>>;

// All elements in logical order, as floats.
Floats readFloats(const View& view);
std::vector<std::int64_t> readIntegers(const View& view);  // INT32
// Writes one float element, given its number in logical order.
void writeFloat(const View& view, std::int64_t index, float value);
// Whether the elements lie behind each other in logical order.
bool contiguous(const View& view);

// Where a contiguous tensor of floats begins.
inline float* floatsOf(const View& view) {
    return reinterpret_cast<float*>(view.data) + view.offset;
}
// Offset of an element, given its number in logical order, without the view's own.
std::int64_t offsetOf(const View& view, std::int64_t index);

Source sourceOf(aclDataType dtype);

}  // namespace aclq
