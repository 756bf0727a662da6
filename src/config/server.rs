//! `[server]`: the gateway's own address and its patience.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::check::{Check, is_loopback};
use super::value;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Server {
    /// Address and port to listen on; port 0 picks a free one.
    #[serde(deserialize_with = "value::address")]
    pub listen: SocketAddr,
    /// Where clients reach the gateway, if not at `listen`.
    #[serde(default, deserialize_with = "value::optional_url")]
    pub public_url: Option<Url>,
    /// Longest time of one HTTP request.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Web origins (`https://host:port`) whose scripts may call.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "value::ip_addresses")]
    pub trusted_proxies: Vec<IpAddr>,
    /// Longest wait for requests in flight at shutdown.
    #[serde(with = "humantime_serde")]
    pub drain_timeout: Duration,
}

impl Server {
    pub(super) fn validate(&self, check: &mut Check<'_>) {
        const SECOND: Duration = Duration::from_secs(1);
        check.lasting("request_timeout", self.request_timeout, SECOND / 10..=SECOND * 300);
        check.lasting("drain_timeout", self.drain_timeout, Duration::ZERO..=SECOND * 600);
        check.within("max_body_bytes", self.max_body_bytes, 1_024..=64 * 1_048_576);
        if let Some(url) = &self.public_url {
            check.http_url("public_url", url);
        }
        for (index, origin) in self.allowed_origins.iter().enumerate() {
            let is_origin = Url::parse(origin)
                .is_ok_and(|url| url.origin().ascii_serialization() == *origin && url.has_host());
            if !is_origin {
                let message = format!(
                    "entry {} is not an origin: scheme, host and port only, such as \
                     https://app.example.com",
                    index + 1
                );
                check.fault("allowed_origins", message);
            }
        }
    }

    /// From HighLevel's consent page a browser comes back to the gateway, and HighLevel sends nobody
    /// to another address than one with HTTPS. A loopback one is for trying, with the sandbox.
    pub(super) fn validate_return(&self, check: &mut Check<'_>) {
        match &self.public_url {
            Some(url) if url.scheme() == "http" && !is_loopback(url) => {
                let message = "must begin with https://, because highlevel.client_id is set: \
                               HighLevel's consent page leads back to no other address";
                check.fault("public_url", message);
            }
            None if !self.listen.ip().is_loopback() => {
                let message = "is not set: with highlevel.client_id, the https:// address that \
                               HighLevel's consent page leads back to";
                check.fault("public_url", message);
            }
            Some(_) | None => {}
        }
    }
}
