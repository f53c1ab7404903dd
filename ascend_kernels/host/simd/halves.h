// SPDX-License-Identifier: Apache-2.0
// Rows of FLOAT16, converted by the processor's instructions where it has them, to the bits that numeric.h defines.
#pragma once

#include <cstdint>

namespace aclq {

// The elements of FLOAT16 may lie anywhere.
void widenHalves(const void* halves, std::int64_t n, float* floats);
void narrowToHalves(const float* floats, std::int64_t n, void* halves);

}  // namespace aclq
