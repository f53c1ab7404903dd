// SPDX-License-Identifier: Apache-2.0
// Copies and fills: which addresses and directions are allowed, and running them now or on a stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "acl/acl_rt.h"

namespace aclq {

aclError copyNow(void* dst, std::size_t destMax, const void* src, std::size_t count, aclrtMemcpyKind kind);
aclError copyAsync(void* dst, std::size_t destMax, const void* src, std::size_t count, aclrtMemcpyKind kind,
                   aclrtStream stream);
aclError copy2d(void* dst, std::size_t dpitch, const void* src, std::size_t spitch, std::size_t width,
                std::size_t height, aclrtMemcpyKind kind, bool async, aclrtStream stream);
aclError fillNow(void* pointer, std::size_t maxCount, std::int32_t value, std::size_t count);
aclError fillAsync(void* pointer, std::size_t maxCount, std::int32_t value, std::size_t count, aclrtStream stream);

}  // namespace aclq
