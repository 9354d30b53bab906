//! The call-site macros: `u64_counter!("name", "description", amount, "key" => value, ...)`.
//!
//! The name is a literal or a path of identifiers (`orders.placed`), the
//! description a constant. Labels are pairs with `=>` or `=` between key and value, where a key is a
//! literal or a path of identifiers (`http.route = route`), or one expression: a `Vec`, slice or array of
//! [`KeyValue`](crate::KeyValue). If all values are literals, the series is found once per call site.

/// Adds to a counter of whole numbers: `u64_counter!(name, description, amount, labels)`.
///
/// The name is a literal or a path of identifiers, which is taken as it is written: a constant cannot stand for it. The
/// description is a constant. Labels are pairs with `=>` or `=`, whose keys are literals or paths of
/// identifiers, or one expression that gives a list of [`KeyValue`](crate::KeyValue), or none at all.
///
/// ```
/// use metercast_core::{KeyValue, Store, reading::Point, u64_counter};
///
/// let kind = String::from("query");
/// let store = Store::new();
/// store.scope(|| {
///     u64_counter!("operations", "Operations processed", 1);
///     u64_counter!("operations", "Operations processed", 1, "kind" => "query", "cached" => true);
///     u64_counter!("operations", "Operations processed", 2, kind = kind, "cached" = true);
///     u64_counter!("operations", "Operations processed", 3, [KeyValue::new("cached", true), KeyValue::new("kind", kind)]);
/// });
///
/// let series = &store.collect()[0].series;
/// assert_eq!(series.len(), 2, "labels are the same in any order and spelling");
/// assert_eq!(series[0].point, Point::U64(1));
/// assert_eq!(series[1].point, Point::U64(6));
/// ```
#[macro_export]
macro_rules! u64_counter {
    ($($call:tt)+) => { $crate::__call_site!(Counter u64 add [] $($call)+) };
}

/// Adds to a counter of whole numbers: `u64_counter_with_unit!(name, description, unit, amount, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! u64_counter_with_unit {
    ($($call:tt)+) => { $crate::__call_site!(Counter u64 add [unit] $($call)+) };
}

/// Adds to a counter of doubles: `f64_counter!(name, description, amount, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! f64_counter {
    ($($call:tt)+) => { $crate::__call_site!(Counter f64 add [] $($call)+) };
}

/// Adds to a counter of doubles: `f64_counter_with_unit!(name, description, unit, amount, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! f64_counter_with_unit {
    ($($call:tt)+) => { $crate::__call_site!(Counter f64 add [unit] $($call)+) };
}

/// Adds to, or with a negative amount takes from, an up-down counter of whole numbers: `i64_up_down_counter!(name, description, amount, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! i64_up_down_counter {
    ($($call:tt)+) => { $crate::__call_site!(UpDownCounter i64 change [] $($call)+) };
}

/// Adds to, or with a negative amount takes from, an up-down counter of whole numbers: `i64_up_down_counter_with_unit!(name, description, unit, amount, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! i64_up_down_counter_with_unit {
    ($($call:tt)+) => { $crate::__call_site!(UpDownCounter i64 change [unit] $($call)+) };
}

/// Adds to, or with a negative amount takes from, an up-down counter of doubles: `f64_up_down_counter!(name, description, amount, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! f64_up_down_counter {
    ($($call:tt)+) => { $crate::__call_site!(UpDownCounter f64 change [] $($call)+) };
}

/// Adds to, or with a negative amount takes from, an up-down counter of doubles: `f64_up_down_counter_with_unit!(name, description, unit, amount, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! f64_up_down_counter_with_unit {
    ($($call:tt)+) => { $crate::__call_site!(UpDownCounter f64 change [unit] $($call)+) };
}

/// Sets a gauge of whole numbers that are never negative: `u64_gauge!(name, description, value, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! u64_gauge {
    ($($call:tt)+) => { $crate::__call_site!(Gauge u64 set [] $($call)+) };
}

/// Sets a gauge of whole numbers that are never negative: `u64_gauge_with_unit!(name, description, unit, value, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! u64_gauge_with_unit {
    ($($call:tt)+) => { $crate::__call_site!(Gauge u64 set [unit] $($call)+) };
}

