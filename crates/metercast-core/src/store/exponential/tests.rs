//! What is claimed of exponential histograms and of windows over them.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::index::{exact_part, index, relative_error, upper_bound};
use super::*;

/// Numbers that look random and are the same in every run.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The low bits of such a generator repeat soon.
        self.0 ^ (self.0 >> 32)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A positive double of any size, subnormals among them.
    fn positive(&mut self) -> f64 {
        loop {
            let value = f64::from_bits(self.next() >> 1);
            if value.is_finite() && value != 0.0 {
                return value;
            }
        }
    }

    /// Between two positive numbers, as many small as large ones.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        (low.ln() + (high / low).ln() * self.unit()).exp()
    }
}

/// A cell and its owner.
struct Recorder(Shape, Vec<AtomicU64>);

impl Recorder {
    fn new(shape: Shape) -> Recorder {
        Recorder(shape, (0..shape.words()).map(|_| AtomicU64::new(0)).collect())
    }

    fn of(shape: Shape, values: &[f64]) -> Recorder {
        let recorder = Recorder::new(shape);
        values.iter().for_each(|value| recorder.record(*value));
        recorder
    }

    fn record(&self, value: f64) {
        self.0.record(&self.1, value, 1);
    }

    fn read(&self) -> Exponential {
        let words: Vec<u64> = self.1.iter().map(|word| word.load(Relaxed)).collect();
        self.0.read(&words).unwrap_or_default()
    }
}

fn read(shape: Shape, values: &[f64]) -> Exponential {
    Recorder::of(shape, values).read()
}

fn lowered(scale: i32) -> u32 {
    (MAX_SCALE - scale) as u32
}

/// `number^2`, 32 bits a digit, the lowest first.
fn square(number: &[u32]) -> Vec<u32> {
    let mut square = vec![0u32; number.len() * 2];
    for (i, a) in number.iter().enumerate() {
        let mut carry = 0u64;
        for (j, b) in number.iter().enumerate() {
            let digit = u64::from(square[i + j]) + u64::from(*a) * u64::from(*b) + carry;
            square[i + j] = digit as u32;
            carry = digit >> 32;
        }
        square[i + number.len()] = carry as u32;
    }
    square
}

/// The index of `1 + fraction / 2^52` without rounding: the power `2^scale` of the number, and how long it is.
fn index_by_power(fraction: u64, scale: i32) -> i64 {
    let number = fraction | 1 << 52;
    let mut power = vec![number as u32, (number >> 32) as u32];
    for _ in 0..scale {
        power = square(&power);
    }
    let zeroes: u32 = power
        .iter()
        .rev()
        .scan(true, |leading, digit| {
            let counted = if *leading { digit.leading_zeros() } else { 0 };
            *leading &= *digit == 0;
            Some(counted)
        })
        .sum();
    let length = power.len() as i64 * 32 - i64::from(zeroes);
    // A power of two is the upper bound of its bucket.
    length - 1 - (52 << scale) - i64::from(fraction == 0)
}

#[test]
fn a_power_of_two_is_the_upper_bound_of_its_bucket_at_every_scale() {
    for scale in MIN_SCALE..=MAX_SCALE {
        for exponent in -1074..=1023i64 {
            let value = if exponent < -1022 {
                f64::from_bits(1 << (exponent + 1074))
            } else {
                f64::from_bits(((exponent + 1023) as u64) << 52)
            };
            // index + 1 is exponent * 2^scale, rounded up.
            let expected = if scale >= 0 { (exponent << scale) - 1 } else { (exponent - 1) >> -scale };
            assert_eq!(index(value, lowered(scale)), expected, "2^{exponent} at {scale}");
            if value < f64::MAX {
                let above = if scale >= 0 { exponent << scale } else { exponent >> -scale };
                // The least subnormals have neighbours at twice their size.
                if exponent > -1040 {
                    assert_eq!(
                        index(value.next_up(), lowered(scale)),
                        above,
                        "above 2^{exponent} at {scale}"
                    );
                    assert_eq!(
                        index(value.next_down(), lowered(scale)),
                        expected,
                        "below 2^{exponent} at {scale}"
                    );
                }
            }
            if scale >= 0 {
                assert_eq!(upper_bound(expected, scale), value, "2^{exponent} at {scale}");
            }
        }
    }
}

