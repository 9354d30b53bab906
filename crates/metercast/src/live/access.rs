//! Who may look: programs on this machine, and who has the token.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::from_base64;

/// What is known of who asks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Client<'a> {
    /// Whether the connection comes from this machine.
    pub(crate) is_local: bool,
    /// The header `host`.
    pub(crate) host: Option<&'a str>,
    /// Whether a proxy says that it asks for somebody else.
    pub(crate) is_forwarded: bool,
    /// The header `last-event-id`.
    pub(crate) last_event: Option<&'a str>,
}

impl Client<'_> {
    /// Whether it may look without a token. The name that it asks for must be this machine's too: otherwise a page of the web could have its own name lead
    /// here, and read what a browser on this machine may.
    pub(super) fn is_at_home(&self) -> bool {
        self.is_local && !self.is_forwarded && self.host.is_some_and(is_loopback)
    }
}

/// Whether `host`, which may have a port, is this machine and no other.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) if port.is_empty() || port.starts_with(':') => name,
            _ => return false,
        },
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || name.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an address is this machine's own, also if IPv4 came by IPv6.
pub(crate) fn is_local(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The password of `Basic ...`, as browsers send it; `None` if it is none.
pub(super) fn password(authorization: &[u8]) -> Option<Vec<u8>> {
    let (scheme, coded) = authorization.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let plain = from_base64(coded.trim_ascii())?;
    let colon = plain.iter().position(|byte| *byte == b':')?;
    Some(plain[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_at_home() {
        for host in ["localhost", "LOCALHOST:9464", "127.0.0.1", "127.9.9.9:80", "[::1]", "[::1]:9464"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "[::1", "[::1]x", "", "::1"]
        {
            assert!(!is_loopback(host), "{host}");
        }
        let client = Client { is_local: true, host: Some("localhost"), ..Client::default() };
        assert!(client.is_at_home());
        assert!(!Client { is_forwarded: true, ..client }.is_at_home());
        assert!(!Client { is_local: false, ..client }.is_at_home());
        assert!(!Client { host: None, ..client }.is_at_home());
        assert!(
            is_local("::ffff:127.0.0.1".parse().unwrap()) && !is_local("::ffff:10.0.0.1".parse().unwrap())
        );
    }

    #[test]
    fn the_password_is_what_a_browser_sends() {
        // RFC 7617, section 2.
        let password =
            |header: &str| super::password(header.as_bytes()).map(|it| String::from_utf8(it).unwrap());
        assert_eq!(password("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").as_deref(), Some("open sesame"));
        assert_eq!(password("basic OnQ=").as_deref(), Some("t"));
        assert_eq!(password("basic dTo=").as_deref(), Some(""));
        for none in ["Bearer QWxhZGRpbjpvcGVu", "Basic", "Basic !!", "Basic QQ==", ""] {
            assert_eq!(password(none), None, "{none}");
        }
    }
}
