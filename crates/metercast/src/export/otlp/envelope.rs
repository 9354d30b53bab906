//! A store as requests in one encoding: what is the same in all of them, and the order in which everything comes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use metercast_core::reading::SeriesView;
use metercast_core::{Definition, Kind, Scope, Store, Value};

use super::cursors::Cursors;
use super::format::{Format, Number, Point, Scalar, Temporality};
use super::since::{Came, Since};
use super::thread::{Identity, State, Thread};
use super::walk::{Done, Of, Walk};
use crate::config::TemporalityPreference;
use crate::view::{Plan, Stream, StreamView};

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
    /// By the number of the stream.
    metrics: HashMap<u32, OfMetric<F>>,
}

/// What is kept of a metric as it is sent.
#[derive(Debug)]
struct OfMetric<F: Format> {
    stream: Arc<Stream>,
    prepared: F::Metric,
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

/// Since when values count, and what is to be known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Temporalities {
    pub(super) now: TemporalityPreference,
    /// What it will be soon: of streams that change from totals it is noted what was delivered.
    pub(super) next: Option<TemporalityPreference>,
}

/// The metrics of which callbacks have said some series. They stay so when the callbacks pause, or their temporality would
/// change to and fro.
#[derive(Debug, Default)]
pub(super) struct Observed(HashSet<usize>);

impl Observed {
    /// Whether callbacks say some of these series, or have.
    pub(super) fn has(&self, view: &StreamView<'_>) -> bool {
        view.is_observed() || self.0.contains(&address(view.stream().definition()))
    }

    fn note(&mut self, view: &StreamView<'_>) {
        if view.is_observed() {
            self.0.insert(address(view.stream().definition()));
        }
    }
}

impl<F: Format> Envelope<F> {
    pub(super) fn new(resource: &[(String, Value)]) -> Envelope<F> {
        Envelope { format: F::default(), resource: F::resource(resource), scopes: Vec::new() }
    }

