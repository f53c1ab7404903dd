/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where CANN declared dumps before it moved them to acl_rt.h.
 * An independent description of the binary interface of libascendcl; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACL_ACL_MDL_H
#define ACLQUANT_INCLUDE_ACL_ACL_MDL_H

#include "acl/acl_base.h"
#include "acl/acl_rt.h"

#endif
