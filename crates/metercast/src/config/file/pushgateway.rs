//! The keys of an exporter of the type `pushgateway`.

use super::Reader;
use crate::config::duration;
use crate::config::gateway::{self, Gateway};
use crate::config::place::{Given, Place, given};
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
                layer.job = text.and_then(|text| self.findings.take(at, gateway::check_job(text)));
            }
            "grouping" => {
                let expected = "a table such as { instance = \"host-1\" }";
                let Some(table) = self.findings.table(at, node, expected) else { return };
                for (label, node) in table {
                    let at = at.child(label).of(node);
                    let value = self.findings.string(&at, node, "\"host-1\" for each label");
                    let is_label = self.findings.checked(&at, gateway::check_label(label)).is_some();
                    if let Some(value) = value.filter(|_| is_label) {
                        layer.grouping.insert(label.clone(), Given::new(value.to_owned(), &at));
                    }
                }
            }
            "interval" => layer.interval = given(at, self.findings.time(at, node, duration::interval)),
            "timeout" => layer.timeout = given(at, self.findings.time(at, node, duration::deadline)),
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
            _ => _ = layer.page.read(at, key, node, self.findings),
        }
    }
}
