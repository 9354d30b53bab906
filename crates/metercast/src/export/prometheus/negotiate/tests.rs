//! What a scraper gets: the headers that there are, and those that nobody should send.

use super::*;
use Escaping::{AllowUtf8, Dots, Underscores, Values};
use Format::{OpenMetrics0, OpenMetrics1, Protobuf, Text0, Text1};

fn chosen(accept: &str) -> (Format, Escaping) {
    let PageFormat { format, escaping } = PageFormat::negotiate(Some(accept));
    (format, escaping)
}

const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
    text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

const PROMETHEUS_3_NATIVE: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
    encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
    application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
    text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

const PROMETHEUS_2_53: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
    encoding=delimited;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,\
    application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

/// Before 2.50, without native histograms.
const PROMETHEUS_2_40: &str = "application/openmetrics-text;version=1.0.0,\
    application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

#[test]
fn each_scraper_gets_what_it_asks_for_most() {
    let cases = [
        (PROMETHEUS_3, (OpenMetrics1, AllowUtf8)),
        (PROMETHEUS_3_NATIVE, (Protobuf, Underscores)),
        (PROMETHEUS_2_53, (Protobuf, Underscores)),
        (PROMETHEUS_2_40, (OpenMetrics1, Underscores)),
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", (Text0, Underscores)),
        (BROWSER, (Text0, Underscores)),
        ("*/*", (Text0, Underscores)),
    ];
    for (accept, expected) in cases {
        assert_eq!(chosen(accept), expected, "{accept}");
    }
}

#[test]
fn whoever_says_nothing_gets_text_with_underscores() {
    for accept in [None, Some(""), Some(","), Some("image/png"), Some("text/html;q=1, image/*")] {
        assert_eq!(PageFormat::negotiate(accept), PageFormat::default(), "{accept:?}");
    }
}

/// The cases that prometheus/common tests its own negotiation with, and what it answers. It keeps an escaping that it
/// met in an entry that it did not take; here an entry's escaping is its own, as the documents have it.
#[test]
fn the_answers_are_those_of_the_go_client() {
    const PROTO: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily";
    let cases = [
        (&format!("{PROTO};encoding=delimited") as &str, (Protobuf, Underscores)),
        (&format!("{PROTO};encoding=delimited; escaping=allow-utf-8;"), (Protobuf, AllowUtf8)),
        (&format!("{PROTO};encoding=delimited; escaping=underscores;"), (Protobuf, Underscores)),
        ("text/plain;version=0.0.4", (Text0, Underscores)),
        ("text/plain;version=0.0.4;", (Text0, Underscores)),
        ("text/plain;version=0.0.4; escaping=values;", (Text0, Values)),
        ("text/plain;version=0.0.4; escaping=allow-utf-8", (Text0, AllowUtf8)),
        ("application/openmetrics-text", (OpenMetrics0, Underscores)),
        ("application/openmetrics-text;version=0.0.1", (OpenMetrics0, Underscores)),
        ("application/openmetrics-text;version=0.0.1; escaping=underscores", (OpenMetrics0, Underscores)),
        ("application/openmetrics-text;version=1.0.0", (OpenMetrics1, Underscores)),
        ("application/openmetrics-text;version=1.0.0; escaping=values;", (OpenMetrics1, Values)),
        // There is no such version.
        ("application/openmetrics-text;version=0.0.4", (Text0, Underscores)),
    ];
    for (accept, expected) in cases {
        assert_eq!(chosen(accept), expected, "{accept}");
    }
}

#[test]
fn quality_decides_then_order() {
    let cases = [
        ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.6", OpenMetrics1),
        ("text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0", Text0),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4", OpenMetrics1),
        ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.5", Text0),
        ("application/openmetrics-text;version=1.0.0;q=0.001,image/png", OpenMetrics1),
        // What is not written does not count, however much it is wanted.
        ("application/json;q=1,application/openmetrics-text;version=1.0.0;q=0.1", OpenMetrics1),
        (
            "application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.9",
            OpenMetrics1,
        ),
        ("text/plain;version=0.0.5,application/openmetrics-text;version=0.0.1;q=0.9", OpenMetrics0),
        // A quality anywhere among the parameters; whatever stands behind it too.
        ("application/openmetrics-text;q=0.2;version=1.0.0,text/plain;q=0.1", OpenMetrics1),
        ("text/plain;q=1.000,application/openmetrics-text;version=1.0.0;q=0.999", Text0),
        // More than 1 is 1.
        ("text/plain;q=1,application/openmetrics-text;version=1.0.0;q=7", Text0),
    ];
    for (accept, expected) in cases {
        assert_eq!(chosen(accept).0, expected, "{accept}");
    }
}

