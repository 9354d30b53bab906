//! What an operation shows of itself at a moment.

use metercast_core::{Value, ValueRef};

use super::selector::Selection;

/// What selectors look at in one moment of an operation: the parts of a request, the head of an answer, an error.
///
/// ```
/// use metercast::dynamic::{Found, Selection, Source};
///
/// struct Answer { status: u16 }
///
/// impl Source for Answer {
///     fn find<'a>(&'a self, selection: &'a Selection) -> Found<'a> {
///         match selection.name() {
///             "response_status" => self.status.into(),
///             _ => Found::Nothing,
///         }
///     }
/// }
/// ```
pub trait Source {
    /// The value that this selector of the stage has here. It is asked in those moments alone that the selector was declared
    /// for, and must neither block nor panic.
    fn find<'a>(&'a self, selection: &'a Selection) -> Found<'a>;
}

/// A moment that shows nothing.
impl Source for () {
    fn find<'a>(&'a self, _: &'a Selection) -> Found<'a> {
        Found::Nothing
    }
}

/// What a selector finds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Found<'a> {
    /// No value here; a later moment may have one.
    Nothing,
    /// A value that is there.
    Borrowed(ValueRef<'a>),
    /// A value that was made.
    Owned(Value),
}

impl Found<'_> {
    pub(super) fn into_value(self) -> Option<Value> {
        match self {
            Found::Nothing => None,
            Found::Borrowed(value) => value.to_value(),
            Found::Owned(value) => Some(value),
        }
    }
}

impl<'a> From<ValueRef<'a>> for Found<'a> {
    fn from(value: ValueRef<'a>) -> Found<'a> {
        Found::Borrowed(value)
    }
}

impl<'a> From<&'a str> for Found<'a> {
    fn from(text: &'a str) -> Found<'a> {
        Found::Borrowed(ValueRef::String(text))
    }
}

impl From<Value> for Found<'_> {
    fn from(value: Value) -> Self {
        Found::Owned(value)
    }
}

impl<'a, T: Into<Found<'a>>> From<Option<T>> for Found<'a> {
    fn from(value: Option<T>) -> Found<'a> {
        value.map_or(Found::Nothing, Into::into)
    }
}

macro_rules! owned_values {
    ($($t:ty),*) => { $(
        impl From<$t> for Found<'_> {
            fn from(value: $t) -> Self { Found::Owned(value.into()) }
        }
    )* };
}

owned_values!(String, bool, f64, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
