//! Readers: what is pushed or printed at an interval, what is scraped, and how many series each may have.

use super::Reader;
use super::otlp::Transport;
use super::section::{Field, Section};
use crate::config::exporter::Kind;
use crate::config::place::Given;
use crate::config::suggest::{did_you_mean, one_of};
use crate::config::tree::Value;
use crate::view::Selector;
use metercast_core::Kind as MetricKind;

/// The exporters of the schema, in the order of what they are for.
const PUSHED: [&str; 4] = ["otlp_http", "otlp_grpc", "console", "otlp_file/development"];
const PULLED: [&str; 1] = ["prometheus/development"];

/// What the schema has for what is not said, in milliseconds.
const INTERVAL: i64 = 60_000;
const READER_TIMEOUT: i64 = 30_000;
const EXPORTER_TIMEOUT: i64 = 10_000;

/// Instruments with a limit of their own: what measures them, and whether callbacks do.
const INSTRUMENTS: [(&str, MetricKind, Option<bool>); 7] = [
    ("counter", MetricKind::Counter, Some(false)),
    ("gauge", MetricKind::Gauge, Some(false)),
    ("histogram", MetricKind::Histogram, None),
    ("observable_counter", MetricKind::Counter, Some(true)),
    ("observable_gauge", MetricKind::Gauge, Some(true)),
    ("observable_up_down_counter", MetricKind::UpDownCounter, Some(true)),
    ("up_down_counter", MetricKind::UpDownCounter, Some(false)),
];

