//! A store as the messages that OTLP calls `ExportMetricsServiceRequest`.

use std::sync::Arc;
use std::time::SystemTime;

use metercast_core::{Store, Value};

use super::envelope::{Deltas, Envelope, Observed, Temporalities, Wanted};
use super::format::unix_nanoseconds;
use super::handover::Change;
use super::json::Json;
use super::options::{OtlpEncoding, OtlpOptions};
use super::pending::Pending;
use super::protobuf::Protobuf;
use super::request::Request;
use super::walk::Done;
use crate::config::{HistogramAggregation, TemporalityPreference};
use crate::view::{Plan, Projection, When};

/// Writes what a store holds as OTLP messages, for a transport of your own: an `ExportMetricsServiceRequest` to send to
/// `/v1/metrics` with the [`content_type`](OtlpEncoding::content_type) of its encoding, or to call
/// `MetricsService.Export` with.
///
/// What is the same in every message is kept, so one `OtlpMessage` writes all messages of an exporter.
///
/// [`encode`](Self::encode) writes one message with everything since the start. [`requests`](Self::requests) knows the
/// [temporality](TemporalityPreference) and the size that is asked for, and wants to hear what became of each request.
///
/// Numbers are written as OTLP has them. It has no unsigned ones: a `u64` beyond 2^63 is a double, which is less exact, but
/// neither zero nor negative; as the value of a label it is text. Sums of values that may be negative are left out, since
/// receivers take them for counters. Exemplars come with their trace and their span, if they have one.
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
    options: OtlpOptions,
    plan: Plan,
    kept: Kept,
    deltas: Deltas,
    observed: Observed,
    /// The temporality that was [announced](Self::announce).
    next: Option<TemporalityPreference>,
    /// Whether there was a reading since.
    is_followed: bool,
    pending: Pending,
    /// The length of the last request, which the next will have about.
    last_length: usize,
    left_out: u64,
}

#[derive(Debug)]
enum Kept {
    Protobuf(Envelope<Protobuf>),
    Json(Envelope<Json>),
}

impl Kept {
    fn new(resource: &[(String, Value)], options: OtlpOptions) -> Kept {
        match options.encoding {
            OtlpEncoding::Protobuf => Kept::Protobuf(Envelope::new(resource)),
            OtlpEncoding::Json => Kept::Json(Envelope::new(resource)),
        }
    }

    fn write(
        &mut self,
        store: &Store,
        plan: &mut Plan,
        out: Vec<u8>,
        wanted: Wanted,
        deltas: Option<(Temporalities, &mut Deltas)>,
        observed: &mut Observed,
    ) -> Done {
        match self {
            Kept::Protobuf(envelope) => envelope.write(store, plan, out, wanted, deltas, observed),
            Kept::Json(envelope) => envelope.write(store, plan, out, wanted, deltas, observed),
        }
    }

    fn take(&mut self) -> Vec<u8> {
        match self {
            Kept::Protobuf(envelope) => envelope.take(),
            Kept::Json(envelope) => envelope.take(),
        }
    }
}

/// The plan with what the options say of histograms.
fn plan_with(plan: Plan, options: OtlpOptions) -> Plan {
    plan.with_exponential(options.histograms == HistogramAggregation::Exponential)
}

impl OtlpMessage {
    /// For a process with these attributes, each key once, such as those of a
    /// [`Resource`](crate::resource::Resource::attributes).
    pub fn new(resource: &[(String, Value)]) -> OtlpMessage {
        OtlpMessage::with_options(resource, OtlpOptions::default())
    }

    /// The same with other options than the default ones.
    ///
    /// ```
    /// use metercast::{OtlpEncoding, OtlpMessage, OtlpOptions, Store, u64_counter};
    ///
    /// let mut options = OtlpOptions::default();
    /// options.encoding = OtlpEncoding::Json;
    /// let mut message = OtlpMessage::with_options(&[], options);
    ///
    /// let store = Store::new();
    /// store.scope(|| u64_counter!("orders.placed", "Orders placed", 3));
    /// let mut body = Vec::new();
    /// message.encode(&store, &mut body);
    /// let body = String::from_utf8(body).unwrap();
    /// assert!(body.starts_with(r#"{"resourceMetrics":[{"resource":{"attributes":[]},"scopeMetrics":[{"#));
    /// assert!(body.contains(r#""asInt":"3""#));
    /// ```
    pub fn with_options(resource: &[(String, Value)], options: OtlpOptions) -> OtlpMessage {
        OtlpMessage::with_projection(resource, options, Projection::new())
    }

