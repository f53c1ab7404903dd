/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Dumping what operators read and write: start, configure, end.
 * An independent description of the binary interface of libascendcl; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACL_ACL_MDL_H
#define ACLQUANT_INCLUDE_ACL_ACL_MDL_H

#include "acl/acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Before aclInit 100001; Init twice 100002; the others without Init 100045. */
ACL_FUNC_VISIBILITY aclError aclmdlInitDump(void);
ACL_FUNC_VISIBILITY aclError aclmdlSetDump(const char *dumpCfgPath);
ACL_FUNC_VISIBILITY aclError aclmdlFinalizeDump(void);

#ifdef __cplusplus
}
#endif

#endif
