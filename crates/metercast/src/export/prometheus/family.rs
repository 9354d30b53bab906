//! What a metric is on a page: its name, type, help and unit, and the names of its samples. No word of text or protobuf.

use metercast_core::{Kind, PrometheusType};

use super::escape::{Of, quoted};
use super::labels::Labels;
use super::name::Name;
use super::style::Style;
use crate::view::Stream;

/// A metric as a format has it.
#[derive(Debug)]
pub(super) struct Family {
    /// What its samples are called, but for the suffixes of buckets, sums and counts: of counters with `_total`. Escaped,
    /// and not quoted.
    pub(super) name: String,
    pub(super) kind: Type,
    /// As the program has it; may be empty.
    pub(super) help: String,
    /// The word with which the name ends.
    pub(super) unit: Option<String>,
    /// The labels that all its series have.
    pub(super) constants: Labels,
}

/// What a format calls a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Counter,
    Gauge,
    Histogram,
    Summary,
    /// A counter whose name OpenMetrics does not allow.
    Unknown,
    /// Labels that describe something, and the value 1.
    Info,
}

const TOTAL: &str = "_total";
const INFO: &str = "_info";
const CREATED: &str = "_created";

impl Family {
    pub(super) fn of(stream: &Stream, style: &Style) -> Family {
        let Name { full, unit } = Name::of(stream, style.options());
        let mut family = Family {
            name: Of::Metric.escaped(&full, style.escaping),
            kind: match (stream.kind(), stream.definition().prometheus_type()) {
                (_, Some(PrometheusType::Info)) => Type::Info,
                (_, Some(PrometheusType::Unknown)) => Type::Unknown,
                (Kind::Counter, _) => Type::Counter,
                (Kind::Histogram, _) => Type::Histogram,
                (Kind::Summary, _) => Type::Summary,
                // No format knows up-down counters: they are gauges.
                _ => Type::Gauge,
            },
            help: stream.description().to_owned(),
            unit,
            constants: style.constants(stream),
        };
        // OpenMetrics 1.0, "Counter": the sample has the suffix, and the family a name without it.
        let is_counter = family.name.strip_suffix(TOTAL).is_some_and(|stem| !stem.is_empty());
        if style.is_open && family.kind == Type::Counter && !is_counter {
            family.kind = Type::Unknown;
        }
        // "Info": likewise.
        let is_info = family.name.strip_suffix(INFO).is_some_and(|stem| !stem.is_empty());
        if family.kind == Type::Info && !is_info {
            family.kind = Type::Gauge;
        }
        family
    }

    /// What is known of the resource; `None` if nothing is.
    pub(super) fn target(style: &Style) -> Option<Family> {
        let constants = style.target();
        (!constants.is_empty()).then(|| Family {
            name: format!("target{INFO}"),
            kind: Type::Info,
            help: "Target metadata".to_owned(),
            unit: None,
            constants,
        })
    }

    /// Gives up the names that a type brings with it in OpenMetrics, and the type.
    pub(super) fn give_up_type(&mut self) {
        self.kind = match self.kind {
            Type::Counter => Type::Unknown,
            Type::Info => Type::Gauge,
            kind => kind,
        };
    }

    /// The name of the whole.
    pub(super) fn title(&self, is_open: bool) -> &str {
        let suffix = match self.kind {
            Type::Counter if is_open => TOTAL,
            Type::Info if is_open => INFO,
            _ => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(&self.name)
    }

    /// The unit, for formats that have it. OpenMetrics 1.0, "Unit": the name must end with it, but for what a counter's ends with; and
    /// Prometheus does not take it in protobuf otherwise.
    pub(super) fn unit_of_name(&self) -> Option<&str> {
        let title = self.title(true);
        let is_unit = |unit: &&str| {
            Of::Metric.is_legal(unit) && title.strip_suffix(*unit).is_some_and(|stem| stem.ends_with('_'))
        };
        self.unit.as_deref().filter(is_unit)
    }

    /// The names that are its own: no other metric may have one of them.
    pub(super) fn names(&self, is_open: bool) -> Vec<String> {
        let suffixes: &[&str] = match self.kind {
            Type::Histogram => &["", "_bucket", "_sum", "_count", CREATED],
            Type::Summary => &["", "_sum", "_count", CREATED],
            _ => &["", CREATED],
        };
        let has_created = is_open && matches!(self.kind, Type::Histogram | Type::Summary);
        let suffixes = if has_created { suffixes } else { &suffixes[..suffixes.len() - 1] };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }

    /// The names that it has as long as nobody else needs them: without its type it can do without.
    pub(super) fn names_by_type(&self, is_open: bool) -> Vec<String> {
        let title = self.title(is_open);
        match self.kind {
            Type::Counter if is_open => vec![title.to_owned(), self.created()],
            Type::Info if is_open => vec![title.to_owned()],
            _ => Vec::new(),
        }
    }

    /// The name of the samples that say when a series began, in OpenMetrics.
    pub(super) fn created(&self) -> String {
        format!("{}{CREATED}", self.title(true))
    }

    /// Whether its series can say when they began.
    pub(super) fn has_created(&self) -> bool {
        matches!(self.kind, Type::Counter | Type::Histogram | Type::Summary)
    }

    /// The lines above its samples.
    pub(super) fn header(&self, is_open: bool) -> String {
        let title = self.title(is_open);
        let name = Of::Metric.spelled(title);
        let of_type = format!("# TYPE {name} {}\n", self.kind.name(is_open));
        let help = match (&*self.help, is_open) {
            ("", _) => String::new(),
            (help, true) => {
                let help = quoted(help);
                format!("# HELP {name} {}\n", &help[1..help.len() - 1])
            }
            // The quotation mark is not escaped.
            (help, false) => format!("# HELP {name} {}\n", help.replace('\\', "\\\\").replace('\n', "\\n")),
        };
        match self.unit_of_name() {
            _ if !is_open => help + &of_type,
            Some(unit) => format!("{of_type}# UNIT {name} {unit}\n{help}"),
            None => of_type + &help,
        }
    }
}

impl Type {
    fn name(self, is_open: bool) -> &'static str {
        match self {
            Type::Counter => "counter",
            Type::Histogram => "histogram",
            Type::Summary => "summary",
            Type::Unknown if is_open => "unknown",
            Type::Unknown => "untyped",
            Type::Info if is_open => "info",
            Type::Gauge | Type::Info => "gauge",
        }
    }
}
