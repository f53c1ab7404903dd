/* SPDX-License-Identifier: Apache-2.0
 * Inputs and results of each operator, from worked and printed examples of the operators' documents.
 * Half precision is written as bit patterns. */
#ifndef ACLQUANT_TESTS_CASES_H
#define ACLQUANT_TESTS_CASES_H

#include <stdint.h>

/* aclnnQuantize: 45.5 / 7 is 6.5, which rounds to even; with a reciprocal it would be 7. */
static const float kQuantizeX[] = {45.5F, -45.5F};
static const float kQuantizeScales[] = {7.0F};
static const int8_t kQuantizeOut[] = {6, -6};

/* aclnnAscendQuant: the sample program, x of shape (4, 2). */
static const float kAscendQuantX[] = {0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F, 7.0F};
static const float kAscendQuantScale[] = {1.0F, 2.0F};
static const float kAscendQuantOffset[] = {1.0F, 2.0F};
static const int8_t kAscendQuantY[] = {1, 4, 3, 8, 5, 12, 7, 16};

/* aclnnAscendQuantV3: {2, 2.5, -3.5} to nearest even. */
static const float kAscendQuantV3X[] = {1.0F, 2.5F, -3.5F};
static const float kAscendQuantV3Scale[] = {2.0F, 1.0F, 1.0F};
static const int8_t kAscendQuantV3Y[] = {2, 2, -4};

/* aclnnAscendAntiQuant: (x + 2) * 2 in half precision: 6, 8, 10, 12. */
static const int8_t kAntiQuantX[] = {1, 2, 3, 4};
static const float kAntiQuantScale[] = {2.0F};
static const float kAntiQuantOffset[] = {2.0F};
static const uint16_t kAntiQuantY[] = {0x4600, 0x4800, 0x4900, 0x4A00};

/* aclnnTransQuantParam keeps all bits of the scale and pads to 16; V2 and V3 keep 19 bits. */
static const float kParamScale[] = {1.1F, 2.2F, 3.3F, 4.4F, 5.5F};
static const uint64_t kParamHost[16] = {70369810369741U,
                                        70369818758349U,
                                        70369823372083U,
                                        70369827146957U,
                                        70369829453824U,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0};
static const uint64_t kParamDevice[] = {70369810366464U, 70369818755072U, 70369823367168U, 70369827143680U,
                                        70369829453824U};

/* aclnnDynamicQuant, V2, V3, V4: one row {0.5, -1, 0.25, 2, -0.125, 1.5, 0, -0.75}. */
static const uint16_t kDynamicX[] = {0x3800, 0xBC00, 0x3400, 0x4000, 0xB000, 0x3E00, 0x0000, 0xBA00};
static const int8_t kSymmetricY[] = {32, -64, 16, 127, -8, 95, 0, -48};
static const uint32_t kSymmetricScale[] = {0x3C810204};
static const int8_t kAsymmetricY[] = {0, -128, -22, 127, -54, 84, -43, -107};
static const uint32_t kAsymmetricScale[] = {0x3C40C0C1};
static const uint32_t kAsymmetricOffset[] = {0xC22C0000}; /* -43 */

#endif
