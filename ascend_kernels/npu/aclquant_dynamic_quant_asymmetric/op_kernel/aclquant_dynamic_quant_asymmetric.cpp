// SPDX-License-Identifier: Apache-2.0
#include "aclquant_dynamic_quant.h"

extern "C" __global__ __aicore__ void aclquant_dynamic_quant_asymmetric(GM_ADDR x, GM_ADDR smooth_scales,
                                                                        GM_ADDR group_index, GM_ADDR y, GM_ADDR scale,
                                                                        GM_ADDR offset, GM_ADDR workspace,
                                                                        GM_ADDR tiling) {
#if __CCE_AICORE__ == 220
    KERNEL_TASK_TYPE_DEFAULT(KERNEL_TYPE_AIV_ONLY);
#endif
    REGISTER_TILING_DEFAULT(aclquant::DynamicQuantTiling);
    GET_TILING_DATA(tilingData, tiling);
    AscendC::TPipe pipe;
    using Y = ACLQUANT_TYPE_OF_Y(DTYPE_Y);
    ACLQUANT_DYNAMIC_QUANT(DTYPE_X, Y, true, offset)
}
