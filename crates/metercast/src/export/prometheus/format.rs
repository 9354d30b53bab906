//! What a page is written in: a format, and how names that it cannot hold are escaped.

/// The format of a page, and how names that it cannot hold are escaped.
///
/// ```
/// use metercast::{Escaping, Format, PageFormat};
///
/// let format = PageFormat { format: Format::OpenMetrics1, escaping: Escaping::Underscores };
/// assert_eq!(
///     format.content_type(),
///     "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
/// );
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PageFormat {
    /// The format.
    pub format: Format,
    /// How names are escaped.
    pub escaping: Escaping,
}

/// A format that Prometheus and those who understand it read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Text 0.0.4, which everybody reads.
    #[default]
    Text0,
    /// Text 1.0.0: the same, where names may be any UTF-8 if they are quoted.
    Text1,
    /// OpenMetrics under the version 0.0.1, by which older scrapers ask for it.
    OpenMetrics0,
    /// OpenMetrics 1.0.
    OpenMetrics1,
    /// Messages of `io.prometheus.client.MetricFamily`, each behind its length.
    Protobuf,
}

/// How a name becomes one that Prometheus knew before it took any UTF-8. Names that are such already stay as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Escaping {
    /// Every character that cannot stand in a name becomes `_`.
    #[default]
    Underscores,
    /// `_` becomes `__`, `.` becomes `_dot_`, others `__`.
    Dots,
    /// `U__` stands before the name, `_` becomes `__`, and others their number between underscores: it can be undone.
    Values,
    /// Not at all: names stand between quotation marks where they must.
    AllowUtf8,
}

impl PageFormat {
    /// The `Content-Type` of a page.
    pub fn content_type(self) -> String {
        let media_type = match self.format {
            Format::Text0 => "text/plain; version=0.0.4; charset=utf-8",
            Format::Text1 => "text/plain; version=1.0.0; charset=utf-8",
            Format::OpenMetrics0 => "application/openmetrics-text; version=0.0.1; charset=utf-8",
            Format::OpenMetrics1 => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        };
        format!("{media_type}; escaping={}", self.escaping.name())
    }
}

impl Escaping {
    /// As `escaping=` has it.
    pub fn name(self) -> &'static str {
        match self {
            Escaping::Underscores => "underscores",
            Escaping::Dots => "dots",
            Escaping::Values => "values",
            Escaping::AllowUtf8 => "allow-utf-8",
        }
    }
}
