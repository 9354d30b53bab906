//! The ways a request can take.

use std::io;
#[cfg(feature = "serve")]
use std::time::SystemTime;

use bytes::Bytes;

use super::answer::Accepted;
use super::client::Client;
use super::compress;
use super::error::Failure;
#[cfg(feature = "grpc")]
use super::grpc::Grpc;
use super::settings::Settings;
use crate::config::Protocol;

/// What carries requests to the receiver.
pub(super) enum Transport {
    Http(Box<Client>),
    #[cfg(feature = "grpc")]
    Grpc(Box<Grpc>),
    /// What a test says.
    #[cfg(test)]
    Script(super::worker::Script),
}

impl Transport {
    /// # Errors
    ///
    /// As [`Client::new`]; a protocol that this build does not have.
    pub(super) fn new(settings: &Settings) -> io::Result<Transport> {
        match settings.protocol {
            Protocol::HttpProtobuf | Protocol::HttpJson => {
                Ok(Transport::Http(Box::new(Client::new(settings)?)))
            }
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Ok(Transport::Grpc(Box::new(Grpc::new(settings)?))),
            #[cfg(not(feature = "grpc"))]
            Protocol::Grpc => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this build has no gRPC; enable the feature \"grpc\" of metercast",
            )),
        }
    }

    /// A body as it is sent, however often.
    pub(super) fn pack(&self, body: Vec<u8>, settings: &Settings) -> Bytes {
        match self {
            Transport::Http(_) => compress::compressed(body, settings.compression).into(),
            // gRPC has frames inside the body, and compresses those.
            #[cfg(feature = "grpc")]
            Transport::Grpc(_) => body.into(),
            #[cfg(test)]
            Transport::Script(_) => body.into(),
        }
    }

    /// One attempt. It has no clock: whoever drops the future ends the request.
    pub(super) async fn send(
        &mut self,
        body: Bytes,
        points: u64,
        settings: &Settings,
    ) -> Result<Accepted, Failure> {
        match self {
            Transport::Http(client) => client.send(body).await?.judge(points, settings),
            #[cfg(feature = "grpc")]
            Transport::Grpc(grpc) => grpc.send(body, points, settings).await,
            #[cfg(test)]
            Transport::Script(script) => script.send(body).await,
        }
    }

    /// Whether the last attempt got as far as a connection.
    pub(super) fn connected(&self) -> bool {
        match self {
            Transport::Http(client) => client.connected(),
            #[cfg(feature = "grpc")]
            Transport::Grpc(grpc) => grpc.connected(),
            #[cfg(test)]
            Transport::Script(_) => true,
        }
    }

    /// What time the receiver said it was in its last answer, if it did.
    #[cfg(feature = "serve")]
    pub(super) fn date(&self) -> Option<SystemTime> {
        match self {
            Transport::Http(client) => client.date(),
            #[cfg(feature = "grpc")]
            Transport::Grpc(_) => None,
            #[cfg(test)]
            Transport::Script(_) => None,
        }
    }

    /// Whether not every byte of a body of this length left in the last attempt, as far as that can be told.
    pub(super) fn is_unsent(&self, length: usize) -> bool {
        let written = match self {
            Transport::Http(client) => Some(client.written()),
            #[cfg(feature = "grpc")]
            Transport::Grpc(grpc) => grpc.written(),
            #[cfg(test)]
            Transport::Script(_) => None,
        };
        written.is_some_and(|written| written < length as u64)
    }

    /// `otel.component.type` in the exporter's own metrics.
    pub(super) fn component(settings: &Settings) -> &'static str {
        let [protobuf, json, grpc] = settings.signal.components();
        match settings.protocol {
            Protocol::HttpProtobuf => protobuf,
            Protocol::HttpJson => json,
            Protocol::Grpc => grpc,
        }
    }
}
