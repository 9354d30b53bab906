//! Units in UCUM, as far as there is a way from one to another: times, sizes, parts of a whole, and rates of these.

use metercast_core::reading::Exponential;

/// What units measure that can be converted to each other.
#[derive(Clone, Copy, PartialEq)]
enum Dimension {
    /// In seconds.
    Time,
    /// In bits.
    Information,
    /// Counts of anything, in ones.
    One,
}

/// The units that are known, each as a fraction of that of its dimension.
const UNITS: [(&str, Dimension, f64, f64); 24] = [
    ("ns", Dimension::Time, 1.0, 1e9),
    ("us", Dimension::Time, 1.0, 1e6),
    ("ms", Dimension::Time, 1.0, 1e3),
    ("s", Dimension::Time, 1.0, 1.0),
    ("min", Dimension::Time, 60.0, 1.0),
    ("h", Dimension::Time, 3_600.0, 1.0),
    ("d", Dimension::Time, 86_400.0, 1.0),
    ("bit", Dimension::Information, 1.0, 1.0),
    ("kbit", Dimension::Information, 1e3, 1.0),
    ("Mbit", Dimension::Information, 1e6, 1.0),
    ("Gbit", Dimension::Information, 1e9, 1.0),
    ("Kibit", Dimension::Information, 1024.0, 1.0),
    ("Mibit", Dimension::Information, 1_048_576.0, 1.0),
    ("Gibit", Dimension::Information, 1_073_741_824.0, 1.0),
    ("By", Dimension::Information, 8.0, 1.0),
    ("kBy", Dimension::Information, 8e3, 1.0),
    ("MBy", Dimension::Information, 8e6, 1.0),
    ("GBy", Dimension::Information, 8e9, 1.0),
    ("KiBy", Dimension::Information, 8192.0, 1.0),
    ("MiBy", Dimension::Information, 8_388_608.0, 1.0),
    ("GiBy", Dimension::Information, 8_589_934_592.0, 1.0),
    ("TiBy", Dimension::Information, 8_796_093_022_208.0, 1.0),
    ("1", Dimension::One, 1.0, 1.0),
    ("%", Dimension::One, 1.0, 100.0),
];

/// By how much values in one unit are multiplied to be in the other; `None` if there is no way.
pub(super) fn scale(from: &str, to: &str) -> Option<f64> {
    // What a unit counts, in braces, is a comment.
    let is_one = |unit: &str| unit.starts_with('{') && unit.ends_with('}');
    if let (Some((from, per)), Some((to, other))) = (from.split_once('/'), to.split_once('/')) {
        return Some(scale(from, to)? * scale(other, per)?);
    }
    let find = |unit: &str| {
        let unit = if is_one(unit) { "1" } else { unit };
        UNITS.iter().find(|(name, ..)| *name == unit)
    };
    let ((_, dimension, times, over), (_, other, times_other, over_other)) = (find(from)?, find(to)?);
    (dimension == other).then(|| (times * over_other) / (over * times_other))
}

/// A value in another unit. One that is made smaller is divided, so that 5 ms are 0.005 s and nothing beside it.
#[inline]
pub(crate) fn scaled(value: f64, scale: f64) -> f64 {
    let over = (1.0 / scale).round();
    if scale < 1.0 && (1.0 / over).to_bits() == scale.to_bits() { value / over } else { value * scale }
}

/// A bound in another unit, without the last digits that a product may have too many: 0.07 s are 70 ms.
pub(super) fn scaled_bound(bound: f64, scale: f64) -> f64 {
    let scaled = scaled(bound, scale);
    format!("{scaled:.14e}").parse().unwrap_or(scaled)
}

/// A bound in the unit of the values that was said in another.
pub(super) fn unscaled_bound(bound: f64, scale: f64) -> f64 {
    scaled_bound(bound, 1.0 / scale)
}

/// Exponential buckets in another unit: exact for powers of two, as long as the buckets are no coarser. Otherwise each bucket goes
/// where most of it belongs, so that a value is off by half a bucket at most; count, sum, least and greatest value are exact.
pub(crate) fn scaled_exponential(exponential: &Exponential, scale: f64) -> Exponential {
    let mut scaled_to = exponential.clone();
    let moved = (scale.log2() * f64::from(exponential.scale).exp2()).round() as i32;
    for buckets in [&mut scaled_to.positive, &mut scaled_to.negative] {
        if !buckets.counts.is_empty() {
            buckets.offset = buckets.offset.saturating_add(moved);
        }
    }
    scaled_to.sum = scaled(exponential.sum, scale);
    scaled_to.min = exponential.min.map(|min| scaled(min, scale));
    scaled_to.max = exponential.max.map(|max| scaled(max, scale));
    scaled_to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_one_dimension_are_converted_and_others_are_not() {
        let cases = [
            ("s", "ms", Some(1e3)),
            ("ms", "s", Some(1e-3)),
            ("min", "h", Some(1.0 / 60.0)),
            ("d", "s", Some(86_400.0)),
            ("By", "KiBy", Some(1.0 / 1024.0)),
            ("GiBy", "By", Some(1_073_741_824.0)),
            ("kBy", "bit", Some(8e3)),
            ("1", "%", Some(100.0)),
            ("{request}", "{call}", Some(1.0)),
            ("By/s", "KiBy/min", Some(60.0 / 1024.0)),
            ("s", "By", None),
            ("By/s", "By", None),
            ("Cel", "K", None),
            ("s", "sec", None),
        ];
        for (from, to, expected) in cases {
            assert_eq!(scale(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn bounds_are_as_round_in_the_other_unit() {
        for milliseconds in 1..=2_000 {
            let seconds = f64::from(milliseconds) / 1000.0;
            assert_eq!(scaled_bound(seconds, 1e3), f64::from(milliseconds));
            assert_eq!(unscaled_bound(f64::from(milliseconds), 1e3), seconds);
            assert_eq!(scaled(f64::from(milliseconds), 1e-3), seconds);
        }
    }
}
