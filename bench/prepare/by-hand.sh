#!/bin/sh
# What one would do by hand: fetch, hash and unpack in one stream, then fsync every file.
# by-hand.sh URL SHA256 DIR
set -eu
mkdir -p "$3/tree"
mkfifo "$3/copy"
sha256sum <"$3/copy" >"$3/sum" &
curl --silent --show-error --fail "$1" | tee "$3/copy" | tar --zstd -x -C "$3/tree" -f -
wait
IFS=' ' read -r sum _ <"$3/sum"
[ "$sum" = "$2" ]
find "$3/tree" -type f -exec sync {} +
