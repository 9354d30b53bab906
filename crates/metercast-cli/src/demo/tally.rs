//! What was really done: every request and every outcome, counted by whoever sent it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::service::{CREDIT_LIMIT, Outcome, Refusal, Region, Side};
use super::totals::{
    ACCOUNT_CREDIT_LIMIT, HTTP_ACTIVE, HTTP_DURATION, Labels, Metric, OPEN_AMOUNT, ORDER_AMOUNT,
    ORDERS_PLACED, ORDERS_REFUSED, ORDERS_SETTLED, SETTLE_DURATION, SETTLE_QUEUE,
};

/// What makes two requests the same for the metrics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RequestKey {
    route: Option<String>,
    method: &'static str,
    version: &'static str,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ended {
    /// With an answer.
    Status(u16),
    /// The client hung up.
    Cancelled,
}

/// Counts of requests and outcomes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    sent: u64,
    requests: BTreeMap<(RequestKey, Ended), u64>,
    placed: BTreeMap<(Side, Region), u64>,
    /// How often each amount was accepted.
    amounts: BTreeMap<(Side, i64), u64>,
    refused: BTreeMap<Refusal, u64>,
    settled: BTreeMap<(Side, Region), u64>,
    open: BTreeMap<Region, i64>,
    unanswered: Vec<String>,
}

/// A tally that several tasks count in.
#[derive(Debug, Default)]
pub(crate) struct SharedTally(Mutex<Tally>);

/// What is true of one series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Truth {
    /// Its value.
    Number(f64),
    /// Its values, each with how often it occurred.
    Values(Vec<(f64, u64)>),
    /// How many values it has; which ones, only the service knows.
    Count(u64),
}

/// Everything that is true, by metric and labels.
pub(crate) type Truths = BTreeMap<&'static Metric, BTreeMap<Labels, Truth>>;

/// The reasons why requests had no answer that are kept.
const REASONS: usize = 3;

impl SharedTally {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestKey {
    /// As the semantic conventions have it: methods that are not well known are `_OTHER`.
    pub(crate) fn new(method: &hyper::Method, route: Option<&str>, version: &'static str) -> RequestKey {
        const KNOWN: [&str; 9] =
            ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
        let method = KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER");
        RequestKey { route: route.map(str::to_owned), method, version }
    }

    fn labels(&self, ended: Ended) -> Labels {
        let error = match ended {
            Ended::Cancelled => Some("cancelled".to_owned()),
            Ended::Status(status) => (status >= 500).then(|| status.to_string()),
        };
        let status = match ended {
            Ended::Cancelled => None,
            Ended::Status(status) => Some(status.to_string()),
        };
        Labels::of([
            ("http_request_method", self.method),
            ("network_protocol_version", self.version),
            ("url_scheme", "http"),
        ])
        .and("http_route", self.route.clone())
        .and("http_response_status_code", status)
        .and("error_type", error)
    }
}

impl Tally {
    /// A request is on its way.
    pub(crate) fn sent(&mut self) {
        self.sent += 1;
    }

    /// A request that was [`sent`](Tally::sent) has ended.
    pub(crate) fn ended(&mut self, key: RequestKey, ended: Ended) {
        *self.requests.entry((key, ended)).or_default() += 1;
    }

    /// A request that was [`sent`](Tally::sent) broke, so that nobody can say what the service made of it.
    pub(crate) fn unanswered(&mut self, reason: String) {
        if self.unanswered.len() < REASONS {
            self.unanswered.push(reason);
        }
    }

    /// Something became of an order. One that is queued counts as settled: it will be, before anybody compares.
    pub(crate) fn outcome(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Placed(order) => {
                *self.placed.entry((order.side, order.region)).or_default() += 1;
                *self.amounts.entry((order.side, order.amount)).or_default() += 1;
                *self.open.entry(order.region).or_default() += order.amount;
            }
            Outcome::Refused(reason) => *self.refused.entry(reason).or_default() += 1,
            Outcome::Queued(order) => {
                *self.settled.entry((order.side, order.region)).or_default() += 1;
                *self.open.entry(order.region).or_default() -= order.amount;
            }
        }
    }

    /// Adds another tally to this one.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.sent += other.sent;
        add(&mut self.requests, &other.requests);
        add(&mut self.placed, &other.placed);
        add(&mut self.amounts, &other.amounts);
        add(&mut self.refused, &other.refused);
        add(&mut self.settled, &other.settled);
        add(&mut self.open, &other.open);
        self.unanswered.extend_from_slice(&other.unanswered);
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> u64 {
        self.sent
    }

    /// How many orders were refused.
    pub(crate) fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    /// How many requests were cancelled.
    pub(crate) fn cancellations(&self) -> u64 {
        self.requests
            .iter()
            .filter(|((_, ended), _)| *ended == Ended::Cancelled)
            .map(|(_, count)| count)
            .sum()
    }

    /// Why requests had no answer; a few reasons at most.
    pub(crate) fn reasons(&self) -> &[String] {
        &self.unanswered
    }

