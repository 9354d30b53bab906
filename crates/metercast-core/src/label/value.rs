//! The value of a label: text, truth or number, owned or borrowed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The value of a label.
///
/// Equality is exact: `1` and `"1"` are different values, and so are two doubles with different bits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value {
    /// Text.
    String(Cow<'static, str>),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    I64(i64),
    /// A whole number above `i64::MAX`; smaller ones are `I64`.
    U64(u64),
    /// A double.
    F64(f64),
}

/// A borrowed [`Value`]: what a recording holds while it looks its series up.
///
/// ```
/// use metercast_core::ValueRef;
///
/// assert_eq!(ValueRef::from("query"), ValueRef::String("query"));
/// assert_eq!(ValueRef::from(404u64), ValueRef::I64(404), "whole numbers are one type where they can be");
/// assert_eq!(ValueRef::from(&None::<bool>), ValueRef::Absent);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// Text.
    String(&'a str),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    I64(i64),
    /// A whole number above `i64::MAX`; smaller ones are `I64`, which is why it is made with `from`.
    #[non_exhaustive]
    U64(u64),
    /// A double.
    F64(f64),
    /// No value: the label is left out.
    Absent,
}

/// A label as a recording gives it: a key and a value.
pub type LabelRef<'a> = (&'a str, ValueRef<'a>);

impl Value {
    /// What a call site would record for `value`; `None` if that is no label at all.
    pub fn of(value: &(impl AsLabel + ?Sized)) -> Option<Value> {
        value.as_label().to_value()
    }

    pub(crate) fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::String(text) => ValueRef::String(text),
            Value::Bool(value) => ValueRef::Bool(*value),
            Value::I64(value) => ValueRef::I64(*value),
            Value::U64(value) => ValueRef::U64(*value),
            Value::F64(value) => ValueRef::F64(*value),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.as_ref() {
            ValueRef::String(text) => (0u8, text).hash(state),
            ValueRef::Bool(value) => (1u8, value).hash(state),
            ValueRef::I64(value) => (2u8, value).hash(state),
            ValueRef::F64(value) => (3u8, value.to_bits()).hash(state),
            ValueRef::U64(value) => (4u8, value).hash(state),
            ValueRef::Absent => 5u8.hash(state),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    /// Text in code point order, numbers by size; between types text, truth, whole, double.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.as_ref(), other.as_ref()) {
            (ValueRef::String(a), ValueRef::String(b)) => a.cmp(b),
            (ValueRef::Bool(a), ValueRef::Bool(b)) => a.cmp(&b),
            (ValueRef::I64(a), ValueRef::I64(b)) => a.cmp(&b),
            (ValueRef::U64(a), ValueRef::U64(b)) => a.cmp(&b),
            (ValueRef::F64(a), ValueRef::F64(b)) => a.total_cmp(&b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl ValueRef<'_> {
    /// The same, owned; `None` if there is no value.
    pub fn to_value(self) -> Option<Value> {
        Some(match self {
            ValueRef::String(text) => Value::String(Cow::Owned(text.to_owned())),
            ValueRef::Bool(value) => Value::Bool(value),
            ValueRef::I64(value) => Value::I64(value),
            ValueRef::U64(value) => Value::U64(value),
            ValueRef::F64(value) => Value::F64(value),
            ValueRef::Absent => return None,
        })
    }

    pub(crate) fn is_absent(self) -> bool {
        matches!(self, ValueRef::Absent)
    }

    fn rank(&self) -> u8 {
        match self {
            ValueRef::String(_) => 0,
            ValueRef::Bool(_) => 1,
            ValueRef::I64(_) => 2,
            ValueRef::U64(_) => 3,
            ValueRef::F64(_) => 4,
            ValueRef::Absent => 5,
        }
    }
}

impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (ValueRef::String(a), ValueRef::String(b)) => a == b,
            (ValueRef::Bool(a), ValueRef::Bool(b)) => a == b,
            (ValueRef::I64(a), ValueRef::I64(b)) => a == b,
            (ValueRef::U64(a), ValueRef::U64(b)) => a == b,
            (ValueRef::F64(a), ValueRef::F64(b)) => a.to_bits() == b.to_bits(),
            (ValueRef::Absent, ValueRef::Absent) => true,
            _ => false,
        }
    }
}

impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueRef::String(text) => f.write_str(text),
            ValueRef::Bool(value) => value.fmt(f),
            ValueRef::I64(value) => value.fmt(f),
            ValueRef::U64(value) => value.fmt(f),
            ValueRef::F64(value) => value.fmt(f),
            ValueRef::Absent => Ok(()),
        }
    }
}

impl<'a, T> From<&'a T> for ValueRef<'a>
where
    T: AsLabel + ?Sized,
{
    fn from(value: &'a T) -> Self {
        value.as_label()
    }
}

macro_rules! copied_values {
    ($($t:ty),*) => { $(
        impl From<$t> for ValueRef<'_> {
            #[inline]
            fn from(value: $t) -> Self {
                match value.as_label() {
                    ValueRef::Bool(value) => ValueRef::Bool(value),
                    ValueRef::I64(value) => ValueRef::I64(value),
                    ValueRef::U64(value) => ValueRef::U64(value),
                    ValueRef::F64(value) => ValueRef::F64(value),
                    ValueRef::String(_) | ValueRef::Absent => ValueRef::Absent,
                }
            }
        }
    )* };
}

copied_values!(bool, f32, f64, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

/// What the call-site macros take as the value of a label.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a label value",
    note = "a label value is text (&str, String, Cow<str>), bool, an integer, a float, a `labels!` enum, or what `of` of another `labels!` type gives"
)]
pub trait AsLabel {
    /// The value, borrowed.
    #[doc(hidden)]
    fn as_label(&self) -> ValueRef<'_>;
}

impl AsLabel for str {
    fn as_label(&self) -> ValueRef<'_> {
        ValueRef::String(self)
    }
}

impl AsLabel for String {
    fn as_label(&self) -> ValueRef<'_> {
        ValueRef::String(self)
    }
}

impl AsLabel for Cow<'_, str> {
    fn as_label(&self) -> ValueRef<'_> {
        ValueRef::String(self)
    }
}

impl AsLabel for Value {
    fn as_label(&self) -> ValueRef<'_> {
        self.as_ref()
    }
}

impl<T: AsLabel + ?Sized> AsLabel for &T {
    fn as_label(&self) -> ValueRef<'_> {
        (**self).as_label()
    }
}

impl<T: AsLabel> AsLabel for Option<T> {
    /// `None` leaves the label out.
    fn as_label(&self) -> ValueRef<'_> {
        self.as_ref().map_or(ValueRef::Absent, AsLabel::as_label)
    }
}

impl AsLabel for bool {
    fn as_label(&self) -> ValueRef<'_> {
        ValueRef::Bool(*self)
    }
}

impl AsLabel for f64 {
    fn as_label(&self) -> ValueRef<'_> {
        ValueRef::F64(*self)
    }
}

impl AsLabel for f32 {
    fn as_label(&self) -> ValueRef<'_> {
        ValueRef::F64(f64::from(*self))
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Value::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(Cow::Owned(text))
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(text: Cow<'static, str>) -> Self {
        Value::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::F64(value)
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Self {
        Value::F64(f64::from(value))
    }
}

macro_rules! whole_values {
    ($($t:ty),*) => { $(
        impl AsLabel for $t {
            fn as_label(&self) -> ValueRef<'_> {
                i64::try_from(*self).map_or(ValueRef::U64(*self as u64), ValueRef::I64)
            }
        }
        impl From<$t> for Value {
            fn from(value: $t) -> Self { i64::try_from(value).map_or(Value::U64(value as u64), Value::I64) }
        }
    )* };
}

whole_values!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