#[test]
fn values_next_to_a_bound_are_told_apart_as_by_exact_arithmetic() {
    for scale in 1..=7 {
        for bucket in 0..1 << scale {
            let bound = upper_bound(bucket, scale).to_bits();
            for bits in bound - 3..=bound + 3 {
                let value = f64::from_bits(bits);
                if (1.0..2.0).contains(&value) {
                    let expected = index_by_power(bits & ((1 << 52) - 1), scale);
                    assert_eq!(index(value, lowered(scale)), expected, "{value} at {scale}");
                }
            }
        }
    }
}

#[test]
fn the_logarithm_and_its_digits_agree() {
    let mut random = Lcg(1);
    for _ in 0..100_000 {
        let fraction = random.next() >> 12;
        if fraction != 0 {
            assert_eq!(index(f64::from_bits(1023 << 52 | fraction), 0), exact_part(fraction), "{fraction}");
        }
    }
}

#[test]
fn steps_of_the_logarithm_meet() {
    for step in 1..64u64 {
        for fraction in (step << 46) - 3..=(step << 46) + 3 {
            assert_eq!(index(f64::from_bits(1023 << 52 | fraction), 0), exact_part(fraction), "{fraction}");
        }
    }
}

#[test]
fn a_larger_value_is_never_in_a_lower_bucket() {
    let mut random = Lcg(2);
    for _ in 0..1_000 {
        // Around a bound of the finest scale.
        let bound = upper_bound((random.next() % (1 << 20)) as i64, MAX_SCALE).to_bits();
        let indexes: Vec<i64> = (bound - 40..bound + 40).map(|bits| index(f64::from_bits(bits), 0)).collect();
        assert!(indexes.is_sorted(), "{bound:x}");
        assert_eq!(indexes[79] - indexes[0], 1, "{bound:x}");
    }
}

#[test]
fn a_value_lies_between_the_bounds_of_its_bucket() {
    let mut random = Lcg(3);
    // A bound is a rounded number itself.
    let near = 1.0 + 4.0 * f64::EPSILON;
    for scale in MIN_SCALE..=MAX_SCALE {
        for _ in 0..2_000 {
            let value = random.positive();
            let index = index(value, lowered(scale));
            let (lower, upper) = (upper_bound(index - 1, scale), upper_bound(index, scale));
            assert!(
                lower / near < value && value / near <= upper,
                "{value:e} at {scale}: {lower:e} {upper:e}"
            );
            if value >= f64::MIN_POSITIVE && scale >= -9 {
                let error = (middle(index, scale) - value).abs() / value;
                assert!(error <= relative_error(scale) * near, "{value:e} at {scale}: {error}");
            }
        }
    }
}

#[test]
fn a_cell_that_was_never_used_has_no_reading() {
    let shape = Shape::DEFAULT;
    assert_eq!(shape.read(&vec![0; shape.words()]), None);
    assert_eq!(shape.read(&[1; 3]), None);
    shape.record(&[], 1.0, 1);
}

#[test]
fn cells_fit_a_chunk() {
    assert_eq!(Shape::DEFAULT.words(), 327);
    assert_eq!(Shape::SUMMARY.words(), 511);
    assert!(Shape::new(usize::MAX, i32::MAX).words() <= 512);
    assert_eq!(Shape::new(usize::MAX, i32::MIN), Shape::new(252, MIN_SCALE));
    assert_eq!(Shape::new(0, 99), Shape::new(2, MAX_SCALE));
}

#[test]
fn one_value_has_the_finest_bucket_and_all_is_known_of_it() {
    let reading = read(Shape::DEFAULT, &[-3.0]);
    assert_eq!(
        reading,
        Exponential {
            negative: ExponentialBuckets { offset: index(3.0, 0) as i32, counts: vec![1] },
            sum: -3.0,
            min: Some(-3.0),
            max: Some(-3.0),
            ..Exponential::default()
        }
    );
    assert_eq!((reading.scale, reading.quantile(0.5)), (20, Some(-3.0)));
}

