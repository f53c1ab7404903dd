// SPDX-License-Identifier: Apache-2.0
// Properties of a device, and its mode for overflowing floats.
#pragma once

#include <cstdint>

#include "acl/acl_rt.h"
#include "runtime/settings.h"

namespace aclq {

// Whether floats may become infinite; on other chips they saturate.
bool hasInfNan(const Soc& soc);

aclError readCapability(std::uint32_t device, aclDeviceInfo which, std::int64_t& value);
aclError readInfo(std::uint32_t device, aclrtDevAttr which, std::int64_t& value);

// Of the current device, or of all devices set later if there is no current one.
aclError setOverflowMode(aclrtFloatOverflowMode mode);
aclError readOverflowMode(aclrtFloatOverflowMode& mode);

}  // namespace aclq
