//! What makes the instruments of a meter, whichever version of the API it is asked in.

use std::borrow::Cow;
use std::sync::Arc;

use metercast_core::{Instrument, InstrumentBuilder, Kind, NumberType};

use crate::library::Library;
use crate::spelling;
use crate::target::Target;

/// Makes instruments of one library.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    pub(crate) target: Target,
    library: Arc<Library>,
}

/// What the API says of an instrument.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) name: Cow<'static, str>,
    pub(crate) unit: Option<Cow<'static, str>>,
    pub(crate) description: Option<Cow<'static, str>>,
    /// Advice, for histograms.
    pub(crate) bounds: Option<Vec<f64>>,
}

impl Meter {
    pub(crate) fn new(target: Target, library: Library) -> Meter {
        Meter { target, library: Arc::new(library) }
    }

    /// The instrument whose values are recorded; `None` if there can be none, which is reported.
    pub(crate) fn instrument(&self, kind: Kind, number: NumberType, wanted: &Wanted) -> Option<Instrument> {
        self.build(kind, number, wanted, |builder| builder)
    }

    /// The instrument whose values callbacks say; `None` if there can be none, which is reported.
    pub(crate) fn observable(&self, kind: Kind, number: NumberType, wanted: &Wanted) -> Option<Instrument> {
        self.build(kind, number, wanted, InstrumentBuilder::observable)
    }

    fn build(
        &self,
        kind: Kind,
        number: NumberType,
        wanted: &Wanted,
        finish: impl Fn(InstrumentBuilder) -> InstrumentBuilder,
    ) -> Option<Instrument> {
        let name = spelling::first(&self.library, wanted.name.clone());
        if name != wanted.name {
            let message = format!(
                "is also called {:?}; OpenTelemetry does not tell these names apart, and what is recorded under the \
                 second is part of the first: spell them alike",
                wanted.name
            );
            self.target.report(&name, &message);
        }
        let Library { name: library, version, schema_url, attributes } = &*self.library;
        let builder = || {
            let builder = Instrument::builder(kind, number, name.clone())
                .unit(wanted.unit.clone().unwrap_or_default())
                .description(wanted.description.clone().unwrap_or_default())
                .scope(library.clone(), version.clone())
                .scope_attributes(attributes.clone())
                .scope_schema(schema_url.clone())
                .place(format!("the meter {library:?}"), 0);
            finish(builder)
        };
        // What is wrong is one of the problems of the store, which the core says itself.
        self.target.within(|| {
            let advised = wanted.bounds.as_deref().and_then(|bounds| builder().bounds(bounds).build().ok());
            // The advice may be bad: the measurements are not.
            advised.or_else(|| builder().build().ok())
        })
    }
}
