//! A connection to the receiver: by TCP or a Unix socket, perhaps through a proxy, perhaps encrypted.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

use super::counted::{Counted, Written};
use super::error::Cause;
use super::settings::{Proxy, Settings};
#[cfg(feature = "tls")]
use super::tls::{self, Tls};
use crate::config::TlsConfig;

/// What is read from and written to.
pub(in crate::export) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes connections to one receiver.
pub(in crate::export) struct Connector {
    host: String,
    port: u16,
    socket: Option<PathBuf>,
    proxy: Option<Proxy>,
    /// Whether the proxy is to hand bytes through, not to understand them.
    tunnels: bool,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    written: Written,
}

impl Connector {
    /// `protocol` is the name that an encrypted connection is asked for (ALPN).
    ///
    /// # Errors
    ///
    /// The certificates cannot be read.
    pub(super) fn new(settings: &Settings, protocol: &str) -> io::Result<Connector> {
        #[cfg(not(feature = "tls"))]
        if settings.tls.is_some() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this build has no TLS; enable the feature \"tls\" of metercast",
            ));
        }
        Ok(Connector {
            host: settings.host.clone(),
            port: settings.port,
            socket: settings.socket.clone(),
            proxy: settings.proxy.clone().filter(|_| settings.socket.is_none()),
            tunnels: settings.tls.is_some() || protocol == "h2",
            written: Written::default(),
            #[cfg(feature = "tls")]
            tls: match &settings.tls {
                Some(files) => Some(Tls::new(files, &settings.host, protocol)?),
                None => None,
            },
        })
    }

    /// One that speaks HTTP/1.1 with a host, perhaps through a proxy.
    ///
    /// # Errors
    ///
    /// The certificates cannot be read.
    pub(in crate::export) fn http1(
        host: &str,
        port: u16,
        tls: Option<&TlsConfig>,
        proxy: Option<Proxy>,
    ) -> io::Result<Connector> {
        Ok(Connector {
            host: host.to_owned(),
            port,
            socket: None,
            proxy,
            tunnels: tls.is_some(),
            written: Written::default(),
            #[cfg(feature = "tls")]
            tls: tls.map(|files| Tls::new(files, host, "http/1.1")).transpose()?,
        })
    }

    /// The proxy that requests are meant for, as it does not hand them through unread.
    pub(in crate::export) fn reading_proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|_| !self.tunnels)
    }

    /// A new connection. Nothing of a request was sent when it fails.
    pub(in crate::export) async fn connect(&mut self) -> Result<Box<dyn Stream>, Cause> {
        let stream: Box<dyn Stream> = match (&self.socket, &self.proxy) {
            #[cfg(unix)]
            (Some(path), _) => {
                let stream = tokio::net::UnixStream::connect(path).await;
                Box::new(stream.map_err(|error| Cause::Connect(Arc::new(error)))?)
            }
            #[cfg(not(unix))]
            (Some(_), _) => return Err(Cause::Connect(Arc::new(io::ErrorKind::Unsupported.into()))),
            (None, Some(proxy)) => self.through(proxy).await?,
            (None, None) => Box::new(tcp(&self.host, self.port).await?),
        };
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            let stream = tls.handshake(stream).await?;
            return Ok(Box::new(Counted::new(stream, &self.written)));
        }
        Ok(Box::new(Counted::new(stream, &self.written)))
    }

    /// How many bytes were written to its connections so far.
    pub(super) fn written(&self) -> u64 {
        self.written.bytes()
    }

    async fn through(&self, proxy: &Proxy) -> Result<Box<dyn Stream>, Cause> {
        let fault = |says: String, is_lasting| Cause::Proxy { url: proxy.url.clone(), says, is_lasting };
        let mut stream = tcp(&proxy.host, proxy.port).await.map_err(|cause| match cause {
            Cause::Resolve(error) => {
                fault(format!("has a name that cannot be resolved ({error}); is it spelled right?"), false)
            }
            Cause::Connect(error) => fault(
                format!(
                    "cannot be reached ({error}); check its address, or name the receiver's host in NO_PROXY"
                ),
                false,
            ),
            cause => cause,
        })?;
        if self.tunnels {
            let status = self.ask_for_tunnel(proxy, &mut stream).await.map_err(|error| {
                fault(format!("made no connection ({error}); is it an HTTP proxy?"), false)
            })?;
            match status {
                200..=299 => {}
                407 => {
                    let says =
                        "answered 407 Proxy Authentication Required; check the user and password of its URL";
                    return Err(fault(says.to_owned(), true));
                }
                429 | 502..=504 => {
                    return Err(fault(format!("answered {status}; does it reach the receiver?"), false));
                }
                _ => return Err(fault(format!("answered {status}; does it allow this receiver?"), true)),
            }
        }
        Ok(Box::new(stream))
    }

    /// Asks a proxy to connect and then to hand everything through; the status that it answers.
    async fn ask_for_tunnel(&self, proxy: &Proxy, stream: &mut TcpStream) -> io::Result<u16> {
        // As the resolver of `CONNECT` wants it, always with the port.
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let target = format!("{host}:{}", self.port);
        let mut head = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n");
        if let Some(authorization) = &proxy.authorization {
            head.push_str(&format!("proxy-authorization: {authorization}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await?;

        // Byte by byte, as what comes behind the head belongs to the receiver.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() == LONGEST_HEAD {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "its answer does not end"));
            }
            answer.push(stream.read_u8().await?);
        }
        let status = answer.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
        let status = status.and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
        status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "its answer is not HTTP/1.1"))
    }
}

/// More than any proxy has to say.
const LONGEST_HEAD: usize = 8 << 10;

async fn tcp(host: &str, port: u16) -> Result<TcpStream, Cause> {
    let resolve = |error| Cause::Resolve(Arc::new(error));
    let connect = |error| Cause::Connect(Arc::new(error));
    let addresses: Vec<_> = lookup_host((host, port)).await.map_err(resolve)?.collect();
    let stream = TcpStream::connect(&addresses[..]).await.map_err(connect)?;
    // The head of a request should not wait for the body to fill a packet.
    stream.set_nodelay(true).map_err(connect)?;
    Ok(stream)
}

/// Whether a connection broke because the other side does not accept our certificate, which it says after we believe that
/// there is a connection.
pub(super) fn refusal(error: &(dyn std::error::Error + 'static)) -> Option<Cause> {
    #[cfg(feature = "tls")]
    {
        let chain = std::iter::successors(Some(error), |error| error.source());
        chain.filter_map(|error| error.downcast_ref::<io::Error>()).find_map(tls::alert)
    }
    #[cfg(not(feature = "tls"))]
    {
        let _ = error;
        None
    }
}
