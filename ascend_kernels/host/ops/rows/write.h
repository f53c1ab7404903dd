// SPDX-License-Identifier: Apache-2.0
// From rows of consecutive elements to tensors of any strides.
#pragma once

#include <cstdint>
#include <vector>

#include "meta/executor.h"
#include "simd/kernels.h"

namespace aclq {

// Results of this many bytes are written past the caches: they would evict more than will be read again.
constexpr std::int64_t kStreamed = 4 * 1024 * 1024;

// Whether results go past the caches; at the end they become visible to all threads.
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

// Writes rows of elements of whole bytes; elements of 8 bytes only where they are consecutive.
class RowWriter {
  public:
    explicit RowWriter(const View& view);
    // Where to put n elements; store() then moves them to their place if that is elsewhere.
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

    // Strides in logical elements: those of the tensor, with eight for each element of an INT32.
    std::int64_t logicalStride(std::int64_t dimension) const;
    // False if rows must not be merged, because the elements of a row have no common distance.
    bool mergeable() const;

    // Where to put n values (a multiple of 8 for INT32) of the row that begins at `offset`, from its element `first`
    // on; store() then moves them to their place if that is elsewhere.
    IntegerOutput prepare(std::int64_t offset, std::int64_t step, std::int64_t first, std::int64_t n);
    void store(std::int64_t offset, std::int64_t step, std::int64_t first, std::int64_t n);

  private:
    // The values' place if they are consecutive in memory, else null.
    unsigned char* place(std::int64_t offset, std::int64_t step, std::int64_t first, std::int64_t n) const;

    const View& view_;
    const Streamer streamer_;
    std::vector<std::uint8_t> buffer_;
};

// Writes one float element, given its number in logical order.
void writeFloat(const View& view, std::int64_t index, float value);

}  // namespace aclq
