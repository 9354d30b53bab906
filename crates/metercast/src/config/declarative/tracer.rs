//! `tracer_provider`: which spans are kept, where they are pushed to, and how much each may have.
//!
//! What metercast does not do with spans is passed over with a warning: wrong traces never keep a program from starting.

use super::otlp::Transport;
use super::section::{Field, Section};
use super::{Reader, TRACES, text};
use crate::config::tree::Value;

/// From one push to the next, in milliseconds, unless it is said.
const DELAY: i64 = 5_000;

/// Keys of `limits`, and ours.
const LIMITS: [(&str, &str); 6] = [
    ("attribute_value_length_limit", "value_length"),
    ("attribute_count_limit", "attributes"),
    ("event_count_limit", "events"),
    ("link_count_limit", "links"),
    ("event_attribute_count_limit", "event_attributes"),
    ("link_attribute_count_limit", "link_attributes"),
];

/// Keys of `attribute_limits` at the root, and those of ours that they are for.
const OF_ALL: [(&str, &[&str]); 2] = [
    ("attribute_value_length_limit", &["value_length"]),
    ("attribute_count_limit", &["attributes", "event_attributes", "link_attributes"]),
];

/// What a sampler goes by that is by the parent: the key, and the only sampler that metercast has there.
const PARENTS: [(&str, &str); 4] = [
    ("remote_parent_sampled", "always_on"),
    ("remote_parent_not_sampled", "always_off"),
    ("local_parent_sampled", "always_on"),
    ("local_parent_not_sampled", "always_off"),
];

const SAMPLERS: [&str; 4] = ["always_on", "always_off", "trace_id_ratio_based", "parent_based"];

