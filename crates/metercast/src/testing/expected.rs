//! What an assertion expects of a value.

use std::fmt;
use std::ops::{Range, RangeFrom, RangeInclusive, RangeToInclusive};

/// What an assertion expects: a number as it is, a range such as `1..=5` or `3..`, or what the functions of
/// [`testing`](crate::testing) make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected(Of);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    Exactly(Amount),
    /// Both ends belong to it, but for the upper one of a range that is written so.
    Between {
        least: Option<Amount>,
        most: Option<Amount>,
        below: bool,
    },
    Near {
        value: f64,
        tolerance: f64,
    },
}

/// A value of any number type, whole numbers exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Amount {
    Whole(i128),
    Double(f64),
}

impl Amount {
    pub(super) fn to_f64(self) -> f64 {
        match self {
            Amount::Whole(value) => value as f64,
            Amount::Double(value) => value,
        }
    }

    pub(super) fn plus(self, other: Amount) -> Amount {
        match (self, other) {
            (Amount::Whole(one), Amount::Whole(other)) => Amount::Whole(one + other),
            (one, other) => Amount::Double(one.to_f64() + other.to_f64()),
        }
    }

    pub(super) fn minus(self, other: Amount) -> Amount {
        match (self, other) {
            (Amount::Whole(one), Amount::Whole(other)) => Amount::Whole(one - other),
            (one, other) => Amount::Double(one.to_f64() - other.to_f64()),
        }
    }

    fn is(self, other: Amount) -> bool {
        match (self, other) {
            (Amount::Whole(one), Amount::Whole(other)) => one == other,
            (one, other) => one.to_f64() == other.to_f64(),
        }
    }

    fn is_at_least(self, other: Amount) -> bool {
        match (self, other) {
            (Amount::Whole(one), Amount::Whole(other)) => one >= other,
            (one, other) => one.to_f64() >= other.to_f64(),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Whole(value) => write!(f, "{value}"),
            Amount::Double(value) => write!(f, "{value:?}"),
        }
    }
}

impl Expected {
    pub(super) fn is(self, value: Amount) -> bool {
        match self.0 {
            Of::Exactly(expected) => value.is(expected),
            Of::Between { least, most, below } => {
                least.is_none_or(|least| value.is_at_least(least))
                    && most.is_none_or(|most| most.is_at_least(value) && !(below && value.is(most)))
            }
            Of::Near { value: expected, tolerance } => (value.to_f64() - expected).abs() <= tolerance,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Of::Exactly(value) => write!(f, "{value}"),
            Of::Between { least: Some(least), most: None, .. } => write!(f, "at least {least}"),
            Of::Between { least: Some(least), most: Some(most), below: true } => {
                write!(f, "at least {least} and below {most}")
            }
            Of::Between { least: Some(least), most: Some(most), .. } => {
                write!(f, "between {least} and {most}")
            }
            Of::Between { least: None, most: Some(most), .. } => write!(f, "at most {most}"),
            Of::Between { least: None, most: None, .. } => f.write_str("any value"),
            Of::Near { value, tolerance } => write!(f, "{value:?} give or take {tolerance:?}"),
        }
    }
}

/// Expects this value or more: what `3..` expects as well.
///
/// ```
/// use metercast::testing::{at_least, isolated};
/// use metercast::{assert_counter, u64_counter};
///
/// isolated(|_| {
///     u64_counter!("retries", "Tries after the first", 3);
///     assert_counter!("retries", at_least(2));
///     assert_counter!("retries", 2..);
/// });
/// ```
pub fn at_least(value: impl Into<Expected>) -> Expected {
    Expected(Of::Between { least: end(value), most: None, below: false })
}

/// Expects this value or less.
pub fn at_most(value: impl Into<Expected>) -> Expected {
    Expected(Of::Between { least: None, most: end(value), below: false })
}

/// Expects one of these values or what lies between: what `1..=5` expects as well.
pub fn between(least: impl Into<Expected>, most: impl Into<Expected>) -> Expected {
    Expected(Of::Between { least: end(least), most: end(most), below: false })
}

/// Expects a double that is at most `tolerance` away.
///
/// ```
/// use metercast::testing::{approx, isolated};
/// use metercast::{assert_histogram_sum, f64_histogram};
///
/// isolated(|_| {
///     for size in [0.1, 0.2] {
///         f64_histogram!("sizes", "Sizes", size);
///     }
///     assert_histogram_sum!("sizes", approx(0.3, 1e-9));
/// });
/// ```
pub fn approx(value: f64, tolerance: f64) -> Expected {
    Expected(Of::Near { value, tolerance })
}

/// Expects any value: that there is a series.
pub fn any_value() -> Expected {
    Expected(Of::Between { least: None, most: None, below: false })
}

/// # Panics
///
/// If it is no single value.
fn end(value: impl Into<Expected>) -> Option<Amount> {
    match value.into().0 {
        Of::Exactly(value) => Some(value),
        _ => panic!("an end of what is expected is a single number"),
    }
}

macro_rules! expectations {
    ($($variant:ident($of:ty): $($t:ty),*;)*) => { $( $(
        impl From<$t> for Amount {
            fn from(value: $t) -> Amount {
                Amount::$variant(value as $of)
            }
        }

        impl From<$t> for Expected {
            fn from(value: $t) -> Expected {
                Expected(Of::Exactly(value.into()))
            }
        }

        impl From<RangeInclusive<$t>> for Expected {
            fn from(range: RangeInclusive<$t>) -> Expected {
                between(*range.start(), *range.end())
            }
        }

        impl From<Range<$t>> for Expected {
            fn from(range: Range<$t>) -> Expected {
                Expected(Of::Between { least: Some(range.start.into()), most: Some(range.end.into()), below: true })
            }
        }

        impl From<RangeFrom<$t>> for Expected {
            fn from(range: RangeFrom<$t>) -> Expected {
                at_least(range.start)
            }
        }

        impl From<RangeToInclusive<$t>> for Expected {
            fn from(range: RangeToInclusive<$t>) -> Expected {
                at_most(range.end)
            }
        }
    )* )* };
}

expectations! {
    Whole(i128): u8, u16, u32, u64, usize, i8, i16, i32, i64, isize;
    Double(f64): f32, f64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_met_by_what_it_says_and_nothing_else() {
        let whole = Amount::Whole;
        for (expected, met, unmet, said) in [
            (Expected::from(3), whole(3), whole(4), "3"),
            (Expected::from(0.5), Amount::Double(0.5), Amount::Double(0.6), "0.5"),
            (at_least(3), whole(3), whole(2), "at least 3"),
            (at_most(3.5), whole(3), whole(4), "at most 3.5"),
            (between(1, 2), whole(2), whole(3), "between 1 and 2"),
            (Expected::from(1..3), whole(2), whole(3), "at least 1 and below 3"),
            (Expected::from(1..=3), whole(3), whole(4), "between 1 and 3"),
            (Expected::from(2..), whole(2), whole(1), "at least 2"),
            (Expected::from(..=2), whole(2), whole(3), "at most 2"),
            (approx(0.3, 0.01), Amount::Double(0.1 + 0.2), Amount::Double(0.32), "0.3 give or take 0.01"),
        ] {
            assert!(expected.is(met) && !expected.is(unmet), "{expected}");
            assert_eq!(expected.to_string(), said);
        }
        assert!(any_value().is(whole(-5)));
        // Doubles cannot tell these apart.
        assert!(!Expected::from(u64::MAX).is(whole(i128::from(u64::MAX) - 1)));
    }
}
