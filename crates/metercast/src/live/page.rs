//! The page itself: one text with everything in it, put together while compiling from the files in `page/`.

use std::sync::{Mutex, PoisonError};

use crate::scrape::{Encoding, ScrapeAnswer};

macro_rules! style {
    () => {
        concat!(include_str!("page/uplot/uPlot.min.css"), include_str!("page/style.css"))
    };
}

macro_rules! uplot {
    () => {
        include_str!("page/uplot/uPlot.iife.min.js")
    };
}

/// The files in their order, in a scope of their own.
macro_rules! script {
    () => {
        concat!(
            "\"use strict\";(() => {\n",
            include_str!("page/script/elements.js"),
            include_str!("page/script/numbers.js"),
            include_str!("page/script/told.js"),
            include_str!("page/script/health.js"),
            include_str!("page/script/service.js"),
            include_str!("page/script/metrics.js"),
            include_str!("page/script/detail.js"),
            include_str!("page/script/copy.js"),
            include_str!("page/script/lists.js"),
            include_str!("page/script/address.js"),
            include_str!("page/script/controls.js"),
            "})();"
        )
    };
}

const PAGE: &str = concat!(
    "<!doctype html><html lang=\"en\" data-theme=\"light\"><head><meta charset=\"utf-8\">",
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">",
    "<title>metercast live</title><link rel=\"icon\" href=\"data:,\"><style>",
    style!(),
    "</style></head><body>",
    include_str!("page/body.html"),
    "<script>",
    uplot!(),
    "</script><script>",
    script!(),
    "</script></body></html>",
);

/// What a browser may load and run: what stands in the page, by its hashes, and nothing else. A test makes the file.
const POLICY: &str = include_str!("page/policy.txt").trim_ascii();

/// The page in a content coding, with the name of that.
type Packed = Option<(Vec<u8>, &'static str)>;

/// Packed once for each coding that was asked for: there are a few.
fn packed(encoding: Encoding) -> Packed {
    static PACKED: Mutex<Vec<(Encoding, Packed)>> = Mutex::new(Vec::new());
    let mut known = PACKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, packed)) = known.iter().find(|(other, _)| *other == encoding) {
        return packed.clone();
    }
    let packed = encoding.pack(PAGE.as_bytes());
    known.push((encoding, packed.clone()));
    packed
}

/// The page, packed as the browser takes it.
pub(super) fn answer(accept_encoding: Option<&str>) -> ScrapeAnswer {
    let answer = match packed(Encoding::negotiate(accept_encoding)) {
        Some((packed, coding)) => {
            ScrapeAnswer::bytes("text/html; charset=utf-8", packed).with("content-encoding", coding)
        }
        None => ScrapeAnswer::bytes("text/html; charset=utf-8", PAGE.as_bytes().to_vec()),
    };
    answer
        .with("vary", "accept-encoding")
        .with("cache-control", "no-cache")
        .with("content-security-policy", POLICY)
        .with("referrer-policy", "no-referrer")
        .with("cross-origin-opener-policy", "same-origin")
        .with("cross-origin-resource-policy", "same-origin")
        .with("x-content-type-options", "nosniff")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(feature = "tls", feature = "otlp"))]
    fn policy() -> String {
        let suite = tokio_rustls::rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
        let sha256 = suite.tls13().unwrap().common.hash_provider;
        let hash = |text: &str| {
            let hash = sha256.hash(text.as_bytes());
            format!("'sha256-{}'", crate::config::base64(hash.as_ref()))
        };
        format!(
            "default-src 'none'; style-src {}; script-src {} {}; connect-src 'self'; img-src data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash(style!()),
            hash(uplot!()),
            hash(script!()),
        )
    }

    #[cfg(all(feature = "tls", feature = "otlp"))]
    #[test]
    fn a_browser_may_run_what_stands_in_the_page_and_nothing_else() {
        let policy = policy();
        if std::env::var_os("UPDATE").is_some() {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/live/page/policy.txt");
            std::fs::write(file, format!("{policy}\n")).unwrap();
            return;
        }
        assert_eq!(POLICY, policy, "the page has changed; UPDATE=1 writes its hashes");
    }

    #[test]
    fn the_page_is_at_most_60_kb_packed_and_has_all_that_it_needs() {
        let packed = answer(Some("gzip"));
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert!(packed.body().len() <= 60_000, "{} bytes", packed.body().len());
        assert_eq!(answer(None).body(), PAGE.as_bytes());
        for foreign in [" src=", "@import", "url(", "import(", "innerHTML", "eval(", "style=\""] {
            let ours = concat!(style!(), include_str!("page/body.html"), script!());
            assert!(!ours.contains(foreign), "{foreign}");
        }
        // What would end the script before its end.
        assert!(!uplot!().contains("</script") && !script!().contains("</script"));
    }

    #[test]
    fn what_others_have_written_comes_with_its_licence() {
        let licence = include_str!("page/uplot/LICENSE");
        assert!(licence.contains("The MIT License") && licence.contains("Leon Sorokin"), "{licence}");
        assert!(uplot!().starts_with("/*! https://github.com/leeoniya/uPlot (v1.6.32) */"));
    }
}
