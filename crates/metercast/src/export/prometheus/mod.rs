//! The Prometheus page: how what a store holds is spelled for a scraper.

// What is chosen, and what follows from it for the names and labels of a format;
mod claims;
mod escape;
mod family;
mod format;
mod labels;
mod name;
mod negotiate;
mod options;
mod problem;
mod style;

// a page, metric by metric,
mod classic;
mod encoder;
mod form;
mod keys;
mod merge;
mod metric;
mod native;
mod page;
mod selection;
mod series;

// in protobuf,
mod protobuf;

// or in text, line by line.
mod block;
mod buffer;
mod line;
mod lines;
mod number;
mod text;

pub use format::{Escaping, Format, PageFormat};
pub(crate) use name::{complete, label_of, name_of};
pub(crate) use negotiate::read_quality;
pub use options::{PageOptions, Profile, ResourceLabels, Strategy};
pub use page::PrometheusPage;
pub(crate) use selection::Selection;