#[test]
fn both_zeroes_are_zero() {
    let reading = read(Shape::DEFAULT, &[0.0, -0.0, 0.0]);
    assert_eq!((reading.zero_count, reading.count(), reading.sum), (3, 3, 0.0));
    assert_eq!((reading.min, reading.max, reading.quantile(0.5)), (Some(0.0), Some(0.0), Some(0.0)));
    assert_eq!(reading.positive, ExponentialBuckets::default());
}

#[test]
fn values_of_either_sign_are_counted_apart_at_one_scale() {
    let reading = read(Shape::new(4, 20), &[1.0, 2.0, 4.0, -1.0, -2.0, 0.0]);
    // (0.5, 1], (1, 2], (2, 4]
    assert_eq!(reading.scale, 0);
    assert_eq!(reading.positive, ExponentialBuckets { offset: -1, counts: vec![1, 1, 1] });
    assert_eq!(reading.negative, ExponentialBuckets { offset: -1, counts: vec![1, 1] });
    assert_eq!((reading.sum, reading.min, reading.max), (4.0, Some(-2.0), Some(4.0)));
}

#[test]
fn a_narrow_cluster_stays_at_the_finest_scale() {
    let mut random = Lcg(4);
    let values: Vec<f64> = (0..1_000).map(|_| 1000.0 + 0.09 * random.unit()).collect();
    let reading = read(Shape::DEFAULT, &values);
    assert_eq!((reading.scale, reading.count()), (20, 1_000));
    assert!(reading.positive.counts.len() > 100);
}

#[test]
fn a_range_of_a_million_fits_160_buckets_of_five_percent_to_either_side() {
    let mut random = Lcg(5);
    let values: Vec<f64> = (0..10_000).map(|_| random.between(1e-3, 1e3)).collect();
    let reading = read(Shape::DEFAULT, &values);
    assert_eq!((reading.scale, reading.count()), (3, 10_000));
    assert!(reading.positive.counts.len() <= 160 && relative_error(3) < 0.05);
}

#[test]
fn all_doubles_fit() {
    let extremes = [f64::from_bits(1), f64::MIN_POSITIVE, 1.0, f64::MAX];
    let reading = read(Shape::DEFAULT, &extremes);
    assert_eq!((reading.scale, reading.count()), (-4, 4));
    assert_eq!((reading.quantile(0.0), reading.quantile(1.0)), (Some(extremes[0]), Some(f64::MAX)));
    let reading = read(Shape::new(3, 20), &extremes);
    assert_eq!((reading.scale, reading.positive.counts.as_slice()), (-10, &[1, 2, 1][..]));
    let reading = read(Shape::new(2, 20), &extremes);
    assert_eq!((reading.scale, reading.positive.counts.as_slice()), (-11, &[3, 1][..]));
    // Where nothing is known beside the buckets, an estimate is a number that could have been recorded.
    let unknown = Exponential { min: None, max: None, ..reading };
    assert!(unknown.quantile(0.0).unwrap() > 0.0 && unknown.quantile(1.0).unwrap() <= f64::MAX);
}

#[test]
fn lowering_a_cell_gives_what_a_fresh_one_has_at_the_lower_scale() {
    let mut random = Lcg(6);
    for round in 0..300 {
        let size = 2 + (random.next() % 200) as usize;
        let values: Vec<f64> = (0..200)
            .map(|_| match random.next() % 8 {
                0 => 0.0,
                1 => -random.between(1e-2, 1e2),
                2 if round % 10 == 0 => random.positive(),
                _ => random.between(1.0, 1.0 + f64::from(round)),
            })
            .collect();
        let grown = Recorder::new(Shape::new(size, 20));
        for (at, value) in values.iter().enumerate() {
            grown.record(*value);
            assert_eq!(grown.read().count(), at as u64 + 1);
        }
        let grown = grown.read();
        assert_eq!(grown, read(Shape::new(size, grown.scale), &values), "{size}");
        // And no scale above would do.
        if grown.scale < 20 {
            let extent = |sign: f64| {
                let mut own: Vec<i64> = (values.iter())
                    .filter(|value| **value * sign > 0.0)
                    .map(|value| index(value.abs(), lowered(grown.scale + 1)))
                    .collect();
                own.sort_unstable();
                own.first().map_or(0, |low| own[own.len() - 1] - low + 1)
            };
            assert!(extent(1.0).max(extent(-1.0)) > size as i64, "{size}");
        }
    }
}

