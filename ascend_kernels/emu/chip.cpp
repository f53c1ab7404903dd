// SPDX-License-Identifier: Apache-2.0
// The chip that a library is compiled for. Local memory is what remains beside the library's reserve of 8 KiB.
#include "machine.h"

namespace emu {

#if __NPU_ARCH__ == 2201
const Chip kChip{"Ascend910B1", 188416, 48, true, true, true, false, true};
#elif __NPU_ARCH__ == 2002
const Chip kChip{"Ascend310P3", 253952, 8, false, false, false, true, false};
#else
#error "compile with -D__NPU_ARCH__=2201 (A2, A3) or 2002 (310P)"
#endif

}  // namespace emu
