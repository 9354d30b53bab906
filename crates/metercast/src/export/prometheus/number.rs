//! Numbers as Go's ParseFloat reads them, in as few characters as tell them apart.

use super::block::Block;

/// The most bytes of a number: `-2.2250738585072014e-308`.
pub(super) const LONGEST: usize = 24;

/// Gives a double to `f`: `0.5`, `1`, `1e+16`, `NaN`, `+Inf`, `-Inf`.
pub(super) fn with_double<R>(value: f64, f: impl FnOnce(&str) -> R) -> R {
    if value.is_nan() {
        return f("NaN");
    }
    if value.is_infinite() {
        return f(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    f(text.strip_suffix(".0").unwrap_or(text))
}

/// How doubles are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// In as few characters as tell them apart.
    Shortest,
    /// As OpenMetrics wants them where they say what a bucket or quantile is: `1.0`, `1e+06`.
    Canonical,
    /// As Rust displays them, without an exponent: `1000000`, `inf`.
    Display,
}

impl Spelling {
    pub(super) fn value(self, value: f64) -> String {
        match self {
            Spelling::Shortest => with_double(value, str::to_owned),
            Spelling::Canonical => canonical(value),
            Spelling::Display => value.to_string(),
        }
    }

    /// A bound or a quantile: the last bucket is always `+Inf`.
    pub(super) fn bound(self, bound: f64) -> String {
        if bound.is_infinite() { with_double(bound, str::to_owned) } else { self.value(bound) }
    }

    /// Whether a value is spelled in another way than the shortest.
    pub(super) fn is_odd(self, value: f64) -> bool {
        // All that may have an exponent, and some that have none.
        let is_usual = value == 0.0 || (1e-4..1e15).contains(&value.abs());
        match self {
            Spelling::Shortest => false,
            Spelling::Canonical => !is_usual,
            Spelling::Display => !is_usual || may_be_between(value),
        }
    }
}

/// Whether two numbers of as many digits may be equally near to `value`, so that both are shortest: then Rust displays the greater
/// one. All that are have sixteen digits or more, and end in a fraction of a power of two that is not smaller than this.
fn may_be_between(value: f64) -> bool {
    let has_few_digits = value.abs() < 1e7 && (value * 1e5).fract() == 0.0;
    value.fract() != 0.0 && (value * f64::from(1 << 17)).fract() == 0.0 && !has_few_digits
}

/// As Go writes a double with `%g`, which OpenMetrics 1.0 calls canonical, and always with a point or an exponent.
fn canonical(value: f64) -> String {
    if !value.is_finite() {
        return with_double(value, str::to_owned);
    }
    // The shortest digits, one before the point.
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A number as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    U64(u64),
    I64(i64),
    F64(f64),
}

const EIGHT_DIGITS: u64 = 100_000_000;

impl Number {
    /// Most numbers, which are whole, not negative and of at most eight digits: the digits, and how many there are.
    #[inline(always)]
    pub(super) fn short(self) -> Option<(u64, usize)> {
        let number = match self {
            Number::U64(number) => number,
            Number::I64(number) => number as u64,
            // Saturates, so that what is no such number comes back as another; and so does -0, which has a spelling of its
            // own.
            Number::F64(number) => match number as u32 {
                whole if f64::from(whole).to_bits() == number.to_bits() => u64::from(whole),
                _ => u64::MAX,
            },
        };
        if let Some(digits) = SMALL.get(number as usize) {
            // The length is above the digits.
            return Some((u64::from(*digits), (*digits >> 24) as usize));
        }
        (number < EIGHT_DIGITS).then(|| digits(number as u32))
    }

    /// Any number.
    #[inline(never)]
    pub(super) fn block(self) -> Block {
        match self {
            Number::U64(number) => long(number),
            Number::I64(number) if number >= 0 => long(number as u64),
            Number::I64(number) => {
                let digits = long(number.unsigned_abs());
                let mut bytes = [b'-'; 32];
                bytes[1..].copy_from_slice(&digits.bytes()[..31]);
                Block::of(&bytes[..digits.length + 1])
            }
            Number::F64(number) => {
                // Larger whole numbers have an exponent.
                let whole = number as i64;
                if (whole as f64).to_bits() == number.to_bits() && whole.unsigned_abs() < 1 << 53 {
                    Number::I64(whole).block()
                } else {
                    with_double(number, |text| Block::of(text.as_bytes()))
                }
            }
        }
    }
}

/// The digits of small numbers, of which there are many: status codes, counts of what is rare.
static SMALL: [u32; 1000] = {
    let mut small = [0; 1000];
    let mut number = 0;
    while number < 1000 {
        let (word, length) = digits(number as u32);
        small[number] = word as u32 | (length as u32) << 24;
        number += 1;
    }
    small
};

fn long(number: u64) -> Block {
    let mut bytes = [0; 24];
    let mut at = 0;
    let mut put = |word: u64, length: usize| {
        bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        at += length;
    };
    let parts =
        [number / EIGHT_DIGITS / EIGHT_DIGITS, number / EIGHT_DIGITS, number].map(|part| part % EIGHT_DIGITS);
    let mut begun = false;
    for part in parts {
        if begun {
            put(eight_digits(part as u32), 8);
        } else if part > 0 {
            let (word, length) = digits(part as u32);
            put(word, length);
            begun = true;
        }
    }
    if begun { Block::of(&bytes[..at]) } else { Block::of_word(u64::from(b'0'), 1) }
}

/// Eight digits for a number below 10^8, zeros before it: the first digit is the lowest byte.
///
/// All of them at once: a step splits each group of digits in a word into two, by multiplying with what divides.
#[inline(always)]
const fn eight_digits(number: u32) -> u64 {
    let (high, low) = (number as u64 / 10_000, number as u64 % 10_000);
    let fours = high | low << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | (twos - 10 * tens) << 8;
    ones | 0x3030_3030_3030_3030
}

/// The digits without the zeros before the number, and how many there are; at least one.
#[inline(always)]
const fn digits(number: u32) -> (u64, usize) {
    let eight = eight_digits(number);
    let zeros = (eight ^ 0x3030_3030_3030_3030 | 1 << 56).trailing_zeros() / 8;
    (eight >> (8 * zeros), 8 - zeros as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(value: f64) -> String {
        with_double(value, str::to_owned)
    }

    #[test]
    fn every_double_reads_back_as_itself() {
        for value in [
            0.0,
            -0.0,
            1.0,
            0.1,
            0.005,
            1e16,
            1e21,
            1e-7,
            5e-324,
            f64::MAX,
            f64::MIN_POSITIVE,
            9007199254740993.0,
            -2.5,
        ] {
            assert_eq!(double(value).parse::<f64>().unwrap().to_bits(), value.to_bits(), "{value}");
            assert!(double(value).len() <= LONGEST);
        }
        assert_eq!(double(1.0), "1");
        assert_eq!(double(0.25), "0.25");
        assert_eq!(
            (double(f64::NAN), double(f64::INFINITY), double(f64::NEG_INFINITY)),
            ("NaN".into(), "+Inf".into(), "-Inf".into())
        );
    }

    fn text(block: Block) -> String {
        String::from_utf8(block.bytes()[..block.length].to_vec()).unwrap()
    }

    /// The text of a number, which is the same either way.
    fn both(number: Number) -> String {
        let any = text(number.block());
        assert!(
            number.short().is_none_or(|(word, length)| text(Block::of_word(word, length)) == any),
            "{number:?}"
        );
        any
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        let powers = (0..20).map(|power| 10u64.pow(power));
        let edges = powers.flat_map(|power| [power - 1, power, power + 1]);
        for number in edges.chain([u64::MAX, u64::MAX - 1, 1 << 53, (1 << 53) - 1]) {
            assert_eq!(both(Number::U64(number)), number.to_string());
            for number in [number as i64, (number as i64).wrapping_neg()] {
                assert_eq!(both(Number::I64(number)), number.to_string());
            }
        }
        assert_eq!(both(Number::I64(i64::MIN)), i64::MIN.to_string());
    }

    #[test]
    fn doubles_are_spelled_alike_whichever_way_they_take() {
        let powers = (-20..20).map(|power| 10f64.powi(power));
        let edges = powers.flat_map(|power| [power, power - 1.0, power + 1.0, power * 1.5]);
        let odd = [0.0, f64::NAN, f64::INFINITY, f64::MAX, 5e-324, (1u64 << 53) as f64, u32::MAX.into()];
        for number in edges.chain(odd) {
            for number in [number, -number] {
                assert_eq!(both(Number::F64(number)), double(number));
            }
        }
    }

    #[test]
    fn bounds_are_spelled_as_openmetrics_wants_them() {
        for (value, spelled) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-1.0, "-1.0"),
            (0.005, "0.005"),
            (2.5, "2.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e-10, "1e-10"),
            (100_000.0, "100000.0"),
            (123_456.0, "123456.0"),
            (1e6, "1e+06"),
            (1.5e6, "1.5e+06"),
            (12_345_678.0, "1.2345678e+07"),
            (1e10, "1e+10"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(Spelling::Canonical.bound(value), spelled);
        }
    }

    #[test]
    fn what_is_not_odd_is_displayed_in_the_shortest_way() {
        let powers = (-30..30).map(|power| 10f64.powi(power));
        let all = powers.flat_map(|power| [power, power * 1.5, power / 3.0, power - 1.0, power + 1.0]);
        let between = (1..20_000).map(|at| f64::from(at) * 431.7 * 1024.0 + f64::from(at) / 1024.0);
        let between = between.chain((1..20_000).map(|at| f64::from(at * 13 + 1) / f64::from(1 << (at % 24))));
        let between =
            between.map(|value| (value * 1024.0).trunc() / 1024.0).chain([8_833_810_769.0 / 1024.0]);
        let all = all.chain(between.clone()).chain(between.map(|value| value / 64.0));
        for value in all.chain([0.0, 1e15 - 0.5, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NAN]) {
            for value in [value, -value] {
                let [shortest, display] = [Spelling::Shortest, Spelling::Display].map(|as_| as_.value(value));
                assert!(Spelling::Display.is_odd(value) || shortest == display, "{shortest} {display}");
                assert!(!Spelling::Shortest.is_odd(value));
            }
        }
        assert!(!Spelling::Display.is_odd(0.25));
        assert_eq!(Spelling::Display.value(1e21), "1000000000000000000000");
        assert_eq!(Spelling::Display.bound(f64::INFINITY), "+Inf");
    }

    #[test]
    fn digits_are_those_of_the_number() {
        let powers = (0..8).map(|power| 10u32.pow(power));
        let edges = powers.flat_map(|power| [power - 1, power, power + 1, power * 9]).chain([99_999_999]);
        // A step that shares no factor with the end comes by everything in time.
        for number in edges.chain((0..200_000).map(|n: u32| n.wrapping_mul(15_485_863) % 100_000_000)) {
            let (word, count) = digits(number);
            assert_eq!(&word.to_le_bytes()[..count], number.to_string().as_bytes());
            assert_eq!(eight_digits(number).to_le_bytes(), format!("{number:08}").as_bytes());
        }
    }
}
