//! `metrics!`: name, kind, unit, help and labels of a metric in one place.

/// Declares metrics: one `static` each, whose doc comment is the metric's description.
///
/// ```
/// use metercast_core::{Store, labels, metrics, reading::Point};
///
/// labels! { /// The side of an order.
///     pub enum Side { Buy, Sell } }
///
/// metrics! {
///     /// Orders accepted, by side and region.
///     pub static ORDERS_PLACED: Counter<u64> = "orders.placed" {
///         unit: "{order}", labels: { side: Side, region: &str }
///     };
///     /// Orders that are not settled yet.
///     pub static ORDERS_ACTIVE: UpDownCounter<i64> = "orders.active" { unit: "{order}" };
///     /// Time from acceptance to settlement.
///     pub static SETTLE_DURATION: Histogram<f64> = "order.settle.duration" {
///         unit: "s", buckets: [0.01, 0.1, 1.0, 10.0], labels: { side: Side }
///     };
///     /// Orders that the book can hold.
///     pub static BOOK_LIMIT: Gauge<u64> = "book.limit";
/// }
///
/// let store = Store::new();
/// store.scope(|| {
///     ORDERS_PLACED.add(1, (Side::Buy, "eu"));
///     let _in_flight = ORDERS_ACTIVE.guard();
///     SETTLE_DURATION.record(0.05, (Side::Buy,));
///     BOOK_LIMIT.set(1000);
/// });
/// let names: Vec<_> = store.collect().iter().map(|family| family.definition.name().to_owned()).collect();
/// assert_eq!(names, ["book.limit", "order.settle.duration", "orders.active", "orders.placed"]);
/// ```
///
/// The kinds are [`Counter<u64 | f64>`](crate::Counter), [`UpDownCounter<i64 | f64>`](crate::UpDownCounter),
/// [`Gauge<u64 | i64 | f64>`](crate::Gauge), [`Histogram<u64 | f64>`](crate::Histogram), [`Summary<u64 | f64>`](crate::Summary) and
/// [`Frequency<u64>`](crate::Frequency). Values that are asked for when the store is read are an
/// [`ObservableCounter`](crate::ObservableCounter), [`ObservableUpDownCounter`](crate::ObservableUpDownCounter) or
/// [`ObservableGauge`](crate::ObservableGauge), each of the same numbers as its like; gauges that are replaced all at
/// once are a [`GaugeSet<u64 | i64 | f64>`](crate::GaugeSet). All of `unit` (UCUM:
/// `s`, `By`, `{order}`), `buckets` (finite, increasing) or `exponential: true` of a histogram, `quantiles` and `window_seconds` of a
/// summary, `labels` (name and type, see
/// [`Label`](crate::label::Label)), `zeroes` and `visibility` may be left out. A label whose name has dots is
/// written `"http.route": &str`.
///
/// What is declared is left in the program's file too, used or not, so that all metrics of a program can be listed without running it:
/// see the `catalogue` of the `metercast` crate.
///
/// With `zeroes: true`, all series of the metric are shown at zero as soon as one of them is used (adding 0 is enough), so
/// that a rate or an alert sees the first error as a step from zero. The types of the labels must know their values: `bool`, or an enum or
/// `one_of` made with [`labels!`](crate::labels). Gauges have no zero to show.
///
/// ```
/// use metercast_core::{Store, labels, metrics};
///
/// labels! { enum Outcome { Settled, Failed } }
/// metrics! {
///     /// Orders that are done.
///     static ORDERS_DONE: Counter<u64> = "orders.done" { labels: { outcome: Outcome }, zeroes: true };
/// }
///
/// let store = Store::new();
/// store.scope(|| ORDERS_DONE.add(1, (Outcome::Settled,)));
/// assert!(store.collect()[0].definition.zeroes());
/// ```
///
/// With `visibility: private`, only exporters that ask for private metrics take the metric, such as the one that sends to
/// the vendor of the program. Metrics are public unless it is said.
///
/// ```
/// use metercast_core::{Store, Visibility, metrics};
///
/// metrics! {
///     /// How the program is configured.
///     static VIEWS: Gauge<u64> = "gateway.config.views" { visibility: private };
/// }
///
/// let store = Store::new();
/// store.scope(|| VIEWS.set(3));
/// assert_eq!(store.collect()[0].definition.visibility(), Visibility::Private);
/// ```
///
/// A name that is not valid fails the build:
///
/// ```compile_fail
/// metercast_core::metrics! {
///     /// A space is not allowed.
///     static BAD: Counter<u64> = "bad name";
/// }
/// ```
///
/// So do buckets that do not increase, or labels of one name:
///
/// ```compile_fail
/// metercast_core::metrics! {
///     /// Not sorted.
///     static BAD: Histogram<f64> = "bad" { buckets: [2, 1] };
/// }
/// ```
/// ```compile_fail
/// metercast_core::metrics! {
///     /// Twice the same.
///     static BAD: Counter<u64> = "bad" { labels: { a: bool, a: bool } };
/// }
/// ```
///
/// Or zeros of series that nobody knows, or of a gauge:
///
/// ```compile_fail,E0080
/// metercast_core::metrics! {
///     /// Which regions are there?
///     static BAD: Counter<u64> = "bad" { labels: { region: &str }, zeroes: true };
/// }
/// ```
/// ```compile_fail,E0080
/// metercast_core::metrics! {
///     /// Nobody measured zero degrees.
///     static BAD: Gauge<f64> = "bad" { zeroes: true };
/// }
/// ```
#[macro_export]
macro_rules! metrics {
    ($(
        $(#[doc = $help:expr])*
        $vis:vis static $name:ident : $kind:ident < $number:ident > = $metric:literal
            $({ $($field:ident : $value:tt),* $(,)? })? ;
    )+) => { $(
        $(#[doc = $help])*
        $vis static $name: $crate::__instrument!($kind $number [$($($field : $value),*)?]) = {
            <$crate::__instrument!($kind $number [$($($field : $value),*)?])>::new($crate::__noted!(
                declared
                $crate::__descriptor!($kind $number $metric)
                    .observable($crate::__is_observable!($kind))
                    .description(::core::concat!($($help, "\n"),*))
                    $($( .$field($crate::__field!($field $value)) )*)?
                    .asserted()
                    .zeroes_asserted($crate::__sets!($($($field : $value),*)?)),
                $crate::__bounds!($($($field : $value),*)?)
            ))
        };
    )+ };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "metrics! takes declarations that end with a semicolon, such as `/// What is counted. pub static NAME: Counter<u64> = \
             \"name\";` or `... = \"name\" { unit: \"s\", labels: { side: Side, region: &str } };`"
        );
    };
}

