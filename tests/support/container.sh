#!/bin/sh
# Becomes `ocp-gateway ARGUMENT...` as in the container image; see container.py. To be started in a mount
# namespace of its own, as root.
#
#   container.sh DIRECTORY USER PYTHON PYTHONPATH PLACE... -- ARGUMENT...
#
# DIRECTORY has config, state and an empty root. PLACEs are what the program can read beside them.
set -eu
directory=$1 user=$2 python=$3 path=$4
shift 4
root=$directory/root

# show SOURCE PLACE ro|rw
show() {
    if test -d "$1"; then
        mkdir -p "$root$2"
    else
        mkdir -p "$root$(dirname "$2")"
        : > "$root$2"
    fi
    mount --rbind "$1" "$root$2"
    test "$3" = rw || mount -o remount,bind,ro "$root$2"
}

mount -t tmpfs -o mode=0755 tmpfs "$root"
# First, so that a PLACE may be in it.
mkdir "$root/tmp"
mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/tmp"
while test "$1" != --; do
    show "$1" "$1" ro
    shift
done
shift
show /dev /dev rw
show /proc /proc rw
show "$directory/config" /etc/ocp-gateway ro
show "$directory/state" /var/lib/ocp-gateway rw
# Links into /usr, on every system of today.
for name in lib lib64; do
    test ! -L "/$name" || cp -P "/$name" "$root/"
done
mount -o remount,ro "$root"

# PATH names nothing, so tools are looked up before; chroot leaves the program at /.
start='import os; os.chdir("/var/lib/ocp-gateway"); from gateway.__main__ import main; main()'
exec env -i PATH=/nowhere PYTHONPATH="$path" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    "$(command -v setpriv)" --no-new-privs \
    "$(command -v chroot)" --userspec="$user:$user" --groups= "$root" \
    "$python" -c "$start" "$@"
