//! A store as requests in one encoding: what is the same in all of them, and the order in which everything comes.

use std::collections::HashMap;
use std::sync::Arc;

use metercast_core::reading::{FamilyView, SeriesView};
use metercast_core::{Definition, Kind, Scope, Store, Value};

use super::cursors::Cursors;
use super::format::{Format, Number, Point, Scalar, Temporality};
use super::since::Since;
use super::walk::{Done, Of, Walk};
use crate::config::TemporalityPreference;

/// What is kept from request to request.
#[derive(Debug)]
pub(super) struct Envelope<F: Format> {
    format: F,
    resource: F::Resource,
    scopes: Vec<OfScope<F>>,
}

/// What is kept of a scope.
#[derive(Debug)]
struct OfScope<F: Format> {
    scope: Scope,
    prepared: F::Scope,
    /// By the address of the definition, which lives as long as the program.
    metrics: HashMap<usize, OfMetric<F>>,
}

/// What is kept of a metric.
#[derive(Debug)]
struct OfMetric<F: Format> {
    definition: &'static Arc<Definition>,
    prepared: F::Metric,
    /// Whether callbacks have said some of its series.
    is_observed: bool,
    /// Its number among the cursors, if it has one.
    cursor: Option<u32>,
}

/// What is to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// When the reading is made, in nanoseconds since 1970.
    pub(super) time: u64,
    /// The most bytes of a request.
    pub(super) limit: usize,
}

/// What was delivered, for those who want to know what came since.
#[derive(Debug, Default)]
pub(super) struct Deltas {
    pub(super) cursors: Cursors,
    pub(super) since: Since,
}

impl<F: Format> Envelope<F> {
    pub(super) fn new(resource: &[(String, Value)]) -> Envelope<F> {
        Envelope { format: F::default(), resource: F::resource(resource), scopes: Vec::new() }
    }

    /// Reads the store and writes requests, the first behind what `out` has: scopes sorted by name and version, metrics by
    /// name. What came since the last delivery is asked of `deltas`, if they are given.
    pub(super) fn write(
        &mut self,
        store: &Store,
        out: Vec<u8>,
        wanted: Wanted,
        mut deltas: Option<(TemporalityPreference, &mut Deltas)>,
    ) -> Done {
        let Envelope { format, resource, scopes } = self;
        format.write_behind(out);
        let spare = deltas.as_mut().map(|(_, deltas)| deltas.cursors.spare(wanted.time)).unwrap_or_default();
        let mut walk = Walk::new(format, resource, wanted.limit, spare);
        store.read(|reading| {
            let mut families: Vec<_> = reading.families().collect();
            settle_names(&families);
            // The sort is stable, so families of one scope stay sorted by name.
            families.sort_by_key(|family| scope_key(family.definition().scope()));
            let of_scopes = families.chunk_by(|a, b| a.definition().scope() == b.definition().scope());
            for families in of_scopes {
                let scope = families[0].definition().scope();
                let OfScope { prepared: of_scope, metrics, .. } = kept(scopes, scope);
                for family in families {
                    let definition = family.definition();
                    let metric = metrics
                        .entry(Arc::as_ptr(definition) as usize)
                        .or_insert_with(|| OfMetric::new(definition));
                    metric.write(&mut walk, of_scope, family, wanted.time, &mut deltas);
                }
                walk.close_scope(of_scope);
            }
        });
        let (done, spare) = walk.finish();
        if let Some((_, deltas)) = deltas {
            let told = done.requests.iter().map(|request| &request.told);
            deltas.cursors.end(wanted.time, told, spare);
        }
        done
    }

    /// What `out` was in [`write`](Self::write) if there is no request.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.format.take()
    }
}

