//! Which bucket a value falls into.
//!
//! Bucket `i` of scale `s` is `(2^(i / 2^s), 2^((i + 1) / 2^s)]`. Two buckets of a scale are one of the scale below, so
//! the index at any scale is that at the finest one, shifted: what is lowered later is never told apart from what was
//! recorded at the lower scale.

use std::f64::consts::LOG2_E;

/// The finest scale: a million buckets for each power of two.
pub(super) const MAX_SCALE: i32 = 20;

/// The scale at which two buckets hold all positive doubles, down to the smallest subnormal.
pub(super) const MIN_SCALE: i32 = -11;

const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;
const BIAS: i64 = 1023;

/// The bucket of a positive, finite value, `lowered` scales below the finest.
#[inline]
pub(super) fn index(value: f64, lowered: u32) -> i64 {
    let (exponent, fraction) = split(value);
    let at_finest = if fraction == 0 {
        // A power of two is the upper bound of its bucket.
        (exponent << MAX_SCALE) - 1
    } else if lowered >= MAX_SCALE as u32 {
        // No bound lies between two powers of two.
        exponent << MAX_SCALE
    } else {
        (exponent << MAX_SCALE) + part(fraction)
    };
    at_finest >> lowered
}

/// The value as `2^exponent * (1 + fraction / 2^52)`.
#[inline]
fn split(value: f64) -> (i64, u64) {
    let bits = value.to_bits();
    let biased = (bits >> FRACTION_BITS) as i64;
    if biased != 0 { (biased - BIAS, bits & FRACTION) } else { split_subnormal(bits) }
}

#[cold]
fn split_subnormal(bits: u64) -> (i64, u64) {
    let up = bits.leading_zeros().saturating_sub(u64::BITS - f64::MANTISSA_DIGITS);
    (1 - BIAS - i64::from(up), (bits << up) & FRACTION)
}

/// Which of the finest buckets between two powers of two it is. `fraction` is not 0.
#[inline]
fn part(fraction: u64) -> i64 {
    let (inverse, logarithm) = STEPS[(fraction >> (FRACTION_BITS - STEP_BITS)) as usize % STEPS.len()];
    let beyond = f64::from_bits(1.0f64.to_bits() | fraction) * inverse - 1.0;
    // The series of log(1 + beyond). `beyond` is at most 2^-7, so what is left out is less than 2^-16 of a bucket.
    let series = beyond * (TERMS[0] + beyond * (TERMS[1] + beyond * (TERMS[2] + beyond * TERMS[3])));
    let buckets = logarithm + series;
    let whole = buckets as i64;
    let rest = buckets - whole as f64;
    // A bound that is no power of two is irrational: no value lies on it, so rounding down is all there is to do.
    if rest > DOUBT && rest < 1.0 - DOUBT { whole } else { exact_part(fraction) }
}

/// As [`part`], without rounding.
#[cold]
pub(super) fn exact_part(fraction: u64) -> i64 {
    logarithm(fraction, MAX_SCALE as u32) as i64
}

/// How much of a bucket [`part`] does not rely on: 16 times what it may be wrong by.
const DOUBT: f64 = 1.0 / (1 << 12) as f64;

/// The finest buckets of one power of two.
const BUCKETS: f64 = (1 << MAX_SCALE) as f64;

const TERMS: [f64; 4] =
    [BUCKETS * LOG2_E, -BUCKETS * LOG2_E / 2.0, BUCKETS * LOG2_E / 3.0, -BUCKETS * LOG2_E / 4.0];

const STEP_BITS: u32 = 6;

/// For each 64th from 1 to 2 the inverse of its middle, and the logarithm of that middle in finest buckets.
static STEPS: [(f64, f64); 1 << STEP_BITS] = {
    const DIGITS: u32 = 50;
    let mut steps = [(0.0, 0.0); 1 << STEP_BITS];
    let mut step = 0;
    while step < steps.len() {
        let middle = (2 * step as u64 + 1) << (FRACTION_BITS - STEP_BITS - 1);
        let inverse = 1.0 / f64::from_bits(1.0f64.to_bits() | middle);
        steps[step] = (inverse, logarithm(middle, DIGITS) as f64 / (1u64 << DIGITS) as f64 * BUCKETS);
        step += 1;
    }
    steps
};

/// The first binary digits of the logarithm, base 2, of `1 + fraction / 2^52`: squaring a number doubles its logarithm,
/// whose next digit is 1 if the square is 2 or more. A square is wrong by less than 2^-125, and each later one by twice
/// as much as the one before, which leaves 50 digits far from doubt.
const fn logarithm(fraction: u64, digits: u32) -> u64 {
    // 1.0 is 2^127.
    let mut number = ((fraction | 1 << FRACTION_BITS) as u128) << (127 - FRACTION_BITS);
    let mut found = 0;
    let mut digit = 0;
    while digit < digits {
        let (high, low) = (number >> 64, number & u64::MAX as u128);
        // The upper half of the square, in which 1.0 is 2^126.
        number = high * high + ((high * low) >> 63);
        found <<= 1;
        if number >> 127 == 1 {
            found |= 1;
        } else {
            number <<= 1;
        }
        digit += 1;
    }
    found
}

/// How many scales to go down until the buckets from `low` to `high` are no more than `size`, which is at least 2.
pub(super) fn lower_to_fit(low: i64, high: i64, size: usize) -> u32 {
    let most = (MAX_SCALE - MIN_SCALE) as u32;
    (0..most).find(|by| (high >> by) - (low >> by) < size as i64).unwrap_or(most)
}

/// The upper bound of a bucket, which is the lower bound of the next; infinity above the largest double.
pub(super) fn upper_bound(index: i64, scale: i32) -> f64 {
    power(index as f64 + 1.0, scale)
}

/// The geometric middle of a bucket: no value in it is further away than [`relative_error`].
pub(super) fn middle(index: i64, scale: i32) -> f64 {
    // The outermost buckets of low scales reach beyond what a double can be.
    power(index as f64 + 0.5, scale).clamp(f64::from_bits(1), f64::MAX)
}

/// How far a value is from the middle of its bucket at most, as a part of the value.
#[cfg(test)]
pub(super) fn relative_error(scale: i32) -> f64 {
    power(0.5, scale) - 1.0
}

/// `2^(index / 2^scale)`; the division is exact.
fn power(index: f64, scale: i32) -> f64 {
    (index * f64::from(-scale).exp2()).exp2()
}
