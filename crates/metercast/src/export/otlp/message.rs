//! A store as the messages that OTLP calls `ExportMetricsServiceRequest`.

use std::time::SystemTime;

use metercast_core::{Store, Value};

use super::envelope::{Deltas, Envelope, Wanted};
use super::format::unix_nanoseconds;
use super::json::Json;
use super::options::{OtlpEncoding, OtlpOptions};
use super::pending::Pending;
use super::protobuf::Protobuf;
use super::request::Request;
use super::walk::Done;
use crate::config::{HistogramAggregation, TemporalityPreference};

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
    kept: Kept,
    deltas: Deltas,
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
        let kept = match options.encoding {
            OtlpEncoding::Protobuf => Kept::Protobuf(Envelope::new(resource)),
            OtlpEncoding::Json => Kept::Json(Envelope::new(resource)),
        };
        OtlpMessage {
            options,
            kept,
            deltas: Deltas::default(),
            pending: Pending::default(),
            last_length: 0,
            left_out: 0,
        }
    }

    /// The options that it was made with.
    pub fn options(&self) -> &OtlpOptions {
        &self.options
    }

    /// Tells the store that [`requests`](Self::requests) will be made of it, so that nothing expires before it is delivered; and
    /// that exponential buckets are preferred, if they are, for the histograms that nothing was recorded into yet. So
    /// call it as early as you can.
    pub fn prepare(&mut self, store: &Store) {
        self.pending.watch(store);
        if self.options.histograms == HistogramAggregation::Exponential {
            store.want_exponential();
        }
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
        let wanted = Wanted { time: unix_nanoseconds(time), limit: usize::MAX };
        let before = std::mem::take(out);
        let mut done = match &mut self.kept {
            Kept::Protobuf(envelope) => envelope.write(store, before, wanted, None),
            Kept::Json(envelope) => envelope.write(store, before, wanted, None),
        };
        match done.requests.pop() {
            Some(request) => {
                *out = request.body;
                request.points as usize
            }
            None => {
                *out = match &mut self.kept {
                    Kept::Protobuf(envelope) => envelope.take(),
                    Kept::Json(envelope) => envelope.take(),
                };
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
        let deltas = (preference != TemporalityPreference::Cumulative).then(|| {
            time = self.deltas.cursors.begin(time, unix_nanoseconds(store.started()));
            (preference, &mut self.deltas)
        });
        let wanted = Wanted { time, limit };
        self.pending.begin(store);
        let room = Vec::with_capacity((self.last_length + self.last_length / 8).min(limit));
        let Done { mut requests, left_out } = match &mut self.kept {
            Kept::Protobuf(envelope) => envelope.write(store, room, wanted, deltas),
            Kept::Json(envelope) => envelope.write(store, room, wanted, deltas),
        };
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
        if self.options.temporality != TemporalityPreference::Cumulative {
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