/// The type of a declared instrument: `Counter<u64, (Side, &'static str)>`.
#[doc(hidden)]
#[macro_export]
macro_rules! __instrument {
    (Frequency u64 []) => {
        ::core::compile_error!("a Frequency has a label, whose values it counts: labels: { trigger: &str }")
    };
    (GaugeSet $number:ident []) => {
        ::core::compile_error!("a GaugeSet has labels, such as labels: { tenant: &str }; without any declare a Gauge")
    };
    ($kind:ident $number:ident [labels : { $($label:tt : $type:ty),* $(,)? } $(, $($rest:tt)*)?]) => {
        $crate::$kind<$number, ($($type,)*)>
    };
    ($kind:ident $number:ident [$field:ident : $value:tt $(, $($rest:tt)*)?]) => {
        $crate::__instrument!($kind $number [$($($rest)*)?])
    };
    ($kind:ident $number:ident []) => {
        $crate::$kind<$number>
    };
}

/// Which values the labels can have, by their types.
#[doc(hidden)]
#[macro_export]
macro_rules! __bounds {
    (labels : { $($label:tt : $type:ty),* $(,)? } $(, $($rest:tt)*)?) => {
        &[$( <$type as $crate::label::Label>::BOUND ),*]
    };
    ($field:ident : $value:tt $(, $($rest:tt)*)?) => {
        $crate::__bounds!($($($rest)*)?)
    };
    () => {
        &[]
    };
}

/// What names all sets of labels, if the types of all labels know their values.
#[doc(hidden)]
#[macro_export]
macro_rules! __sets {
    (labels : { $($label:tt : $type:ty),* $(,)? } $(, $($rest:tt)*)?) => {
        if true $( && <$type as $crate::label::Label>::VALUES.is_some() )* {
            ::core::option::Option::Some(<($($type,)*) as $crate::label::Labels>::each as $crate::__private::EachSet)
        } else {
            ::core::option::Option::None
        }
    };
    ($field:ident : $value:tt $(, $($rest:tt)*)?) => {
        $crate::__sets!($($($rest)*)?)
    };
    () => {
        ::core::option::Option::Some($crate::__private::NO_LABELS)
    };
}

