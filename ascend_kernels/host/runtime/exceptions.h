// SPDX-License-Identifier: Apache-2.0
// Functions of the client that are called when a task fails.
#pragma once

#include "acl/acl_rt.h"

// Valid during the call. Tasks are counted per stream, from 1.
struct rtExceptionInfo {
    uint32_t task;
    uint32_t stream;
    uint32_t thread;
    uint32_t device;
    uint32_t code;
};

namespace aclq {

// The one function of the older interface; null: none.
void setExceptionCallback(aclrtExceptionInfoCallback callback);
void addExceptionCallback(aclrtExceptionInfoCallback callback);
void removeExceptionCallback(aclrtExceptionInfoCallback callback);
// Called in the thread that ran the task, without locks.
void tellException(rtExceptionInfo info);

}  // namespace aclq
