//! The table `traces`.

use super::Reader;
use crate::config::error::Checked;
use crate::config::keys;
use crate::config::place::{Place, given};
use crate::config::traces::{Strategy, TracesLayer, check_size, ratio};
use crate::config::tree::{Entries, Node};

impl Reader<'_> {
    pub(super) fn traces(&mut self, at: &Place, entries: &Entries) -> TracesLayer {
        let mut layer = TracesLayer::default();
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !self.findings.knows(&place, key, &[keys::TRACES]) {
                continue;
            }
            match key.as_str() {
                "enabled" => layer.enabled = given(&place, self.findings.truth(&place, node)),
                "sampler" => {
                    let word = self.findings.word(&place, node, &Strategy::NAMES, Strategy::named);
                    layer.sampler = given(&place, word);
                }
                "sampler_arg" => {
                    let number = self.findings.fraction(&place, node, "0.1");
                    layer.sampler_arg = number.and_then(|number| self.findings.take(&place, ratio(number)));
                }
                "filter" => {
                    let text = self.findings.string(&place, node, "\"info,hyper=off\"");
                    layer.filter = given(&place, text.map(str::to_owned));
                }
                "max_queue_size" => {
                    let size = self.findings.count(&place, node, "2048");
                    layer.max_queue_size = size.and_then(|size| self.findings.take(&place, check_size(size)));
                }
                "max_batch_size" => {
                    let size = self.findings.count(&place, node, "512");
                    layer.max_batch_size = size.and_then(|size| self.findings.take(&place, check_size(size)));
                }
                "limits" => self.limits(&place, node, &mut layer),
                _ => self.otlp(&place, key, node, &mut layer.otlp),
            }
        }
        self.authorization(at, entries, &mut layer.otlp);
        layer
    }

    fn limits(&mut self, at: &Place, node: &Node, layer: &mut TracesLayer) {
        let Some(entries) = self.findings.table(at, node, "a table such as { attributes = 64 }") else {
            return;
        };
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !self.findings.knows(&place, key, &[keys::LIMITS]) {
                continue;
            }
            let limits = &mut layer.limits;
            let limit = match key.as_str() {
                "attributes" => &mut limits.attributes,
                "events" => &mut limits.events,
                "links" => &mut limits.links,
                "event_attributes" => &mut limits.event_attributes,
                "link_attributes" => &mut limits.link_attributes,
                "value_length" => &mut limits.value_length,
                _ => continue,
            };
            let number = self.findings.count(&place, node, "128");
            *limit = number.and_then(|number| self.findings.take(&place, narrow(number)));
        }
    }
}

fn narrow(number: usize) -> Checked<u32> {
    u32::try_from(number).map_err(|_| format!("{number} is more than anybody has; write up to {}", u32::MAX))
}
