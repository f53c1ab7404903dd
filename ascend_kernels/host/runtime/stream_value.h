// SPDX-License-Identifier: Apache-2.0
// Numbers in memory that streams write and wait for, in order to synchronise with each other or with the host.
#pragma once

#include <cstdint>

#include "acl/acl_rt.h"
#include "runtime/stream.h"

namespace aclq {

aclError writeValue(void* address, std::uint64_t value, std::uint32_t flag, Stream& stream);
aclError waitForValue(void* address, std::uint64_t value, std::uint32_t condition, Stream& stream);

}  // namespace aclq
