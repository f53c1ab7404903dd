// SPDX-License-Identifier: Apache-2.0
// State that exists once per process. It is created at first use and never destroyed, because clients call us after
// exit has begun. A forked child abandons it: the parent's worker threads do not exist there, and its locks may be held
// forever.
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

    // Null if this process has not created it.
    static T* existing() { return current_.load(std::memory_order_acquire); }

  private:
    inline static std::atomic<T*> current_{nullptr};
    // When the library is loaded, not at first use: another thread may fork during the first use.
    inline static const int registered_ = pthread_atfork(nullptr, nullptr, [] {
        current_.store(nullptr);
        processGeneration.fetch_add(1);
    });
};

}  // namespace aclq
