/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The header most programs include: base types and the whole runtime.
 * An independent description of the binary interface of libascendcl; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACL_ACL_H
#define ACLQUANT_INCLUDE_ACL_ACL_H

#include "acl/acl_base.h"
#include "acl/acl_rt.h"

#endif
