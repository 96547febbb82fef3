# Builds a place of its own for a kernel, inside namespaces of its own, and runs a command there without any right.
# sh sandbox.sh ROOT OWN READABLE... -- COMMAND...
set -e
root=$1 own=$2
shift 2
mount -t tmpfs -o mode=755,size=256m,nr_inodes=20k tmpfs "$root" # it is memory, which nobody else counts
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    mount -o remount,bind,ro "$root$1"
    shift
done
shift
for path in /bin /sbin /lib /lib32 /lib64; do # links into /usr on most systems, folders on others
    if [ -L "$path" ]; then
        ln -s "$(readlink "$path")" "$root$path"
    elif [ -d "$path" ]; then
        mkdir -p "$root$path"
        mount --bind "$path" "$root$path"
        mount -o remount,bind,ro "$root$path"
    fi
done
mkdir -p "$root$own" "$root/dev/shm" "$root/proc" "$root/old"
mount --bind "$own" "$root$own"
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
for device in null zero full random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
cd "$root"
pivot_root . old
umount -l /old
rmdir /old
cd "$own"
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"
