#!/bin/sh
# collect.sh PROGRAM ROOT [CA_FILE]: all files of the image, under ROOT: the program, the libraries that it needs, the CA
# certificates, and what glibc wants to know of users and names. No shell, no package manager.
set -eu
program=$1
root=$2
ca_file=${3:-/etc/ssl/certs/ca-certificates.crt}

install -D -m 755 "$program" "$root/usr/bin/bellwether"

# "libssl.so.3 => /lib/x86_64-linux-gnu/libssl.so.3 (0x...)", and the loader as "/lib64/ld-linux-x86-64.so.2 (0x...)".
libraries=$(ldd "$program")
case $libraries in *"not found"*)
  echo "collect.sh: a library of $program is missing here: $libraries" >&2
  exit 1
  ;;
esac
echo "$libraries" | sed -n 's/.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p' | while read -r library; do
  install -D -m 755 "$library" "$root$library"
done

install -D -m 644 "$ca_file" "$root/etc/ssl/certs/ca-certificates.crt"
echo "bellwether:x:65532:65532:Bellwether:/nonexistent:/nonexistent" >"$root/etc/passwd"
echo "bellwether:x:65532:" >"$root/etc/group"
# Without it glibc asks the name server before it looks into /etc/hosts.
echo "hosts: files dns" >"$root/etc/nsswitch.conf"
mkdir -p "$root/etc/bellwether" "$root/run/bellwether"
