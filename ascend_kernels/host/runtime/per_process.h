// SPDX-License-Identifier: Apache-2.0
// State of which each process has its own. It is made at first use, never destroyed (clients call in after exit has
// begun), and left behind by a forked child: the parent's worker threads do not exist there, and its locks may be
// held for ever.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>

namespace aclq {

// Differs between a process and the children it forks.
inline std::atomic<std::uint64_t> processGeneration{1};

template <class T, T* (*make)()>
class PerProcess {
  public:
    static T& get() {
        T* state = current_.load(std::memory_order_acquire);
        if (state == nullptr) {
            (void)&registered_;
            T* fresh = make();
            if (current_.compare_exchange_strong(state, fresh)) {
                return *fresh;
            }
            delete fresh;
        }
        return *state;
    }

    // Null when this process has made none.
    static T* existing() { return current_.load(std::memory_order_acquire); }

  private:
    inline static std::atomic<T*> current_{nullptr};
    // When the library is loaded, not at first use: another thread may fork while one is at it.
    inline static const int registered_ = pthread_atfork(nullptr, nullptr, [] {
        current_.store(nullptr);
        processGeneration.fetch_add(1);
    });
};

}  // namespace aclq
