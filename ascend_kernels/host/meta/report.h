// SPDX-License-Identifier: Apache-2.0
// What a client has not given back.
#pragma once

namespace aclq {

// Writes it to stderr, one line each; `when` says when this is, "at aclFinalize".
void report(const char* when);

// The same if ACLQUANT_HOST_REPORT asks for it: now, or when the process ends without having finalised.
void reportIfAsked(const char* when);
void reportAtExitIfAsked();

}  // namespace aclq
