// SPDX-License-Identifier: Apache-2.0
// What is made at first use and the same in every process. Without the lock of a function's static variable: a fork
// would leave it held in the child for ever if it came while another thread is at the first use.
#pragma once

#include <atomic>

namespace aclq {

template <class T, const T* (*make)()>
class MadeOnce {
  public:
    // Threads that come at the same time may each make one; all of them get the first. It is never destroyed.
    static const T& get() {
        const T* made = made_.load(std::memory_order_acquire);
        if (made == nullptr) {
            const T* fresh = make();
            if (made_.compare_exchange_strong(made, fresh)) {
                return *fresh;
            }
            delete fresh;
        }
        return *made;
    }

  private:
    inline static constinit std::atomic<const T*> made_{nullptr};
};

}  // namespace aclq
