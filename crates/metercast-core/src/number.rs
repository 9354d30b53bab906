//! The number types that an instrument can hold, each as the 64 bits of one cell.

use std::fmt;
use std::time::Duration;

use crate::unit::per_second;

/// Which number an instrument holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumberType {
    /// Whole, never negative; wraps at 2^64.
    U64,
    /// Whole; wraps at 2^63.
    I64,
    /// IEEE 754 double precision.
    F64,
}

/// As Rust spells the type: `u64`.
impl fmt::Display for NumberType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NumberType::U64 => "u64",
            NumberType::I64 => "i64",
            NumberType::F64 => "f64",
        })
    }
}

impl NumberType {
    /// The sum of two numbers of this type, as the bits of cells.
    pub(crate) fn plus(self, a: u64, b: u64) -> u64 {
        match self {
            NumberType::F64 => (f64::from_bits(a) + f64::from_bits(b)).to_bits(),
            NumberType::U64 | NumberType::I64 => a.wrapping_add(b),
        }
    }
}

/// A number that an instrument can hold: `u64`, `i64` or `f64`. Sealed.
pub trait Number: Copy + PartialEq + PartialOrd + sealed::Cell {
    /// Which of the three it is.
    const TYPE: NumberType;
}

/// What a cell needs of its number; sealed so that the set can grow without breaking anybody.
pub(crate) mod sealed {
    /// The 64 bits of a number and the arithmetic on them.
    pub trait Cell: Copy {
        /// The additive zero.
        const ZERO: Self;
        /// As the 64 bits of a cell.
        fn bits(self) -> u64;
        /// From the 64 bits of a cell.
        fn from_bits(bits: u64) -> Self;
        /// The sum; integers wrap.
        fn plus(self, other: Self) -> Self;
        /// Whether it can be recorded at all: neither NaN nor infinite.
        fn is_sound(self) -> bool;
        /// Whether it is below zero.
        fn is_negative(self) -> bool;
        /// Its size without the sign, in the representation that up-down cells keep.
        fn magnitude(self) -> Self;
        /// `ups - downs` of an up-down cell.
        fn minus(self, other: Self) -> Self;
        /// As a double, for histograms.
        fn to_f64(self) -> f64;
    }
}

impl Number for u64 {
    const TYPE: NumberType = NumberType::U64;
}

impl sealed::Cell for u64 {
    const ZERO: Self = 0;
    #[inline(always)]
    fn bits(self) -> u64 {
        self
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        bits
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn is_sound(self) -> bool {
        true
    }
    #[inline(always)]
    fn is_negative(self) -> bool {
        false
    }
    fn magnitude(self) -> Self {
        self
    }
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Number for i64 {
    const TYPE: NumberType = NumberType::I64;
}

impl sealed::Cell for i64 {
    const ZERO: Self = 0;
    #[inline(always)]
    fn bits(self) -> u64 {
        self as u64
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        bits as i64
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn is_sound(self) -> bool {
        true
    }
    #[inline(always)]
    fn is_negative(self) -> bool {
        self < 0
    }
    #[inline(always)]
    fn magnitude(self) -> Self {
        // i64::MIN keeps its bits, which as an unsigned magnitude are exactly 2^63.
        self.wrapping_abs()
    }
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Number for f64 {
    const TYPE: NumberType = NumberType::F64;
}

impl sealed::Cell for f64 {
    const ZERO: Self = 0.0;
    #[inline(always)]
    fn bits(self) -> u64 {
        self.to_bits()
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        f64::from_bits(bits)
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }
    #[inline(always)]
    fn is_sound(self) -> bool {
        self.is_finite()
    }
    #[inline(always)]
    fn is_negative(self) -> bool {
        self < 0.0
    }
    #[inline(always)]
    fn magnitude(self) -> Self {
        self.abs()
    }
    fn minus(self, other: Self) -> Self {
        self - other
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

/// What a call-site macro takes as its value, so that `1` works for every number type. `None` is a value that the
/// number type cannot hold (a negative amount for `u64`), which is dropped and counted.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of an instrument of `{N}`",
    note = "integers go into u64, i64 and f64 instruments, floats and Durations only into f64 ones"
)]
pub trait Amount<N> {
    /// The value as the instrument's number, in the instrument's unit.
    fn amount(self, unit: &str) -> Option<N>;
}

macro_rules! whole_amounts {
    ($($t:ty),*) => { $(
        impl Amount<u64> for $t {
            #[inline(always)]
            fn amount(self, _: &str) -> Option<u64> { u64::try_from(self).ok() }
        }
        impl Amount<i64> for $t {
            #[inline(always)]
            fn amount(self, _: &str) -> Option<i64> { i64::try_from(self).ok() }
        }
        impl Amount<f64> for $t {
            #[inline(always)]
            fn amount(self, _: &str) -> Option<f64> { Some(self as f64) }
        }
    )* };
}

whole_amounts!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Amount<f64> for f64 {
    #[inline(always)]
    fn amount(self, _: &str) -> Option<f64> {
        Some(self)
    }
}

impl Amount<f64> for f32 {
    #[inline(always)]
    fn amount(self, _: &str) -> Option<f64> {
        Some(f64::from(self))
    }
}

impl Amount<f64> for Duration {
    /// In the instrument's unit if that is one of time, else in seconds.
    #[inline(always)]
    fn amount(self, unit: &str) -> Option<f64> {
        Some(self.as_secs_f64() * per_second(unit))
    }
}
