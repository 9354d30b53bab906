//! Lengths of time as people write them: a whole number and a unit.

use std::time::Duration;

use super::error::Checked;

/// Longer than this is a slip of the pen, and near the end of what clocks can add up.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Reads `500ms`, `60s`, `5m` or `2h`.
#[cfg(feature = "config")]
pub(super) fn parse(text: &str) -> Checked<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if unit.is_empty() && digits > 0 {
        return Err(unitless(text));
    }
    let malformed = || {
        format!(
            "{text:?} is not a length of time; write a whole number and a unit, such as \"500ms\", \"60s\" \
             or \"5m\""
        )
    };
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(malformed()),
    };
    if digits == 0 {
        return Err(malformed());
    }
    // A number too long for 64 bits is too long in any unit.
    let number = number.parse::<u64>().unwrap_or(u64::MAX);
    bounded(Duration::from_millis(number.saturating_mul(milliseconds)))
}

/// What to say of a number that could be seconds or milliseconds.
#[cfg(feature = "config")]
pub(super) fn unitless(number: impl std::fmt::Display) -> String {
    let number = number.to_string();
    if number == "0" {
        // A unit would not help: what may be nought is few, and an interval is not among them.
        return "0 has no unit; write a time such as \"60s\"".to_owned();
    }
    format!("{number} has no unit; write \"{number}s\" for seconds or \"{number}ms\" for milliseconds")
}

/// Refuses what no clock can add.
pub(super) fn bounded(duration: Duration) -> Checked<Duration> {
    if duration > LONGEST {
        Err("is longer than a year; write a shorter time".to_owned())
    } else {
        Ok(duration)
    }
}

/// Refuses an interval in which nothing else could happen.
pub(super) fn interval(duration: Duration) -> Checked<Duration> {
    if duration < Duration::from_millis(1) {
        return Err(format!(
            "{} is too short for an interval; write at least 1ms, for example 60s",
            show(duration)
        ));
    }
    bounded(duration)
}

/// Refuses a deadline that has passed before it begins. Nought means "no limit" elsewhere, so it is not a way
/// to say it.
pub(super) fn deadline(duration: Duration) -> Checked<Duration> {
    if duration.is_zero() {
        return Err("0s leaves no time for the final flush; write at least 1ms, for example 5s".to_owned());
    }
    bounded(duration)
}

/// The way back: `60s`, `1500ms`.
pub(super) fn show(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{}s", duration.as_secs())
    } else if duration.subsec_nanos().is_multiple_of(1_000_000) {
        format!("{}ms", duration.as_millis())
    } else {
        format!("{duration:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "config")]
    #[test]
    fn a_whole_number_with_a_unit_is_a_length_of_time() {
        let cases =
            [("500ms", 500), ("60s", 60_000), ("5m", 300_000), ("2h", 7_200_000), ("0s", 0), ("007s", 7_000)];
        for (text, milliseconds) in cases {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[cfg(feature = "config")]
    #[test]
    fn anything_else_is_refused_with_the_way_to_write_it() {
        let malformed = |text: &str| {
            format!(
                "{text:?} is not a length of time; write a whole number and a unit, such as \"500ms\", \
                 \"60s\" or \"5m\""
            )
        };
        for text in ["", "s", "-5s", "1.5s", "5 s", "5sec", "1m30s", "5S", "five"] {
            assert_eq!(parse(text), Err(malformed(text)), "{text}");
        }
        assert_eq!(
            parse("60"),
            Err("60 has no unit; write \"60s\" for seconds or \"60ms\" for milliseconds".to_owned())
        );
        for text in ["366h", "8760h"] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in ["8761h", "99999999999999999999999s"] {
            assert_eq!(parse(text), Err("is longer than a year; write a shorter time".to_owned()), "{text}");
        }
    }

    #[test]
    fn an_interval_is_at_least_a_millisecond_and_a_deadline_more_than_nothing() {
        assert_eq!(
            interval(Duration::ZERO),
            Err("0s is too short for an interval; write at least 1ms, for example 60s".to_owned())
        );
        assert_eq!(
            interval(Duration::from_micros(999)),
            Err("999µs is too short for an interval; write at least 1ms, for example 60s".to_owned())
        );
        assert!(interval(Duration::from_millis(1)).is_ok());
        assert!(interval(Duration::MAX).is_err());
        assert!(deadline(Duration::ZERO).is_err());
        assert!(deadline(Duration::from_nanos(1)).is_ok());
    }

    #[test]
    fn lengths_of_time_print_as_they_are_written() {
        let cases = [(60_000, "60s"), (1_500, "1500ms"), (0, "0s")];
        for (milliseconds, text) in cases {
            assert_eq!(show(Duration::from_millis(milliseconds)), text);
        }
    }
}
