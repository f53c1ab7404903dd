# SPDX-License-Identifier: Apache-2.0
# Sourced by bash or zsh: programs for CANN that this shell starts run on aclquant's host device.
# The same as `aclquant run` and aclquant.stand_in.environment() do for one program.
if [ -n "${BASH_SOURCE:-}" ]; then
  ASCEND_HOME_PATH=$BASH_SOURCE
elif [ -n "${ZSH_VERSION:-}" ]; then
  eval 'ASCEND_HOME_PATH=${(%):-%x}'
else
  echo "set_env.sh: this shell does not tell where the file is; source it from bash or zsh, or use: aclquant run" >&2
  return 1
fi
ASCEND_HOME_PATH=$(cd "$(dirname "$ASCEND_HOME_PATH")" && pwd)
export ASCEND_HOME_PATH
export ASCEND_TOOLKIT_HOME=$ASCEND_HOME_PATH
export ASCEND_OPP_PATH=$ASCEND_HOME_PATH/opp
export LD_LIBRARY_PATH=$ASCEND_HOME_PATH/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# Last, so that the module acl of a real CANN wins.
export PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}$ASCEND_HOME_PATH/python/site-packages
export ACLQUANT_BACKEND=host ACLQUANT_HOST_POISON=${ACLQUANT_HOST_POISON:-0} ACL_OP_INIT_MODE=1
