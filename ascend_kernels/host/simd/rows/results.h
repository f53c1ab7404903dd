// SPDX-License-Identifier: Apache-2.0
// Writes the results of a row: plain stores, or streaming stores past the caches.
#pragma once

#include <algorithm>
#include <cstdint>

#include "simd/rows/blocks.h"

namespace aclq::ACLQ_ISA {

// Writes vectors to consecutive addresses. Streaming stores need aligned addresses. Where the results start at another
// multiple of sixteen bytes, each vector is joined with the one before it, so that the stores are aligned (Joined; the
// first vector, which opens this, is streamed in pieces of sixteen bytes). Elsewhere results are stored. A loop has a
// copy of this object in registers. close() must follow the last put(): it writes the end of the last vector.
template <class Vector>
class Results {
  public:
    ACLQ_INLINE explicit Results(const Output& y, std::int64_t bytes = 0) : wanted_(y.streamed) {
        begin(static_cast<unsigned char*>(y.data) + bytes);
    }

    // Where the next ones go, if not behind the last ones.
    ACLQ_INLINE void moveTo(unsigned char* place) {
        if (place != at(shift_)) {
            close();
            begin(place);
        }
    }

    template <int count>
    ACLQ_INLINE void put(const Vectors<Vector, count>& results) {
        const auto place = [&](int number) ACLQ_INLINE { return at(number * kSize); };
        const auto proceed = [&]() ACLQ_INLINE { to_ += count * sizeof(Vector); };
        if constexpr (kJoined) {
            const auto follow = [&]() ACLQ_INLINE {
                unroll<count - 1>([&](auto number) ACLQ_INLINE {
                    stream(joint_.join(results.part[number], results.part[number + 1]), place(number + 1));
                });
                before_ = results.part[count - 1];
                proceed();
            };
            if (way_ == Way::Joined) [[likely]] {
                stream(joint_.join(before_, results.part[0]), place(0));
                return follow();
            }
            if (way_ == Way::Opened) {
                open(results.part[0]);
                return follow();
            }
        }
        unroll<count>([&](auto number) ACLQ_INLINE {
            way_ == Way::Streamed ? stream(results.part[number], place(number))
                                  : store(results.part[number], place(number));
        });
        proceed();
    }

    ACLQ_INLINE void close() {
        if constexpr (kJoined) {
            if (way_ == Way::Joined) {
                streamPieces(before_, kSize - shift_, kSize, at(0));
            }
        }
    }

  private:
    enum class Way { Stored, Streamed, Opened, Joined };
    static constexpr auto kSize = static_cast<std::int64_t>(sizeof(Vector));
    static constexpr std::int64_t kPiece = 16;  // the least that can be streamed
    static constexpr bool kJoined = kStreamAlignment<Vector> > 1;

    ACLQ_INLINE unsigned char* at(std::int64_t bytes) const {
        return reinterpret_cast<unsigned char*>(to_ + static_cast<std::uintptr_t>(bytes));
    }

    ACLQ_INLINE void begin(unsigned char* place) {
        to_ = reinterpret_cast<std::uintptr_t>(place);
        const auto beyond = [&](std::int64_t size) {
            return static_cast<std::int64_t>(to_ % static_cast<std::uintptr_t>(size));
        };
        const bool streamed = wanted_ && beyond(std::min(kPiece, kStreamAlignment<Vector>)) == 0;
        shift_ = streamed ? beyond(kStreamAlignment<Vector>) : 0;
        way_ = !streamed ? Way::Stored : (shift_ == 0 ? Way::Streamed : Way::Opened);
        joint_ = Joint<Vector>(shift_);
        to_ -= static_cast<std::uintptr_t>(shift_);
    }

    // Streams the first vector up to where a whole one has its place.
    ACLQ_INLINE void open(const Vector& first) {
        streamPieces(first, 0, kSize - shift_, at(shift_));
        way_ = Way::Joined;
    }

    static ACLQ_INLINE void streamPieces(const Vector& vector, std::int64_t first, std::int64_t last,
                                         unsigned char* to) {
        alignas(64) unsigned char bytes[kSize];
        store(vector, bytes);
        for (std::int64_t at = first; at < last; at += kPiece) {
            streamSixteen(bytes + at, to + (at - first));
        }
    }

    Way way_;
    bool wanted_;
    std::uintptr_t to_;   // where the next whole vector has its place: the first one's begins before all results
    std::int64_t shift_;  // how far behind that the next results have theirs
    Vector before_{};
    Joint<Vector> joint_{0};
};

}  // namespace aclq::ACLQ_ISA
