# One command a daily act. Each is one line, so nobody needs `just`.

# The gateway over both fakes.
run:
    cargo run --release -- serve --sandbox

test:
    cargo test

lint:
    cargo fmt --check && cargo clippy --all-targets --all-features -- -D warnings && cargo deny check bans licenses sources && typos

# Rewrite schema.graphql from the code.
schema:
    cargo run -- schema > schema.graphql

# Accept changed snapshots (needs cargo-insta).
accept:
    cargo insta test --accept

# Rebuild the embedded playground.
playground:
    cd playground && npm ci && npm run build

# Node.js clients and a browser against a running gateway.
browser:
    tests/node/run.sh

# Bent input at everything that reads text from outside, for five minutes each.
fuzz:
    cargo test --features fuzz --test fuzz -- --minutes 5

# Everything that CI does.
ci:
    .ci/run
