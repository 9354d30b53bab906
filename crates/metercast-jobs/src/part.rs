//! A metric of jobs with the labels that it has.

use metercast_core::{Guard, Instrument, InstrumentError, KeyValue, Kind, LabelRef, NumberType, ValueRef};

/// A metric to be made.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) unit: &'static str,
    pub(crate) description: &'static str,
    /// A label of this metric alone.
    pub(crate) own: Option<(&'static str, &'static str)>,
}

impl Name {
    pub(crate) fn build(&self, buckets: &[f64], observable: bool) -> Result<Part, InstrumentError> {
        let number = match self.kind {
            Kind::Counter => NumberType::U64,
            Kind::UpDownCounter => NumberType::I64,
            _ => NumberType::F64,
        };
        let mut builder = Instrument::builder(self.kind, number, self.name.clone())
            .unit(self.unit)
            .description(self.description);
        if self.kind == Kind::Histogram {
            builder = builder.bounds(buckets);
        }
        if observable {
            builder = builder.observable();
        }
        Ok(Part { instrument: builder.build()?, own: self.own })
    }
}

/// A metric that is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    instrument: Instrument,
    own: Option<(&'static str, &'static str)>,
}

impl Part {
    pub(crate) fn instrument(self) -> Instrument {
        self.instrument
    }

    pub(crate) fn add<'a>(self, amount: u64, labels: impl IntoIterator<Item = LabelRef<'a>>) {
        self.instrument.add(amount, self.labels(labels));
    }

    pub(crate) fn record<'a>(self, seconds: f64, labels: impl IntoIterator<Item = LabelRef<'a>>) {
        self.instrument.record(seconds, self.labels(labels));
    }

    #[track_caller]
    pub(crate) fn guard<'a>(self, labels: impl IntoIterator<Item = LabelRef<'a>>) -> Guard {
        self.instrument.guard(self.labels(labels))
    }

    fn labels<'a>(
        self,
        labels: impl IntoIterator<Item = LabelRef<'a>>,
    ) -> impl Iterator<Item = LabelRef<'a>> {
        self.own.map(|(key, value)| (key, ValueRef::from(value))).into_iter().chain(labels)
    }
}

/// Labels as a recording takes them.
pub(crate) fn given(labels: &[KeyValue]) -> impl Iterator<Item = LabelRef<'_>> {
    labels.iter().map(|label| (&*label.key, ValueRef::from(&label.value)))
}
