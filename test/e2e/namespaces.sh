# Process 1 of a node's private namespaces: makes them a machine of its own, then runs the command that it is given.
# Expects FOLDER, with the file cgroup-mounts in it; everything ends when it ends, and it ends when its standard input does.
set -e
exec 3<&0 </dev/null
mount --make-rprivate /

# The hierarchies of cgroups, from the node's own cgroup on.
while read -r point controllers; do
  umount "$point"
  if [ -n "$controllers" ]; then mount -t cgroup -o "$controllers" cgroup "$point"; else mount -t cgroup2 cgroup2 "$point"; fi
  [ -z "$RUNNER" ] || for name in $(cat "$point/cgroup.controllers"); do echo "+$name" >"$point/cgroup.subtree_control"; done
done <"$FOLDER/cgroup-mounts"

# What a node writes outside of its own folder stays here. Not every file system can hold the upper side of an overlay.
overlay() {
  mkdir -p "$FOLDER/state/overlay/$1" "$FOLDER/state/overlay/$1.work"
  mount -t overlay overlay \
    -o "lowerdir=/$1,upperdir=$FOLDER/state/overlay/$1,workdir=$FOLDER/state/overlay/$1.work" "/$1"
}
mkdir "$FOLDER/state"
overlay etc 2>/dev/null || { mount -t tmpfs tmpfs "$FOLDER/state"; overlay etc; }
for name in opt usr var; do overlay "$name"; done
mount -t tmpfs tmpfs /run
mkdir "$FOLDER/state/tmp" "$FOLDER/state/kernel"
rm -f /etc/resolv.conf /etc/hosts
: >/etc/resolv.conf

# A kubelet sets these for the whole machine: it finds them set already, in files that only look like the kernel's.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  name=${setting%=*}
  file=$FOLDER/state/kernel/$(echo "$name" | tr / _)
  [ -e "/proc/sys/$name" ] || continue
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/$name"
done

# What listens on the loopback interface is there for Pods at BACKSTAGE, and the API server for everyone at its Service's address.
echo "$NODE_NAME" >/proc/sys/kernel/hostname
printf '127.0.0.1 localhost\n%s %s\n127.0.0.1 %s\n' "$NODE_ADDRESS" "$NODE_NAME" "$REGISTRY_NAME" >/etc/hosts
ip link set lo up
for address in "$NODE_ADDRESS" "$BACKSTAGE"; do ip address add "$address/32" dev lo; done
ip route add "$SERVICES" dev lo
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
iptables -t nat -A PREROUTING -d "$BACKSTAGE" -p tcp -j DNAT --to-destination 127.0.0.1

"$@" </dev/null &
command=$!
# Whoever started us is gone: so is everything here.
( while read -r _ <&3; do :; done; kill -KILL "$command" ) &
set +e
wait "$command" 2>/dev/null
