#!/bin/sh
# Make the secrets of compose.yaml, each once: passwords, and a certificate for the database's name.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
cd secrets
for name in database hub_database grafana_database grafana_admin; do
    [ -s "$name" ] || openssl rand -hex 24 > "$name"
done
if [ ! -s server.crt ]; then
    openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=pm-hub" -keyout ca.key -out ca.crt
    openssl req -newkey rsa:3072 -nodes -subj "/CN=database" -keyout server.key -out server.csr
    printf 'subjectAltName=DNS:database\n' > server.ext
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 \
        -extfile server.ext -out server.crt
    rm -f server.csr server.ext ca.srl
fi
# the containers run as other accounts than yours: they may read what is mounted, nobody else gets into the folder
chmod 444 database hub_database grafana_database grafana_admin ca.crt server.crt server.key
chmod 400 ca.key
