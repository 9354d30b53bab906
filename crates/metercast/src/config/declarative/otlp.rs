//! The exporters `otlp_http` and `otlp_grpc`.

use super::section::{Field, Section};
use super::{Reader, TRACES, listed, text};
use crate::config::headers;
use crate::config::otlp::check_request_limit;
use crate::config::tree::{Node, Value};
use crate::config::url::Url;

/// What OTLP goes over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Http,
    Grpc,
}

impl<'n> Reader<'_, 'n> {
    /// Reads the exporter of a reader, but for its timeout.
    pub(super) fn otlp(
        &mut self,
        name: &str,
        transport: Transport,
        exporter: &Field<'n>,
    ) -> Option<Field<'n>> {
        let mut section = Section::of(exporter.place.clone(), exporter.node, self.findings)?;
        match transport {
            Transport::Grpc => self.say_of(name, &["protocol"], text("grpc"), exporter),
            Transport::Http => {
                if let Some(field) = section.take("encoding") {
                    self.encoding(name, &field);
                }
            }
        }
        if let Some(field) = section.take("endpoint") {
            self.endpoint(name, transport, &field);
        }
        if let Some(field) = section.take("tls") {
            self.tls(name, transport, &field);
        }
        self.headers(name, &mut section);
        if let Some(field) = section.take("compression") {
            self.say_of(name, &["compression"], field.node.value.clone(), &field);
        }
        if let Some(field) = section.take("max_request_size") {
            self.request_limit(name, &field);
        }
        if let Some(field) = section.take("max_response_size") {
            self.findings.whole(&field, 0);
            self.findings.warn(&field.place, "has no effect: metercast reads answers of up to 4 MiB");
        }
        // Spans have neither.
        if name != TRACES
            && let Some(field) = section.take("temporality_preference")
            && let Some(word) = self.temporality(&field)
        {
            self.say_of(name, &["temporality"], text(word), &field);
        }
        if name != TRACES
            && let Some(field) = section.take("default_histogram_aggregation")
            && let Some(word) = self.histograms(&field)
        {
            self.say_of(name, &["histograms"], text(word), &field);
        }
        let timeout = section.take("timeout");
        section.finish(self.findings);
        timeout
    }

    /// Over HTTP the URL is used as it is, path included.
    fn endpoint(&mut self, name: &str, transport: Transport, field: &Field<'n>) {
        let example = match name {
            TRACES => "\"http://localhost:4318/v1/traces\"",
            _ => "\"http://localhost:4318/v1/metrics\"",
        };
        let Some(url) = self.findings.string(&field.place, field.node, example) else { return };
        let endpoint = if transport == Transport::Http { Url::exact(url) } else { Url::base(url) };
        if let Some(endpoint) = self.findings.take(&field.place, endpoint) {
            self.endpoints.insert(name.to_owned(), endpoint);
        }
    }

    fn request_limit(&mut self, name: &str, field: &Field<'n>) {
        let Some(bytes) = self.findings.whole(field, 0) else { return };
        let limit = usize::try_from(bytes).map_err(|_| String::new()).and_then(check_request_limit);
        if let Some(limit) = self.findings.take(&field.place, limit) {
            self.request_limits.insert(name.to_owned(), limit);
        }
    }

    fn encoding(&mut self, name: &str, field: &Field<'n>) {
        const WORDS: [&str; 2] = ["protobuf", "json"];
        let word = self.findings.word(&field.place, field.node, &WORDS, |word| listed(&WORDS, word));
        if let Some(word) = word {
            self.say_of(name, &["protocol"], Value::String(format!("http/{word}")), field);
        }
    }

    fn tls(&mut self, name: &str, transport: Transport, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        for (key, ours) in
            [("ca_file", "ca"), ("cert_file", "client_certificate"), ("key_file", "client_key")]
        {
            if let Some(field) = section.take(key) {
                self.say_of(name, &["tls", ours], field.node.value.clone(), &field);
            }
        }
        if transport == Transport::Grpc
            && let Some(field) = section.take("insecure")
        {
            self.say_of(name, &["insecure"], field.node.value.clone(), &field);
        }
        section.finish(self.findings);
    }

    /// `headers`, and what of `headers_list` it does not replace.
    fn headers(&mut self, name: &str, section: &mut Section<'n>) {
        let (pairs, list) = (section.take("headers"), section.take("headers_list"));
        let mut headers: Vec<(String, Node)> = Vec::new();
        for pair in pairs.as_ref().and_then(|pairs| self.findings.items(pairs)).unwrap_or_default() {
            let Some((header, value)) = self.pair(&pair) else { continue };
            // Whose value is nothing is ignored, says the schema.
            let Some(value) = value else { continue };
            if headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(header)) {
                self.findings.problem(&pair.place, "is a second header of its name; keep one of them");
            } else {
                headers
                    .push((header.to_owned(), value.node.stands_in(&value.place, value.node.value.clone())));
            }
        }
        if let Some(list) = &list
            && let Some(text) = self.findings.string(&list.place, list.node, "\"name=value,name2=value2\"")
            && let Some(listed) = self.findings.checked(&list.place, headers::parse_list(text))
        {
            for (header, value) in listed.iter() {
                if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(header)) {
                    let value = Value::String(value.expose().to_owned());
                    headers.push((header.to_owned(), list.node.stands_in(&list.place, value)));
                }
            }
        }
        if let Some(field) = pairs.or(list)
            && !headers.is_empty()
        {
            self.say_of(name, &["headers"], Value::Table(headers), &field);
        }
    }

    /// A name and its value, which may be nothing.
    fn pair(&mut self, field: &Field<'n>) -> Option<(&'n str, Option<Field<'n>>)> {
        let mut section = Section::of(field.place.clone(), field.node, self.findings)?;
        let (name, value) = (section.take("name"), section.take("value"));
        section.finish(self.findings);
        let Some(name) = name else {
            self.findings.problem(&field.place.child("name"), "is missing; write the name of the header");
            return None;
        };
        let name = self.findings.string(&name.place, name.node, "\"x-scope\"")?;
        Some((name, value))
    }

    /// Our word for a temporality.
    pub(super) fn temporality(&mut self, field: &Field<'n>) -> Option<&'static str> {
        const WORDS: [&str; 3] = ["cumulative", "delta", "low_memory"];
        let word = self.findings.word(&field.place, field.node, &WORDS, |word| listed(&WORDS, word))?;
        Some(if word == "low_memory" { "lowmemory" } else { word })
    }

    /// Our word for how histograms are put together.
    pub(super) fn histograms(&mut self, field: &Field<'n>) -> Option<&'static str> {
        const WORDS: [&str; 2] = ["explicit_bucket_histogram", "base2_exponential_bucket_histogram"];
        let word = self.findings.word(&field.place, field.node, &WORDS, |word| listed(&WORDS, word))?;
        Some(if word == WORDS[0] { "explicit" } else { "exponential" })
    }
}
