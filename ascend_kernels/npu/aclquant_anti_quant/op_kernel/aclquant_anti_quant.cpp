// SPDX-License-Identifier: Apache-2.0
#include "aclquant_elementwise.h"

extern "C" __global__ __aicore__ void aclquant_anti_quant(GM_ADDR x, GM_ADDR scale, GM_ADDR offset, GM_ADDR y,
                                                          GM_ADDR workspace, GM_ADDR tiling) {
#if __CCE_AICORE__ == 220
    KERNEL_TASK_TYPE_DEFAULT(KERNEL_TYPE_AIV_ONLY);
#endif
    REGISTER_TILING_DEFAULT(aclquant::ElementwiseTiling);
    GET_TILING_DATA(tilingData, tiling);
    AscendC::TPipe pipe;
    using X =
        std::conditional<std::is_same<DTYPE_X, int8_t>::value, int8_t, int4b_t>::type;  // an INT32 holds eight int4
    ACLQUANT_ELEMENTWISE(X, DTYPE_Y, aclquant::Formula::kAnti, scale, offset)
}
