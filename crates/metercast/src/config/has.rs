//! What this build can do, so that a configuration that asks for more is refused with the feature's name.
#![allow(unexpected_cfgs, reason = "the features arrive together with what they switch on")]

/// `https://`.
pub(super) const TLS: bool = cfg!(feature = "tls");
/// OTLP over gRPC.
pub(super) const GRPC: bool = cfg!(feature = "grpc");
/// Compression with zstd.
pub(super) const ZSTD: bool = cfg!(feature = "zstd");
/// The page for people.
pub(super) const LIVE: bool = cfg!(feature = "live");
