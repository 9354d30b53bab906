//! What the call-site macros expand to: a static, and one call.

use crate::definition::Descriptor;
use crate::label::{Given, ValueRef};
use crate::local;
use crate::number::{Amount, Number};
use crate::own::{self, Reason};
use crate::site::{EachSet, FixedAt, Site};
use crate::write::{Change, up_or_down};

/// A call site with its labels in the program text. Made by the call-site macros.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "only the macros see it")]
pub struct Fixed {
    site: Site,
    each: EachSet,
}

impl Fixed {
    pub const fn new(descriptor: &'static Descriptor, each: EachSet) -> Fixed {
        Fixed { site: Site::of_call(descriptor), each }
    }

    /// Adds to a counter.
    #[inline(always)]
    pub fn add<N: Number>(&self, amount: impl Amount<N>) {
        let Some(amount) = amount.amount(self.unit()) else { return self.impossible() };
        if amount.is_negative() {
            return self.impossible();
        }
        if amount == N::ZERO || !amount.is_sound() || !local::add_fixed(self.site.slot(), amount) {
            self.add_slow(0, amount);
        }
    }

    /// Adds to an up-down counter.
    #[inline(always)]
    pub fn change<N: Number>(&self, amount: impl Amount<N>) {
        let Some(amount) = amount.amount(self.unit()) else { return self.impossible() };
        let (word, size) = up_or_down(amount);
        if amount == N::ZERO || !amount.is_sound() || !local::add_fixed(self.site.slot() + word, size) {
            self.add_slow(word, size);
        }
    }

    /// Sets a gauge.
    #[inline(always)]
    pub fn set<N: Number>(&self, value: impl Amount<N>) {
        let Some(value) = value.amount(self.unit()) else { return self.impossible() };
        (self.each)(&mut |labels| self.site.change_gauge(labels, Change::To(value)));
    }

    /// Records into a histogram.
    #[inline(always)]
    pub fn record<N: Number>(&self, value: impl Amount<N>) {
        let Some(value) = value.amount(self.unit()) else { return self.impossible() };
        (self.each)(&mut |labels| self.site.record(labels, value));
    }

    #[cold]
    fn add_slow<N: Number>(&self, word: u32, amount: N) {
        let spell = |f: &mut dyn FnMut(&[ValueRef<'_>])| (self.each)(f);
        self.site.add_slow(FixedAt { each: self.each, index: 0, spell: &spell }, word, amount);
    }

    fn unit(&self) -> &'static str {
        self.site.descriptor().unit
    }

    #[cold]
    fn impossible(&self) {
        own::dropped_if_enabled(self.site.descriptor(), Reason::Negative);
    }
}

/// A call site whose labels are known when it runs. Made by the call-site macros.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "only the macros see it")]
pub struct Adhoc(Site);

impl Adhoc {
    pub const fn new(descriptor: &'static Descriptor) -> Adhoc {
        Adhoc(Site::of_call(descriptor))
    }

    fn unit(&self) -> &'static str {
        self.0.descriptor().unit
    }

    /// Adds to a counter.
    #[inline(always)]
    pub fn add<N: Number>(&self, amount: impl Amount<N>, labels: impl Given) {
        match amount.amount(self.unit()) {
            Some(amount) if !amount.is_negative() => self.0.add(labels, 0, amount),
            _ => own::dropped_if_enabled(self.0.descriptor(), Reason::Negative),
        }
    }

    /// Adds to an up-down counter.
    #[inline(always)]
    pub fn change<N: Number>(&self, amount: impl Amount<N>, labels: impl Given) {
        match amount.amount(self.unit()) {
            Some(amount) => {
                let (word, size) = up_or_down(amount);
                self.0.add(labels, word, size);
            }
            None => own::dropped_if_enabled(self.0.descriptor(), Reason::Negative),
        }
    }

    /// Sets a gauge.
    #[inline(always)]
    pub fn set<N: Number>(&self, value: impl Amount<N>, labels: impl Given) {
        match value.amount(self.unit()) {
            Some(value) => self.0.change_gauge(labels, Change::To(value)),
            None => own::dropped_if_enabled(self.0.descriptor(), Reason::Negative),
        }
    }

    /// Records into a histogram.
    #[inline(always)]
    pub fn record<N: Number>(&self, value: impl Amount<N>, labels: impl Given) {
        match value.amount(self.unit()) {
            Some(value) => self.0.record(labels, value),
            None => own::dropped_if_enabled(self.0.descriptor(), Reason::Negative),
        }
    }
}