    /// The same for some of the metrics, or for metrics that look different: as the filter and the views of a projection have
    /// them. Each has what was recorded since the start, and each alias of a metric is delivered on its own.
    ///
    /// ```
    /// use metercast::view::{Filter, Projection, View};
    /// use metercast::{OtlpEncoding, OtlpMessage, OtlpOptions, Store, u64_counter};
    ///
    /// let projection = Projection::new()
    ///     .filter(Filter::new().exclude("debug.*"))
    ///     .view(View::of("orders.placed").rename("shop.orders"));
    /// let options = OtlpOptions::default().encoding(OtlpEncoding::Json);
    /// let mut message = OtlpMessage::with_projection(&[], options, projection);
    ///
    /// let store = Store::new();
    /// store.scope(|| {
    ///     u64_counter!("orders.placed", "Orders placed", 3);
    ///     u64_counter!("debug.steps", "Steps taken", 5);
    /// });
    /// let mut body = Vec::new();
    /// assert_eq!(message.encode(&store, &mut body), 1);
    /// assert!(String::from_utf8(body).unwrap().contains(r#""name":"shop.orders""#));
    /// ```
    pub fn with_projection(
        resource: &[(String, Value)],
        options: OtlpOptions,
        projection: impl Into<Arc<Projection>>,
    ) -> OtlpMessage {
        OtlpMessage::with_plan(resource, options, Plan::new(projection.into(), "otlp"))
    }

    pub(crate) fn with_plan(resource: &[(String, Value)], options: OtlpOptions, plan: Plan) -> OtlpMessage {
        OtlpMessage {
            options,
            plan: plan_with(plan, options),
            kept: Kept::new(resource, options),
            deltas: Deltas::default(),
            observed: Observed::default(),
            next: None,
            is_followed: false,
            pending: Pending::default(),
            last_length: 0,
            left_out: 0,
        }
    }

    /// The options that it was made with.
    pub fn options(&self) -> &OtlpOptions {
        &self.options
    }

    /// Takes what a store has already as delivered: deltas count from now on, and not since the start. For a receiver that
    /// is added while the program runs, before the first [`requests`](Self::requests). Totals are what they are.
    ///
    /// ```
    /// use metercast::config::TemporalityPreference;
    /// use metercast::{OtlpMessage, OtlpOptions, Store, u64_counter};
    ///
    /// let store = Store::new();
    /// let place = || store.scope(|| u64_counter!("orders.placed", "Orders placed", 3));
    /// place();
    /// let options = OtlpOptions::default().temporality(TemporalityPreference::Delta);
    /// let mut message = OtlpMessage::with_options(&[], options);
    /// message.begin_now(&store);
    /// assert!(message.requests(&store, options.max_request_bytes).is_empty());
    /// place();
    /// assert_eq!(message.requests(&store, options.max_request_bytes).len(), 1);
    /// ```
    pub fn begin_now(&mut self, store: &Store) {
        self.prepare(store);
        let change = Change {
            before: None,
            after: (&mut self.plan, self.options.temporality),
            times: [SystemTime::now(), store.started()].map(unix_nanoseconds),
        };
        self.deltas.hand_over(store, change, &self.observed);
    }

    /// What is wrong with the views, as far as it was found since this was asked last: two metrics of one name, a view that
    /// matches nothing. Each thing is said once.
    pub fn warnings(&mut self) -> Vec<String> {
        self.plan.warnings()
    }

    /// Reads a last time if there may be [`warnings`](Self::warnings) that would come later.
    pub(super) fn conclude(&mut self) {
        if let Some(store) = self.plan.unsaid() {
            store.read(|reading| self.plan.conclude(reading, When::AtTheEnd));
        }
    }

