//! `server.address` and `server.port`: hosts that are known, and `_OTHER`.

use http::uri::Authority;

use super::OTHER;
use super::names::{Index, Names};
use crate::exchange::RequestHead;

/// However many are asked for, room is made for no more.
const MOST: usize = 65_536;

/// The hosts that are told apart.
#[derive(Debug)]
pub(crate) struct Hosts {
    names: Names,
    grows: bool,
}

/// Whom a request is for, as its [`Hosts`] know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host(Option<Index>);

impl Host {
    pub(crate) const OTHER: Host = Host(None);
}

impl Hosts {
    /// These, each with or without a port: `api.example.com`, `[::1]:8080`.
    pub(crate) fn only(list: impl IntoIterator<Item = impl AsRef<str>>) -> Hosts {
        let list: Vec<_> = list.into_iter().collect();
        let names = Names::up_to(list.len()).ignoring_case();
        for host in &list {
            if let Ok(authority) = host.as_ref().parse::<Authority>() {
                let _ = names.find_or_add(authority.host(), authority.port_u16());
            }
        }
        Hosts { names, grows: false }
    }

    /// The first so many that come.
    pub(crate) fn first(limit: usize) -> Hosts {
        Hosts { names: Names::up_to(limit.min(MOST)).ignoring_case(), grows: true }
    }

    /// Whom the request is for, if it says so: the host of its URI, else of its `Host`. The port is the one that it says, or what
    /// `default` has.
    ///
    /// A host that is listed without a port is known with any.
    pub(crate) fn of(&self, request: &RequestHead<'_>, default: Option<u16>) -> Option<Host> {
        if let Some(authority) = request.uri().authority() {
            return Some(self.known(authority, default));
        }
        let header = request.headers().get(http::header::HOST)?;
        let authority = Authority::try_from(header.as_bytes()).ok();
        Some(authority.map_or(Host::OTHER, |authority| self.known(&authority, default)))
    }

    pub(crate) fn known(&self, authority: &Authority, default: Option<u16>) -> Host {
        let (host, port) = (authority.host(), authority.port_u16().or(default));
        Host(if self.grows {
            self.names.find_or_add(host, port)
        } else {
            self.names.find(host, port).or_else(|| self.names.find(host, None))
        })
    }

    pub(crate) fn address(&self, host: Host) -> &str {
        host.0.map_or(OTHER, |index| self.names.text(index))
    }

    pub(crate) fn port(&self, host: Host) -> Option<u16> {
        host.0.and_then(|index| self.names.port(index))
    }
}
