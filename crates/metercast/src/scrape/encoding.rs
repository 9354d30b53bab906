//! How a page is packed on its way, of the ways that a scraper says it can unpack.

use crate::export::prometheus::read_quality;

/// A content coding (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    #[cfg(feature = "gzip")]
    Gzip,
    #[cfg(feature = "zstd")]
    Zstd,
}

/// Those that there are, of equals the first first.
const CODINGS: &[Encoding] = &[
    #[cfg(feature = "zstd")]
    Encoding::Zstd,
    #[cfg(feature = "gzip")]
    Encoding::Gzip,
    Encoding::Identity,
];

/// Nobody knows so many.
const MOST_ENTRIES: usize = 64;

impl Encoding {
    /// What to answer to an `Accept-Encoding` header (RFC 9110, section 12.5.3): the coding with the highest `q`. Without a
    /// header, and if everything is excluded, the page goes as it is.
    pub(crate) fn negotiate(accept_encoding: Option<&str>) -> Encoding {
        let Some(header) = accept_encoding else { return Encoding::Identity };
        let entries: Vec<(&str, f32)> =
            header.split(',').take(MOST_ENTRIES).filter_map(|entry| read(entry.trim())).collect();
        let said = |name: &str| {
            let of = |coding: &str| coding.eq_ignore_ascii_case(name);
            entries.iter().find(|(coding, _)| of(coding)).map(|(_, quality)| *quality)
        };
        let any = said("*");
        let mut best = (Encoding::Identity, 0.0);
        for coding in CODINGS {
            let mut quality = said(coding.name());
            if coding.name() == "gzip" {
                quality = quality.or_else(|| said("x-gzip"));
            }
            // What is not spoken of may be taken as it is, and counts less than all that is.
            let unsaid = if *coding == Encoding::Identity { f32::MIN_POSITIVE } else { 0.0 };
            let quality = quality.or(any).unwrap_or(unsaid);
            if quality > best.1 {
                best = (*coding, quality);
            }
        }
        best.0
    }

    fn name(self) -> &'static str {
        match self {
            Encoding::Identity => "identity",
            #[cfg(feature = "gzip")]
            Encoding::Gzip => "gzip",
            #[cfg(feature = "zstd")]
            Encoding::Zstd => "zstd",
        }
    }

    /// The page packed, and what `Content-Encoding` says of that; `None` if it goes as it is. Pages are mostly repetitions, so
    /// that the quickest way is good enough.
    #[cfg_attr(not(any(feature = "gzip", feature = "zstd")), allow(unused_variables))]
    pub(crate) fn pack(self, page: &[u8]) -> Option<(Vec<u8>, &'static str)> {
        match self {
            Encoding::Identity => None,
            #[cfg(feature = "gzip")]
            Encoding::Gzip => {
                use std::io::Write;
                let mut packed = flate2::write::GzEncoder::new(room_for(page), flate2::Compression::fast());
                packed.write_all(page).ok()?;
                Some((packed.finish().ok()?, self.name()))
            }
            #[cfg(feature = "zstd")]
            Encoding::Zstd => {
                let mut packed = room_for(page);
                zstd::stream::copy_encode(page, &mut packed, 1).ok()?;
                Some((packed, self.name()))
            }
        }
    }
}

/// Pages shrink to a tenth or less.
#[cfg(any(feature = "gzip", feature = "zstd"))]
fn room_for(page: &[u8]) -> Vec<u8> {
    Vec::with_capacity(page.len() / 8 + 64)
}

/// `gzip;q=0.5`. None if it cannot be read. The `q` is looked for among all parameters, and of several the least counts.
fn read(entry: &str) -> Option<(&str, f32)> {
    let mut parts = entry.split(';');
    let coding = parts.next()?.trim();
    let quality = parts.try_fold(1.0_f32, |least, parameter| {
        let (name, value) = parameter.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("q") {
            return Some(least);
        }
        Some(least.min(read_quality(value.trim())?))
    })?;
    Some((coding, quality))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "gzip")]
    #[test]
    fn the_coding_is_the_one_that_is_wanted_most() {
        use Encoding::{Gzip, Identity};
        #[cfg(feature = "zstd")]
        const BEST: Encoding = Encoding::Zstd;
        #[cfg(not(feature = "zstd"))]
        const BEST: Encoding = Gzip;
        let cases = [
            ("gzip", Gzip),
            ("GZIP ; Q=1.0", Gzip),
            ("x-gzip", Gzip),
            ("gzip, deflate, br", Gzip),
            ("gzip, identity", Gzip),
            ("identity, gzip;q=0.5", Identity),
            ("identity;q=0.5, gzip;q=0.6", Gzip),
            ("gzip;q=0.001", Gzip),
            ("gzip;q=0", Identity),
            ("gzip;q=0.000, *", if BEST == Gzip { Identity } else { BEST }),
            ("deflate, br", Identity),
            ("", Identity),
            ("identity", Identity),
            ("*", BEST),
            ("*;q=0", Identity),
            ("identity;q=0", Identity),
            ("identity;q=0, gzip;q=0.1", Gzip),
            ("*;q=0, gzip", Gzip),
            ("gzip, zstd, br", BEST),
            ("gzip;q=x", Identity),
            ("gzip;q=-1", Identity),
            ("gzip;", Identity),
            ("gzip;x=y", Gzip),
            ("gzip;x=y;q=0", Identity),
            ("gzip ; x=y ; Q=0.5, identity;q=0.6", Identity),
            ("gzip;x=y;q=0.5", Gzip),
            ("gzip;q=0;x=y", Identity),
            ("gzip;q=1;q=0", Identity),
            ("gzip;x=y;q=x", Identity),
            (";;;,=,q=1,\0", Identity),
        ];
        for (header, expected) in cases {
            assert_eq!(Encoding::negotiate(Some(header)), expected, "{header}");
        }
        assert_eq!(Encoding::negotiate(None), Identity);
        let endless = "a,".repeat(1_000_000) + "gzip";
        assert_eq!(Encoding::negotiate(Some(&endless)), Identity);
    }

    #[cfg(feature = "gzip")]
    #[test]
    fn what_is_packed_unpacks_to_the_page() {
        use std::io::Read;
        let page = "# TYPE a gauge\na{b=\"c\"} 1\n".repeat(1_000);
        let (packed, coding) = Encoding::Gzip.pack(page.as_bytes()).unwrap();
        assert_eq!(coding, "gzip");
        assert!(packed.len() < page.len() / 10);
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, page);
        assert_eq!(Encoding::Identity.pack(page.as_bytes()), None);
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn what_is_packed_by_zstd_unpacks_to_the_page() {
        let page = "# TYPE a gauge\na{b=\"c\"} 1\n".repeat(1_000);
        let (packed, coding) = Encoding::Zstd.pack(page.as_bytes()).unwrap();
        assert_eq!(coding, "zstd");
        assert!(packed.len() < page.len() / 10);
        assert_eq!(zstd::stream::decode_all(&packed[..]).unwrap(), page.as_bytes());
        assert_eq!(Encoding::negotiate(Some("gzip, zstd;q=0.9")), Encoding::Gzip);
        assert_eq!(Encoding::negotiate(Some("gzip;q=0.9, zstd")), Encoding::Zstd);
    }
}
