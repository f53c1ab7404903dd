// SPDX-License-Identifier: Apache-2.0
// One line on stderr when the CPU touches guarded device memory, before the process ends as it would have anyway.
#pragma once

namespace aclq {

// Begins to look at SIGSEGV, unless the program handles that signal itself.
void explainFaults();

}  // namespace aclq
