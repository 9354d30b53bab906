//! A store as the protobuf message that OTLP calls `ExportMetricsServiceRequest`.
//!
//! The numbers are those of the fields in `metrics.proto`, `common.proto` and `resource.proto` of OTLP 1.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use metercast_core::reading::{FamilyView, ValueView};
use metercast_core::{Definition, Scope, Store, Value};

use super::attributes::attribute;
use super::point::{Data, Points};
use super::wire::{Desk, Width, Writer};

/// Writes what a store holds as OTLP messages in protobuf, for a transport of your own: an `ExportMetricsServiceRequest` to
/// send to `/v1/metrics` as `application/x-protobuf`.
///
/// What is the same in every message is kept, so one `OtlpMessage` writes all messages of an exporter. Values are
/// cumulative: a message that was lost is made good by the next.
///
/// ```
/// use metercast::{OtlpMessage, Store, u64_counter};
///
/// let store = Store::new();
/// let mut message = OtlpMessage::new(&[("service.name".to_owned(), "orders".into())]);
/// let mut body = Vec::new();
/// assert_eq!(message.encode(&store, &mut body), 0);
/// assert!(body.is_empty(), "nothing to send");
///
/// store.scope(|| u64_counter!("orders.placed", "Orders placed", 3, "side" => "buy"));
/// assert_eq!(message.encode(&store, &mut body), 1);
/// // send(&body); and the next time
/// body.clear();
/// ```
#[derive(Debug)]
pub struct OtlpMessage {
    resource: Vec<u8>,
    scopes: Vec<OfScope>,
    width: Width,
    desk: Desk,
}

/// What is kept of a scope.
#[derive(Debug)]
struct OfScope {
    scope: Scope,
    /// The scope as the field that it is.
    head: Vec<u8>,
    metrics: Vec<OfMetric>,
    width: Width,
}

/// What is kept of a metric.
#[derive(Debug)]
struct OfMetric {
    definition: &'static Arc<Definition>,
    /// Name, description and unit.
    head: Vec<u8>,
    points: Points,
    width: Width,
    width_of_data: Width,
}

impl OtlpMessage {
    /// For a process with these attributes, each key once, such as those of a
    /// [`Resource`](crate::resource::Resource::attributes).
    pub fn new(resource: &[(String, Value)]) -> OtlpMessage {
        let mut desk = Desk::default();
        let resource = desk.fields(|to| {
            for (key, value) in resource {
                attribute(to, 1, key, ValueView::from(value));
            }
        });
        OtlpMessage { resource, scopes: Vec::new(), width: Width::LARGE, desk }
    }

    /// Reads the store and appends its message to `out`: scopes sorted by name and version, metrics by name. Returns how
    /// many points the message has. If there are none nothing is written, since an envelope without points must not
    /// be sent.
    ///
    /// It allocates where something is new, and room in `out`; not for each series.
    pub fn encode(&mut self, store: &Store, out: &mut Vec<u8>) -> usize {
        self.encode_at(SystemTime::now(), store, out)
    }

    fn encode_at(&mut self, time: SystemTime, store: &Store, out: &mut Vec<u8>) -> usize {
        let OtlpMessage { resource, scopes, width, desk } = self;
        let time = unix_nanoseconds(time);
        let mut writer = Writer::new(out, desk);
        let points = store.read(|reading| {
            let mut families: Vec<_> = reading.families().collect();
            settle_names(&families);
            // The sort is stable, so families of one scope stay sorted by name.
            families.sort_by_key(|family| scope_key(family.definition().scope()));
            let start = writer.position();
            let points = writer.message(1, width, |to| {
                to.bytes(1, resource);
                let of_scopes = families.chunk_by(|a, b| a.definition().scope() == b.definition().scope());
                let mut points = 0;
                for (at, families) in of_scopes.enumerate() {
                    let scope = families[0].definition().scope();
                    let known = kept(scopes, at, |known| known.scope == scope, || OfScope::new(scope));
                    points += known.write(to, families, time);
                }
                points
            });
            if points == 0 {
                writer.back_to(start);
            }
            points
        });
        writer.clear_desk();
        points
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

/// What is kept at this place, made if something else or nothing is there: the program's metrics come in one order and
/// only become more.
fn kept<T>(all: &mut Vec<T>, at: usize, is_it: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &mut T {
    if !all.get(at).is_some_and(is_it) {
        all.insert(at, make());
    }
    &mut all[at]
}

fn scope_key(scope: Scope) -> (&'static str, &'static str) {
    (scope.name, scope.version)
}

impl OfScope {
    fn new(scope: Scope) -> OfScope {
        let mut desk = Desk::default();
        let fields = desk.fields(|to| {
            to.text(1, scope.name);
            to.text(2, scope.version);
        });
        let head = desk.fields(|to| to.bytes(1, &fields));
        OfScope { scope, head, metrics: Vec::new(), width: Width::MEDIUM }
    }

    /// Writes the metrics that have a point; how many points they have.
    fn write(&mut self, to: &mut Writer<'_>, families: &[FamilyView<'_>], time: u64) -> usize {
        let OfScope { head, metrics, width, .. } = self;
        let start = to.position();
        let points = to.message(2, width, |to| {
            to.raw(head);
            let mut points = 0;
            for (at, family) in families.iter().enumerate() {
                let definition = family.definition();
                let is_it = |known: &OfMetric| Arc::ptr_eq(known.definition, definition);
                points += kept(metrics, at, is_it, || OfMetric::new(definition)).write(to, family, time);
            }
            points
        });
        if points == 0 {
            to.back_to(start);
        }
        points
    }
}

impl OfMetric {
    fn new(definition: &'static Arc<Definition>) -> OfMetric {
        let head = Desk::default().fields(|to| {
            to.text(1, definition.name());
            to.text(2, definition.description());
            to.text(3, definition.unit());
        });
        let points = Points::new(Data::of_kind(definition.kind()));
        OfMetric { definition, head, points, width: Width::MEDIUM, width_of_data: Width::MEDIUM }
    }

    /// Writes the metric if it has a point; how many points it has.
    fn write(&mut self, to: &mut Writer<'_>, family: &FamilyView<'_>, time: u64) -> usize {
        loop {
            let OfMetric { definition, head, points, width, width_of_data } = self;
            let start = to.position();
            let (mut count, mut other) = (0, None);
            to.message(2, width, |to| {
                to.raw(head);
                to.message(points.data().number(), width_of_data, |to| {
                    family.each(|series| {
                        if points.write(to, series, time) {
                            count += 1;
                        } else {
                            other = other.or(Data::of(definition.kind(), &series.value));
                        }
                    });
                    points.data().write(to);
                });
            });
            if count > 0 {
                return count;
            }
            to.back_to(start);
            match other {
                // In this store the histogram has buckets of another sort than was expected.
                Some(other) if other != points.data() => self.points = Points::new(other),
                _ => return 0,
            }
        }
    }
}

/// Nanoseconds since 1970; 0 before, and at most what 64 bits hold, which is the year 2554.
fn unix_nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
