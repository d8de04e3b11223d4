#!/bin/sh
# A machine without a virtual machine: systemd as process 1 in name spaces of its own. Called twice: in a
# mount name space, to take a control group of its own, and again in all the other name spaces.
#   unshare --mount --propagation private sh boot.sh outer DIR     DIR/etc becomes /etc
# No test sets a clock: that is the one thing name spaces do not keep apart.
set -eu
stage=$1 dir=$2 root=$2/root
if [ "$stage" = outer ]; then
    mkdir -p "$dir/cgroup" "$root"
    mount -t cgroup2 cgroup2 "$dir/cgroup"
    mkdir "$dir/cgroup/kithd-test-$$"
    echo $$ >"$dir/cgroup/kithd-test-$$/cgroup.procs"
    exec unshare --mount --pid --fork --uts --ipc --cgroup --net --propagation private --kill-child \
        sh "$0" inner "$dir"
fi
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir usr etc run tmp var proc sys dev old root srv home .usr .usr/upper .usr/work
for link in bin sbin lib lib64; do [ ! -L "/$link" ] || ln -s "usr/$link" "$link"; done
# what is installed on this machine, and ours above it
mount -t overlay -o "lowerdir=/usr,upperdir=$root/.usr/upper,workdir=$root/.usr/work" overlay usr
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
    touch "dev/$node"
    mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=755 tmpfs run
chmod 1777 tmp dev/shm
cp -a "$dir/etc/." etc/
ip link set lo up
hostname kithd-test
pivot_root . old
cd /
umount -l /old
rmdir /old
# else LoadCredential= is refused
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin /lib/systemd/systemd
