//! Tunnels to gateways: so many at once, and only to those that are known.

use std::sync::Arc;

use metercast_tower::Guard;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics::{SHED, TUNNELS};

/// The tunnels that may be.
#[derive(Clone, Debug)]
pub(crate) struct Tunnels {
    permits: Arc<Semaphore>,
    gateways: Arc<[String]>,
    open: TaskTracker,
    ending: CancellationToken,
}

/// Why there is no tunnel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Nobody said that this gateway may be reached.
    Unknown,
    /// As many as may be are open.
    Shed,
    /// The gateway does not answer.
    Unreachable,
}

/// A tunnel whose other end is there.
#[derive(Debug)]
pub(crate) struct Tunnel {
    gateway: TcpStream,
    _permit: OwnedSemaphorePermit,
    _open: Guard,
}

impl Tunnels {
    /// So many at once, to these, until they are to end.
    pub(crate) fn new(most: usize, gateways: &[String], ending: CancellationToken) -> Tunnels {
        let permits = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Tunnels { permits, gateways: gateways.into(), open: TaskTracker::new(), ending }
    }

    /// Opens a tunnel to this `host:port`.
    pub(crate) async fn open(&self, gateway: &str) -> Result<Tunnel, Refused> {
        if !self.gateways.iter().any(|known| known == gateway) {
            return Err(Refused::Unknown);
        }
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            SHED.add(1);
            return Err(Refused::Shed);
        };
        let gateway = TcpStream::connect(gateway).await.map_err(|_| Refused::Unreachable)?;
        Ok(Tunnel { gateway, _permit: permit, _open: TUNNELS.guard() })
    }

    /// Carries bytes both ways on a task of its own, until either side ends, or the mailroom does.
    pub(crate) fn carry<C>(&self, tunnel: Tunnel, client: impl Future<Output = Option<C>> + Send + 'static)
    where
        C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let ending = self.ending.clone();
        self.open.spawn(async move {
            // All of it: the permit lasts as long as the tunnel.
            let mut tunnel = tunnel;
            let carried = async {
                if let Some(mut client) = client.await {
                    // Who goes away without a word has ended, too.
                    let _ = copy_bidirectional(&mut client, &mut tunnel.gateway).await;
                }
            };
            ending.run_until_cancelled(carried).await;
        });
    }

    /// Comes when none is open any more.
    pub(crate) async fn ended(&self) {
        self.open.close();
        self.open.wait().await;
    }
}
