//! Units of time, for what is measured with a clock.

/// How many of a unit (UCUM) are in a second; 1 for what is no unit of time.
pub(crate) fn per_second(unit: &str) -> f64 {
    match unit {
        "ms" => 1e3,
        "us" => 1e6,
        "ns" => 1e9,
        "min" => 1.0 / 60.0,
        "h" => 1.0 / 3600.0,
        "d" => 1.0 / 86_400.0,
        _ => 1.0,
    }
}
