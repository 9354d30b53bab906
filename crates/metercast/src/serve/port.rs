//! Addresses to listen on, also beside a listener of our own that has the port on another address and is about to close.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::{Arc, Weak};

use socket2::SockRef;

/// Connections that wait to be accepted; the system may allow fewer.
const QUEUE: i32 = 4096;

/// A socket that has its address.
pub(super) struct Bound {
    pub(super) socket: Arc<TcpListener>,
    /// Who has the port too. If there is anybody, connections are theirs until it [listens](listen_beside).
    pub(super) beside: Vec<Weak<TcpListener>>,
}

/// The first address of the name that can be bound. Those `beside` are no reason that it cannot, if the system can tell:
/// where everything is listened to instead of loopback, or the other way round, the port is the same.
pub(super) fn bind(listen: &str, beside: &[Arc<TcpListener>]) -> io::Result<Bound> {
    let mut error = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    for address in listen.to_socket_addrs()? {
        let bound =
            bind_alone(address).or_else(|refused| bind_beside(address, beside).unwrap_or(Err(refused)));
        match bound {
            Ok(bound) => {
                bound.socket.set_nonblocking(true)?;
                return Ok(bound);
            }
            Err(refused) => error = refused,
        }
    }
    Err(error)
}

/// Listens at once: nobody else can have the address then, whenever connections are accepted.
fn bind_alone(address: SocketAddr) -> io::Result<Bound> {
    let socket = TcpListener::bind(address)?;
    // The queue that the standard library asks for is full of 128, and whoever comes then waits for a second. Not everywhere
    // can it be had longer.
    let _ = SockRef::from(&socket).listen(QUEUE);
    Ok(Bound { socket: Arc::new(socket), beside: Vec::new() })
}

/// A socket that shares its port, until this is dropped. Linux lets who share a port have it on overlapping addresses, and asks
/// for that only at the moment of binding and of listening.
#[cfg(target_os = "linux")]
struct Sharing<'a>(SockRef<'a>);

#[cfg(target_os = "linux")]
impl<'a> Sharing<'a> {
    fn all(sockets: &'a [Arc<TcpListener>]) -> io::Result<Vec<Sharing<'a>>> {
        let share = |socket: &'a Arc<TcpListener>| {
            let sharing = Sharing(SockRef::from(&**socket));
            sharing.0.set_reuse_port(true).map(|()| sharing)
        };
        sockets.iter().map(share).collect()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Sharing<'_> {
    fn drop(&mut self) {
        let _ = self.0.set_reuse_port(false);
    }
}

/// Binds an address whose port those have; `None` if none of them does.
#[cfg(target_os = "linux")]
fn bind_beside(address: SocketAddr, beside: &[Arc<TcpListener>]) -> Option<io::Result<Bound>> {
    use socket2::{Domain, Socket, Type};

    let has_port =
        |other: &&Arc<TcpListener>| other.local_addr().is_ok_and(|other| other.port() == address.port());
    let beside: Vec<_> = beside.iter().filter(has_port).cloned().collect();
    if beside.is_empty() || address.port() == 0 {
        return None;
    }
    let bind = || {
        let _sharing = Sharing::all(&beside)?;
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        socket.set_reuse_port(false)?;
        Ok(Bound { socket: Arc::new(socket.into()), beside: beside.iter().map(Arc::downgrade).collect() })
    };
    Some(bind())
}

#[cfg(not(target_os = "linux"))]
fn bind_beside(_: SocketAddr, _: &[Arc<TcpListener>]) -> Option<io::Result<Bound>> {
    None
}

/// Takes connections from now on, of those that came to the others so far, as far as they are still there.
pub(super) fn listen_beside(socket: &Arc<TcpListener>, beside: &[Weak<TcpListener>]) -> io::Result<()> {
    let mut sharing: Vec<_> = beside.iter().filter_map(Weak::upgrade).collect();
    sharing.push(Arc::clone(socket));
    #[cfg(target_os = "linux")]
    let _sharing = Sharing::all(&sharing)?;
    SockRef::from(&**socket).listen(QUEUE)
}
