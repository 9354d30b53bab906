//! The HTTP proxy that a push goes through.

use std::fmt;
use std::net::IpAddr;

use super::address::{self, Bracketed};
use super::auth;
use super::error::Checked;
use super::percent;
use super::secret::Secret;
use super::url::{redacted, split_scheme};

/// An HTTP proxy. Prints as its URL, without user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyConfig {
    host: String,
    port: u16,
    authorization: Option<Secret>,
}

impl ProxyConfig {
    /// The name or the address of the proxy; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port of the proxy; 80 if the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the `proxy-authorization` header says.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn authorization(&self) -> Option<&Secret> {
        self.authorization.as_ref()
    }

    /// Reads the URL of a proxy, or `none`.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn or_none(text: &str) -> Checked<Option<Self>> {
        Proxy::parse(text).map(|proxy| match proxy {
            Proxy::Through(proxy) => Some(proxy),
            Proxy::None => None,
        })
    }

    /// Reads `http://user:password@host:port`, of which only the host must be there.
    pub(super) fn parse(text: &str) -> Checked<Self> {
        let shown = redacted(text);
        let (scheme, rest) = split_scheme(text);
        let (user, authority) = match rest.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, rest),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if scheme.is_some_and(|scheme| !scheme.eq_ignore_ascii_case("http")) {
            return Err(format!(
                "{shown:?} is not an HTTP proxy, and no other is spoken to; write an http:// URL"
            ));
        }
        let (host, port) = address::split(authority)
            .map_err(|malformed| format!("{shown:?} {}", malformed.mend("http://proxy:3128")))?;
        let port = port.unwrap_or(80);
        if port == 0 {
            return Err(format!(
                "{shown:?} has the port 0, which cannot be reached; write for example :3128"
            ));
        }
        let authorization = user.map(authorization).transpose()?;
        Ok(Self { host, port, authorization })
    }
}

/// `user:password`, both percent-encoded.
fn authorization(user: &str) -> Checked<Secret> {
    let decode = |text: &str| {
        percent::decode(text)
            .map_err(|message| format!("has a user or a password (not shown) that {message}"))
    };
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    auth::basic(&decode(user)?, &decode(password)?)
}

impl fmt::Display for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", Bracketed(&self.host), self.port)
    }
}

impl Proxy {
    /// As it may be shown.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Through(proxy) => proxy.to_string(),
        }
    }
}

/// What one source says about the proxy.
#[derive(Debug, Clone)]
pub(super) enum Proxy {
    /// There is none, whatever the environment says.
    None,
    Through(ProxyConfig),
}

impl Proxy {
    /// Reads the URL of a proxy, or `none`.
    pub(super) fn parse(text: &str) -> Checked<Self> {
        if text == "none" { Ok(Self::None) } else { ProxyConfig::parse(text).map(Self::Through) }
    }
}

/// Whether a list as `NO_PROXY` has it names this host: by `*`, by its name, by a domain that it is in, by its address, or
/// by a block of addresses; all but the first and the last perhaps with a port.
pub(super) fn is_excepted(list: &str, host: &str, port: u16) -> bool {
    let host = host.to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        if let (Some((block, bits)), Some(address)) = (entry.split_once('/'), address) {
            return matches!((block.parse(), bits.parse()), (Ok(block), Ok(bits)) if is_in(address, block, bits));
        }
        let (name, only) = match address::split(&entry) {
            Ok((name, only)) => (name, only),
            // An IPv6 address without brackets.
            Err(_) => (entry, None),
        };
        if only.is_some_and(|only| only != port) {
            return false;
        }
        if let Some(address) = address {
            return name.parse() == Ok(address);
        }
        let domain = name.trim_start_matches("*.").trim_start_matches('.');
        !domain.is_empty()
            && (host == name || host.strip_suffix(domain).is_some_and(|sub| sub.is_empty() || sub.ends_with('.')))
    })
}

