//! Values whose type knows all that there are.

use super::typed::Label;
use super::value::{Value, ValueRef};

/// A value of a label whose type knows all values there are: an enum made with [`labels!`](crate::labels), or a `bool`. All of
/// them are words, for functions that take a label of whichever type, and must not be given any text.
///
/// A number is a word by its traits too; where it is used as one, the build fails.
///
/// ```
/// use metercast_core::{ValueRef, labels, label::Word};
///
/// labels! { enum Kind { Import, Report } }
///
/// fn count(kind: impl Word) -> ValueRef<'static> {
///     kind.spelled()
/// }
/// assert_eq!(count(Kind::Report), ValueRef::from("report"));
/// ```
/// ```compile_fail,E0080
/// use metercast_core::label::Word;
///
/// 17_u64.spelled();
/// ```
/// ```compile_fail,E0599
/// use metercast_core::label::Word;
///
/// "any".spelled();
/// ```
pub trait Word: Copy + for<'a> Label<Value<'a> = Self> {
    /// The value, as a label has it.
    fn spelled(self) -> ValueRef<'static> {
        let values = const {
            match Self::VALUES {
                Some(values) => values,
                None => panic!("the type of this label must know its values: make it an enum with `labels!`"),
            }
        };
        values[Self::index(self)]
    }

    /// The same, to be kept.
    fn kept(self) -> Value {
        match self.spelled() {
            ValueRef::Bool(value) => Value::Bool(value),
            spelled => Value::from(spelled.to_string()),
        }
    }
}

impl<T: Copy + for<'a> Label<Value<'a> = T>> Word for T {}
