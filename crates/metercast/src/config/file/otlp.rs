//! The keys of an exporter of the type `otlp`.

use super::Reader;
use crate::config::duration;
use crate::config::headers;
use crate::config::keys;
use crate::config::otlp::{
    self, Auth, Compression, HistogramAggregation, OtlpLayer, Preset, Protocol, TemporalityPreference,
    TlsLayer,
};
use crate::config::place::{Given, Place, given};
use crate::config::proxy::Proxy;
use crate::config::tree::{Entries, Node, Value};
use crate::config::url::Url;

impl Reader<'_> {
    pub(super) fn otlp(&mut self, at: &Place, key: &str, node: &Node, layer: &mut OtlpLayer) {
        match key {
            "endpoint" => {
                let text = self.findings.string(at, node, "\"http://localhost:4318\"");
                layer.endpoint = text.and_then(|text| self.findings.take(at, Url::base(text)));
            }
            "protocol" => {
                let protocol = self.findings.word(at, node, &Protocol::NAMES, Protocol::named);
                layer.protocol = given(at, protocol);
            }
            "preset" => {
                layer.preset = given(at, self.findings.word(at, node, &Preset::names(), Preset::named));
            }
            "dataset" => {
                let text = self.findings.string(at, node, "\"metrics\"");
                layer.dataset = text.and_then(|text| self.findings.take(at, headers::check_value(text)));
            }
            "insecure" => layer.insecure = given(at, self.findings.truth(at, node)),
            "interval" => layer.interval = given(at, self.findings.time(at, node, duration::interval)),
            "timeout" => layer.timeout = given(at, self.findings.time(at, node, duration::bounded)),
            "compression" => {
                let compression = self.findings.word(at, node, &Compression::NAMES, Compression::named);
                layer.compression = given(at, compression);
            }
            "tls" => self.tls(at, node, &mut layer.tls),
            "proxy" => {
                let text = self.findings.string(at, node, "\"http://proxy:3128\"");
                layer.proxy = text.and_then(|text| self.findings.take(at, Proxy::parse(text)));
            }
            "temporality" => {
                let names = &TemporalityPreference::NAMES;
                let temporality = self.findings.word(at, node, names, TemporalityPreference::named);
                layer.temporality = given(at, temporality);
            }
            "histograms" => {
                let names = &HistogramAggregation::NAMES;
                let word = self.findings.word(at, node, names, HistogramAggregation::named);
                layer.histograms = given(at, word);
            }
            "max_request_size" => {
                let bytes = self.findings.count(at, node, "4194304");
                layer.request_limit =
                    bytes.and_then(|bytes| self.findings.take(at, otlp::check_request_limit(bytes)));
            }
            "headers" => {
                let Some(table) = self.findings.table(at, node, "a table such as { \"x-scope\" = \"a\" }")
                else {
                    return;
                };
                for (name, node) in table {
                    // The name is left to the check: a wrong one may have swallowed the value.
                    let at = at.clone().of(node);
                    let Some(value) = self.findings.string(&at, node, "\"a\" for each header") else {
                        continue;
                    };
                    if let Some((name, value)) = self.findings.checked(&at, otlp::check_header(name, value)) {
                        layer.headers.set(name, Given::new(value, &at));
                    }
                }
            }
            "resource" => layer.resource = given(at, self.findings.attributes(at, node)),
            _ => {}
        }
    }

    /// `auth`, after the headers, wherever it stands, so that the two can be compared.
    pub(super) fn authorization(&mut self, at: &Place, entries: &Entries, layer: &mut OtlpLayer) {
        let Some((_, node)) = entries.iter().find(|(key, _)| key == "auth") else { return };
        let mut place = at.child("auth").of(node);
        if let Value::Table(entries) = &node.value
            && let [(_, secret)] = entries.as_slice()
        {
            place = place.written_as(secret);
        }
        if let Some(auth) = self.auth(&place, node) {
            layer.authorize(auth, &place, self.findings);
        }
    }

    pub(super) fn tls(&mut self, at: &Place, node: &Node, layer: &mut TlsLayer) {
        let Some(entries) = self.findings.table(at, node, "a table such as { ca = \"/etc/ssl/ca.pem\" }")
        else {
            return;
        };
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !self.findings.knows(&place, key, &[keys::CLIENT_TLS]) {
                continue;
            }
            let file = match key.as_str() {
                "ca" => &mut layer.ca,
                "client_certificate" => &mut layer.client_certificate,
                "client_key" => &mut layer.client_key,
                _ => continue,
            };
            let path = self.findings.string(&place, node, "\"/etc/ssl/ca.pem\"");
            *file = given(&place, path.map(|path| place.beside(path)));
        }
    }

    pub(super) fn auth(&mut self, at: &Place, node: &Node) -> Option<Auth> {
        const EITHER: &str = "{ bearer = \"token\" }, { basic = { user = \"name\", password = \"word\" } } or, with a preset, { token = \"key\" }";
        let entries = self.findings.table(at, node, EITHER)?;
        let [(key, node)] = entries else {
            if entries.is_empty() {
                return self.findings.mistyped(at, EITHER, &node.value);
            }
            self.findings.problem(at, format!("has {} keys; keep one, {EITHER}", entries.len()));
            return None;
        };
        let place = at.child(key).of(node);
        if !self.findings.knows(&place, key, &[keys::AUTH]) {
            return None;
        }
        match key.as_str() {
            "bearer" => self.findings.string(&place, node, "\"token\"").map(Auth::bearer),
            "basic" => self.basic(&place, node),
            "token" => self.findings.string(&place, node, "\"key\"").map(Auth::token),
            _ => None,
        }
    }

    fn basic(&mut self, at: &Place, node: &Node) -> Option<Auth> {
        let (mut user, mut password) = (None, None);
        let entries = self.findings.table(at, node, "{ user = \"name\", password = \"word\" }")?;
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !self.findings.knows(&place, key, &[keys::BASIC]) {
                continue;
            }
            match key.as_str() {
                "user" => user = Some(self.findings.string(&place, node, "\"name\"")?),
                "password" => password = Some(self.findings.string(&place, node, "\"word\"")?),
                _ => {}
            }
        }
        for (key, value) in [("user", user), ("password", password)] {
            if value.is_none() {
                self.findings.problem(&at.child(key), "is missing; basic auth needs a user and a password");
            }
        }
        Some(Auth::basic(user?, password?))
    }
}
