// SPDX-License-Identifier: Apache-2.0
// One line on stderr when the CPU touches guarded device memory, before the process ends as it would have without us.
#pragma once

namespace aclq {

// Installs a handler for SIGSEGV, unless the program handles that signal itself.
void explainFaults();

}  // namespace aclq
