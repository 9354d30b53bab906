//! The exporter `prometheus/development`, as 1.0 spells it and as 1.1 does.

use super::section::{Field, Section};
use super::{Reader, listed};
use crate::config::tree::{Node, Value};
use crate::view::Glob;

/// Strategies as the schema spells them, and as we do after Prometheus, which drafts of the schema did too.
const STRATEGIES: [(&str, &str); 4] = [
    ("underscore_escaping_with_suffixes", "UnderscoreEscapingWithSuffixes"),
    ("underscore_escaping_without_suffixes/development", "UnderscoreEscapingWithoutSuffixes"),
    ("no_utf8_escaping_with_suffixes/development", "NoUTF8EscapingWithSuffixes"),
    ("no_translation/development", "NoTranslation"),
];

impl<'n> Reader<'_, 'n> {
    pub(super) fn prometheus(&mut self, name: &str, exporter: &Field<'n>) {
        let Some(mut section) = Section::of(exporter.place.clone(), exporter.node, self.findings) else {
            return;
        };
        self.listen(name, &mut section, exporter);
        // Both are on unless it is said, other than in our own files.
        let info = [
            ("scope_labels", "scope_info_enabled", "without_scope_info"),
            ("target_info", "target_info_enabled/development", "without_target_info/development"),
        ];
        for (ours, with, without) in info {
            let (with, without) = (section.take(with), section.take(without));
            for (field, means) in [(&with, true), (&without, false)] {
                if let Some(field) = field
                    && let Some(truth) = self.findings.truth(&field.place, field.node)
                {
                    self.say_of(name, &[ours], Value::Bool(truth == means), field);
                }
            }
            if with.or(without).is_none() {
                self.say_of(name, &[ours], Value::Bool(true), exporter);
            }
        }
        for key in ["resource_constant_labels", "with_resource_constant_labels"] {
            if let Some(field) = section.take(key) {
                self.resource_labels(name, &field);
            }
        }
        if let Some(field) = section.take("translation_strategy") {
            self.strategy(name, &field);
        }
        section.finish(self.findings);
    }

    fn listen(&mut self, name: &str, section: &mut Section<'n>, exporter: &Field<'n>) {
        let (host, port) = (section.take("host"), section.take("port"));
        let at = host.clone().or(port.clone()).unwrap_or_else(|| exporter.clone());
        let host = match &host {
            Some(field) => self.findings.string(&field.place, field.node, "\"localhost\""),
            None => Some("localhost"),
        };
        let port = match &port {
            Some(field) => match self.findings.whole(field, 0) {
                Some(port) if port > u16::MAX.into() => {
                    let message = format!("expected a port from 0 to {}, found {port}", u16::MAX);
                    return self.findings.problem(&field.place, message);
                }
                port => port,
            },
            None => Some(9464),
        };
        if let (Some(host), Some(port)) = (host, port) {
            let is_bare = host.contains(':') && !host.starts_with('[');
            let listen = if is_bare { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
            self.say_of(name, &["listen"], Value::String(listen), &at);
        }
    }

    /// Our labels of the resource are all, none, or a list of keys: patterns are worked out where that is possible.
    fn resource_labels(&mut self, name: &str, field: &Field<'n>) {
        let Some((included, excluded)) = self.included(field) else { return };
        let excludes = |key: &str| excluded.iter().any(|glob| glob.matches(key));
        let everything = included.is_empty() || included.iter().any(|glob| glob.as_str() == "*");
        let labels = if everything && excluded.is_empty() {
            super::text("all")
        } else if excludes("*") {
            super::text("none")
        } else if !everything && included.iter().all(Glob::is_exact) {
            let kept = included.iter().map(Glob::as_str).filter(|key| !excludes(key));
            let item = |key: &str| Node::new(field.node.line, super::text(key));
            Value::List(kept.map(item).collect())
        } else {
            let message = "has patterns, and which attributes they stand for is not known yet; write the keys in included, or \
                           \"*\" alone for all";
            return self.findings.problem(&field.place, message);
        };
        self.say_of(name, &["resource_labels"], labels, field);
    }

    fn strategy(&mut self, name: &str, field: &Field<'n>) {
        let words = STRATEGIES.map(|(word, _)| word);
        let ours = |word: &str| STRATEGIES.iter().find(|(theirs, ours)| *theirs == word || *ours == word);
        let word = match &field.node.value {
            Value::String(word) if ours(word).is_some() => ours(word).map(|(_, ours)| *ours),
            _ => self.findings.word(&field.place, field.node, &words, |word| {
                listed(&STRATEGIES.map(|(word, _)| word), word)
            }),
        };
        if let Some(word) = word {
            self.say_of(name, &["strategy"], super::text(word), field);
        }
    }
}