/// Two metrics of one name are settled by the order in which they are read, which is that of the registry for every reader.
fn settle_names(families: &[FamilyView<'_>]) {
    for pair in families.chunk_by(|a, b| a.definition().name() == b.definition().name()) {
        if pair.len() > 1 {
            pair.iter().for_each(|family| family.each(|_| {}));
        }
    }
}

/// What is kept of a scope, made if there is nothing. There are few.
fn kept<F: Format>(scopes: &mut Vec<OfScope<F>>, scope: Scope) -> &mut OfScope<F> {
    let at = scopes.iter().position(|known| known.scope == scope).unwrap_or_else(|| {
        scopes.push(OfScope { scope, prepared: F::scope(scope), metrics: HashMap::new() });
        scopes.len() - 1
    });
    &mut scopes[at]
}

fn scope_key(scope: Scope) -> (&'static str, &'static str) {
    (scope.name, scope.version)
}

impl<F: Format> OfMetric<F> {
    fn new(definition: &'static Arc<Definition>) -> OfMetric<F> {
        let prepared = F::metric(definition);
        OfMetric { definition, prepared, is_observed: false, cursor: None }
    }

    /// Writes the points of the metric.
    fn write(
        &mut self,
        walk: &mut Walk<'_, F>,
        scope: &mut F::Scope,
        family: &FamilyView<'_>,
        time: u64,
        deltas: &mut Option<(TemporalityPreference, &mut Deltas)>,
    ) {
        // It stays so when callbacks pause, or the temporality would change to and fro.
        self.is_observed |= family.is_observed();
        let (kind, is_observed) = (self.definition.kind(), self.is_observed);
        match deltas {
            Some((preference, deltas)) if preference.is_delta(kind, is_observed) => {
                self.write_deltas(walk, scope, family, time, deltas);
            }
            _ => self.write_totals(walk, scope, family, time),
        }
        walk.close_metric(&mut self.prepared);
    }

    /// A point is never from before its start, although its series may have begun during the reading and a clock may be set
    /// back.
    fn write_totals(
        &mut self,
        walk: &mut Walk<'_, F>,
        scope: &mut F::Scope,
        family: &FamilyView<'_>,
        time: u64,
    ) {
        let kind = self.definition.kind();
        let mut of = Of { scope, metric: &mut self.prepared, temporality: Temporality::Cumulative };
        family.each(|series| {
            let start = series.started_unix_nanos;
            let times = [start, time.max(start)];
            let is_done = Scalar::of(&series.value)
                .is_some_and(|scalar| walk.put_at_once(&mut of, series, times, scalar));
            if !is_done {
                put_total(walk, &mut of, kind, series, times);
            }
        });
    }

    #[inline(never)]
    fn write_deltas(
        &mut self,
        walk: &mut Walk<'_, F>,
        scope: &mut F::Scope,
        family: &FamilyView<'_>,
        time: u64,
        Deltas { cursors, since }: &mut Deltas,
    ) {
        let kind = self.definition.kind();
        let cursor = *self.cursor.get_or_insert_with(|| cursors.add_metric());
        let mut of = Of { scope, metric: &mut self.prepared, temporality: Temporality::Delta };
        family.each(|series| {
            let Some(came) = since.of(cursors, cursor, series) else { return };
            let (value, start) = (came.value, came.start);
            let scalar = match value {
                Number::Int(value) => Some(Scalar::Int(value)),
                Number::Double(value) => Some(Scalar::Double(value)),
                _ => None,
            };
            let is_there = scalar
                .is_some_and(|scalar| walk.put_at_once(&mut of, series, [start, time], scalar))
                || walk.put(&mut of, kind, &Point { series, value, start, time, exemplars_from: start });
            if is_there {
                since.tell(cursor, walk.told());
            }
        });
    }
}

/// Puts a point that was not put at once.
#[inline(never)]
fn put_total<F: Format>(
    walk: &mut Walk<'_, F>,
    of: &mut Of<'_, F>,
    kind: Kind,
    series: &SeriesView<'_>,
    [start, time]: [u64; 2],
) {
    if let Some(value) = Number::of(&series.value) {
        walk.put(of, kind, &Point { series, value, start, time, exemplars_from: 0 });
    }
}

impl TemporalityPreference {
    /// Whether metrics of this kind tell what came since the last delivery. Metrics SDK, "MetricReader": what the three
    /// preferences mean for each kind of instrument.
    fn is_delta(self, kind: Kind, is_observed: bool) -> bool {
        match self {
            TemporalityPreference::Cumulative => false,
            TemporalityPreference::Delta => matches!(kind, Kind::Counter | Kind::Histogram),
            TemporalityPreference::LowMemory => {
                matches!(kind, Kind::Counter | Kind::Histogram) && !is_observed
            }
        }
    }
}
