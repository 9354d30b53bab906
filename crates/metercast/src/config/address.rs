//! `host:port`, where to listen or whom to reach.

use std::fmt;
use std::net::Ipv6Addr;

use super::error::Checked;

/// A host and a port. An IPv6 address is kept without its brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Address {
    /// Reads an address to listen on. Port 0 is any free port.
    pub(super) fn to_listen(text: &str) -> Checked<Self> {
        match split(text) {
            Ok((host, Some(port))) => Ok(Self { host, port }),
            Ok((digits, None)) if parse_port(&digits).is_some() => Err(format!(
                "{text:?} has no host; write 127.0.0.1:{digits}, or 0.0.0.0:{digits} to listen on every \
                 interface"
            )),
            Ok((host, None)) => {
                Err(format!("{text:?} has no port; write {}", Self { host, port: super::prometheus::PORT }))
            }
            Err(Malformed::Host(host)) if host.is_empty() && text.starts_with(':') => Err(format!(
                "{text:?} has no host; write 127.0.0.1{text}, or 0.0.0.0{text} to listen on every interface"
            )),
            Err(malformed) => Err(format!("{text:?} {}", malformed.mend("127.0.0.1:9464"))),
        }
    }

    /// Whether two listeners on these addresses would be in each other's way.
    pub(super) fn is_same_listener(&self, other: &Self) -> bool {
        let name = |host: &str| match host.to_ascii_lowercase() {
            host if host == "localhost" => "127.0.0.1".to_owned(),
            host => host,
        };
        // Port 0 is another port each time.
        self.port == other.port && self.port != 0 && name(&self.host) == name(&other.host)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Bracketed(&self.host), self.port)
    }
}

/// A host as URLs and addresses write it: an IPv6 address in brackets.
pub(super) struct Bracketed<'a>(pub(super) &'a str);

impl fmt::Display for Bracketed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(self.0) }
    }
}

/// Reads a host alone; an IPv6 address may go without brackets, as nothing follows it.
pub(super) fn host(text: &str) -> Checked<String> {
    let bare = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<Ipv6Addr>().is_ok() || is_name(bare) {
        Ok(bare.to_owned())
    } else {
        Err(format!("{text:?} is not a host; write a name or an IP address, for example 127.0.0.1"))
    }
}

/// Which part of an address cannot be read.
pub(super) enum Malformed {
    Host(String),
    Port(String),
    BareIpv6(String),
}

impl Malformed {
    /// What is wrong, to be put behind the text.
    pub(super) fn mend(&self, example: &str) -> String {
        match self {
            Self::Host(host) if host.is_empty() => format!("has no host; write for example {example}"),
            Self::Host(host) => format!("has {host:?} where a host should be; write for example {example}"),
            Self::Port(port) => {
                format!("has {port:?} where a port from 0 to 65535 should be; write for example {example}")
            }
            Self::BareIpv6(host) => {
                format!("has an IPv6 address without brackets; write [{host}] and the port behind it")
            }
        }
    }
}

/// Takes `host`, `host:port`, `[v6]` or `[v6]:port` apart.
pub(super) fn split(text: &str) -> Result<(String, Option<u16>), Malformed> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(Malformed::BareIpv6(text.to_owned()));
    }
    // The last colon that is not inside brackets stands before the port.
    let (host, port) = match text.rfind(':') {
        Some(at) if !text[at..].contains(']') => (&text[..at], Some(&text[at + 1..])),
        _ => (text, None),
    };
    let known = match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok().then_some(inner),
        None => is_name(host).then_some(host),
    };
    let Some(known) = known else { return Err(Malformed::Host(host.to_owned())) };
    let port = port
        .map(|digits| parse_port(digits).ok_or_else(|| Malformed::Port(digits.to_owned())))
        .transpose()?;
    Ok((known.to_owned(), port))
}

/// A port's number; unlike `parse`, this refuses `+80`.
pub(super) fn parse_port(digits: &str) -> Option<u16> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// A host name or an IPv4 address. Only a lookup can tell whether it exists.
fn is_name(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_read_and_printed_back() {
        for text in ["127.0.0.1:9464", "0.0.0.0:0", "localhost:9464", "[::1]:9464", "my_host-1.example:65535"]
        {
            assert_eq!(Address::to_listen(text).unwrap().to_string(), text);
        }
        assert_eq!(Address::to_listen("[::1]:9464").unwrap().host, "::1");
    }

    #[test]
    fn a_bad_listen_address_is_shown_with_the_way_to_write_it() {
        let cases = [
            ("127.0.0.1", "\"127.0.0.1\" has no port; write 127.0.0.1:9464"),
            ("[::1]", "\"[::1]\" has no port; write [::1]:9464"),
            (
                "9464",
                "\"9464\" has no host; write 127.0.0.1:9464, or 0.0.0.0:9464 to listen on every interface",
            ),
            (
                ":9464",
                "\":9464\" has no host; write 127.0.0.1:9464, or 0.0.0.0:9464 to listen on every interface",
            ),
            ("", "\"\" has no host; write for example 127.0.0.1:9464"),
            ("::1", "\"::1\" has an IPv6 address without brackets; write [::1] and the port behind it"),
            (
                "host:99999",
                "\"host:99999\" has \"99999\" where a port from 0 to 65535 should be; write for example \
                 127.0.0.1:9464",
            ),
            (
                "host:+80",
                "\"host:+80\" has \"+80\" where a port from 0 to 65535 should be; write for example \
                 127.0.0.1:9464",
            ),
            (
                "host:",
                "\"host:\" has \"\" where a port from 0 to 65535 should be; write for example 127.0.0.1:9464",
            ),
            (
                "http://127.0.0.1:9464",
                "\"http://127.0.0.1:9464\" has \"http://127.0.0.1\" where a host should be; write for \
                 example 127.0.0.1:9464",
            ),
            ("a b:1", "\"a b:1\" has \"a b\" where a host should be; write for example 127.0.0.1:9464"),
            (
                "[:::1]:1",
                "\"[:::1]:1\" has \"[:::1]\" where a host should be; write for example 127.0.0.1:9464",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(Address::to_listen(text).unwrap_err(), message);
        }
    }

    #[test]
    fn two_listeners_collide_on_one_port_of_one_host() {
        let at = |text| Address::to_listen(text).unwrap();
        let cases = [
            ("127.0.0.1:1", "127.0.0.1:1", true),
            ("localhost:1", "127.0.0.1:1", true),
            ("Host:1", "host:1", true),
            ("127.0.0.1:1", "127.0.0.1:2", false),
            ("127.0.0.1:1", "127.0.0.2:1", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ];
        for (a, b, collide) in cases {
            assert_eq!(at(a).is_same_listener(&at(b)), collide, "{a} {b}");
        }
    }

    #[test]
    fn a_host_alone_may_be_any_address() {
        for (text, read) in
            [("0.0.0.0", "0.0.0.0"), ("::", "::"), ("[::1]", "::1"), ("localhost", "localhost")]
        {
            assert_eq!(host(text).as_deref(), Ok(read));
        }
        assert_eq!(
            host("a b"),
            Err("\"a b\" is not a host; write a name or an IP address, for example 127.0.0.1".to_owned())
        );
    }
}
