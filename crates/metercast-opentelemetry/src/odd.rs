//! Attributes that are no labels as they are: lists, which become JSON, and far too many.

use metercast_core::{LabelRef, Store, ValueRef};

/// The most attributes of a measurement. What has more is recorded, but its series are not told apart.
pub(crate) const MOST: usize = 128;

/// The attributes of one measurement.
#[derive(Debug)]
pub(crate) struct Odd<'a> {
    attributes: Vec<(&'a str, Spelled<'a>)>,
    too_many: bool,
}

/// The value of an attribute as that of a label.
#[derive(Debug)]
pub(crate) enum Spelled<'a> {
    /// Written out, for a label has no such type.
    Text(String),
    /// As it is.
    Label(ValueRef<'a>),
}

impl<'a> Odd<'a> {
    pub(crate) fn new(attributes: impl ExactSizeIterator<Item = (&'a str, Spelled<'a>)>) -> Odd<'a> {
        let too_many = attributes.len() > MOST;
        let attributes = if too_many {
            // As what is over a limit of series is.
            vec![("otel.metric.overflow", Spelled::Label(ValueRef::Bool(true)))]
        } else {
            attributes.collect()
        };
        Odd { attributes, too_many }
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = LabelRef<'_>> {
        self.attributes.iter().map(|(key, value)| match value {
            Spelled::Text(text) => (*key, ValueRef::String(text)),
            Spelled::Label(label) => (*key, *label),
        })
    }

    /// Says what is lost to the current store, if anything is.
    pub(crate) fn report(&self, metric: &str) {
        if self.too_many {
            let message = format!(
                "was recorded with more than {MOST} attributes; such measurements are counted together, in the \
                 series with otel.metric.overflow=true: give it fewer"
            );
            Store::current().report(metric, message);
        }
    }
}