#[test]
fn merging_in_any_order_is_recording_all_in_one() {
    let mut random = Lcg(7);
    for round in 0..100 {
        let shape = Shape::new(2 + (random.next() % 160) as usize, 20);
        // Whole numbers, so that the sum does not depend on the order.
        let parts: Vec<Vec<f64>> = (0..4)
            .map(|part| {
                let values = random.next() % 60;
                let high = 2f64.powi(1 + part * round % 40);
                (0..values).map(|_| (random.between(1.0, high) - high / 4.0).round()).collect()
            })
            .collect();
        let all = read(shape, &parts.concat());
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
            let mut merged = Exponential::default();
            for part in order {
                merged.merge(&read(shape, &parts[part]), shape);
            }
            assert_eq!(merged, all, "{order:?}");
        }
    }
}

#[test]
fn merging_what_is_far_apart_makes_no_room_for_what_is_between() {
    let shape = Shape::DEFAULT;
    let mut merged = read(shape, &[f64::MIN_POSITIVE]);
    merged.merge(&read(shape, &[f64::MAX]), shape);
    assert_eq!(merged.scale, -4);
    assert!(merged.positive.counts.len() <= 160);
    assert_eq!(merged.positive.count(), 2);
}

#[test]
fn since_an_equal_reading_there_is_nothing() {
    let reading = read(Shape::DEFAULT, &[0.0, 1.0, 2.5, -7.0]);
    let since = reading.since(&reading);
    assert_eq!(since, Exponential::default());
    assert!(since.is_empty() && since.quantile(0.5).is_none());
}

#[test]
fn since_an_earlier_reading_there_is_what_was_recorded_meanwhile() {
    let mut random = Lcg(8);
    for _ in 0..100 {
        let shape = Shape::new(2 + (random.next() % 160) as usize, 20);
        let recorder = Recorder::new(shape);
        let mut values = |count: u64, high: f64| -> Vec<f64> {
            (0..count).map(|_| (random.between(1.0, high) - high / 4.0).round()).collect()
        };
        values(50, 1e3).iter().for_each(|value| recorder.record(*value));
        let earlier = recorder.read();
        let later = values(50, 1e6);
        later.iter().for_each(|value| recorder.record(*value));
        let now = recorder.read();
        let mut expected = read(shape, &later);
        expected.lower_to(now.scale);
        assert_eq!(now.since(&earlier), Exponential { min: None, max: None, ..expected });
        assert_eq!(now.since(&Exponential::default()), now);
    }
}

#[test]
fn since_a_reading_of_another_series_nothing_is_negative() {
    let other = read(Shape::DEFAULT, &[1e-9, 1.0, 1.0, 1e9]);
    let since = read(Shape::DEFAULT, &[1.0, 5.0]).since(&other);
    assert_eq!((since.count(), since.scale), (1, other.scale));
}

#[test]
fn a_quantile_is_as_near_as_the_scale_says() {
    let mut random = Lcg(9);
    for (spread, least_scale) in [(2.8, 8), (7.9, 7), (63.0, 6), (4e3, 5), (1.6e7, 4), (1e14, 3)] {
        let mut values: Vec<f64> = (0..5_001).map(|_| random.between(1e-4, 1e-4 * spread)).collect();
        let reading = read(Shape::SUMMARY, &values);
        assert!(reading.scale >= least_scale, "{spread}: {}", reading.scale);
        // Without minimum and maximum the buckets alone say it.
        let buckets = Exponential { min: None, max: None, ..reading.clone() };
        values.sort_by(f64::total_cmp);
        for permille in 0..=1000 {
            let q = f64::from(permille) / 1000.0;
            let rank = ((q * 5001.0).ceil() as usize).max(1);
            let exact = values[rank - 1];
            for reading in [&reading, &buckets] {
                let error = (reading.quantile(q).unwrap() - exact).abs() / exact;
                assert!(error <= relative_error(least_scale) * 1.000_001, "{q} of {spread}: {error}");
            }
        }
    }
}

