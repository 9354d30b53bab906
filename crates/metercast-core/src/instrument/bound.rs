//! One series of an instrument, found beforehand: recording into it needs no labels and no lookup.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::definition::Descriptor;
use crate::held::{Distribution, Held};
use crate::local;
use crate::number::Number;
use crate::own::{self, Reason};
use crate::store::{GaugeSlot, Inner, Store};
use crate::write::up_or_down;

/// Which store and series a handle is bound to.
pub(super) struct Binding<T> {
    /// `None` if recording was off or the definition not valid: then the handle does nothing.
    cell: Option<T>,
    store: u64,
    descriptor: &'static Descriptor,
}

impl<T: Copy> Binding<T> {
    pub(super) fn new(cell: Option<T>, descriptor: &'static Descriptor) -> Binding<T> {
        Store::current().remember();
        Binding { cell, store: local::with_store(Inner::id), descriptor }
    }

    /// The series, if its store is the current one and nobody watches it.
    #[inline(always)]
    fn here(&self) -> Option<T> {
        self.cell.filter(|_| local::with_store(Inner::id_for_handles) == self.store)
    }

    /// Runs `record` if the store is not the current one, or is watched.
    #[cold]
    #[inline(never)]
    fn elsewhere(&self, caller: &'static Location<'static>, record: impl FnOnce(T)) {
        if let (Some(cell), Some(store)) = (self.cell, Store::by_id(self.store)) {
            local::slowly(|| store.inner().note(self.descriptor, || caller.into()));
            store.scope(|| record(cell));
        }
    }

    #[cold]
    fn dropped(&self, reason: Reason) {
        own::dropped_if_enabled(self.descriptor, reason);
    }
}

/// Records in the store of a binding, if that still lives. A macro, because a closure that stands in two places is a call.
macro_rules! within {
    ($binding:expr, |$cell:ident| $record:expr) => {
        match $binding.here() {
            Some($cell) => $record,
            None => $binding.elsewhere(Location::caller(), |$cell| $record),
        }
    };
}

impl<T: Copy> Clone for Binding<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Copy> Copy for Binding<T> {}

macro_rules! bound {
    ($(#[$doc:meta])* $name:ident, $cell:ty) => {
        $(#[$doc])*
        ///
        /// It is a plain number, `Copy`, and belongs to the store that was current when it was bound: it records there from
        /// any scope, and does nothing once that store is gone.
        pub struct $name<N: Number> {
            binding: Binding<$cell>,
            of: PhantomData<fn(N)>,
        }

        impl<N: Number> $name<N> {
            pub(crate) fn new(cell: Option<$cell>, descriptor: &'static Descriptor) -> Self {
                $name::of(Binding::new(cell, descriptor))
            }

            #[inline]
            pub(super) fn of(binding: Binding<$cell>) -> Self {
                $name { binding, of: PhantomData }
            }
        }

        impl<N: Number> Clone for $name<N> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<N: Number> Copy for $name<N> {}

        impl<N: Number> fmt::Debug for $name<N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let name = self.binding.descriptor.name;
                f.debug_struct(stringify!($name)).field("name", &name).finish_non_exhaustive()
            }
        }
    };
}

bound! {
    /// One series of a [`Counter`](crate::Counter), found beforehand; made by `bind`.
    BoundCounter, Held
}

bound! {
    /// One series of an [`UpDownCounter`](crate::UpDownCounter), found beforehand; made by `bind`.
    BoundUpDownCounter, Held
}

bound! {
    /// One series of a [`Gauge`](crate::Gauge), found beforehand; made by `bind`.
    BoundGauge, GaugeSlot
}

bound! {
    /// One series of a [`Histogram`](crate::Histogram), found beforehand; made by `bind`.
    BoundHistogram, Distribution
}

impl<N: Number> BoundCounter<N> {
    /// Adds `amount`, in the metric's unit.
    #[inline]
    #[track_caller]
    pub fn add(self, amount: N) {
        if amount.is_negative() {
            return self.binding.dropped(Reason::Negative);
        }
        if !amount.is_sound() {
            return self.binding.dropped(Reason::NotFinite);
        }
        within!(self.binding, |held| held.add(0, amount));
    }
}

impl<N: Number> BoundUpDownCounter<N> {
    /// Adds `amount`, in the metric's unit; a negative one is taken away.
    #[inline]
    #[track_caller]
    pub fn add(self, amount: N) {
        if !amount.is_sound() {
            return self.binding.dropped(Reason::NotFinite);
        }
        let (word, size) = up_or_down(amount);
        within!(self.binding, |held| held.add(word, size));
    }
}

impl<N: Number> BoundGauge<N> {
    /// Sets the value, in the metric's unit.
    #[inline]
    #[track_caller]
    pub fn set(self, value: N) {
        if !value.is_sound() {
            return self.binding.dropped(Reason::NotFinite);
        }
        within!(self.binding, |slot| local::with_store(|store| {
            if !store.set_gauge(slot, value.bits()) {
                store.change_mapped(slot, |_| value.bits());
            }
        }));
    }

    /// Adds to the value, which counts from zero if it was never set. Integers wrap.
    #[inline]
    #[track_caller]
    pub fn add(self, amount: N) {
        if !amount.is_sound() {
            return self.binding.dropped(Reason::NotFinite);
        }
        within!(self.binding, |slot| local::with_store(|store| {
            store.change_mapped(slot, |bits| N::from_bits(bits).plus(amount).bits());
        }));
    }
}

impl<N: Number> BoundHistogram<N> {
    /// Records one value, in the metric's unit.
    #[inline]
    #[track_caller]
    pub fn record(self, value: N) {
        if !value.is_sound() {
            return self.binding.dropped(Reason::NotFinite);
        }
        let value = value.to_f64();
        within!(self.binding, |distribution| distribution.record(value));
    }
}
