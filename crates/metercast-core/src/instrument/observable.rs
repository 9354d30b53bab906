//! Values that somebody else keeps, read by a callback whenever the store is read.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use super::observation::Observation;
use crate::definition::{Definition, Descriptor, Kind, Place};
use crate::label::{LabelSet, Labels, Pairs, Spelled, ValueRef};
use crate::local;
use crate::number::Number;
use crate::own::{self, Reason};
use crate::site::Site;
use crate::store::observed::{Points, Seen};

macro_rules! observable {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<N: Number, L = ()> {
            site: Site,
            of: PhantomData<fn(N, L)>,
        }

        impl<N: Number, L> $name<N, L> {
            #[doc(hidden)]
            pub const fn new(descriptor: &'static Descriptor) -> Self {
                assert!(!descriptor.zeroes, "only callbacks know which series there are; leave `zeroes` out");
                $name { site: Site::new(descriptor), of: PhantomData }
            }

            /// Registers a callback in the current store, until the handle is dropped.
            ///
            /// It is run once for each reading, or for readings that are made at the same time, never twice at once;
            /// on the thread that reads (of a store that a `Telemetry` or a `Scrape` of metercast reads: on one of its own,
            /// which is waited for for a second), and in the scope of its store. What it does not observe in a run is not in
            /// that reading. It may record, register and drop callbacks, and read the store itself (then it finds what
            /// callbacks observed before); it must not wait for another thread that reads, nor for a lock that is held
            /// by who reads. One that panics is left out of that reading and listed by
            /// [`Store::problems`](crate::Store::problems). While the store is switched off no callback is run.
            ///
            /// What the callback holds lives as long as the handle, or as the store if it is kept
            /// [`forever`](Observation::forever); a callback that holds its own store keeps it for ever.
            #[track_caller]
            pub fn observe(
                &'static self,
                mut callback: impl FnMut(&mut Observer<'_, N, L>) + Send + 'static,
            ) -> Observation {
                observe(&self.site, move |run| callback(&mut Observer { run, of: PhantomData }))
            }
        }

        impl<N: Number, L> fmt::Debug for $name<N, L> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let name = self.site.descriptor().name;
                f.debug_struct(stringify!($name)).field("name", &name).finish_non_exhaustive()
            }
        }
    };
}

observable! {
    /// A total that only grows and that somebody else keeps: bytes that the system counts, hits that a cache counts. `N`
    /// is `u64` or `f64`, `L` the tuple of its label types; declare it with [`metrics!`](crate::metrics).
    ///
    /// A callback observes the total, not what came to it. Several callbacks of one metric, and what a
    /// [`Counter`](crate::Counter) of the same name counts, are added up where their labels are equal. NaN, infinity
    /// and negative totals are dropped and counted in `metercast.recordings.dropped`.
    ///
    /// ```
    /// use metercast_core::{Store, metrics, reading::Point};
    ///
    /// metrics! {
    ///     /// Hits that the cache counts itself.
    ///     static HITS: ObservableCounter<u64> = "cache.hits" { unit: "{hit}" };
    /// }
    ///
    /// let store = Store::new();
    /// let mut total = 40;
    /// let observation = store.scope(|| {
    ///     HITS.observe(move |o| {
    ///         total += 1;
    ///         o.set(total);
    ///     })
    /// });
    /// assert_eq!(store.collect()[0].series[0].point, Point::U64(41));
    /// drop(observation);
    /// assert!(store.collect().is_empty());
    /// ```
    ObservableCounter
}

observable! {
    /// A total that grows and shrinks and that somebody else keeps: the connections of a pool, the bytes of a heap. `N`
    /// is `i64` or `f64`, `L` the tuple of its label types; declare it with [`metrics!`](crate::metrics).
    ///
    /// A callback observes the total, not the change. Several callbacks of one metric, and what an
    /// [`UpDownCounter`](crate::UpDownCounter) of the same name counts, are added up where their labels are equal.
    /// NaN and infinity are dropped and counted in `metercast.recordings.dropped`.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use metercast_core::{Store, metrics, reading::Point};
    ///
    /// metrics! {
    ///     /// Jobs that wait.
    ///     static WAITING: ObservableUpDownCounter<i64> = "jobs.waiting" { unit: "{job}" };
    /// }
    ///
    /// let queue = Arc::new(Mutex::new(vec!["a", "b"]));
    /// let store = Store::new();
    /// let of_queue = Arc::clone(&queue);
    /// let _observation = store.scope(|| WAITING.observe(move |o| o.set(of_queue.lock().unwrap().len() as i64)));
    /// assert_eq!(store.collect()[0].series[0].point, Point::I64(2));
    /// ```
    ObservableUpDownCounter
}

