//! Who has an address that somebody else wants to listen on.

use std::net::{SocketAddr, ToSocketAddrs};

/// The process that listens where that would be listened, as `shop (process 4711)`; `None` if that cannot be seen.
pub(super) fn of(listen: &str) -> Option<String> {
    listen.to_socket_addrs().ok()?.find_map(of_address)
}

#[cfg(target_os = "linux")]
fn of_address(wanted: SocketAddr) -> Option<String> {
    use procfs::net::TcpState;
    use procfs::process::{FDTarget, all_processes};

    let has_it = |local: &SocketAddr| {
        let is_any = local.ip().is_unspecified() || wanted.ip().is_unspecified();
        local.port() == wanted.port() && (is_any || local.ip().to_canonical() == wanted.ip().to_canonical())
    };
    let sockets = [procfs::net::tcp(), procfs::net::tcp6()].into_iter().filter_map(Result::ok).flatten();
    let inodes: Vec<u64> = sockets
        .filter(|socket| socket.state == TcpState::Listen && has_it(&socket.local_address))
        .map(|socket| socket.inode)
        .collect();
    if inodes.is_empty() {
        return None;
    }
    for process in all_processes().ok()?.filter_map(Result::ok) {
        // Those of other users cannot be looked into.
        let Ok(files) = process.fd() else { continue };
        let is_its = files
            .filter_map(Result::ok)
            .any(|file| matches!(file.target, FDTarget::Socket(inode) if inodes.contains(&inode)));
        if is_its {
            let name = process.stat().map_or_else(|_| "a process".to_owned(), |stat| stat.comm);
            return Some(format!("{name} (process {})", process.pid()));
        }
    }
    Some("a process of another user".to_owned())
}

#[cfg(not(target_os = "linux"))]
fn of_address(_: SocketAddr) -> Option<String> {
    None
}