#[test]
fn a_quality_of_nought_excludes() {
    let cases = [
        ("text/plain;version=0.0.4;q=0,*/*", OpenMetrics1),
        ("text/*;q=0,*/*;q=0.1", OpenMetrics1),
        ("application/*;q=0.0,*/*", Text0),
        ("application/*;q=0,application/openmetrics-text;version=1.0.0;q=0.5", OpenMetrics1),
        ("application/openmetrics-text;version=1.0.0;q=0,application/*", OpenMetrics0),
        // All that it could have is excluded; it is not refused all the same.
        ("text/plain;q=0", Text0),
        ("*/*;q=0", Text0),
        ("application/openmetrics-text;version=1.0.0;q=0,application/openmetrics-text;version=1.0.0", Text0),
    ];
    for (accept, expected) in cases {
        assert_eq!(chosen(accept).0, expected, "{accept}");
    }
}

#[test]
fn ranges_mean_the_best_that_they_have() {
    let cases = [
        ("text/*", Text0),
        ("application/*", OpenMetrics1),
        ("*/*;q=0.1,text/plain;version=1.0.0;q=0.2", Text1),
        ("*/*", Text0),
    ];
    for (accept, expected) in cases {
        assert_eq!(chosen(accept).0, expected, "{accept}");
    }
}

#[test]
fn protobuf_needs_its_message_and_its_encoding() {
    let missing = [
        "application/vnd.google.protobuf",
        "application/vnd.google.protobuf;encoding=delimited",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
        "application/vnd.google.protobuf;proto=other;encoding=delimited",
    ];
    for accept in missing {
        let accept = format!("{accept},application/openmetrics-text;version=1.0.0;q=0.1");
        assert_eq!(chosen(&accept).0, OpenMetrics1, "{accept}");
    }
}

#[test]
fn an_escaping_that_is_not_known_is_underscores() {
    let cases = [
        ("dots", Dots),
        ("values", Values),
        ("allow-utf-8", AllowUtf8),
        ("nonsense", Underscores),
        ("", Underscores),
    ];
    for (name, expected) in cases {
        let accept = format!("text/plain;version=1.0.0;escaping={name}");
        assert_eq!(chosen(&accept), (Text1, expected), "{accept}");
    }
}

#[test]
fn capitals_spaces_and_quotation_marks_change_nothing() {
    let spelled = [
        "Application/OpenMetrics-Text;Version=1.0.0;Escaping=Allow-UTF-8;Q=0.6",
        "  application/openmetrics-text ; version = 1.0.0 ; escaping = allow-utf-8 ; q = 0.6 ",
        "application/openmetrics-text;version=\"1.0.0\";escaping=\"allow-utf-8\"",
        "application/openmetrics-text;a=\"b,c;d=\\\";,\";version=1.0.0;escaping=allow-utf-8",
        ",,application/openmetrics-text;;version=1.0.0;charset=utf-8;escaping=allow-utf-8,,",
    ];
    for accept in spelled {
        assert_eq!(chosen(accept), (OpenMetrics1, AllowUtf8), "{accept}");
    }
}

#[test]
fn what_cannot_be_read_is_passed_over() {
    for quality in ["", "x", "-1", "+1", "nan", "inf", "1e0", "0..5", "½", "."] {
        let accept = format!(
            "application/openmetrics-text;version=1.0.0;q={quality},application/openmetrics-text;q=0.1"
        );
        assert_eq!(chosen(&accept).0, OpenMetrics0, "{accept}");
    }
    for accept in [";", "/", "*", "a/b/c", ";;;=", "\"", "\\", "text/plain;q", "=;q=1", "ü/ü;ü=ü", "\0"] {
        assert_eq!(chosen(accept), (Text0, Underscores), "{accept:?}");
    }
}

#[test]
fn a_header_without_end_costs_what_its_beginning_does() {
    let wanted = "application/openmetrics-text;version=1.0.0";
    let front = format!("{wanted},{}", "text/plain;q=0.1,".repeat(1_000_000));
    assert_eq!(chosen(&front).0, OpenMetrics1);
    let behind = format!("{}{wanted}", "a/b,".repeat(MOST_ENTRIES));
    assert_eq!(chosen(&behind).0, Text0);
    let wide = format!("text/plain;{}, {wanted}", "ü".repeat(MOST_BYTES));
    assert_eq!(chosen(&wide).0, Text0);
    let deep = format!("text/plain{},{wanted}", ";a=\"".repeat(2_000));
    assert_eq!(chosen(&deep).0, Text0);
}