/// Sets a gauge of whole numbers: `i64_gauge!(name, description, value, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! i64_gauge {
    ($($call:tt)+) => { $crate::__call_site!(Gauge i64 set [] $($call)+) };
}

/// Sets a gauge of whole numbers: `i64_gauge_with_unit!(name, description, unit, value, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! i64_gauge_with_unit {
    ($($call:tt)+) => { $crate::__call_site!(Gauge i64 set [unit] $($call)+) };
}

/// Sets a gauge of doubles: `f64_gauge!(name, description, value, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! f64_gauge {
    ($($call:tt)+) => { $crate::__call_site!(Gauge f64 set [] $($call)+) };
}

/// Sets a gauge of doubles: `f64_gauge_with_unit!(name, description, unit, value, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! f64_gauge_with_unit {
    ($($call:tt)+) => { $crate::__call_site!(Gauge f64 set [unit] $($call)+) };
}

/// Records into a histogram of whole numbers: `u64_histogram!(name, description, value, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! u64_histogram {
    ($($call:tt)+) => { $crate::__call_site!(Histogram u64 record [] $($call)+) };
}

/// Records into a histogram of whole numbers: `u64_histogram_with_unit!(name, description, unit, value, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! u64_histogram_with_unit {
    ($($call:tt)+) => { $crate::__call_site!(Histogram u64 record [unit] $($call)+) };
}

/// Records into a histogram of doubles; a `Duration` counts in seconds: `f64_histogram!(name, description, value, labels)`.
/// See [`u64_counter!`](crate::u64_counter) for the forms that labels take.
#[macro_export]
macro_rules! f64_histogram {
    ($($call:tt)+) => { $crate::__call_site!(Histogram f64 record [] $($call)+) };
}

/// Records into a histogram of doubles; a `Duration` counts in seconds: `f64_histogram_with_unit!(name, description, unit, value, labels)`.
///
/// ```
/// use metercast_core::{Store, f64_histogram_with_unit, reading::Point};
/// use std::time::Duration;
///
/// let store = Store::new();
/// store.scope(|| {
///     let (elapsed, hit) = (Duration::from_millis(30), false);
///     f64_histogram_with_unit!("router.overhead", "Time spent in the router", "s", elapsed, "cached" => hit);
/// });
/// let Point::Histogram(buckets) = &store.collect()[0].series[0].point else { panic!() };
/// assert_eq!((buckets.count(), buckets.sum), (1, 0.03));
/// ```
#[macro_export]
macro_rules! f64_histogram_with_unit {
    ($($call:tt)+) => { $crate::__call_site!(Histogram f64 record [unit] $($call)+) };
}

/// Counts how often each value of a label came: `frequency!(name, description, key => value)`, which adds 1 to a
/// counter with this one label. See [`u64_counter!`](crate::u64_counter) for the forms of name and label.
///
/// ```
/// use metercast_core::{Store, frequency, labels, reading::Point};
///
/// labels! { one_of Trigger { "manual", "timer" } else "other" }
///
/// let store = Store::new();
/// store.scope(|| {
///     for trigger in ["manual", "timer", "manual", "<script>"] {
///         frequency!("executor.triggers", "Runs of the executor", "trigger" => Trigger::of(trigger));
///     }
/// });
/// let series = &store.collect()[0].series;
/// assert_eq!(series[0].labels.to_string(), r#"{trigger="manual"}"#);
/// assert_eq!(series[0].point, Point::U64(2));
/// assert_eq!(series[1].labels.to_string(), r#"{trigger="other"}"#);
/// ```
#[macro_export]
macro_rules! frequency {
    ($name:literal, $help:expr, $($label:tt)+) => {{
        $crate::__one_label!($($label)+);
        $crate::u64_counter!($name, $help, 1u64, $($label)+)
    }};
    ($($name:ident).+, $help:expr, $($label:tt)+) => {{
        $crate::__one_label!($($label)+);
        $crate::u64_counter!($($name).+, $help, 1u64, $($label)+)
    }};
}

