#!/bin/sh
# usage: in_usr_local.sh TOOLKIT COMMAND [ARGUMENT]...
# Runs a command that sees the toolkit tree as /usr/local/Ascend/ascend-toolkit/latest, where candle looks for CANN. A user
# would make a symbolic link there; here only this command sees it, in a mount namespace of its own.
set -e
if [ "$IN_NAMESPACE" != yes ]; then
  IN_NAMESPACE=yes exec unshare --map-root-user --mount sh "$0" "$@"
fi
toolkit=$1
shift
local=$(mktemp -d)
for entry in /usr/local/*; do
  mkdir "$local/$(basename "$entry")"
  mount --rbind "$entry" "$local/$(basename "$entry")"
done
mkdir -p "$local/Ascend/ascend-toolkit"
ln -s "$toolkit" "$local/Ascend/ascend-toolkit/latest"
mount --rbind "$local" /usr/local
exec "$@"
