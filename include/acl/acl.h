/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The header most programs include: base types, the runtime, operators by name, dumps.
 * An independent description of the binary interface of libascendcl; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACL_ACL_H
#define ACLQUANT_INCLUDE_ACL_ACL_H

#include "acl/acl_mdl.h"
#include "acl/acl_op.h"
#include "acl/acl_rt.h"

#endif