impl<'n> Reader<'_, 'n> {
    pub(super) fn readers(&mut self, field: &Field<'n>) {
        const KINDS: [&str; 2] = ["periodic", "pull"];
        for item in self.findings.items(field).unwrap_or_default() {
            let Some(section) = Section::of(item.place, item.node, self.findings) else { continue };
            match section.choice(self.findings, &KINDS) {
                Some(("periodic", field)) => self.periodic(&field),
                Some(("pull", field)) => self.pull(&field),
                Some((key, field)) => self.findings.unknown(&field.place, key, &KINDS),
                None => {}
            }
        }
    }

    fn periodic(&mut self, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        let exporter = self.exporter(&mut section, &PUSHED);
        let interval = section.take("interval");
        let timeout = section.take("timeout");
        if let Some(field) = section.take("max_export_batch_size/development") {
            let message =
                "cannot be had: metercast bounds requests by their bytes, not by their points; leave it out";
            self.findings.problem(&field.place, message);
        }
        self.producers(&mut section);
        let limits = section.take("cardinality_limits");
        section.finish(self.findings);

        let Some((key, exporter)) = exporter else { return };
        let name = match key {
            "otlp_http" | "otlp_grpc" => self.begin(Kind::Otlp, &exporter),
            "console" => self.begin(Kind::Stdout, &exporter),
            _ => {
                let message = "cannot be had: metercast writes no OTLP to files; use console, whose lines are JSON of \
                               metercast's own, or otlp_http";
                return self.findings.problem(&exporter.place, message);
            }
        };
        let every = interval.as_ref().map_or(Some(INTERVAL), |interval| self.findings.whole(interval, 0));
        if let Some(every) = every {
            self.say_of(&name, &["interval"], milliseconds(every), interval.as_ref().unwrap_or(field));
        }
        match key {
            "console" => {
                if let Some(timeout) = &timeout {
                    self.findings.whole(timeout, 0);
                    self.findings.warn(&timeout.place, "has no effect on what is printed");
                }
                self.console(&exporter);
            }
            _ => {
                let transport = if key == "otlp_grpc" { Transport::Grpc } else { Transport::Http };
                let own = self.otlp(&name, transport, &exporter);
                self.timeout(&name, timeout, own, field);
            }
        }
        if let Some(limits) = limits {
            self.limits(&name, &limits);
        }
    }

    /// A push has one limit of time here, so the shorter one counts; 0 is none.
    pub(super) fn timeout(
        &mut self,
        name: &str,
        of_reader: Option<Field<'n>>,
        of_exporter: Option<Field<'n>>,
        reader: &Field<'n>,
    ) {
        let mut read = |field: &Option<Field<'n>>, otherwise| match field {
            Some(field) => self.findings.whole(field, 0),
            None => Some(otherwise),
        };
        let times = (read(&of_reader, READER_TIMEOUT), read(&of_exporter, EXPORTER_TIMEOUT));
        let (Some(reading), Some(pushing)) = times else { return };
        let (time, field) = match (reading, pushing) {
            (0, time) => (time, of_exporter),
            (time, 0) => (time, of_reader),
            (reading, pushing) if reading < pushing => (reading, of_reader),
            (_, pushing) => (pushing, of_exporter),
        };
        self.say_of(name, &["timeout"], milliseconds(time), field.as_ref().unwrap_or(reader));
    }

    fn pull(&mut self, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        let exporter = self.exporter(&mut section, &PULLED);
        self.producers(&mut section);
        let limits = section.take("cardinality_limits");
        section.finish(self.findings);
        let Some((_, exporter)) = exporter else { return };
        let name = self.begin(Kind::Prometheus, &exporter);
        self.prometheus(&name, &exporter);
        if let Some(limits) = limits {
            self.limits(&name, &limits);
        }
    }

    /// The exporter that a reader has, one of those that are known.
    fn exporter(
        &mut self,
        section: &mut Section<'n>,
        known: &[&'static str],
    ) -> Option<(&'n str, Field<'n>)> {
        let Some(field) = section.take("exporter") else {
            let message = format!("is missing; a reader has one, {}", one_of(known));
            self.findings.problem(&section.place.child("exporter"), message);
            return None;
        };
        let exporters = Section::of(field.place, field.node, self.findings)?;
        let (key, field) = exporters.choice(self.findings, known)?;
        if known.contains(&key) {
            return Some((key, field));
        }
        let instead = match key {
            "prometheus/development" => "; put it into a reader of the kind pull".to_owned(),
            _ if PUSHED.contains(&key) => "; put it into a reader of the kind periodic".to_owned(),
            _ => did_you_mean(key, known),
        };
        let message =
            format!("is not an exporter that metercast has here; expected {}{instead}", one_of(known));
        self.findings.problem(&field.place, message);
        None
    }

    fn producers(&mut self, section: &mut Section<'n>) {
        if let Some(field) = section.take("producers") {
            let message = "cannot be had: metercast reads its own store and no other producer; leave it out";
            self.findings.problem(&field.place, message);
        }
    }

    fn console(&mut self, exporter: &Field<'n>) {
        let Some(mut section) = Section::of(exporter.place.clone(), exporter.node, self.findings) else {
            return;
        };
        if let Some(field) = section.take("temporality_preference")
            && self.temporality(&field).is_some_and(|word| word != "cumulative")
        {
            let message = "cannot be had: what is printed is cumulative; leave it out, or write cumulative";
            self.findings.problem(&field.place, message);
        }
        if let Some(field) = section.take("default_histogram_aggregation")
            && self.histograms(&field).is_some_and(|word| word != "explicit")
        {
            let message = "cannot be had: what is printed has explicit buckets unless the program or a view says otherwise; \
                           write explicit_bucket_histogram";
            self.findings.problem(&field.place, message);
        }
        section.finish(self.findings);
    }

    /// How many series a metric may have. A view's own limit wins over that for a type of instrument, and this over that for all.
    fn limits(&mut self, name: &str, field: &Field<'n>) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        let mut all = None;
        if let Some(field) = section.take("default") {
            all = self.limit(&field).map(|limit| Given { value: limit, place: field.place.clone() });
        }
        let mut limits = Vec::new();
        for (key, kind, observable) in INSTRUMENTS {
            let Some(field) = section.take(key) else { continue };
            let Some(limit) = self.limit(&field) else { continue };
            let selector = Selector { kind: Some(kind), observable, ..Selector::default() };
            limits.push(Given { value: (selector, limit), place: field.place });
        }
        section.finish(self.findings);
        let projection = self.projections.entry(name.to_owned()).or_default();
        projection.limit = all;
        projection.limits.extend(limits);
    }

    fn limit(&mut self, field: &Field<'n>) -> Option<usize> {
        let limit = self.findings.whole(field, 1)?;
        Some(usize::try_from(limit).unwrap_or(usize::MAX))
    }
}

fn milliseconds(number: i64) -> Value {
    Value::String(format!("{number}ms"))
}
