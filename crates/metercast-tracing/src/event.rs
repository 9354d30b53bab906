//! One event while its fields are read: measurements, and the attributes that all of them get.

use std::cell::Cell;
use std::fmt::{self, Write};

use metercast_core::{Instrument, Kind, LabelRef, ValueRef};
use tracing_core::field::{Field, Visit};

use crate::callsite::Callsite;
use crate::field::Amount;

/// What the fields of an event come to. Its memory is used again for the next event of the thread.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// All texts, one behind the other.
    text: String,
    attributes: Vec<(&'static str, Attribute)>,
    measured: Vec<(usize, Amount)>,
}

#[derive(Clone, Copy, Debug)]
enum Attribute {
    /// From where to where it is in the texts.
    Text(usize, usize),
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
}

thread_local! {
    /// Nothing while an event is read: what is logged by a value that is being written has fields of its own.
    static FIELDS: Cell<Option<Box<Fields>>> = const { Cell::new(None) };
}

/// Texts that are longer are not kept for the next event.
const MOST_KEPT: usize = 16 << 10;

impl Fields {
    /// Fields without anything in them, for the length of `f`.
    pub(crate) fn with(f: impl FnOnce(&mut Fields)) {
        let mut fields = FIELDS.try_with(Cell::take).ok().flatten().unwrap_or_default();
        f(&mut fields);
        if fields.text.capacity() <= MOST_KEPT {
            let Fields { text, attributes, measured } = &mut *fields;
            text.clear();
            attributes.clear();
            measured.clear();
            let _ = FIELDS.try_with(|kept| kept.set(Some(fields)));
        }
    }

    /// Reads the fields of an event of this place, but for those of these names.
    pub(crate) fn reader<'a>(&'a mut self, callsite: &'a Callsite, left_out: &'a [String]) -> Reader<'a> {
        Reader { fields: self, callsite, left_out }
    }

    /// Records what was measured into the current store.
    pub(crate) fn record(&self, callsite: &Callsite) {
        for (at, amount) in &self.measured {
            let measure = callsite.measures.get(*at).and_then(Option::as_ref);
            if let Some(instrument) = measure.and_then(|measure| measure.instrument(*amount)) {
                self.record_one(instrument, *amount);
            }
        }
    }

    fn record_one(&self, to: Instrument, amount: Amount) {
        let labels = self.attributes.iter().map(|(key, value)| -> LabelRef<'_> { (key, self.value(*value)) });
        match (to.kind(), amount) {
            (Kind::Histogram, Amount::Whole(value)) => to.record(value as f64, labels),
            (Kind::Histogram, Amount::Double(value)) => to.record(value, labels),
            (Kind::Gauge, Amount::Double(value)) => to.set(value, labels),
            (_, Amount::Double(value)) => to.add(value, labels),
            (Kind::Counter, Amount::Whole(value)) => match u64::try_from(value) {
                Ok(value) => to.add(value, labels),
                Err(_) => to.out_of_range(),
            },
            (kind, Amount::Whole(value)) => match i64::try_from(value) {
                Ok(value) if kind == Kind::Gauge => to.set(value, labels),
                Ok(value) => to.add(value, labels),
                Err(_) => to.out_of_range(),
            },
        }
    }

    fn value(&self, attribute: Attribute) -> ValueRef<'_> {
        match attribute {
            Attribute::Text(from, to) => ValueRef::String(self.text.get(from..to).unwrap_or_default()),
            Attribute::Bool(value) => ValueRef::Bool(value),
            Attribute::I64(value) => ValueRef::I64(value),
            Attribute::U64(value) => ValueRef::from(value),
            Attribute::F64(value) => ValueRef::F64(value),
        }
    }
}

/// Reads the fields of one event.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    fields: &'a mut Fields,
    callsite: &'a Callsite,
    left_out: &'a [String],
}

impl Reader<'_> {
    fn measures(&self, field: &Field) -> bool {
        self.callsite.measures.get(field.index()).is_some_and(Option::is_some)
    }

    fn number(&mut self, field: &Field, amount: Amount, attribute: Attribute) {
        if self.measures(field) {
            self.fields.measured.push((field.index(), amount));
        } else {
            self.attribute(field, attribute);
        }
    }

    fn attribute(&mut self, field: &Field, attribute: Attribute) {
        if !self.left_out.iter().any(|name| name == field.name()) {
            self.fields.attributes.push((field.name(), attribute));
        }
    }

    fn text(&mut self, field: &Field, text: fmt::Arguments<'_>) {
        let from = self.fields.text.len();
        // One that fails has said as much as it could.
        let _ = self.fields.text.write_fmt(text);
        self.attribute(field, Attribute::Text(from, self.fields.text.len()));
    }
}

impl Visit for Reader<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        let attribute = i64::try_from(value).map_or(Attribute::U64(value), Attribute::I64);
        self.number(field, Amount::Whole(value.into()), attribute);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, Amount::Whole(value.into()), Attribute::I64(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match i128::try_from(value) {
            Ok(whole) if self.measures(field) => {
                self.fields.measured.push((field.index(), Amount::Whole(whole)));
            }
            _ => self.text(field, format_args!("{value}")),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        if self.measures(field) {
            self.fields.measured.push((field.index(), Amount::Whole(value)));
        } else {
            self.text(field, format_args!("{value}"));
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, Amount::Double(value), Attribute::F64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attribute(field, Attribute::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format_args!("{value:?}"));
    }
}