/// Nothing, if it is one label.
#[doc(hidden)]
#[macro_export]
macro_rules! __one_label {
    ($key:literal => $value:expr $(,)?) => {};
    ($key:literal = $value:expr $(,)?) => {};
    ($($key:ident).+ => $value:expr $(,)?) => {};
    ($($key:ident).+ = $value:expr $(,)?) => {};
    ($($labels:tt)+) => {
        ::core::compile_error!("a frequency has one label, whose values it counts: \"trigger\" => trigger")
    };
}

/// A call of one of the macros above, with the instrument's kind, its number, and what to do with the value.
#[doc(hidden)]
#[macro_export]
macro_rules! __call_site {
    ($kind:ident $number:ident $do:ident [] $name:literal, $help:expr, $value:expr $(, $($labels:tt)*)?) => {
        $crate::__record!(($kind $number $do $name, $help, "", $value) $($($labels)*)?)
    };
    ($kind:ident $number:ident $do:ident [unit] $name:literal, $help:expr, $unit:expr, $value:expr $(, $($labels:tt)*)?) => {
        $crate::__record!(($kind $number $do $name, $help, $unit, $value) $($($labels)*)?)
    };
    // Without the unit, which is then none.
    ($kind:ident $number:ident $do:ident [unit] $name:literal, $help:expr, $value:expr, $key:literal => $($labels:tt)+) => {
        $crate::__record!(($kind $number $do $name, $help, "", $value) $key => $($labels)+)
    };
    ($kind:ident $number:ident $do:ident [] $($name:ident).+, $help:expr, $value:expr $(, $($labels:tt)*)?) => {
        $crate::__record!(($kind $number $do $crate::__path!($($name).+), $help, "", $value) $($($labels)*)?)
    };
    ($kind:ident $number:ident $do:ident [unit] $($name:ident).+, $help:expr, $unit:expr, $value:expr $(, $($labels:tt)*)?) => {
        $crate::__record!(($kind $number $do $crate::__path!($($name).+), $help, $unit, $value) $($($labels)*)?)
    };
    ($kind:ident $number:ident $do:ident [] $($other:tt)*) => {
        ::core::compile_error!(
            "a call site has a name, what is measured in words, a value, and labels if there are any: \
             (\"orders.placed\", \"Orders accepted\", 1, \"side\" => side)"
        )
    };
    ($kind:ident $number:ident $do:ident [unit] $($other:tt)*) => {
        ::core::compile_error!(
            "a call site with a unit has a name, what is measured in words, a unit, a value, and labels if there are any: \
             (\"order.settle.duration\", \"Time to settle an order\", \"s\", seconds, \"side\" => side)"
        )
    };
}

/// One recording: the instrument in parentheses, then its labels.
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($instrument:tt $(,)?) => {
        $crate::__fixed!($instrument [])
    };
    ($instrument:tt $key:literal => $($rest:tt)+) => {
        $crate::__literals!($instrument [$key => $($rest)+] [] $key => $($rest)+)
    };
    ($instrument:tt $key:literal = $($rest:tt)+) => {
        $crate::__literals!($instrument [$key => $($rest)+] [] $key => $($rest)+)
    };
    ($instrument:tt $($key:ident).+ => $($rest:tt)+) => {
        $crate::__pairs!($instrument [] $($key).+ => $($rest)+)
    };
    ($instrument:tt $($key:ident).+ = $($rest:tt)+) => {
        $crate::__pairs!($instrument [] $($key).+ => $($rest)+)
    };
    // A list that is put together at run time.
    (($kind:ident $number:ident $do:ident $name:expr, $help:expr, $unit:expr, $amount:expr) $labels:expr $(,)?) => {{
        static __METERCAST_SITE: $crate::__private::Adhoc = $crate::__private::Adhoc::new($crate::__noted!(
            open
            $crate::__descriptor!($kind $number $name).description($help).unit($unit),
            &[]
        ));
        __METERCAST_SITE.$do::<$number>(
            $amount,
            ::core::convert::AsRef::<[$crate::KeyValue]>::as_ref(&$labels),
        )
    }};
}

