// SPDX-License-Identifier: Apache-2.0
// Functions that a stream has the client run, in a thread of the client: it subscribes the thread to the stream, and
// the thread asks for what there is to do (aclrtProcessReport).
#pragma once

#include <cstdint>

#include "acl/acl_rt.h"
#include "runtime/stream.h"

namespace aclq {

aclError subscribeReport(std::uint64_t thread, Stream& stream);
aclError unsubscribeReport(std::uint64_t thread, Stream& stream);
aclError launchCallback(aclrtCallback function, void* data, bool block, Stream& stream);
// Runs the next callback of the calling thread; waits for one, -1 for ever.
aclError processReport(std::int32_t timeoutMs);

}  // namespace aclq