    /// What must stand on a page and in a push once no request is in progress and the queue is empty.
    pub(crate) fn truths(&self) -> Truths {
        let mut truths = Truths::new();
        let mut say = |metric, labels, truth| {
            truths.entry(metric).or_default().insert(labels, truth);
        };
        for ((key, ended), count) in &self.requests {
            say(&HTTP_DURATION, key.labels(*ended), Truth::Count(*count));
            let active = Labels::of([("http_request_method", key.method), ("url_scheme", "http")]);
            say(&HTTP_ACTIVE, active, Truth::Number(0.0));
        }
        let order =
            |side: Side, region: Region| Labels::of([("side", side.as_str()), ("region", region.as_str())]);
        for ((side, region), count) in &self.placed {
            say(&ORDERS_PLACED, order(*side, *region), Truth::Number(*count as f64));
        }
        for side in Side::ALL {
            let amounts = self.amounts.iter().filter(|((of, _), _)| of == side);
            let values: Vec<_> = amounts.map(|((_, amount), count)| (*amount as f64, *count)).collect();
            if !values.is_empty() {
                say(&ORDER_AMOUNT, Labels::of([("side", side.as_str())]), Truth::Values(values));
            }
        }
        for (reason, count) in &self.refused {
            say(&ORDERS_REFUSED, Labels::of([("reason", reason.as_str())]), Truth::Number(*count as f64));
        }
        let mut settled = BTreeMap::<Region, u64>::new();
        for ((side, region), count) in &self.settled {
            say(&ORDERS_SETTLED, order(*side, *region), Truth::Number(*count as f64));
            *settled.entry(*region).or_default() += count;
        }
        for (region, count) in &settled {
            say(&SETTLE_DURATION, Labels::of([("region", region.as_str())]), Truth::Count(*count));
        }
        if !settled.is_empty() {
            say(&SETTLE_QUEUE, Labels::default(), Truth::Number(0.0));
        }
        for (region, cents) in &self.open {
            say(&OPEN_AMOUNT, Labels::of([("region", region.as_str())]), Truth::Number(*cents as f64));
        }
        say(&ACCOUNT_CREDIT_LIMIT, Labels::default(), Truth::Number(CREDIT_LIMIT as f64));
        truths
    }
}

fn add<K: Ord + Clone, N: Copy + Default + std::ops::AddAssign>(
    to: &mut BTreeMap<K, N>,
    from: &BTreeMap<K, N>,
) {
    for (key, count) in from {
        *to.entry(key.clone()).or_default() += *count;
    }
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::super::service::NewOrder;
    use super::*;

    const ORDER: NewOrder = NewOrder { account: 1, side: Side::Buy, region: Region::Eu, amount: 250 };

    fn truth(tally: &Tally, metric: &'static Metric, labels: &str) -> Truth {
        let truths = tally.truths();
        let series = truths[metric].iter().find(|(of, _)| of.to_string() == labels);
        series.unwrap_or_else(|| panic!("{labels} is not among {:?}", truths[metric])).1.clone()
    }

    #[test]
    fn requests_are_counted_by_method_route_and_end() {
        let mut tally = Tally::default();
        for (method, route, ended, times) in [
            ("GET", Some("/orders/{id}"), Ended::Status(200), 3),
            ("BREW", Some("/orders"), Ended::Status(405), 2),
            ("PROPFIND", Some("/orders"), Ended::Status(405), 1),
            ("GET", None, Ended::Status(404), 1),
            ("GET", Some("/orders/{id}/wait"), Ended::Cancelled, 1),
            ("POST", Some("/orders"), Ended::Status(503), 1),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            for _ in 0..times {
                tally.sent();
                tally.ended(RequestKey::new(&method, route, "1.1"), ended);
            }
        }
        assert_eq!((tally.requests(), tally.cancellations()), (9, 1));
        for (labels, count) in [
            (
                "http_request_method=GET http_response_status_code=200 http_route=/orders/{id} network_protocol_version=1.1 url_scheme=http",
                3,
            ),
            (
                "http_request_method=_OTHER http_response_status_code=405 http_route=/orders network_protocol_version=1.1 url_scheme=http",
                3,
            ),
            (
                "http_request_method=GET http_response_status_code=404 network_protocol_version=1.1 url_scheme=http",
                1,
            ),
            (
                "error_type=cancelled http_request_method=GET http_route=/orders/{id}/wait network_protocol_version=1.1 url_scheme=http",
                1,
            ),
            (
                "error_type=503 http_request_method=POST http_response_status_code=503 http_route=/orders network_protocol_version=1.1 url_scheme=http",
                1,
            ),
        ] {
            assert_eq!(truth(&tally, &HTTP_DURATION, labels), Truth::Count(count), "{labels}");
        }
        assert_eq!(
            truth(&tally, &HTTP_ACTIVE, "http_request_method=_OTHER url_scheme=http"),
            Truth::Number(0.0)
        );
    }

    #[test]
    fn outcomes_add_up_over_tallies() {
        let mut tally = Tally::default();
        tally.outcome(Outcome::Placed(ORDER));
        tally.outcome(Outcome::Refused(Refusal::CreditLimit));
        let mut other = Tally::default();
        other.outcome(Outcome::Placed(NewOrder { amount: 1000, ..ORDER }));
        other.outcome(Outcome::Queued(ORDER));
        tally.add(&other);
        let buy = "region=eu side=buy";
        assert_eq!(truth(&tally, &ORDERS_PLACED, buy), Truth::Number(2.0));
        assert_eq!(truth(&tally, &ORDERS_SETTLED, buy), Truth::Number(1.0));
        assert_eq!(truth(&tally, &ORDERS_REFUSED, "reason=credit_limit"), Truth::Number(1.0));
        assert_eq!(truth(&tally, &ORDER_AMOUNT, "side=buy"), Truth::Values(vec![(250.0, 1), (1000.0, 1)]));
        assert_eq!(truth(&tally, &SETTLE_DURATION, "region=eu"), Truth::Count(1));
        assert_eq!(truth(&tally, &OPEN_AMOUNT, "region=eu"), Truth::Number(1000.0));
        assert_eq!(tally.refusals(), 1);
    }
}