impl<'n> Reader<'_, 'n> {
    /// Reads it; `of_all` are the limits at the root.
    pub(super) fn tracer_provider(&mut self, field: &Field<'n>, of_all: Option<&Field<'n>>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        let Some(processors) = section.take("processors") else {
            let message = "is missing; a tracer provider has at least one processor";
            return self.findings.problem(&section.place.child("processors"), message);
        };
        self.processors(&processors);
        if let Some(field) = section.take("sampler") {
            self.sampler(&field);
        }
        if let Some(field) = section.take("limits") {
            self.span_limits(&field);
        }
        if let Some(field) = of_all {
            self.limits_of_all(field);
        }
        for (_, field) in section.left() {
            self.findings.warn(&field.place, "has no effect on the traces that metercast has");
        }
    }

    fn processors(&mut self, field: &Field<'n>) {
        const KINDS: [&str; 2] = ["batch", "simple"];
        let mut is_there = false;
        for item in self.findings.items(field).unwrap_or_default() {
            let Some(section) = Section::of(item.place, item.node, self.findings) else { continue };
            match section.choice(self.findings, &KINDS) {
                Some(("batch", field)) if !is_there => is_there = self.batch(&field),
                Some(("batch", field)) => {
                    self.findings.warn(&field.place, "is passed over: spans go to one receiver, the first");
                }
                Some((_, field)) => {
                    let message = "is passed over: metercast pushes spans in batches; write batch";
                    self.findings.warn(&field.place, message);
                }
                None => {}
            }
        }
        // Whether or not the program knows of some by itself, these are what the file says.
        if !is_there {
            self.say(&["telemetry", "traces", "enabled"], Value::Bool(false), field);
        }
    }

    /// Whether it is one that can be had.
    fn batch(&mut self, field: &Field<'n>) -> bool {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else {
            return false;
        };
        let Some(exporter) = section.take("exporter") else {
            let message = "is missing; a processor has one, such as otlp_http";
            self.findings.problem(&section.place.child("exporter"), message);
            return false;
        };
        let known = ["otlp_http", "otlp_grpc"];
        let Some(choice) = Section::of(exporter.place.clone(), exporter.node, self.findings) else {
            return false;
        };
        let Some((key, exporter)) = choice.choice(self.findings, &known) else { return false };
        let transport = match key {
            "otlp_http" => Transport::Http,
            "otlp_grpc" => Transport::Grpc,
            _ => {
                let message = "is passed over: metercast pushes spans by otlp_http and otlp_grpc only";
                self.findings.warn(&exporter.place, message);
                return false;
            }
        };
        self.say(&["telemetry", "traces", "enabled"], Value::Bool(true), &exporter);
        let own = self.otlp(TRACES, transport, &exporter);
        let of_batch = section.take("export_timeout");
        self.timeout(TRACES, of_batch, own, field);
        let delay = section.take("schedule_delay");
        let every = delay.as_ref().map_or(Some(DELAY), |delay| self.findings.whole(delay, 0));
        if let Some(every) = every {
            // At least as often as can be said here.
            let every = Value::String(format!("{}ms", every.max(1)));
            self.say_of(TRACES, &["interval"], every, delay.as_ref().unwrap_or(field));
        }
        for (key, ours) in [("max_queue_size", "max_queue_size"), ("max_export_batch_size", "max_batch_size")]
        {
            if let Some(field) = section.take(key) {
                self.say_of(TRACES, &[ours], field.node.value.clone(), &field);
            }
        }
        section.finish(self.findings);
        true
    }

    fn sampler(&mut self, field: &Field<'n>) {
        let Some(section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        match section.choice(self.findings, &SAMPLERS) {
            Some(("parent_based", field)) => self.by_parent(&field),
            Some((key, chosen)) => {
                if let Some(name) = self.root_sampler(key, &chosen) {
                    self.say_of(TRACES, &["sampler"], text(name), field);
                }
            }
            None => {}
        }
    }

    fn by_parent(&mut self, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        let mut name = "parentbased_always_on";
        if let Some(root) = section.take("root")
            && let Some((key, chosen)) = Section::of(root.place.clone(), root.node, self.findings)
                .and_then(|section| section.choice(self.findings, &SAMPLERS))
        {
            name = match self.root_sampler(key, &chosen) {
                Some("always_off") => "parentbased_always_off",
                Some("traceidratio") => "parentbased_traceidratio",
                _ => name,
            };
        }
        for (key, only) in PARENTS {
            let Some(field) = section.take(key) else { continue };
            let chosen = Section::of(field.place.clone(), field.node, self.findings)
                .and_then(|section| section.choice(self.findings, &[only]));
            if chosen.is_some_and(|(chosen, _)| chosen != only) {
                let message = format!("is passed over: it is {only} here, as the parent says");
                self.findings.warn(&field.place, message);
            }
        }
        section.finish(self.findings);
        self.say_of(TRACES, &["sampler"], text(name), field);
    }

    /// Our word for a sampler that asks no parent; its ratio, if it has one, is said.
    fn root_sampler(&mut self, key: &str, chosen: &Field<'n>) -> Option<&'static str> {
        let mut of_chosen = Section::of(chosen.place.clone(), chosen.node, self.findings)?;
        match key {
            "always_on" | "always_off" => {
                of_chosen.finish(self.findings);
                Some(if key == "always_on" { "always_on" } else { "always_off" })
            }
            "trace_id_ratio_based" => {
                if let Some(field) = of_chosen.take("ratio") {
                    self.say_of(TRACES, &["sampler_arg"], field.node.value.clone(), &field);
                }
                of_chosen.finish(self.findings);
                Some("traceidratio")
            }
            _ => {
                let message =
                    "is passed over: metercast has no such sampler here; it is parent_based with always_on";
                self.findings.warn(&chosen.place, message);
                None
            }
        }
    }

    fn span_limits(&mut self, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        for (key, ours) in LIMITS {
            if let Some(field) = section.take(key) {
                self.say_of(TRACES, &["limits", ours], field.node.value.clone(), &field);
            }
        }
        section.finish(self.findings);
    }

    /// Limits of everything that has attributes, where those of spans say nothing.
    fn limits_of_all(&mut self, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        for (key, ours) in OF_ALL {
            let Some(field) = section.take(key) else { continue };
            for ours in ours {
                if !self.ours.says(&["telemetry", "traces", "limits", ours]) {
                    self.say_of(TRACES, &["limits", ours], field.node.value.clone(), &field);
                }
            }
        }
        section.finish(self.findings);
    }
}