    /// Reads the store and writes requests, the first behind what `out` has: scopes sorted, first by name and version, metrics by
    /// name. What came since the last delivery is asked of `deltas`, if they are given.
    pub(super) fn write(
        &mut self,
        store: &Store,
        plan: &mut Plan,
        out: Vec<u8>,
        wanted: Wanted,
        mut deltas: Option<(Temporalities, &mut Deltas)>,
        observed: &mut Observed,
    ) -> Done {
        let Envelope { format, resource, scopes } = self;
        format.write_behind(out);
        let spare = deltas.as_mut().map(|(_, deltas)| deltas.cursors.spare(wanted.time)).unwrap_or_default();
        let mut walk = Walk::new(format, resource, wanted.limit, spare);
        store.read(|reading| {
            let mut views = plan.streams(reading);
            // The sort is stable, so streams of one scope stay sorted by name.
            views.sort_by_key(|view| view.stream().scope());
            for views in views.chunk_by(|a, b| a.stream().scope() == b.stream().scope()) {
                let scope = views[0].stream().scope();
                let OfScope { prepared: of_scope, metrics, .. } = kept(scopes, scope);
                for view in views {
                    let stream = view.stream();
                    let metric = metrics.entry(stream.id()).or_insert_with(|| OfMetric::new(stream));
                    observed.note(view);
                    let is_observed = observed.has(view);
                    metric.write(&mut walk, of_scope, view, is_observed, wanted, &mut deltas);
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

/// The address of a definition, which lives as long as the program.
pub(super) fn address(definition: &'static Arc<Definition>) -> usize {
    Arc::as_ptr(definition) as usize
}

pub(super) fn identity(stream: &Stream) -> Identity<'_> {
    let (ordinal, name) = (stream.ordinal(), stream.name());
    Identity { metric: address(stream.definition()), ordinal, name }
}

/// What is kept of a scope, made if there is nothing. There are few.
fn kept<F: Format>(scopes: &mut Vec<OfScope<F>>, scope: Scope) -> &mut OfScope<F> {
    let at = scopes.iter().position(|known| known.scope == scope).unwrap_or_else(|| {
        scopes.push(OfScope { scope, prepared: F::scope(scope), metrics: HashMap::new() });
        scopes.len() - 1
    });
    &mut scopes[at]
}

impl<F: Format> OfMetric<F> {
    fn new(stream: &Arc<Stream>) -> OfMetric<F> {
        OfMetric { stream: Arc::clone(stream), prepared: F::metric(stream), cursor: None }
    }

    /// Writes the points of the metric.
    fn write(
        &mut self,
        walk: &mut Walk<'_, F>,
        scope: &mut F::Scope,
        view: &StreamView<'_>,
        is_observed: bool,
        wanted: Wanted,
        deltas: &mut Option<(Temporalities, &mut Deltas)>,
    ) {
        let kind = self.stream.kind();
        let state = deltas.as_ref().map(|(temporalities, _)| temporalities.state(kind, is_observed));
        match (state, deltas) {
            (Some(State::Delta), Some((_, deltas))) => self.write_deltas(walk, scope, view, wanted, deltas),
            (Some(State::Followed), Some((_, deltas))) => {
                self.write_totals(walk, scope, view, wanted, Some(deltas));
            }
            _ => self.write_totals(walk, scope, view, wanted, None),
        }
        walk.close_metric(&mut self.prepared);
    }

    /// With `followed` it is noted what is delivered. A point is never from before its start, although its series may have begun
    /// during the reading and a clock may be set back.
    fn write_totals(
        &mut self,
        walk: &mut Walk<'_, F>,
        scope: &mut F::Scope,
        view: &StreamView<'_>,
        wanted: Wanted,
        followed: Option<&mut Deltas>,
    ) {
        let (kind, time) = (self.stream.kind(), wanted.time);
        let mut follow = None;
        if let Some(deltas) = followed {
            let Some(thread) = self.thread(&mut deltas.cursors, State::Followed, time) else { return };
            follow = Some((thread, deltas));
        }
        let mut of = Of { scope, metric: &mut self.prepared, temporality: Temporality::Cumulative };
        view.each_as(follow.is_some(), |series| {
            let start = series.started_unix_nanos;
            let times = [start, time.max(start)];
            let is_there = Scalar::of(&series.value)
                .is_some_and(|scalar| walk.put_at_once(&mut of, series, times, scalar))
                || put_total(walk, &mut of, kind, series, times);
            if let Some((thread, Deltas { cursors, since })) = &mut follow
                && is_there
            {
                walk.told().thread(thread.number);
                since.follow(cursors, *thread, series, walk.told());
            }
        });
    }

    #[inline(never)]
    fn write_deltas(
        &mut self,
        walk: &mut Walk<'_, F>,
        scope: &mut F::Scope,
        view: &StreamView<'_>,
        wanted: Wanted,
        Deltas { cursors, since }: &mut Deltas,
    ) {
        let time = wanted.time;
        let Some(thread) = self.thread(cursors, State::Delta, time) else { return };
        let (stream, kind) = (&*self.stream, self.stream.kind());
        let mut of = Of { scope, metric: &mut self.prepared, temporality: Temporality::Delta };
        view.each_as(true, |series| {
            let mut came = since.of(cursors, thread, series, stream);
            while let Some(Came { value, start }) = came {
                let scalar = match value {
                    Number::Int(value) => Some(Scalar::Int(value)),
                    Number::Double(value) => Some(Scalar::Double(value)),
                    _ => None,
                };
                let is_there = scalar
                    .is_some_and(|scalar| walk.put_at_once(&mut of, series, [start, time], scalar))
                    || walk.put(&mut of, kind, &Point { series, value, start, time, exemplars_from: start });
                if is_there {
                    since.tell(thread, walk.told());
                }
                came = since.rest(stream);
            }
        });
    }

    fn thread(&mut self, cursors: &mut Cursors, state: State, time: u64) -> Option<Thread> {
        let known = self.cursor.and_then(|number| cursors.thread_of(number, state));
        known.or_else(|| {
            let number = cursors.number(identity(&self.stream), state, time);
            self.cursor = Some(number);
            cursors.thread(number)
        })
    }
}

/// Puts a point that was not put at once; false if it is none, or too large.
#[inline(never)]
fn put_total<F: Format>(
    walk: &mut Walk<'_, F>,
    of: &mut Of<'_, F>,
    kind: Kind,
    series: &SeriesView<'_>,
    [start, time]: [u64; 2],
) -> bool {
    Number::of(&series.value)
        .is_some_and(|value| walk.put(of, kind, &Point { series, value, start, time, exemplars_from: 0 }))
}

impl Temporalities {
    /// How streams of this kind are told.
    pub(super) fn state(self, kind: Kind, is_observed: bool) -> State {
        let is_delta = |preference: TemporalityPreference| preference.is_delta(kind, is_observed);
        match self {
            Temporalities { now, .. } if is_delta(now) => State::Delta,
            Temporalities { next: Some(next), .. } if is_delta(next) => State::Followed,
            _ => State::Idle,
        }
    }
}

impl TemporalityPreference {
    /// Whether metrics of this kind tell what came since the last delivery. Metrics SDK, "MetricReader": what the three
    /// preferences mean for each kind of instrument.
    pub(super) fn is_delta(self, kind: Kind, is_observed: bool) -> bool {
        match self {
            TemporalityPreference::Cumulative => false,
            TemporalityPreference::Delta => matches!(kind, Kind::Counter | Kind::Histogram),
            TemporalityPreference::LowMemory => {
                matches!(kind, Kind::Counter | Kind::Histogram) && !is_observed
            }
        }
    }
}
