// SPDX-License-Identifier: Apache-2.0
// Reports objects that a client has not released.
#pragma once

namespace aclq {

// Writes them to stderr, one line each; `when` is for example "at aclFinalize".
void report(const char* when);

// The same if ACLQUANT_HOST_REPORT is set: now, or at the end of a process that did not finalise.
void reportIfAsked(const char* when);
void reportAtExitIfAsked();

}  // namespace aclq
