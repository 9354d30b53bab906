//! A family of gauges that is set all at once.

use std::fmt;
use std::marker::PhantomData;

use crate::definition::Descriptor;
use crate::label::{LabelSet, Labels, Spelled};
use crate::local;
use crate::number::Number;
use crate::own::{self, Reason};
use crate::site::Site;
use crate::store::Store;
use crate::store::observed::{Points, Seen};

/// The newest values of things that come and go, known all at once: the usage of every tenant, the lag of every
/// partition. `N` is `u64`, `i64` or `f64`, `L` the tuple of its label types; declare it with
/// [`metrics!`](crate::metrics).
///
/// A reading finds one whole set, never some series of one and some of another, and a series that the newest set does not
/// have is gone. NaN and infinity are dropped and counted in `metercast.recordings.dropped`. Above 2000 series the
/// rest is left out, which [`Store::problems`](crate::Store::problems) says.
///
/// ```
/// use metercast_core::{Store, metrics};
///
/// metrics! {
///     /// What is stored, by tenant.
///     static USAGE: GaugeSet<u64> = "tenant.usage" { unit: "By", labels: { tenant: &str } };
/// }
///
/// let store = Store::new();
/// store.scope(|| USAGE.replace([(5, ("acme",)), (7, ("zen",))]));
/// store.scope(|| USAGE.replace([(8, ("zen",))]));
/// let family = &store.collect()[0];
/// assert_eq!(family.series.len(), 1);
/// assert_eq!(family.series[0].labels.to_string(), "{tenant=\"zen\"}");
/// ```
pub struct GaugeSet<N: Number, L> {
    site: Site,
    of: PhantomData<fn(N, L)>,
}

impl<N: Number, L: Labels> GaugeSet<N, L> {
    #[doc(hidden)]
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        GaugeSet { site: Site::new(descriptor), of: PhantomData }
    }

    /// Puts these values, in the metric's unit, with their labels in place of the whole set in the current store. Of
    /// equal labels the last value stays.
    #[track_caller]
    pub fn replace<'a>(&self, series: impl IntoIterator<Item = (N, L::Values<'a>)>) {
        self.site.note_beginning();
        local::with_store(|store| {
            if !store.is_enabled() {
                return;
            }
            let Some(definition) = self.site.definition(store) else { return };
            store.started();
            let now = store.clock().unix_nanos();
            let before = store.gauge_sets.get(definition);
            let mut points = Points::new(definition);
            for (value, labels) in series {
                if !value.is_sound() {
                    own::dropped(self.site.descriptor(), Reason::NotFinite);
                    continue;
                }
                L::spell(labels, |labels| {
                    let labels = Spelled::new(self.site.descriptor().labels.names, 0, labels);
                    let (labels, faults) = LabelSet::of(&labels);
                    store.report_faults(definition, &faults);
                    // Who was there before began then.
                    let there = before
                        .as_ref()
                        .and_then(|before| before.find(&labels).map(|at| &before.series()[at]));
                    let started_unix_nanos = there.map_or(now, |seen| seen.started_unix_nanos);
                    points.set(Seen::of(labels, started_unix_nanos, value.bits()), before.as_deref());
                });
            }
            let points = points.finished();
            points.report(&Store::current(), before.as_deref());
            store.gauge_sets.replace(points);
        });
    }

    /// Removes the whole set from the current store.
    #[track_caller]
    pub fn clear(&self) {
        self.site.note_beginning();
        local::with_store(|store| {
            if let Some(definition) = self.site.definition(store) {
                store.gauge_sets.remove(definition);
            }
        });
    }
}

impl<N: Number, L> fmt::Debug for GaugeSet<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GaugeSet").field("name", &self.site.descriptor().name).finish_non_exhaustive()
    }
}