observable! {
    /// A value that cannot be added up and that somebody else knows: a temperature, a limit, an age. `N` is `u64`, `i64`
    /// or `f64`, `L` the tuple of its label types; declare it with [`metrics!`](crate::metrics).
    ///
    /// Where several callbacks of one metric observe equal labels, the one registered last is heard; it is also heard
    /// before a [`Gauge`](crate::Gauge) or [`GaugeSet`](crate::GaugeSet) of the same name. NaN and infinity are
    /// dropped and counted in `metercast.recordings.dropped`.
    ///
    /// ```
    /// use metercast_core::{Store, metrics};
    ///
    /// metrics! {
    ///     /// Connections that a pool may open.
    ///     static POOL_LIMIT: ObservableGauge<u64> = "pool.limit" {
    ///         unit: "{connection}", labels: { pool: &str }
    ///     };
    /// }
    ///
    /// let store = Store::new();
    /// store.scope(|| {
    ///     POOL_LIMIT.observe(|o| {
    ///         o.set(10, ("main",));
    ///         o.set(2, ("reports",));
    ///     }).forever();
    /// });
    /// assert_eq!(store.collect()[0].series.len(), 2);
    /// ```
    ObservableGauge
}

/// Takes what a callback observes in one run; see `observe` of the observable instruments.
pub struct Observer<'a, N: Number, L = ()> {
    run: Run<'a>,
    of: PhantomData<fn(N, L)>,
}

impl<N: Number> Observer<'_, N, ()> {
    /// Observes the value, in the metric's unit. Of two in one run the last stays.
    pub fn set(&mut self, value: N) {
        self.run.set_spelled(value, &[]);
    }
}

impl<N: Number, L: Labels> Observer<'_, N, L> {
    /// Observes the value, in the metric's unit, of the series with these labels. Of two in one run the last stays.
    pub fn set(&mut self, value: N, labels: L::Values<'_>) {
        L::spell(labels, |labels| self.run.set_spelled(value, labels));
    }
}

impl<N: Number, L> fmt::Debug for Observer<'_, N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.run.site.descriptor().name;
        f.debug_struct("Observer").field("name", &name).finish_non_exhaustive()
    }
}

/// One run of a callback.
pub(super) struct Run<'a> {
    pub(super) site: &'static Site,
    definition: &'static Definition,
    started_unix_nanos: u64,
    points: &'a mut Points,
    before: &'a Points,
}

impl Run<'_> {
    fn set_spelled<N: Number>(&mut self, value: N, labels: &[ValueRef<'_>]) {
        self.set(value, &Spelled::new(self.site.descriptor().labels.names, 0, labels));
    }

    pub(super) fn set<N: Number>(&mut self, value: N, labels: &dyn Pairs) {
        let descriptor = self.site.descriptor();
        if !value.is_sound() {
            return own::dropped_if_enabled(descriptor, Reason::NotFinite);
        }
        if descriptor.kind == Kind::Counter && value.is_negative() {
            return own::dropped_if_enabled(descriptor, Reason::Negative);
        }
        let (labels, faults) = LabelSet::of(labels);
        if faults.any() {
            local::with_store(|store| store.report_faults(self.definition, &faults));
        }
        self.points.set(Seen::of(labels, self.started_unix_nanos, value.bits()), Some(self.before));
    }
}

#[track_caller]
pub(super) fn observe(
    site: &'static Site,
    mut callback: impl FnMut(Run<'_>) + Send + 'static,
) -> Observation {
    let caller = Location::caller();
    let place = match site.descriptor().place {
        // Who calls is a front end then, and says nothing of whose callback it is.
        elsewhere @ Place { line: 0, .. } => elsewhere,
        _ => Place { file: caller.file(), line: caller.line() },
    };
    let name = site.descriptor().name;
    site.note_beginning();
    local::with_store(|store| {
        let Some(definition) = site.definition(store) else { return Observation::of_nothing(name) };
        store.started();
        let started_unix_nanos = store.clock().unix_nanos();
        let callback = Box::new(move |points: &mut Points, before: &Points| {
            callback(Run { site, definition, started_unix_nanos, points, before });
        });
        let (store, key) = store.observables.register(definition, place, callback);
        Observation::new(name, store, key)
    })
}
