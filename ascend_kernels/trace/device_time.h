// SPDX-License-Identifier: Apache-2.0
// When the device ran what was launched: an event before and one after each launch.
#pragma once

#include <string>

#include "call.h"

namespace aclq::trace {

// A number for endDeviceTime, or -1 when this launch cannot be measured.
int beginDeviceTime(const Call& call);
void endDeviceTime(const Call& call);
// Writes the times of what is complete; with `all` waits for the rest and destroys the events.
void drainDeviceTimes(bool all);

void writeToTimedSessions(const std::string& line);

}  // namespace aclq::trace
