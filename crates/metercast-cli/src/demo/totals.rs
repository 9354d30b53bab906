//! The metrics that are compared, and the values that one way out of the process gave for them.

use std::collections::BTreeMap;
use std::fmt;

/// A metric that is compared, under both of its names.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metric {
    /// Its place in [`METRICS`], and so in the table.
    place: u8,
    /// As it is declared and pushed.
    pub(crate) name: &'static str,
    /// As it stands on the page: OpenTelemetry's rules for Prometheus, applied by hand.
    pub(crate) page_name: &'static str,
    /// For people; empty if it counts things.
    pub(crate) unit: &'static str,
    pub(crate) is_histogram: bool,
}

macro_rules! compared {
    ($($place:literal $id:ident: $kind:ident of $unit:literal, $name:literal = $page_name:literal;)+) => {
        $( pub(crate) static $id: Metric = Metric {
            place: $place, name: $name, page_name: $page_name, unit: $unit, is_histogram: compared!($kind)
        }; )+

        /// All of them, in the order of the table. metercast's metrics of itself are not among them: they change with
        /// every export.
        pub(crate) static METRICS: [&Metric; 10] = [$(&$id),+];
    };
    (number) => { false };
    (histogram) => { true };
}

compared! {
    0 HTTP_DURATION: histogram of "s", "http.server.request.duration" = "http_server_request_duration_seconds";
    1 HTTP_ACTIVE: number of "", "http.server.active_requests" = "http_server_active_requests";
    2 ORDERS_PLACED: number of "", "orders.placed" = "orders_placed_total";
    3 ORDERS_REFUSED: number of "", "orders.refused" = "orders_refused_total";
    4 ORDERS_SETTLED: number of "", "orders.settled" = "orders_settled_total";
    5 ORDER_AMOUNT: histogram of "cent", "order.amount" = "order_amount";
    6 SETTLE_DURATION: histogram of "s", "order.settle.duration" = "order_settle_duration_seconds";
    7 SETTLE_QUEUE: number of "", "order.settle.queue" = "order_settle_queue";
    8 OPEN_AMOUNT: number of "cent", "orders.open.amount" = "orders_open_amount";
    9 ACCOUNT_CREDIT_LIMIT: number of "cent", "account.credit.limit" = "account_credit_limit";
}

/// The labels of a series, as they are spelled on a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Labels(BTreeMap<String, String>);

impl Labels {
    pub(crate) fn of<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Labels {
        labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// With one more, if there is a value for it.
    pub(crate) fn and(mut self, name: &str, value: Option<String>) -> Labels {
        self.0.extend(value.map(|value| (name.to_owned(), value)));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Labels {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(labels: I) -> Labels {
        Labels(labels.into_iter().collect())
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name}={value}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Histogram(Distribution),
}

/// What a histogram says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Distribution {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    /// How many values were up to each bound; the last bound is infinite.
    pub(crate) up_to: Vec<(f64, u64)>,
}

/// Everything that one way out of the process said, by metric and labels.
pub(crate) type Totals = BTreeMap<&'static Metric, BTreeMap<Labels, Value>>;
