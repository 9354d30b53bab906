//! The catalogue as JSON, for programs.

use metercast_core::{NumberType, Visibility};

use super::Catalogue;
use super::metric::{Buckets, Label, Metric, Place, Values};
use crate::PageOptions;
use crate::export::stdout::json::{kind, put_double, put_integer, put_list, put_text};

impl Catalogue {
    /// The metrics and the conflicts as JSON, one metric on each line.
    ///
    /// ```
    /// metercast::metrics! {
    ///     /// Parcels sent.
    ///     static PARCELS_SENT: Counter<u64> = "parcels.sent" { unit: "{parcel}", labels: { region: &str } };
    /// }
    ///
    /// let json = metercast::catalogue()?.retain(|metric| metric.name == "parcels.sent").json();
    /// assert!(json.contains(r#""name":"parcels.sent","prometheus":"parcels_sent_total","kind":"counter","number":"u64""#));
    /// assert!(json.contains(r#""labels":[{"key":"region","prometheus":"region","optional":false,"values":"text"}]"#));
    /// # Ok::<(), metercast::catalogue::CatalogueError>(())
    /// ```
    ///
    /// | `values` of a label | |
    /// | --- | --- |
    /// | `"text"`, `"whole"` | any text, any whole number |
    /// | `{"one_of":["a"],"fallback":"b"}` | one of these; the fallback is `null` if there can be no others |
    /// | `{"ranges":[[100,599]],"fallback":"b"}` | a whole number in one of them, both ends included |
    /// | `{"characters":"a-z","length":[1,32],"fallback":"b"}` | a text of these characters |
    ///
    /// `buckets` is `null`, `{"bounds":[..],"by_unit":false}`, `{"exponential":true}` or `{"quantiles":[..],"window_seconds":60}`.
    pub fn json(&self) -> String {
        let mut out = Vec::new();
        out.extend(b"{\"metrics\":[");
        for (at, metric) in self.metrics.iter().enumerate() {
            out.extend(if at > 0 { &b",\n"[..] } else { b"\n" });
            put_metric(&mut out, metric, &self.options);
        }
        out.extend(b"\n],\"conflicts\":");
        put_list(&mut out, &self.conflicts, |out, conflict| put_text(out, conflict));
        out.extend(b"}\n");
        String::from_utf8(out).unwrap_or_default()
    }
}

fn put_metric(out: &mut Vec<u8>, metric: &Metric, options: &PageOptions) {
    put_key(out, "{", "name");
    put_text(out, &metric.name);
    put_key(out, ",", "prometheus");
    put_text(out, &metric.prometheus_name(options));
    put_key(out, ",", "kind");
    put_text(out, kind(metric.kind));
    put_key(out, ",", "number");
    put_text(out, number(metric.number));
    put_key(out, ",", "unit");
    put_text(out, &metric.unit);
    put_key(out, ",", "description");
    put_text(out, &metric.description);
    put_key(out, ",", "visibility");
    put_text(out, if metric.visibility == Visibility::Private { "private" } else { "public" });
    for (key, value) in [("observable", metric.observable), ("zeroes", metric.zeroes), ("met", metric.met)] {
        put_key(out, ",", key);
        put_bool(out, value);
    }
    put_key(out, ",", "buckets");
    put_buckets(out, metric.buckets.as_ref());
    put_key(out, ",", "labels");
    put_list(out, &metric.labels, |out, label| put_label(out, label, options));
    put_key(out, ",", "open_labels");
    put_bool(out, metric.open_labels);
    put_key(out, ",", "places");
    put_list(out, &metric.places, put_place);
    out.push(b'}');
}

fn put_buckets(out: &mut Vec<u8>, buckets: Option<&Buckets>) {
    let doubles =
        |out: &mut Vec<u8>, doubles: &[f64]| put_list(out, doubles, |out, double| put_double(out, *double));
    match buckets {
        None => out.extend(b"null"),
        Some(Buckets::Exponential) => out.extend(b"{\"exponential\":true}"),
        Some(of @ (Buckets::Bounds(bounds) | Buckets::ByUnit(bounds))) => {
            put_key(out, "{", "bounds");
            doubles(out, bounds);
            put_key(out, ",", "by_unit");
            put_bool(out, matches!(of, Buckets::ByUnit(_)));
            out.push(b'}');
        }
        Some(Buckets::Quantiles { quantiles, window_seconds }) => {
            put_key(out, "{", "quantiles");
            doubles(out, quantiles);
            put_key(out, ",", "window_seconds");
            put_integer(out, *window_seconds);
            out.push(b'}');
        }
    }
}

fn put_label(out: &mut Vec<u8>, label: &Label, options: &PageOptions) {
    put_key(out, "{", "key");
    put_text(out, &label.key);
    put_key(out, ",", "prometheus");
    put_text(out, &label.prometheus_name(options));
    put_key(out, ",", "optional");
    put_bool(out, label.optional);
    put_key(out, ",", "values");
    let fallback = |out: &mut Vec<u8>, fallback: Option<&str>| {
        put_key(out, ",", "fallback");
        match fallback {
            Some(fallback) => put_text(out, fallback),
            None => out.extend(b"null"),
        }
        out.push(b'}');
    };
    match &label.values {
        Values::Text => put_text(out, "text"),
        Values::Whole => put_text(out, "whole"),
        Values::OneOf { texts, fallback: other } => {
            put_key(out, "{", "one_of");
            put_list(out, texts, |out, text| put_text(out, text));
            fallback(out, other.as_deref());
        }
        Values::Ranges { ranges, fallback: other } => {
            put_key(out, "{", "ranges");
            put_list(out, ranges, |out, range| put_list(out, [*range.start(), *range.end()], put_integer));
            fallback(out, Some(other));
        }
        Values::Pattern { characters, length, fallback: other } => {
            put_key(out, "{", "characters");
            put_text(out, characters);
            put_key(out, ",", "length");
            put_list(out, [*length.start(), *length.end()], put_integer);
            fallback(out, Some(other));
        }
    }
    out.push(b'}');
}

fn put_place(out: &mut Vec<u8>, place: &Place) {
    let texts = [
        ("package", &place.package),
        ("version", &place.version),
        ("module", &place.module),
        ("file", &place.file),
    ];
    for (at, (key, text)) in texts.into_iter().enumerate() {
        put_key(out, if at > 0 { "," } else { "{" }, key);
        put_text(out, text);
    }
    put_key(out, ",", "line");
    put_integer(out, place.line);
    put_key(out, ",", "declared");
    put_bool(out, place.declared);
    out.push(b'}');
}

fn put_key(out: &mut Vec<u8>, before: &str, key: &str) {
    out.extend(before.as_bytes());
    put_text(out, key);
    out.push(b':');
}

fn put_bool(out: &mut Vec<u8>, value: bool) {
    out.extend(if value { &b"true"[..] } else { b"false" });
}

fn number(number: NumberType) -> &'static str {
    match number {
        NumberType::U64 => "u64",
        NumberType::I64 => "i64",
        NumberType::F64 => "f64",
        #[allow(unreachable_patterns, reason = "the core may know more")]
        _ => "unknown",
    }
}
