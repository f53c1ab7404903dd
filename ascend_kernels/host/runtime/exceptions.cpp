// SPDX-License-Identifier: Apache-2.0
#include "runtime/exceptions.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "runtime/per_process.h"

namespace aclq {
namespace {

struct Callbacks {
    std::mutex mutex;
    aclrtExceptionInfoCallback single = nullptr;
    std::vector<aclrtExceptionInfoCallback> others;
};

Callbacks* make() {
    return new Callbacks;
}
Callbacks& callbacks() {
    return PerProcess<Callbacks, make>::get();
}

}  // namespace

void setExceptionCallback(aclrtExceptionInfoCallback callback) {
    const std::lock_guard lock(callbacks().mutex);
    callbacks().single = callback;
}

void addExceptionCallback(aclrtExceptionInfoCallback callback) {
    removeExceptionCallback(callback);
    const std::lock_guard lock(callbacks().mutex);
    callbacks().others.push_back(callback);
}

void removeExceptionCallback(aclrtExceptionInfoCallback callback) {
    const std::lock_guard lock(callbacks().mutex);
    std::erase(callbacks().others, callback);
}

void tellException(rtExceptionInfo info) {
    std::vector<aclrtExceptionInfoCallback> wanted;
    {
        const std::lock_guard lock(callbacks().mutex);
        wanted = callbacks().others;
        if (callbacks().single != nullptr) {
            wanted.insert(wanted.begin(), callbacks().single);
        }
    }
    for (const aclrtExceptionInfoCallback callback : wanted) {
        callback(&info);
    }
}

}  // namespace aclq
