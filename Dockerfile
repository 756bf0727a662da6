# The gateway as a small image: one binary on a slim base, run by a user without rights.
#
#   docker build -t tandem .
#   docker run --rm --network host tandem serve --sandbox
#   docker run --rm --network host -v "$PWD/tandem.toml:/var/lib/tandem/tandem.toml:ro" -v tandem:/var/lib/tandem tandem
#
# The first run is for trying, the second for real accounts, with the settings of docs/real-accounts.md.
# `--network host` because a gateway without client authentication listens on a loopback address only; with
# it (auth.mode, see docs/operations.md), -e TANDEM_SERVER__LISTEN=0.0.0.0:4000 -p 4000:4000 will do.

FROM rust:1.95-bookworm AS build
WORKDIR /src
# The list of dependencies inside the binary, and beside it as CycloneDX: see docs/security.md.
RUN cargo install --locked --version 0.7.7 cargo-auditable && cargo install --locked --version 0.5.9 cargo-cyclonedx
# Dependencies first: they change seldom, and so stay in the layer cache.
COPY Cargo.toml Cargo.lock build.rs ./
# The manifest names the benchmark, so cargo wants to see it even where it is not built.
COPY benches benches
RUN mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
 && cargo auditable build --release --locked --features postgres,nats \
 && rm -r src
COPY src src
COPY playground/dist playground/dist
# Cargo compares times, and the files may be older than the empty ones they replace.
RUN touch src/main.rs src/lib.rs && cargo auditable build --release --locked --features postgres,nats \
 && cargo cyclonedx --format json --features postgres,nats --override-filename sbom.cdx \
 && mkdir /out && cp target/release/tandem sbom.cdx.json /out/

FROM debian:bookworm-slim
# Both systems are reached by HTTPS, checked against the authorities that Debian trusts.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/tandem /usr/local/bin/tandem
COPY --from=build /out/sbom.cdx.json /usr/share/doc/tandem/sbom.cdx.json
RUN useradd --system --uid 10001 --home-dir /var/lib/tandem --create-home tandem
USER tandem
WORKDIR /var/lib/tandem
VOLUME /var/lib/tandem
ENV TANDEM_TELEMETRY__FORMAT=json \
    TANDEM_STORE__URL=sqlite:///var/lib/tandem/tandem.db
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["tandem", "health"]
ENTRYPOINT ["tandem"]
CMD ["serve"]
