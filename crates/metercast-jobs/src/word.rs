//! Values of labels that a type bounds.

use metercast_core::label::Label;
use metercast_core::{Value, ValueRef};

/// A value of a label whose type knows all values there are: an enum made with [`labels!`](metercast_core::labels), or a `bool`. It is
/// implemented for all of them.
///
/// A type that may have any value, such as a number, is a word by its traits, and fails the build where it is given.
///
/// ```compile_fail,E0080
/// # let jobs = metercast_jobs::JobMetrics::prefixed("shop").build().unwrap();
/// jobs.with("tenant", 17_u64).created();
/// ```
pub trait Word: Copy + for<'a> Label<Value<'a> = Self> {}

impl<L: Copy + for<'a> Label<Value<'a> = L>> Word for L {}

/// How a word is spelled as a label.
pub(crate) fn spell<W: Word>(word: W) -> ValueRef<'static> {
    let values = const {
        match W::VALUES {
            Some(values) => values,
            None => panic!("the type of a label must know its values: make it an enum with `labels!`"),
        }
    };
    values[W::index(word)]
}

/// The same, to be kept as the value of a label.
pub(crate) fn keep(word: impl Word) -> Value {
    match spell(word) {
        ValueRef::Bool(value) => Value::from(value),
        spelled => Value::from(spelled.to_string()),
    }
}
