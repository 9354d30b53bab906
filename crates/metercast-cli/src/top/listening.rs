//! The page of a process, wherever that listens on this machine.

use crate::fetch::{Access, NoPage, Source, Why};

/// The first address of a process, by its port, that has a metrics page.
///
/// # Errors
///
/// Why there is none, and what to do about it.
pub(super) fn source(pid: u32, access: &Access) -> Result<Source, String> {
    let addresses = system::addresses(pid)?;
    let mut answers = Vec::new();
    for address in &addresses {
        let source = Source::new(&address.to_string(), access)?;
        match source.page() {
            Ok(_) => return Ok(source),
            Err(trouble) => answers.push(trouble),
        }
    }
    let tried = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // Who wants a token has something that not everybody may see; the others have nothing there.
    let forbidden = answers.iter().find(|answer| answer.why == Why::Forbidden);
    Err(match forbidden.or(answers.first()) {
        Some(NoPage { text, why: Why::Forbidden }) => {
            format!("process {pid} has no page at /metrics of {tried} that everybody may read: {text}")
        }
        Some(NoPage { text, .. }) => {
            format!("process {pid} has no page at /metrics of {tried}; name the URL. The first says: {text}")
        }
        None => format!("process {pid} listens nowhere for TCP: is its metrics address switched on?"),
    })
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::HashSet;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    use procfs::ProcError;
    use procfs::net::TcpState;
    use procfs::process::{FDTarget, Process};

    /// Where a process listens for TCP, as one asks it from here, sorted by the port.
    pub(super) fn addresses(pid: u32) -> Result<Vec<SocketAddr>, String> {
        let cannot = |error| match error {
            ProcError::NotFound(_) => format!("there is no process {pid}"),
            ProcError::PermissionDenied(_) => {
                format!("process {pid} is another user's: name the URL of its page instead")
            }
            error => format!("cannot look at process {pid}: {error}"),
        };
        let process = Process::new(i32::try_from(pid).unwrap_or(i32::MAX)).map_err(cannot)?;
        // Some may be closed meanwhile.
        let files = process.fd().map_err(cannot)?.flatten();
        let sockets: HashSet<u64> = files
            .filter_map(|file| match file.target {
                FDTarget::Socket(inode) => Some(inode),
                _ => None,
            })
            .collect();
        let mut entries = process.tcp().map_err(cannot)?;
        // Of a machine without IPv6 there is no such list.
        entries.extend(process.tcp6().unwrap_or_default());
        let mut addresses: Vec<SocketAddr> = entries
            .into_iter()
            .filter(|entry| entry.state == TcpState::Listen && sockets.contains(&entry.inode))
            .map(|entry| asked(entry.local_address))
            .collect();
        addresses.sort_by_key(|address| (address.port(), address.is_ipv6()));
        addresses.dedup();
        Ok(addresses)
    }

    /// Who listens on all addresses is asked on this machine's own.
    fn asked(listening: SocketAddr) -> SocketAddr {
        let own = match listening.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(own, listening.port())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::net::SocketAddr;

    /// Nobody but Linux tells it in a file.
    pub(super) fn addresses(pid: u32) -> Result<Vec<SocketAddr>, String> {
        Err(format!("where process {pid} listens is known on Linux only: name the URL of its page instead"))
    }
}
