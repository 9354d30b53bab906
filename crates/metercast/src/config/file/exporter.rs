//! The tables of exporters.

use super::Reader;
use crate::config::address::Address;
use crate::config::custom::CustomLayer;
use crate::config::duration;
use crate::config::exporter::{self, Kind};
use crate::config::keys;
use crate::config::layer::{ExporterLayer, Layer, Settings};
use crate::config::place::{Place, given};
use crate::config::prometheus::{self, PrometheusLayer};
use crate::config::stdout::StdoutLayer;
use crate::config::suggest::one_of;
use crate::config::tree::{Entries, Node};

impl Reader<'_> {
    pub(super) fn exporters(&mut self, at: &Place, entries: &Entries, layer: &mut Layer) {
        for (name, node) in entries {
            let place = at.child(name).of(node);
            let Some(table) = self.findings.table(&place, node, "a table of settings") else { continue };
            if let Some(exporter) = self.exporter(&place, name, table) {
                layer.exporters.insert(name.clone(), exporter);
            }
        }
    }

    fn exporter(&mut self, at: &Place, name: &str, entries: &Entries) -> Option<ExporterLayer> {
        if let Some(kind) = self.known.private.get(name) {
            return Some(self.switch(at, *kind, entries));
        }
        let mut type_place = at.clone();
        let kind = match entries.iter().find(|(key, _)| key == "type") {
            Some((_, node)) => {
                type_place = at.child("type").of(node);
                self.findings.word(&type_place, node, &Kind::ALL.map(Kind::name), Kind::named)?
            }
            None => match Kind::named(name).or_else(|| self.known.kinds.get(name).copied()) {
                Some(kind) => kind,
                None => {
                    let types = one_of(&Kind::ALL.map(Kind::name));
                    self.findings.problem(&at.child("type"), format!("is missing; write {types}"));
                    return None;
                }
            },
        };
        self.findings.take(at, exporter::check_name(name, kind));
        let mut layer = ExporterLayer { type_place, ..ExporterLayer::silent(kind) };
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !self.findings.knows(&place, key, keys::of_kind(kind)) {
                continue;
            }
            match key.as_str() {
                "enabled" => layer.enabled = given(&place, self.findings.truth(&place, node)),
                "env" => layer.env = given(&place, self.findings.truth(&place, node)),
                _ if self.projection(&place, key, node, &mut layer.projection) => {}
                _ => match &mut layer.settings {
                    Settings::Prometheus(prometheus) => self.prometheus(&place, key, node, prometheus),
                    Settings::Otlp(otlp) => self.otlp(&place, key, node, otlp),
                    Settings::Pushgateway(pushgateway) => self.pushgateway(&place, key, node, pushgateway),
                    Settings::Stdout(stdout) => self.stdout(&place, key, node, stdout),
                    Settings::Custom(custom) => self.custom(&place, key, node, custom),
                },
            }
        }
        if let Settings::Prometheus(prometheus) = &layer.settings {
            prometheus.page.check(self.findings);
        }
        if let Settings::Pushgateway(pushgateway) = &layer.settings {
            pushgateway.page.check(self.findings);
        }
        if let Settings::Otlp(otlp) = &mut layer.settings {
            self.authorization(at, entries, otlp);
        }
        Some(layer)
    }

    /// All that a file may say about an exporter that belongs to the vendor of the program.
    fn switch(&mut self, at: &Place, kind: Kind, entries: &Entries) -> ExporterLayer {
        let mut layer = ExporterLayer::silent(kind);
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if key == "enabled" {
                layer.enabled = given(&place, self.findings.truth(&place, node));
            } else {
                let message = "is not for the user to say: this exporter belongs to the program; \
                               enabled = false switches it off, and is all that can be said of it";
                self.findings.problem(&place, message);
            }
        }
        layer
    }

    fn prometheus(&mut self, at: &Place, key: &str, node: &Node, layer: &mut PrometheusLayer) {
        match key {
            "listen" => {
                let text = self.findings.string(at, node, "\"127.0.0.1:9464\"");
                layer.listen = text.and_then(|text| self.findings.take(at, Address::to_listen(text)));
            }
            "path" => {
                let text = self.findings.string(at, node, "\"/metrics\"");
                layer.path = text.and_then(|text| self.findings.take(at, prometheus::check_path(text)));
            }
            _ => {
                _ = layer.listener.take(at, key, node, self.findings)
                    || layer.page.read(at, key, node, self.findings);
            }
        }
    }

    fn custom(&mut self, at: &Place, key: &str, node: &Node, layer: &mut CustomLayer) {
        match key {
            "interval" => layer.interval = given(at, self.findings.time(at, node, duration::interval)),
            "resource" => layer.resource = given(at, self.findings.attributes(at, node)),
            _ => {}
        }
    }

    fn stdout(&mut self, at: &Place, key: &str, node: &Node, layer: &mut StdoutLayer) {
        match key {
            "interval" => layer.interval = given(at, self.findings.time(at, node, duration::interval)),
            "resource" => layer.resource = given(at, self.findings.attributes(at, node)),
            _ => {}
        }
    }
}
