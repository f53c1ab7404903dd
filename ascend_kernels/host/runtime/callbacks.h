// SPDX-License-Identifier: Apache-2.0
// Functions that a client's thread runs on behalf of a stream. The client subscribes the thread to the stream, and
// the thread fetches its callbacks (aclrtProcessReport).
#pragma once

#include <cstdint>

#include "acl/acl_rt.h"
#include "runtime/stream.h"

namespace aclq {

aclError subscribeReport(std::uint64_t thread, Stream& stream);
aclError unsubscribeReport(std::uint64_t thread, Stream& stream);
aclError launchCallback(aclrtCallback function, void* data, bool block, Stream& stream);
// Runs the next callback of the calling thread; waits for it, without limit if the timeout is -1.
aclError processReport(std::int32_t timeoutMs);

}  // namespace aclq
