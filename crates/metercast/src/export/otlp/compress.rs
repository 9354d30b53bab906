//! The body of a request, compressed.

use std::io::Write;

use flate2::write::GzEncoder;

use crate::config::Compression;

/// Most of what gzip saves, at a third of the time of its default level.
const GZIP_LEVEL: u32 = 3;

/// Its default, at which it is smaller than gzip and faster.
#[cfg(feature = "zstd")]
const ZSTD_LEVEL: i32 = 3;

/// The name for `content-encoding`.
pub(super) fn encoding(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some("gzip"),
        Compression::Zstd => Some("zstd"),
    }
}

pub(super) fn compressed(message: Vec<u8>, compression: Compression) -> Vec<u8> {
    match compression {
        Compression::None => message,
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
            let written = encoder.write_all(&message).and_then(|()| encoder.finish());
            written.expect("writing to a Vec cannot fail")
        }
        #[cfg(feature = "zstd")]
        Compression::Zstd => {
            zstd::bulk::compress(&message, ZSTD_LEVEL).expect("the output has room for everything")
        }
        // The configuration refuses it.
        #[cfg(not(feature = "zstd"))]
        Compression::Zstd => message,
    }
}