#[test]
fn quantiles_go_from_the_least_to_the_greatest() {
    let values: Vec<f64> = (-50..50).map(f64::from).collect();
    let reading = read(Shape::SUMMARY, &values);
    let near = |q: f64, value: f64| {
        let estimate = reading.quantile(q).unwrap();
        assert!(
            (estimate - value).abs() <= value.abs() * relative_error(reading.scale) + 1e-12,
            "{q}: {estimate}"
        );
    };
    assert_eq!((reading.quantile(0.0), reading.quantile(1.0)), (Some(-50.0), Some(49.0)));
    near(0.07, -44.0);
    near(0.5, -1.0);
    near(0.51, 0.0);
    near(0.99, 48.0);
    for q in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(reading.quantile(q), None, "{q}");
    }
    assert_eq!(Exponential::default().quantile(0.5), None);
}

#[test]
fn a_stated_error_is_that_of_the_scale() {
    for (scale, error) in [(8, 0.0014), (7, 0.0028), (6, 0.0055), (5, 0.011), (4, 0.022), (3, 0.045)] {
        assert!(relative_error(scale) < error, "{scale}");
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_window_forgets_what_is_older() {
    let recorder = Recorder::new(Shape::SUMMARY);
    let mut window = Window::new(seconds(60), 6);
    // One value every second, read every five: the value is the time.
    for now in 1..=600u64 {
        recorder.record(now as f64);
        if now % 5 != 0 {
            continue;
        }
        let within = window.advance(seconds(now), &recorder.read());
        let count = within.count();
        if now < 65 {
            assert_eq!(count, now);
        } else {
            assert!((60..=70).contains(&count), "{count} at {now}");
        }
        let oldest = within.quantile(0.0).unwrap();
        assert!(oldest >= (now as f64 - 71.0) * 0.99, "{oldest} at {now}");
    }
    // Nothing more comes.
    for now in (605..=670).step_by(5) {
        let within = window.advance(seconds(now), &recorder.read());
        assert_eq!(within.is_empty(), now >= 665, "{now}");
    }
    assert_eq!(window.advance(seconds(671), &recorder.read()), Exponential::default());
}

#[test]
fn what_was_there_before_the_first_reading_counts_until_that_is_too_old() {
    let recorder = Recorder::of(Shape::SUMMARY, &[1.0, 2.0]);
    let mut window = Window::new(seconds(60), 6);
    for (now, count) in [(1000, 2), (1030, 2), (1059, 2), (1060, 0), (5000, 0)] {
        assert_eq!(window.advance(seconds(now), &recorder.read()).count(), count, "{now}");
    }
}

#[test]
fn a_window_that_is_read_rarely_reaches_back_to_the_reading_before() {
    let recorder = Recorder::of(Shape::SUMMARY, &[1.0]);
    let mut window = Window::new(seconds(60), 6);
    window.advance(seconds(0), &recorder.read());
    recorder.record(2.0);
    assert_eq!(window.advance(seconds(500), &recorder.read()).sum, 2.0);
    recorder.record(3.0);
    assert_eq!(window.advance(seconds(1000), &recorder.read()).sum, 3.0);
}

#[test]
fn a_window_keeps_no_more_than_its_slices() {
    let recorder = Recorder::of(Shape::SUMMARY, &[1.0]);
    let mut window = Window::new(seconds(60), 6);
    for tenths in 0..10_000 {
        window.advance(Duration::from_millis(tenths * 100), &recorder.read());
        assert!(window.len() <= 8, "{}", window.len());
    }
    // A clock that goes back, and a window of no width, only have to end well.
    window.advance(seconds(0), &recorder.read());
    let mut none = Window::new(Duration::ZERO, 0);
    assert_eq!(none.advance(seconds(1), &recorder.read()).count(), 1);
    assert!(none.advance(seconds(1), &recorder.read()).is_empty());
    for _ in 0..10 {
        none.advance(seconds(1), &recorder.read());
    }
    assert!(none.len() <= 2);
}
