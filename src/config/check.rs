//! How a section says that a value of the right type is wrong all the same.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use humantime::format_duration;
use url::{Host, Url};

/// A key and what is wrong with it; where it was set is found out later.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) key: String,
    pub(super) message: String,
}

/// Collects the complaints of one section.
pub(super) struct Check<'a> {
    section: &'static str,
    complaints: &'a mut Vec<Complaint>,
}

impl<'a> Check<'a> {
    pub(super) fn new(section: &'static str, complaints: &'a mut Vec<Complaint>) -> Self {
        Self { section, complaints }
    }

    /// `key` is wrong: `message`.
    pub(super) fn fault(&mut self, key: &str, message: impl Into<String>) {
        let key = format!("{}.{key}", self.section);
        self.complaints.push(Complaint { key, message: message.into() });
    }

    /// `key` has no value although the gateway cannot do without.
    pub(super) fn required(&mut self, key: &str, set: bool, hint: &str) {
        if !set {
            self.fault(key, format!("is not set: {hint}"));
        }
    }

    pub(super) fn within<T>(&mut self, key: &str, value: T, allowed: RangeInclusive<T>)
    where
        T: Copy + PartialOrd + Display,
    {
        if !allowed.contains(&value) {
            let (low, high) = (allowed.start(), allowed.end());
            self.fault(key, format!("{value} is out of range: {low} to {high}"));
        }
    }

    pub(super) fn lasting(
        &mut self,
        key: &str,
        value: Duration,
        allowed: RangeInclusive<Duration>,
    ) {
        if !allowed.contains(&value) {
            let (low, high) = (format_duration(*allowed.start()), format_duration(*allowed.end()));
            let value = format_duration(value);
            self.fault(key, format!("{value} is out of range: {low} to {high}"));
        }
    }

    /// An address of an HTTP service, to which paths are appended.
    pub(super) fn http_url(&mut self, key: &str, url: &Url) {
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            self.fault(key, "must begin with http:// or https:// and name a host");
        } else if !url.username().is_empty() || url.password().is_some() {
            self.fault(key, "must not contain a user name or password");
        } else if url.query().is_some() || url.fragment().is_some() {
            self.fault(key, "must not contain `?` or `#`");
        }
    }
}

/// Whether an address is on this machine, so that nobody in between can read or change what is said.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
