//! Where a request comes from.
//!
//! Behind a proxy all connections are the proxy's own. `server.trusted_proxies` names those whose word
//! counts for who is behind them; anybody else could write into a header what he likes.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

/// What proxies append the address to that they were called from.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of a connection, or whom a trusted proxy there names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Peer(pub IpAddr);

impl Peer {
    /// Who asks over a connection from there. The last address is what the nearest proxy has seen; those
    /// before it count only as far as the proxies are trusted.
    pub fn of(headers: &HeaderMap, from: IpAddr, trusted: &[IpAddr]) -> Self {
        let trusts = |address: &IpAddr| {
            trusted.iter().any(|proxy| proxy.to_canonical() == address.to_canonical())
        };
        if !trusts(&from) {
            return Self(from);
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let texts = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        // What is no address ends the trust: nothing before it can be told from an invention.
        let named = texts.map_while(address);
        Self(named.into_iter().find(|it| !trusts(it)).unwrap_or(from))
    }

    /// Whether it may be many at once: a proxy on this machine that is not told of as trusted.
    pub fn is_loopback(self) -> bool {
        self.0.to_canonical().is_loopback()
    }

    /// Whoever has one IPv6 address has the 2^64 around it.
    pub fn network(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => {
                let bits = u128::from(address) >> 64 << 64;
                IpAddr::V6(bits.into())
            }
        }
    }
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(from: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted = ["127.0.0.1", "10.0.0.7"].map(|it| it.parse().unwrap());
        Peer::of(&headers, from.parse().unwrap(), &trusted).0.to_string()
    }

    #[test]
    fn only_a_trusted_proxy_names_somebody_else() {
        assert_eq!(peer("192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
        assert_eq!(peer("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(peer("::ffff:127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(peer("127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(peer("127.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(peer("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn what_a_client_wrote_itself_does_not_count() {
        assert_eq!(peer("127.0.0.1", &["203.0.113.9, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(peer("127.0.0.1", &["203.0.113.9", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(peer("127.0.0.1", &["203.0.113.9, 198.51.100.1, 10.0.0.7"]), "198.51.100.1");
        assert_eq!(peer("127.0.0.1", &["203.0.113.9, unknown, 10.0.0.7"]), "127.0.0.1");
        assert_eq!(peer("127.0.0.1", &["203.0.113.9, unknown"]), "127.0.0.1");
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let network = |text: &str| Peer(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8::1"), network("2001:db8::6"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
