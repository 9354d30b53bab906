//! Addresses to listen on, also beside a listener of our own that has the port on another address and is about to close.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;

use socket2::SockRef;

/// Connections that wait to be accepted; the system may allow fewer.
const QUEUE: i32 = 4096;

/// The first address of the name that can be bound. Those `beside` are no reason that it cannot, if the system can tell:
/// where everything is listened to instead of loopback, or the other way round, the port is the same.
pub(super) fn bind(listen: &str, beside: &[Arc<TcpListener>]) -> io::Result<TcpListener> {
    let mut error = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    for address in listen.to_socket_addrs()? {
        let bound = TcpListener::bind(address)
            .or_else(|refused| bind_beside(address, beside).unwrap_or(Err(refused)));
        match bound {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                // The queue that the standard library asks for is full of 128, and whoever comes then waits for a second. Not
                // everywhere can it be had longer.
                let _ = SockRef::from(&listener).listen(QUEUE);
                return Ok(listener);
            }
            Err(refused) => error = refused,
        }
    }
    Err(error)
}

/// Binds an address whose port those have; `None` if none of them does. Linux lets who share a port have it on overlapping
/// addresses, and asks for that only at this moment.
#[cfg(target_os = "linux")]
fn bind_beside(address: SocketAddr, beside: &[Arc<TcpListener>]) -> Option<io::Result<TcpListener>> {
    use socket2::{Domain, Socket, Type};

    /// A listener that shares its port, until this is dropped.
    struct Sharing<'a>(SockRef<'a>);

    impl Drop for Sharing<'_> {
        fn drop(&mut self) {
            let _ = self.0.set_reuse_port(false);
        }
    }

    let has_port =
        |other: &&Arc<TcpListener>| other.local_addr().is_ok_and(|other| other.port() == address.port());
    let sharing: Vec<_> =
        beside.iter().filter(has_port).map(|other| Sharing(SockRef::from(&**other))).collect();
    if sharing.is_empty() || address.port() == 0 {
        return None;
    }
    let bind = || {
        sharing.iter().try_for_each(|other| other.0.set_reuse_port(true))?;
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        socket.listen(QUEUE)?;
        socket.set_reuse_port(false)?;
        Ok(socket.into())
    };
    Some(bind())
}

#[cfg(not(target_os = "linux"))]
fn bind_beside(_: SocketAddr, _: &[Arc<TcpListener>]) -> Option<io::Result<TcpListener>> {
    None
}