    /// Says that [`reshape`](Self::reshape) will soon be called with these options. If a receiver of totals is to be told what
    /// came since, it is noted from now on what of the requests is delivered: so send what there is once more before the call,
    /// and nothing is missing in between. The rest of the time nothing has to be remembered for totals. The options that it
    /// has take it back.
    pub fn announce(&mut self, options: &OtlpOptions) {
        self.next = Some(options.temporality).filter(|next| *next != self.options.temporality);
        self.is_followed = false;
        self.deltas.cursors.end_followed();
    }

    /// Makes everything anew that is the same in every message: for another resource, encoding, temporality, or other views.
    /// What was delivered stays known, so no delta is told twice and none is lost, whatever the streams look like now: what
    /// came since the last delivery comes with the next, in the new shape, and its start is that delivery.
    ///
    /// * A stream is taken for the same as before if it is made of the same metric and has the same name; the first
    ///   stream of a metric also if it was renamed.
    /// * A stream of deltas that was not there before counts from this call, such as a new alias, a metric that was filtered out,
    ///   or a series that was told as totals. Of these, what was delivered since the change was [announced](Self::announce) is
    ///   not told again, and what came after that is not lost.
    /// * What was recorded into buckets before other bounds were wanted comes once with those bounds that it has.
    /// * Totals have the start of their series, as ever.
    ///
    /// Requests of before may still be sent and [`delivered`](Self::delivered).
    pub fn reshape(
        &mut self,
        store: &Store,
        resource: &[(String, Value)],
        options: OtlpOptions,
        projection: impl Into<Arc<Projection>>,
    ) {
        self.reshape_with(store, resource, options, Plan::new(projection.into(), "otlp"));
    }

    pub(crate) fn reshape_with(
        &mut self,
        store: &Store,
        resource: &[(String, Value)],
        options: OtlpOptions,
        plan: Plan,
    ) {
        // Who was announced, but not read since, was told nothing of it.
        let next = self.next.take().filter(|_| self.is_followed);
        let now = self.options.temporality;
        let mut before = std::mem::replace(&mut self.plan, plan_with(plan, options));
        (self.options, self.is_followed) = (options, false);
        self.kept = Kept::new(resource, options);
        // Before the other takes back what it asked for.
        self.prepare(store);
        self.plan.succeed(before.estate());
        let change = Change {
            before: Some((&mut before, Temporalities { now, next })),
            after: (&mut self.plan, options.temporality),
            times: [SystemTime::now(), store.started()].map(unix_nanoseconds),
        };
        self.deltas.hand_over(store, change, &self.observed);
    }

    /// What is known to have been delivered, for who goes on with it later; nothing if totals are told, for which nothing has to
    /// be known. Meanwhile the store waits for nobody and keeps nothing for it.
    pub(super) fn at_rest(mut self) -> Option<OtlpMessage> {
        self.pending = Pending::default();
        self.plan.release();
        (self.options.temporality != TemporalityPreference::Cumulative).then_some(self)
    }

    /// Tells the store that [`requests`](Self::requests) will be made of it, so that nothing expires before it is delivered; and
    /// that exponential buckets are preferred, if they are, for the histograms of which the program text says nothing. Those that
    /// were recorded into before the store was first read begin anew, so call it as early as you can.
    pub fn prepare(&mut self, store: &Store) {
        self.pending.watch(store);
        self.plan.commit(store);
    }

    /// Reads the store and appends its message to `out`, of any length, with everything since the start, whatever
    /// temporality is preferred. Returns how many points the message has. If there are none nothing is written, since an
    /// envelope without points must not be sent.
    ///
    /// Scopes are sorted by name and version, metrics by name. It allocates where something is new, and room in `out`; not
    /// for each series.
    pub fn encode(&mut self, store: &Store, out: &mut Vec<u8>) -> usize {
        self.encode_at(SystemTime::now(), store, out)
    }

