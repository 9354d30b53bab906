//! Assertions that say what was expected and everything that is there.

use std::fmt::Write;

use metercast_core::label::AsLabel;
use metercast_core::{KeyValue, Kind, LabelSet, Store, Value};

use crate::snapshot::{Point, Snapshot};

/// Asserts that a counter or up-down counter of the current store has this value for exactly these labels.
///
/// Labels are written as at a call site: pairs with `=>` or `=`, or one expression that gives a list of
/// [`KeyValue`]. A failure shows every metric that is there.
///
/// # Panics
///
/// If the series is not there or has another value.
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
    ($($name:ident).+, $value:expr $(, $($labels:tt)*)?) => {
        $crate::assert_counter!($crate::__path!($($name).+), $value $(, $($labels)*)?)
    };
    ($name:expr, $value:expr $(, $($labels:tt)*)?) => {
        $crate::testing::check_counter(
            &$name,
            $crate::testing::Expected::from($value),
            $crate::__assert_labels!([] $($($labels)*)?),
        )
    };
}

/// Labels of an assertion as a list of `KeyValue`; those without a value are left out, as they are at a call site.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_labels {
    ([$($done:expr),*] $(,)?) => {
        ::std::iter::Iterator::collect::<::std::vec::Vec<$crate::KeyValue>>(::std::iter::Iterator::flatten(
            ::std::iter::IntoIterator::into_iter(
                ::std::vec::Vec::<::std::option::Option<$crate::KeyValue>>::from([$($done),*])
            )
        ))
    };
    ([$($done:expr),*] $key:literal => $value:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_labels!([$($done,)* $crate::testing::label_of($key, &$value)] $($($rest)*)?)
    };
    ([$($done:expr),*] $key:literal = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_labels!([$($done,)* $crate::testing::label_of($key, &$value)] $($($rest)*)?)
    };
    ([$($done:expr),*] $($key:ident).+ => $value:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_labels!([$($done,)* $crate::testing::label_of($crate::__path!($($key).+), &$value)] $($($rest)*)?)
    };
    ([$($done:expr),*] $($key:ident).+ = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__assert_labels!([$($done,)* $crate::testing::label_of($crate::__path!($($key).+), &$value)] $($($rest)*)?)
    };
    ([] $labels:expr $(,)?) => { $crate::testing::labels_of(&$labels) };
}

/// The value of an assertion.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// A whole number, wide enough for all of them.
    Whole(i128),
    /// A double.
    Double(f64),
}

macro_rules! whole_expectations {
    ($($t:ty),*) => { $( impl From<$t> for Expected {
        fn from(value: $t) -> Expected { Expected::Whole(value as i128) }
    } )* };
}

whole_expectations!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl From<f32> for Expected {
    fn from(value: f32) -> Expected {
        Expected::Double(f64::from(value))
    }
}

impl From<f64> for Expected {
    fn from(value: f64) -> Expected {
        Expected::Double(value)
    }
}

impl Expected {
    fn is(self, point: &Point) -> bool {
        match (point, self) {
            (Point::U64(there), Expected::Whole(expected)) => i128::from(*there) == expected,
            (Point::I64(there), Expected::Whole(expected)) => i128::from(*there) == expected,
            (Point::F64(there), Expected::Whole(expected)) => *there == expected as f64,
            (Point::U64(there), Expected::Double(expected)) => *there as f64 == expected,
            (Point::I64(there), Expected::Double(expected)) => *there as f64 == expected,
            (Point::F64(there), Expected::Double(expected)) => *there == expected,
            _ => false,
        }
    }

    fn text(self) -> String {
        match self {
            Expected::Whole(value) => value.to_string(),
            Expected::Double(value) => format!("{value:?}"),
        }
    }
}

/// One label in any of its forms; `None` if it has no value.
#[doc(hidden)]
pub fn label_of(key: &'static str, value: &(impl AsLabel + ?Sized)) -> Option<KeyValue> {
    Value::of(value).map(|value| KeyValue::new(key, value))
}

/// A list of labels in any of its forms.
#[doc(hidden)]
pub fn labels_of(labels: &(impl AsRef<[KeyValue]> + ?Sized)) -> Vec<KeyValue> {
    labels.as_ref().to_vec()
}

/// What `assert_counter!` calls.
#[doc(hidden)]
#[track_caller]
pub fn check_counter(name: &str, expected: Expected, labels: Vec<KeyValue>) {
    let snapshot = Snapshot::of(&Store::current());
    let labels: LabelSet = labels.into_iter().collect();
    let point = snapshot
        .family(name)
        .filter(|family| matches!(family.definition.kind(), Kind::Counter | Kind::UpDownCounter))
        .and_then(|family| family.series.iter().find(|series| *series.labels == labels))
        .map(|series| &series.point);
    if !point.is_some_and(|point| expected.is(point)) {
        let expected = expected.text();
        panic!("expected counter {name}{labels} {expected}\n{}", present(&snapshot));
    }
}

/// Everything that is there, a line each.
fn present(snapshot: &Snapshot) -> String {
    if snapshot.families.is_empty() {
        return "nothing was recorded in this scope; is the code under test in it, and what it spawns wrapped in \
                with_current_meter_provider()?"
            .to_owned();
    }
    let mut text = String::from("there is:");
    for family in &snapshot.families {
        for series in &family.series {
            let _ = write!(
                text,
                "\n  {} {}{} ",
                family.definition.kind(),
                family.definition.name(),
                series.labels
            );
            let _ = match &series.point {
                Point::U64(value) => write!(text, "{value}"),
                Point::I64(value) => write!(text, "{value}"),
                Point::F64(value) => write!(text, "{value:?}"),
                Point::Histogram(buckets) => write!(text, "count {} sum {:?}", buckets.count(), buckets.sum),
                other => write!(text, "{other:?}"),
            };
        }
    }
    text
}
