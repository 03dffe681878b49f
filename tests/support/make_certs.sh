#!/bin/sh
# Makes the certificates that the tests and the demo use. Usage: make_certs.sh OUTDIR
#
#   ca.pem          the CA of all below       other-ca.pem    a CA that issued none of them
#   server.pem      127.0.0.1, ::1, localhost, vault.test     common.pem  vault.test: one name that all nodes share
#   client.pem      for client authentication expired.pem     ended in 2020
#   cn-only.pem     CN=localhost, no subjectAltName           other-client.pem  a client of other-ca
#   not-yet.pem     begins in 2090             internal.pem    internal.test and *.internal.test
#
# Each NAME.pem has its key in NAME.key. EC P-256 throughout; valid for ten years.
set -eu
out=${1:?usage: make_certs.sh OUTDIR}
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

make_ca() { # NAME SUBJECT
  key "$1.key"
  openssl req -new -x509 -key "$1.key" -sha256 -days 3650 -subj "$2" -out "$1.pem" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
}

# NAME SUBJECT CA EXTENSIONS [START END]. `openssl ca` is the one command of 3.0 that takes a validity in the past or in the future.
issue() {
  key "$1.key"
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr" 2>/dev/null
  printf '%b' "$4" > "$1.ext"
  : > index.txt
  cat > ca.cnf <<EOF
[ca]
default_ca = here
[here]
dir = .
database = index.txt
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
EOF
  if [ $# -gt 4 ]; then when="-startdate $5 -enddate $6"; else when="-days 3650"; fi
  # shellcheck disable=SC2086
  openssl ca -batch -config ca.cnf -cert "$3.pem" -keyfile "$3.key" -in "$1.csr" -out "$1.crt" -notext \
    -extfile "$1.ext" $when >ca.log 2>&1 || { cat ca.log >&2; exit 1; }
  mv "$1.crt" "$1.pem"
}

SERVER='basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n'
CLIENT='basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n'
ALL='subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost,DNS:vault.test\n'

make_ca ca "/CN=Bellwether test CA"
make_ca other-ca "/CN=Another test CA"
issue server "/CN=vault.test" ca "$SERVER$ALL"
issue common "/CN=vault.test" ca "${SERVER}subjectAltName=DNS:vault.test\n"
issue internal "/CN=internal.test" ca "${SERVER}subjectAltName=DNS:internal.test,DNS:*.internal.test\n"
issue client "/CN=application" ca "$CLIENT"
issue other-client "/CN=stranger" other-ca "$CLIENT"
issue expired "/CN=vault.test" ca "$SERVER$ALL" 20190101000000Z 20200101000000Z
issue not-yet "/CN=vault.test" ca "$SERVER$ALL" 20900101000000Z 20950101000000Z
issue cn-only "/CN=localhost" ca "$SERVER"

for name in ca other-ca server common client other-client expired not-yet cn-only internal; do
  cp "$name.pem" "$name.key" "$out/"
done
# Last: its time is what the build compares.
touch "$out/stamp"
