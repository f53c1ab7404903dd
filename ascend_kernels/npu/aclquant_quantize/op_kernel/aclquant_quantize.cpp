// SPDX-License-Identifier: Apache-2.0
#include "aclquant_elementwise.h"

extern "C" __global__ __aicore__ void aclquant_quantize(GM_ADDR x, GM_ADDR scales, GM_ADDR zero_points, GM_ADDR y,
                                                        GM_ADDR workspace, GM_ADDR tiling) {
#if __CCE_AICORE__ == 220
    KERNEL_TASK_TYPE_DEFAULT(KERNEL_TYPE_AIV_ONLY);
#endif
    REGISTER_TILING_DEFAULT(aclquant::ElementwiseTiling);
    GET_TILING_DATA(tilingData, tiling);
    AscendC::TPipe pipe;
    ACLQUANT_ELEMENTWISE(DTYPE_X, DTYPE_Y, aclquant::Formula::kDivide, scales, zero_points)
}