/// Whether an address is in the block of those that begin with the same bits as `block`.
fn is_in(address: IpAddr, block: IpAddr, bits: u32) -> bool {
    let (address, block, width) = match (address, block) {
        (IpAddr::V4(address), IpAddr::V4(block)) => {
            (u128::from(address.to_bits()), u128::from(block.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(block)) => (address.to_bits(), block.to_bits(), 128),
        _ => return false,
    };
    bits <= width && (address ^ block).checked_shr(width - bits).unwrap_or(0) == 0
}

/// Whether a host is this machine, to which no proxy is needed.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_host_perhaps_with_a_port_and_a_user() {
        let cases = [
            ("proxy", "http://proxy:80", None),
            ("proxy:3128", "http://proxy:3128", None),
            ("http://proxy:3128/", "http://proxy:3128", None),
            ("HTTP://[::1]:3128", "http://[::1]:3128", None),
            ("http://u:p@proxy:3128", "http://proxy:3128", Some("Basic dTpw")),
            ("http://u:p%40@proxy", "http://proxy:80", Some("Basic dTpwQA==")),
            ("http://u@proxy", "http://proxy:80", Some("Basic dTo=")),
            ("u:p://x@proxy", "http://proxy:80", Some("Basic dTpwOi8veA==")),
        ];
        for (text, shown, authorization) in cases {
            let proxy = ProxyConfig::parse(text).unwrap();
            assert_eq!(proxy.to_string(), shown, "{text}");
            assert_eq!(proxy.authorization().map(Secret::expose), authorization, "{text}");
        }
    }

    #[test]
    fn what_is_no_http_proxy_is_refused_without_its_password() {
        let cases = [
            (
                "socks5://u:s3cret@proxy:1080",
                "\"socks5://***@proxy:1080\" is not an HTTP proxy, and no other is spoken to; write an http:// URL",
            ),
            (
                "http://u:s3cret@proxy:port",
                "\"http://***@proxy:port\" has \"port\" where a port from 0 to 65535 should be; write for example \
                 http://proxy:3128",
            ),
            (
                "http://u:s3cret%@proxy",
                "has a user or a password (not shown) that has a % without two hexadecimal digits after it; write %25 \
                 for the character %",
            ),
            (
                "http://proxy:0",
                "\"http://proxy:0\" has the port 0, which cannot be reached; write for example :3128",
            ),
            ("", "\"\" has no host; write for example http://proxy:3128"),
            (
                "user:s3cret://x@proxy:0",
                "\"***@proxy:0\" has the port 0, which cannot be reached; write for example :3128",
            ),
            (
                "socks5://user:s3cret://x@proxy",
                "\"socks5://***@proxy\" is not an HTTP proxy, and no other is spoken to; write an http:// URL",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(ProxyConfig::parse(text).unwrap_err(), message);
        }
    }

    #[test]
    fn a_host_is_excepted_by_name_by_domain_by_address_and_by_block() {
        let excepted = [
            ("*", "any"),
            ("a,collector", "collector"),
            ("Collector", "COLLECTOR"),
            ("example.com", "otlp.example.com"),
            (".example.com", "otlp.example.com"),
            ("*.example.com", "otlp.example.com"),
            ("collector:4318", "collector"),
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.0/8", "10.1.2.3"),
            ("a b", "b"),
            ("::1", "::1"),
            ("[fd00::1]:4318", "fd00::1"),
            ("fd00::/8", "fd12::1"),
            ("0.0.0.0/0", "8.8.8.8"),
        ];
        for (list, host) in excepted {
            assert!(is_excepted(list, host, 4318), "{list} {host}");
        }
        let others = [
            ("", "a"),
            ("example.com", "notexample.com"),
            ("otlp.example.com", "example.com"),
            ("collector:4317", "collector"),
            ("10.0.0.0/8", "11.1.2.3"),
            ("10.0.0.0/33", "10.0.0.0"),
            ("10.0.0.0/x", "10.0.0.0"),
            (".", "a"),
            ("fd00::/8", "10.0.0.1"),
        ];
        for (list, host) in others {
            assert!(!is_excepted(list, host, 4318), "{list} {host}");
        }
    }
}
