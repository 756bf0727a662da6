#!/bin/bash
# Real clients and a real browser against a built gateway over its sandbox.
#   cargo build && tests/node/run.sh [FOLDER FOR SCREENSHOTS]
# TANDEM_BIN: the binary (default target/debug/tandem). CHROMIUM: the browser (default Debian's,
# installed when missing and when run as root). With CI=true a missing tool is a failure.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$(realpath "${TANDEM_BIN:-$here/../../target/debug/tandem}")
# The gateway would take it for a setting.
unset TANDEM_BIN
screenshots=${1:+$(realpath -m "$1")}
chromium=${CHROMIUM:-/usr/bin/chromium}

missing() {
  echo "tests/node: $1"
  [ "${CI:-}" = true ] && exit 1
  echo "tests/node: skipped"
  exit 0
}

[ -x "$binary" ] || { echo "tests/node: no binary at $binary: run cargo build" >&2; exit 1; }
command -v npm >/dev/null || missing "needs Node.js 20 with npm"
if [ ! -x "$chromium" ] && [ "$chromium" = /usr/bin/chromium ] && [ "$(id -u)" = 0 ]; then
  { apt-get -q update && apt-get -q -y install --no-install-recommends chromium; } >/dev/null ||
    true
fi
[ -x "$chromium" ] || missing "needs Chromium (apt-get install chromium, or CHROMIUM=path)"

cd "$here"
npm ci --silent

work=$(mktemp -d)
gateway=
stop() {
  if [ -n "$gateway" ]; then
    kill -INT "$gateway" 2>/dev/null || true
    wait "$gateway" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap stop EXIT

read -r port sandbox_port < <(node -e '
  const open = () => require("net").createServer().listen(0, "127.0.0.1");
  const servers = [open(), open()];
  setTimeout(() => {
    console.log(servers.map((server) => server.address().port).join(" "));
    servers.forEach((server) => server.close());
  });')

# In a folder of its own: a tandem.toml that lies about must not change what is tested.
cd "$work"
# The tests know people as they are before a first run.
TANDEM_SYNC__FIRST_RUN=manual "$binary" serve --sandbox --listen "127.0.0.1:$port" --sandbox-listen "127.0.0.1:$sandbox_port" \
  >"$work/log" 2>&1 &
gateway=$!

url=http://127.0.0.1:$port
ready() {
  node -e 'fetch(process.argv[1]).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' \
    "$url/health/ready"
}
for _ in $(seq 150); do
  ready && break
  kill -0 "$gateway" 2>/dev/null || break
  sleep 0.2
done
ready || { echo "tests/node: the gateway did not become ready:" >&2; cat "$work/log" >&2; exit 1; }

cd "$here"
status=0
TANDEM_URL=$url CHROMIUM=$chromium SCREENSHOTS=${screenshots:-$work/screenshots} \
  node --test --test-concurrency=1 --test-timeout=300000 \
  --test-reporter=./reporter.mjs \
  audits.mjs clients.mjs websocket.mjs examples.mjs browser.mjs connecting.mjs || status=$?
if [ "$status" != 0 ]; then
  echo "tests/node: the gateway's last lines:" >&2
  tail -n 40 "$work/log" >&2
fi
exit "$status"
