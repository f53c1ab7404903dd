// SPDX-License-Identifier: Apache-2.0
// Functions of whole rows, in the widest vectors of the processor and with the same bits in all of them.
#pragma once

#include <cstdint>

namespace aclq::everyday {

// e to the power of each value minus `shift`, to within an ulp of double; returns their sum, added up in eight lanes.
double exponentials(double* values, std::int64_t n, double shift);

}  // namespace aclq::everyday