    fn encode_at(&mut self, time: SystemTime, store: &Store, out: &mut Vec<u8>) -> usize {
        self.plan.commit(store);
        let wanted = Wanted { time: unix_nanoseconds(time), limit: usize::MAX };
        let before = std::mem::take(out);
        let mut done = self.kept.write(store, &mut self.plan, before, wanted, None, &mut self.observed);
        match done.requests.pop() {
            Some(request) => {
                *out = request.body;
                request.points as usize
            }
            None => {
                *out = self.kept.take();
                0
            }
        }
    }

    /// Reads the store and writes what is to be sent now as requests of at most `limit` bytes each, complete in themselves;
    /// none if there is nothing to send. A point that is larger is [left out](Self::left_out).
    ///
    /// Say of each request what became of it: [`delivered`](Self::delivered), or [`given_up`](Self::given_up). While that
    /// is not known, send it again as it is, and read no more. What you drop was not delivered: with a preference for
    /// deltas the next requests have the same data, together with what came since. So all that was delivered adds up to
    /// what was recorded: exactly, doubles as exactly as a receiver adds them up. From [`prepare`](Self::prepare) or the
    /// first call on, no series [expires](Store::set_expiry) before what was recorded into it is delivered; only one that is
    /// removed by hand takes with it what was not.
    ///
    /// A delta counts from the reading that was delivered last, for all series of a metric. Only series into which
    /// something was recorded have one. A total that callbacks observe and that has become less counts from zero again. A
    /// delta beyond 2^63 is sent as far as a double says it exactly, and the rest comes with the next.
    ///
    /// It allocates where something is new, and room for the requests; not for each series.
    ///
    /// ```
    /// use metercast::config::TemporalityPreference;
    /// use metercast::{OtlpMessage, OtlpOptions, Store, u64_counter};
    ///
    /// let mut options = OtlpOptions::default();
    /// options.temporality = TemporalityPreference::Delta;
    /// let mut message = OtlpMessage::with_options(&[], options);
    ///
    /// let store = Store::new();
    /// store.scope(|| u64_counter!("orders.placed", "Orders placed", 3));
    /// for request in message.requests(&store, options.max_request_bytes) {
    ///     assert_eq!(request.points(), 1);
    ///     // if send(request.body()) was answered well
    ///     message.delivered(request);
    /// }
    /// assert!(message.requests(&store, options.max_request_bytes).is_empty(), "nothing came since");
    /// ```
    pub fn requests(&mut self, store: &Store, limit: usize) -> Vec<Request> {
        self.requests_at(SystemTime::now(), store, limit)
    }

    fn requests_at(&mut self, time: SystemTime, store: &Store, limit: usize) -> Vec<Request> {
        let preference = self.options.temporality;
        let mut time = unix_nanoseconds(time);
        let is_noted = preference != TemporalityPreference::Cumulative || self.next.is_some();
        let deltas = is_noted.then(|| {
            time = self.deltas.cursors.begin(time, unix_nanoseconds(store.started()));
            (Temporalities { now: preference, next: self.next }, &mut self.deltas)
        });
        let wanted = Wanted { time, limit };
        self.is_followed = self.next.is_some();
        self.plan.commit(store);
        self.pending.begin(store);
        let room = Vec::with_capacity((self.last_length + self.last_length / 8).min(limit));
        let Done { mut requests, left_out } =
            self.kept.write(store, &mut self.plan, room, wanted, deltas, &mut self.observed);
        self.pending.wait_for(&mut requests);
        self.last_length = requests.first().map_or(0, |request| request.body.len());
        self.left_out = left_out;
        requests
    }

    /// How many points of the last [`requests`](Self::requests) are in none of them, because each is larger than a request
    /// may be. What they have to say waits for a larger limit.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The request has arrived, whatever the receiver made of it: what it told need not be told again.
    pub fn delivered(&mut self, request: Request) {
        self.pending.settle(&request);
        // Of a request of totals nothing has to be known.
        if request.told.reading > 0 {
            self.deltas.cursors.delivered(request.told);
        }
    }

    /// The request never arrives, and what it told is not told again: the receiver has refused it for good, and it would
    /// spoil each of the next.
    pub fn given_up(&mut self, request: Request) {
        self.delivered(request);
    }
}

#[cfg(test)]
mod tests;
