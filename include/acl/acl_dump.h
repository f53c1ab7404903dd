/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Dumps of the arguments of operators that are called by name.
 * An independent description of the binary interface of libascendcl; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACL_ACL_DUMP_H
#define ACLQUANT_INCLUDE_ACL_ACL_DUMP_H

#include <stdint.h>

#include "acl/acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Refused with 207000. */
ACL_FUNC_VISIBILITY aclError aclopStartDumpArgs(uint32_t dumpType, const char *path);
ACL_FUNC_VISIBILITY aclError aclopStopDumpArgs(uint32_t dumpType);

#ifdef __cplusplus
}
#endif

#endif
