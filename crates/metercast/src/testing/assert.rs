//! Assertions of what the current store holds.

/// Asserts that a counter or up-down counter of the current store has this value for exactly these labels.
///
/// The value is a number, a range (`3..`, `1..=5`), or what [`at_least`](crate::testing::at_least),
/// [`approx`](crate::testing::approx) and their siblings make. Labels are written as at a call site: pairs with `=>` or `=`, or one
/// expression that gives a list of [`KeyValue`](crate::KeyValue). A last `..` says that there may be others; [`ANY`](crate::testing::ANY) stands for
/// any value of a label, `*` and `?` in the name for any characters and one: then the values of all series that match are added up.
/// With `since mark,` before the name it is asserted what was added since a [`mark`](crate::testing::mark).
///
/// # Panics
///
/// If the series is not there or has another value. The message shows every metric that is there, what is most like the
/// expected one first, and recordings of this name that went past the scope.
///
/// ```should_panic
/// use metercast::{assert_counter, testing::isolated, u64_counter};
///
/// isolated(|_| {
///     u64_counter!("orders.refused", "Orders refused", 1, "reason" => "limit");
///     assert_counter!("orders.refused", 2, "reason" => "limit");
/// });
/// ```
#[macro_export]
macro_rules! assert_counter {
    ($($call:tt)+) => { $crate::__assert_value!(Counter $($call)+) };
}

/// Asserts that an up-down counter of the current store has this value for exactly these labels. See
/// [`assert_counter!`](crate::assert_counter) for values and labels.
///
/// ```
/// use metercast::{assert_up_down_counter, i64_up_down_counter, testing::isolated};
///
/// isolated(|_| {
///     i64_up_down_counter!("connections", "Open connections", 3, "state" => "active");
///     i64_up_down_counter!("connections", "Open connections", -1, "state" => "active");
///     assert_up_down_counter!("connections", 2, "state" = "active");
/// });
/// ```
#[macro_export]
macro_rules! assert_up_down_counter {
    ($($call:tt)+) => { $crate::__assert_value!(UpDownCounter $($call)+) };
}

/// Asserts that a gauge of the current store, observed ones too, has this value for exactly these labels. See
/// [`assert_counter!`](crate::assert_counter) for values and labels; gauges cannot be added up, so only one may match.
///
/// ```
/// use metercast::{assert_gauge, f64_gauge, testing::isolated};
///
/// isolated(|_| {
///     f64_gauge!("temperature", "Temperature", 20.5, "room" => "cellar");
///     assert_gauge!("temperature", 20.0..=21.0, "room" => "cellar");
/// });
/// ```
#[macro_export]
macro_rules! assert_gauge {
    ($($call:tt)+) => { $crate::__assert_value!(Gauge $($call)+) };
}

/// Asserts what all values of a histogram or summary add up to. See [`assert_counter!`](crate::assert_counter) for values and labels.
///
/// ```
/// use metercast::{assert_histogram_count, assert_histogram_sum, f64_histogram, testing};
///
/// let _metrics = testing::scope();
/// f64_histogram!("sizes", "Sizes", 2.5, "kind" => "file");
/// let before = testing::mark();
/// f64_histogram!("sizes", "Sizes", 4.0, "kind" => "file");
/// assert_histogram_sum!("sizes", 6.5, "kind" => "file");
/// assert_histogram_sum!(since before, "sizes", 4.0, "kind" => "file");
/// assert_histogram_count!("sizes", 2, "kind" => "file");
/// ```
#[macro_export]
macro_rules! assert_histogram_sum {
    ($($call:tt)+) => { $crate::__assert_value!(HistogramSum $($call)+) };
}

/// Asserts how many values a histogram or summary took. See [`assert_counter!`](crate::assert_counter) for values and labels.
#[macro_export]
macro_rules! assert_histogram_count {
    ($($call:tt)+) => { $crate::__assert_value!(HistogramCount $($call)+) };
}

macro_rules! existence {
    ($($exists:ident, $not_exists:ident: $what:ident, $a:literal;)*) => { $(
        existence!(@ [$] $exists, $not_exists: $what, $a);
    )* };
    (@ [$d:tt] $exists:ident, $not_exists:ident: $what:ident, $a:literal) => {
        #[doc = concat!("Asserts that ", $a, " of this name with these labels is in the current store, whatever its value. After the \
            name may stand its number type, as `f64`, which is of no account. See [`assert_counter!`](crate::assert_counter) for labels.")]
        #[macro_export]
        macro_rules! $exists {
            ($d($d call:tt)+) => { $d crate::__assert_exists!($what true $d($d call)+) };
        }

        #[doc = concat!("Asserts that no ", $a, " of this name with these labels is in the current store: without labels, \
            none that has none. With `..` in their place: none at all. See [`assert_counter!`](crate::assert_counter) for labels.")]
        #[macro_export]
        macro_rules! $not_exists {
            ($d($d call:tt)+) => { $d crate::__assert_exists!($what false $d($d call)+) };
        }
    };
}

existence! {
    assert_counter_exists, assert_counter_not_exists: Counter, "counter";
    assert_up_down_counter_exists, assert_up_down_counter_not_exists: UpDownCounter, "up-down counter";
    assert_gauge_exists, assert_gauge_not_exists: Gauge, "gauge";
    assert_histogram_exists, assert_histogram_not_exists: HistogramCount, "histogram or summary";
}

/// An assertion of a value, with what is asserted.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_value {
    (@ $what:ident $mark:tt $($name:ident).+, $value:expr $(, $($labels:tt)*)?) => {
        $crate::__assert_value!(@ $what $mark $crate::__path!($($name).+), $value $(, $($labels)*)?)
    };
    (@ $what:ident $mark:tt $name:expr, $value:expr $(, $($labels:tt)*)?) => {
        $crate::testing::check_value(
            $crate::testing::What::$what,
            &$name,
            $crate::testing::Expected::from($value),
            &$crate::__assert_labels!([] $($($labels)*)?),
            $mark,
        )
    };
    ($what:ident since $mark:ident, $($call:tt)+) => {
        $crate::__assert_value!(@ $what (::std::option::Option::Some(&$mark)) $($call)+)
    };
    ($what:ident $($call:tt)+) => {
        $crate::__assert_value!(@ $what (::std::option::Option::None) $($call)+)
    };
}

/// An assertion that something is there or not.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_exists {
    ($what:ident $is:ident $($name:ident).+ $(, $($rest:tt)*)?) => {
        $crate::__assert_exists!($what $is $crate::__path!($($name).+) $(, $($rest)*)?)
    };
    ($what:ident $is:ident $name:expr, u64 $(, $($labels:tt)*)?) => {
        $crate::__assert_exists!($what $is $name $(, $($labels)*)?)
    };
    ($what:ident $is:ident $name:expr, i64 $(, $($labels:tt)*)?) => {
        $crate::__assert_exists!($what $is $name $(, $($labels)*)?)
    };
    ($what:ident $is:ident $name:expr, f64 $(, $($labels:tt)*)?) => {
        $crate::__assert_exists!($what $is $name $(, $($labels)*)?)
    };
    ($what:ident $is:ident $name:expr $(, $($labels:tt)*)?) => {
        $crate::testing::check_exists(
            $crate::testing::What::$what,
            &$name,
            $is,
            &$crate::__assert_labels!([] $($($labels)*)?),
        )
    };
}
