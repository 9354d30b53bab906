//! How an OTLP push is spoken and packed.

/// What is spoken with the receiver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// Protobuf over HTTP/1.1, which every OTLP receiver understands.
    #[default]
    HttpProtobuf,
    /// JSON over HTTP/1.1, for receivers that people read.
    HttpJson,
    /// gRPC, with the Cargo feature `grpc`.
    Grpc,
}

impl Protocol {
    pub(in crate::config) const NAMES: [&str; 3] = ["http/protobuf", "http/json", "grpc"];

    /// The protocol of that name, in any case, as variables have it.
    pub(in crate::config) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "http/protobuf" => Some(Self::HttpProtobuf),
            "http/json" => Some(Self::HttpJson),
            "grpc" => Some(Self::Grpc),
            _ => None,
        }
    }

    /// The name, as a file or the environment gives it.
    pub(in crate::config) fn name(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::HttpJson => "http/json",
            Self::Grpc => "grpc",
        }
    }

    /// Where a receiver of this protocol listens unless it is said.
    pub(in crate::config) fn default_endpoint(self) -> &'static str {
        match self {
            Self::HttpProtobuf | Self::HttpJson => "http://localhost:4318",
            Self::Grpc => "http://localhost:4317",
        }
    }
}

/// How the body of a push is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// With gzip, which every OTLP receiver understands.
    Gzip,
    /// With zstd, which is smaller and faster, and which the specification of OTLP does not know: for a receiver that is
    /// known to understand it. With the Cargo feature `zstd`.
    Zstd,
}

impl Compression {
    pub(in crate::config) const NAMES: [&str; 3] = ["gzip", "zstd", "none"];

    /// As a file names it.
    pub(in crate::config) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The compression of that name, in any case, as variables have it.
    pub(in crate::config) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}
