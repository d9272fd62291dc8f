# Looks at the pages of the feed of a configuration at two levels of detail; the screens lie in screens/ beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
config=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$config")/.."
look() {
    "${PYTHON:-python}" -m hub --config "$config" serve --port "${PORT:-8399}" > "$here/serve.log" 2>&1 &
    server=$!
    trap 'kill $server 2> /dev/null || true' EXIT
    for _ in $(seq 60); do grep -q "token=" "$here/serve.log" && break; sleep 0.5; done
    sleep 1
    (cd "$here" && node look.mjs "$(tr -d '\n' < "$here/serve.log" | grep -o 'http://127.0.0.1:[0-9]*/?token=[A-Za-z0-9_-]*')" "screens/$1")
    kill "$server"
    wait "$server" 2> /dev/null || true
}
look project
printf '\n[destinations.serve]\nkind = "serve"\nprivacy = "nominative-line"\n' >> "$config"
look nominative
