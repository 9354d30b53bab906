//! Rules of Prometheus as data.

use serde_json::{Value as Json, json};

/// Rules that are worked out together.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) rules: Vec<Json>,
}

impl Group {
    pub(super) fn json(&self) -> Json {
        json!({ "name": self.name, "rules": self.rules })
    }
}

/// What somebody is told, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alert<'a> {
    pub(super) name: &'a str,
    pub(super) expression: &'a str,
    /// How long it must be so, as Prometheus writes it.
    pub(super) lasts: &'a str,
    pub(super) severity: Severity,
    /// With `{{ $labels.job }}` and the like.
    pub(super) summary: &'a str,
    /// What it means, and how to mend it.
    pub(super) description: &'a str,
}

/// Whether somebody has to get up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Severity {
    Page,
    Ticket,
}

impl Alert<'_> {
    pub(super) fn json(&self) -> Json {
        let severity = match self.severity {
            Severity::Page => "page",
            Severity::Ticket => "ticket",
        };
        json!({
            "alert": self.name,
            "expr": self.expression,
            "for": self.lasts,
            "labels": { "severity": severity },
            "annotations": { "summary": self.summary, "description": self.description },
        })
    }
}

/// A query that is worked out before anybody asks, under a name.
pub(super) fn record(name: &str, expression: &str) -> Json {
    json!({ "record": name, "expr": expression })
}
