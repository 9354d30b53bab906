//! A total that grows and shrinks.

use std::fmt;
use std::marker::PhantomData;

use super::bound::BoundUpDownCounter;
use super::guard::Guard;
use crate::definition::{Descriptor, Kind};
use crate::held::Held;
use crate::label::{Labels, Typed, ValueRef};
use crate::local;
use crate::number::Number;
use crate::registry::is_fixed;
use crate::site::{FixedAt, Site};
use crate::write::up_or_down;

/// A total that grows and shrinks: requests in flight, items in a queue. `N` is `i64` or `f64`, `L` the tuple of
/// its label types; declare it with [`metrics!`](crate::metrics).
///
/// For something that begins and ends, [`guard`](UpDownCounter::guard) never forgets the end. NaN and infinity are
/// dropped and counted in `metercast.recordings.dropped`. A total that is back at zero is still there.
///
/// Ups and downs are kept apart until they are read, so of doubles that differ by more than sixteen digits the smaller is
/// lost: after `+1e17`, `-1e17` and `+1.0` the total reads 0.
///
/// ```
/// use metercast_core::{Store, metrics, reading::Point};
///
/// metrics! {
///     /// Jobs being worked on.
///     static ACTIVE: UpDownCounter<i64> = "jobs.active" { unit: "{job}" };
/// }
///
/// let store = Store::new();
/// let job = store.scope(|| ACTIVE.guard());
/// assert_eq!(store.collect()[0].series[0].point, Point::I64(1));
/// drop(job);
/// assert_eq!(store.collect()[0].series[0].point, Point::I64(0));
/// ```
pub struct UpDownCounter<N: Number, L = ()> {
    site: Site,
    of: PhantomData<fn(N, L)>,
}

impl<N: Number, L> UpDownCounter<N, L> {
    #[doc(hidden)]
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        UpDownCounter { site: Site::new(descriptor), of: PhantomData }
    }
}

impl<N: Number> UpDownCounter<N, ()> {
    /// Adds `amount`, in the metric's unit; a negative one is taken away.
    #[inline]
    #[track_caller]
    pub fn add(&self, amount: N) {
        self.add_at(0, amount, FixedAt::BARE);
    }

    /// Adds one now, and takes it away when the guard is dropped: on return, on `?`, on cancel, on panic, and in
    /// the same store even if another is current by then.
    #[must_use = "dropping the guard takes the one away again at once"]
    #[track_caller]
    pub fn guard(&self) -> Guard {
        self.site.note_beginning();
        Guard::up(self.site.hold(FixedAt::BARE), N::TYPE)
    }

    /// A handle to this counter in the current store.
    pub fn bind(&'static self) -> BoundUpDownCounter<N> {
        BoundUpDownCounter::new(self.site.bind(FixedAt::BARE), self.site.descriptor())
    }
}

impl<N: Number, L: Labels> UpDownCounter<N, L> {
    /// Adds `amount`, in the metric's unit, to the series with these labels; a negative one is taken away.
    #[inline]
    #[track_caller]
    pub fn add(&self, amount: N, labels: L::Values<'_>) {
        if const { is_fixed::<L>(Kind::UpDownCounter) } {
            let index = L::index(labels);
            let spell = |f: &mut dyn FnMut(&[ValueRef<'_>])| L::spell(labels, |l| f(l));
            self.add_at(index, amount, FixedAt { each: L::each, index, spell: &spell });
        } else {
            let (word, size) = up_or_down(amount);
            self.site.add(Typed::<L>(labels), word, size);
        }
    }

    /// Adds one now to the series with these labels, and takes it away when the guard is dropped: on return, on
    /// `?`, on cancel, on panic, and in the same store even if another is current by then.
    #[must_use = "dropping the guard takes the one away again at once"]
    #[track_caller]
    pub fn guard(&self, labels: L::Values<'_>) -> Guard {
        self.site.note_beginning();
        Guard::up(self.held(labels, Site::hold), N::TYPE)
    }

    /// A handle to the series with these labels in the current store, which is there from now on. Recording through it
    /// needs no lookup.
    pub fn bind(&'static self, labels: L::Values<'_>) -> BoundUpDownCounter<N> {
        let held = self.held(labels, |site, series| site.bind(series).unwrap_or(Held::Nothing));
        BoundUpDownCounter::new(held.there(), self.site.descriptor())
    }

    fn held(&self, labels: L::Values<'_>, fixed: impl FnOnce(&Site, FixedAt<'_>) -> Held) -> Held {
        if const { is_fixed::<L>(Kind::UpDownCounter) } {
            let spell = |f: &mut dyn FnMut(&[ValueRef<'_>])| L::spell(labels, |l| f(l));
            fixed(&self.site, FixedAt { each: L::each, index: L::index(labels), spell: &spell })
        } else {
            L::spell(labels, |labels| self.site.hold_series(&self.site.spelled(labels)))
        }
    }
}

impl<N: Number, L> UpDownCounter<N, L> {
    #[inline(always)]
    #[track_caller]
    fn add_at(&self, index: usize, amount: N, series: FixedAt<'_>) {
        let (word, size) = up_or_down(amount);
        let slot = self.site.slot() + index as u32 * 2 + word;
        if amount == N::ZERO || !amount.is_sound() || !local::add_fixed(slot, size) {
            self.site.add_slow(series, word, size);
        }
    }
}

impl<N: Number, L> fmt::Debug for UpDownCounter<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpDownCounter").field("name", &self.site.descriptor().name).finish_non_exhaustive()
    }
}
