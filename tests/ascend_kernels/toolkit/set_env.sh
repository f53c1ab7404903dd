# As the toolkit's: where it is, and its tools first.
ASCEND_HOME_PATH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export ASCEND_HOME_PATH PATH="$ASCEND_HOME_PATH/bin:$PATH"
