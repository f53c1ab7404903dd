// SPDX-License-Identifier: Apache-2.0
// Why a call was refused, as the host device sees it: phase 1 of the same call there, under the same chip.
#pragma once

#include <string>

#include "call.h"

namespace aclq::trace {

// A sentence on a refused phase 1; empty when the host device itself refused it.
std::string secondOpinion(Call& call);

}  // namespace aclq::trace
