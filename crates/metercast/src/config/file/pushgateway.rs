//! The keys of an exporter of the type `pushgateway`.

use super::Reader;
use crate::config::duration;
use crate::config::error::Place;
use crate::config::gateway::{self, Gateway};
use crate::config::page;
use crate::config::proxy::Proxy;
use crate::config::pushgateway::PushgatewayLayer;
use crate::config::tree::Node;

impl Reader<'_> {
    pub(super) fn pushgateway(&mut self, at: &Place, key: &str, node: &Node, layer: &mut PushgatewayLayer) {
        match key {
            "url" => {
                let text = self.findings.string(at, node, "\"http://gateway:9091\"");
                layer.url = text.and_then(|text| self.findings.take(at, Gateway::parse(text)));
            }
            "job" => {
                let text = self.findings.string(at, node, "\"checkout\"");
                layer.job = text.and_then(|text| self.findings.checked(at, gateway::check_job(text)));
            }
            "grouping" => {
                let expected = "a table such as { instance = \"host-1\" }";
                let Some(table) = self.findings.table(at, node, expected) else { return };
                for (label, node) in table {
                    let at = at.child(label).on_line(node.line);
                    let value = self.findings.string(&at, node, "\"host-1\" for each label");
                    let is_label = self.findings.checked(&at, gateway::check_label(label)).is_some();
                    if let Some(value) = value.filter(|_| is_label) {
                        layer.grouping.insert(label.clone(), value.to_owned());
                    }
                }
            }
            "interval" => layer.interval = self.findings.time(at, node, duration::interval),
            "timeout" => layer.timeout = self.findings.time(at, node, duration::deadline),
            "auth" => {
                if let Some(auth) = self.auth(at, node) {
                    layer.authorize(auth, at, self.findings);
                }
            }
            "tls" => self.tls(at, node, &mut layer.tls),
            "proxy" => {
                let text = self.findings.string(at, node, "\"http://proxy:3128\"");
                layer.proxy = text.and_then(|text| self.findings.take(at, Proxy::parse(text)));
            }
            _ if layer.page.read(at, key, node, self.findings) => {}
            _ => {
                let known = [
                    "type", "enabled", "env", "url", "job", "grouping", "interval", "timeout", "auth", "tls",
                    "proxy",
                ];
                self.findings.unknown(at, key, &[&known[..], &page::KEYS].concat());
            }
        }
    }
}