/// What is known of an instrument before its unit, buckets and labels.
#[doc(hidden)]
#[macro_export]
macro_rules! __descriptor {
    ($kind:ident $number:ident $metric:expr) => {
        $crate::__private::Descriptor::new(
            $metric,
            $crate::__kind!($kind $number),
            <$number as $crate::Number>::TYPE,
            $crate::__private::Scope::new(
                ::core::env!("CARGO_PKG_NAME"),
                ::core::env!("CARGO_PKG_VERSION"),
            ),
            ::core::file!(),
            ::core::line!(),
        )
    };
}

/// The kinds there are, with the numbers that each can hold.
#[doc(hidden)]
#[macro_export]
macro_rules! __kind {
    (Counter u64) => {
        $crate::Kind::Counter
    };
    (Counter f64) => {
        $crate::Kind::Counter
    };
    (Frequency u64) => {
        $crate::Kind::Counter
    };
    (UpDownCounter i64) => {
        $crate::Kind::UpDownCounter
    };
    (UpDownCounter f64) => {
        $crate::Kind::UpDownCounter
    };
    (Gauge u64) => {
        $crate::Kind::Gauge
    };
    (Gauge i64) => {
        $crate::Kind::Gauge
    };
    (Gauge f64) => {
        $crate::Kind::Gauge
    };
    (ObservableCounter $number:ident) => {
        $crate::__kind!(Counter $number)
    };
    (ObservableUpDownCounter $number:ident) => {
        $crate::__kind!(UpDownCounter $number)
    };
    (ObservableGauge $number:ident) => {
        $crate::__kind!(Gauge $number)
    };
    (GaugeSet $number:ident) => {
        $crate::__kind!(Gauge $number)
    };
    (Histogram u64) => {
        $crate::Kind::Histogram
    };
    (Histogram f64) => {
        $crate::Kind::Histogram
    };
    (Summary u64) => {
        $crate::Kind::Summary
    };
    (Summary f64) => {
        $crate::Kind::Summary
    };
    ($kind:ident $number:ident) => {
        ::core::compile_error!(::core::concat!(
            "there is no ",
            ::core::stringify!($kind),
            "<",
            ::core::stringify!($number),
            ">; the kinds are ",
            "Counter<u64 | f64>, UpDownCounter<i64 | f64>, Gauge<u64 | i64 | f64>, Histogram<u64 | f64>, ",
            "Summary<u64 | f64>, Frequency<u64>, ObservableCounter, ObservableUpDownCounter and ObservableGauge of the same numbers, ",
            "GaugeSet<u64 | i64 | f64>"
        ))
    };
}

/// Whether callbacks say the values of this kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __is_observable {
    (ObservableCounter) => {
        true
    };
    (ObservableUpDownCounter) => {
        true
    };
    (ObservableGauge) => {
        true
    };
    ($kind:ident) => {
        false
    };
}

/// The fields of a declaration as arguments of the methods of `Descriptor` that have their names.
#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    (unit $unit:literal) => { $unit };
    (buckets [$($bound:expr),* $(,)?]) => { &[$($bound as f64),*] };
    (buckets $bounds:ident) => { &$bounds };
    (exponential true) => { true };
    (exponential false) => { false };
    (quantiles [$($quantile:expr),* $(,)?]) => { &[$($quantile as f64),*] };
    (quantiles $quantiles:ident) => { &$quantiles };
    (window_seconds $seconds:expr) => { $seconds };
    (labels { $($label:tt : $type:ty),* $(,)? }) => { &[$($crate::__key!($label)),*] };
    (zeroes true) => { true };
    (zeroes false) => { false };
    (visibility public) => { $crate::Visibility::Public };
    (visibility private) => { $crate::Visibility::Private };
    ($field:ident $value:tt) => {
        ::core::compile_error!(::core::concat!(
            "`", ::core::stringify!($field), ": ", ::core::stringify!($value), "` is not a field of a metric; ",
            "the fields are unit: \"s\", buckets: [0.1, 1.0], exponential: true, quantiles: [0.5, 0.9], ",
            "window_seconds: 60, labels: { name: type }, zeroes: true, visibility: private"
        ))
    };
}

/// The name of a label: an identifier, or a literal where it has dots (`"http.route": &str`).
#[doc(hidden)]
#[macro_export]
macro_rules! __key {
    ($key:ident) => {
        ::core::stringify!($key)
    };
    ($key:literal) => {
        $key
    };
}