/// Pairs, as long as key and value are literals: then the series is found once. All of them stand in brackets as
/// well, for the case that one is not.
#[doc(hidden)]
#[macro_export]
macro_rules! __literals {
    ($instrument:tt $all:tt [$($done:tt)+]) => {
        $crate::__fixed!($instrument [$($done)+])
    };
    // `-x` would fail the build if it were tried as a literal.
    ($instrument:tt [$($all:tt)+] $done:tt $key:literal => - $($rest:tt)+) => {
        $crate::__pairs!($instrument [] $($all)+)
    };
    ($instrument:tt [$($all:tt)+] $done:tt $key:literal = - $($rest:tt)+) => {
        $crate::__pairs!($instrument [] $($all)+)
    };
    ($instrument:tt $all:tt [$($done:tt)*] $key:literal => $value:literal $(, $($rest:tt)*)?) => {
        $crate::__literals!($instrument $all [$($done)* ($key) ($value)] $($($rest)*)?)
    };
    ($instrument:tt $all:tt [$($done:tt)*] $key:literal = $value:literal $(, $($rest:tt)*)?) => {
        $crate::__literals!($instrument $all [$($done)* ($key) ($value)] $($($rest)*)?)
    };
    ($instrument:tt [$($all:tt)+] $done:tt $($rest:tt)+) => {
        $crate::__pairs!($instrument [] $($all)+)
    };
}

/// Pairs, taken one at a time into a list of `(key) (value)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __pairs {
    ($instrument:tt [$($done:tt)*] $key:literal => $value:expr $(, $($rest:tt)*)?) => {
        $crate::__pairs!($instrument [$($done)* ($key) ($value)] $($($rest)*)?)
    };
    ($instrument:tt [$($done:tt)*] $key:literal = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__pairs!($instrument [$($done)* ($key) ($value)] $($($rest)*)?)
    };
    ($instrument:tt [$($done:tt)*] $($key:ident).+ => $value:expr $(, $($rest:tt)*)?) => {
        $crate::__pairs!($instrument [$($done)* ($crate::__path!($($key).+)) ($value)] $($($rest)*)?)
    };
    ($instrument:tt [$($done:tt)*] $($key:ident).+ = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__pairs!($instrument [$($done)* ($crate::__path!($($key).+)) ($value)] $($($rest)*)?)
    };
    (
        ($kind:ident $number:ident $do:ident $name:expr, $help:expr, $unit:expr, $amount:expr)
        [$(($key:expr) ($value:expr))+]
    ) => {{
        static __METERCAST_SITE: $crate::__private::Adhoc = $crate::__private::Adhoc::new($crate::__noted!(
            called
            $crate::__descriptor!($kind $number $name).description($help).unit($unit).labels(&[$($key),+]),
            &[$($crate::__value_bound!($value)),+]
        ));
        __METERCAST_SITE.$do::<$number>(
            $amount,
            [$($crate::label::AsLabel::as_label(&$value)),+],
        )
    }};
}

/// A recording whose labels are all in the program text.
#[doc(hidden)]
#[macro_export]
macro_rules! __fixed {
    (
        ($kind:ident $number:ident $do:ident $name:expr, $help:expr, $unit:expr, $amount:expr)
        [$(($key:literal) ($value:literal))*]
    ) => {{
        static __METERCAST_SITE: $crate::__private::Fixed = $crate::__private::Fixed::new(
            $crate::__noted!(
                called
                $crate::__descriptor!($kind $number $name)
                    .description($help)
                    .unit($unit)
                    .labels(&[$($key),*])
                    .closed(),
                &[$($crate::__value_bound!($value)),*]
            ),
            |f| f(&[$($crate::label::AsLabel::as_label(&$value)),*]),
        );
        __METERCAST_SITE.$do::<$number>($amount)
    }};
}

/// Which values a label can have whose value is given so: a literal is the only one.
#[doc(hidden)]
#[macro_export]
macro_rules! __value_bound {
    ($value:literal) => {
        $crate::__private::Bound::Texts { texts: &[::core::concat!($value)], has_fallback: false }
    };
    ($value:expr) => {
        $crate::__private::Bound::Text
    };
}

/// `a.b.c` as text.
#[doc(hidden)]
#[macro_export]
macro_rules! __path {
    ($first:ident $(. $rest:ident)*) => {
        ::core::concat!(::core::stringify!($first) $(, ".", ::core::stringify!($rest))*)
    };
}
