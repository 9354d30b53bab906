//! How many series there may be: of each metric, and of the whole store; and the series that takes what is beyond.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::metrics::{COUNT, FULL, OVER};
use super::{Dictionary, Made, Writer};
use crate::definition::Definition;
use crate::label::{KeyValue, LabelSet};
use crate::store::layout::Layout;
use crate::store::line::Side;

/// Series of one metric, unless it is told otherwise; beyond it everything lands in one overflow series.
pub(crate) const LIMIT_EACH: u32 = 2_000;

/// Series of one store, unless it is told otherwise.
pub(crate) const LIMIT_ALL: u32 = 200_000;

/// Metrics SDK, "Cardinality limits": the label of the series that takes what is over the limit.
pub(crate) const OVERFLOW: &str = "otel.metric.overflow";

impl Dictionary {
    /// The series that takes what is beyond the limits, made if need be.
    pub(super) fn overflow(
        &self,
        writer: &mut Writer,
        definition: &Definition,
        layout: Option<&'static Layout>,
    ) -> Made {
        if let Some(number) = self.overflow_of(definition) {
            let first = self.set_full(definition, true);
            return Made::Overflow { number: Some(number), first };
        }
        let labels = LabelSet::of(&[KeyValue::new(OVERFLOW, true)][..]).0;
        let number = self.find_set(definition, &definition.shapes(), &labels).or_else(|| {
            let key = self.wide_key(definition, writer, &labels)?;
            self.insert(writer, definition, layout, &labels, &key)
        });
        if let Some(number) = number
            && let Some(side) = self.side(number)
        {
            self.keep(writer, definition, side);
            self.metric_made(definition.id)[OVER].store(FULL | (u64::from(number) + 1), Release);
            return Made::Overflow { number: Some(number), first: true };
        }
        Made::Overflow { number: None, first: false }
    }

    pub(super) fn has_room(&self, definition: &Definition, writer: &Writer) -> bool {
        let (count, limit) = self.count_and_limit(definition.id);
        count < limit && writer.series < self.limit_all.load(Relaxed)
    }

    /// How many series a metric has, and at most how many.
    pub(super) fn count_and_limit(&self, definition: u32) -> (u32, u32) {
        let each = self.limit_each.load(Relaxed);
        self.metric(definition).map_or((0, each), |words| {
            let word = words[COUNT].load(Relaxed);
            let own = word as u32;
            ((word >> 32) as u32, if own == 0 { each } else { own })
        })
    }

    /// The overflow series, if what the dictionary does not know belongs there.
    pub(crate) fn full(&self, definition: &Definition) -> Option<u32> {
        let over = self.metric(definition.id)?[OVER].load(Acquire);
        if over & FULL == 0 { None } else { self.overflow_of(definition) }
    }

    pub(super) fn overflow_of(&self, definition: &Definition) -> Option<u32> {
        let over = self.metric(definition.id)?[OVER].load(Acquire);
        (over as u32).checked_sub(1)
    }

    /// Whether that is new.
    pub(crate) fn set_full(&self, definition: &Definition, full: bool) -> bool {
        let Some(words) = self.metric(definition.id) else { return false };
        let before = words[OVER].load(Relaxed);
        words[OVER].store(if full { before | FULL } else { before & !FULL }, Release);
        (before & FULL != 0) != full
    }

    /// Sets the limits of the store, and of one metric.
    pub(crate) fn set_limits(&self, each: u32, all: u32) {
        self.limit_each.store(each, Relaxed);
        self.limit_all.store(all, Relaxed);
        self.look_for_room(None);
    }

    /// Sets the limit of the metrics of this name, now and when they are first used.
    pub(crate) fn set_limit(&self, metric: &str, limit: u32) {
        {
            let guard = &mut *self.writer();
            let limit = limit.max(1);
            guard.get_or_insert_default().limits.insert(metric.to_owned(), limit);
            let all = crate::registry::definitions();
            all.iter().filter(|there| there.name == metric).for_each(|there| self.limit(there, limit));
        }
        self.look_for_room(None);
    }

    /// The caller holds the lock of the writer.
    pub(super) fn limit(&self, definition: &Definition, limit: u32) {
        let word = &self.metric_made(definition.id)[COUNT];
        word.store(word.load(Relaxed) >> 32 << 32 | u64::from(limit), Relaxed);
    }

    /// What was full may not be any more.
    pub(crate) fn look_for_room(&self, of: Option<&Definition>) {
        let guard = &mut *self.writer();
        let writer = guard.get_or_insert_default();
        let all = crate::registry::definitions();
        for definition in all.iter().filter(|definition| of.is_none_or(|of| of.id == definition.id)) {
            if self.has_room(definition, writer) {
                self.set_full(definition, false);
            }
        }
    }

    /// Lets a series stay for as long as the store, and be none of those that are limited.
    pub(super) fn keep(&self, writer: &mut Writer, definition: &Definition, side: Side<'_>) {
        side.hold();
        self.count(writer, definition.id, false);
    }

    /// Counts a series that came or went.
    pub(in crate::store) fn count(&self, writer: &mut Writer, definition: u32, came: bool) {
        let word = &self.metric_made(definition)[COUNT];
        if came {
            word.fetch_add(1 << 32, Relaxed);
            writer.series += 1;
        } else {
            word.fetch_sub(1 << 32, Relaxed);
            writer.series -= 1;
        }
    }

    /// How many series a metric may have.
    pub(crate) fn limit_of(&self, definition: &Definition) -> u32 {
        self.count_and_limit(definition.id).1
    }

    /// How many series the store may have.
    pub(crate) fn limit_of_all(&self) -> u32 {
        self.limit_all.load(Relaxed)
    }

    /// How many series a metric has.
    pub(crate) fn count_of(&self, definition: &Definition) -> u32 {
        self.count_and_limit(definition.id).0
    }
}
