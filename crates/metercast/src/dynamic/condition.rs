//! Conditions: what must hold of an operation for an instrument to record. While not all is known, they are undetermined.

use std::cmp::Ordering;

use metercast_core::Value;

/// A condition over operands: as a configuration has them, or the numbers of slots in a plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition<T> {
    Always(bool),
    Exists(T),
    Equal(T, T),
    Greater(T, T),
    Less(T, T),
    All(Vec<Condition<T>>),
    Any(Vec<Condition<T>>),
    Not(Box<Condition<T>>),
}

impl<T> Condition<T> {
    /// The same over other operands.
    pub(crate) fn map<U>(&self, f: &mut impl FnMut(&T) -> U) -> Condition<U> {
        match self {
            Condition::Always(holds) => Condition::Always(*holds),
            Condition::Exists(term) => Condition::Exists(f(term)),
            Condition::Equal(a, b) => Condition::Equal(f(a), f(b)),
            Condition::Greater(a, b) => Condition::Greater(f(a), f(b)),
            Condition::Less(a, b) => Condition::Less(f(a), f(b)),
            Condition::All(all) => Condition::All(all.iter().map(|one| one.map(f)).collect()),
            Condition::Any(any) => Condition::Any(any.iter().map(|one| one.map(f)).collect()),
            Condition::Not(inner) => Condition::Not(Box::new(inner.map(f))),
        }
    }
}

/// What is known of something that may be asked before its time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known<T> {
    /// It may still come.
    NotYet,
    /// It does not come any more.
    Missing,
    There(T),
}

/// The operand of a condition in a plan.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Constant(Value),
    Slot(usize),
    /// There never is a value.
    Nothing,
}

impl Condition<Term> {
    /// Whether it holds; `None` as long as what is not known yet decides (Kleene's logic). What is missing is equal to
    /// nothing, and neither more nor less.
    pub(super) fn holds(&self, slots: &[Known<Value>]) -> Option<bool> {
        match self {
            Condition::Always(holds) => Some(*holds),
            Condition::Exists(term) => match looked_up(term, slots) {
                Known::NotYet => None,
                Known::Missing => Some(false),
                Known::There(_) => Some(true),
            },
            Condition::Equal(a, b) => compared(a, b, slots, equal),
            Condition::Greater(a, b) => compared(a, b, slots, |a, b| order(a, b) == Some(Ordering::Greater)),
            Condition::Less(a, b) => compared(a, b, slots, |a, b| order(a, b) == Some(Ordering::Less)),
            Condition::All(all) => all
                .iter()
                .try_fold(true, |so_far, one| match (so_far, one.holds(slots)) {
                    (_, Some(false)) => Err(false),
                    (true, Some(true)) => Ok(true),
                    _ => Ok(false),
                })
                .map_or_else(Some, |is_known| is_known.then_some(true)),
            Condition::Any(any) => any
                .iter()
                .try_fold(true, |so_far, one| match (so_far, one.holds(slots)) {
                    (_, Some(true)) => Err(true),
                    (true, Some(false)) => Ok(true),
                    _ => Ok(false),
                })
                .map_or_else(Some, |is_known| is_known.then_some(false)),
            Condition::Not(inner) => inner.holds(slots).map(|holds| !holds),
        }
    }
}

fn looked_up<'v>(term: &'v Term, slots: &'v [Known<Value>]) -> Known<&'v Value> {
    match term {
        Term::Constant(value) => Known::There(value),
        Term::Nothing => Known::Missing,
        Term::Slot(slot) => match slots.get(*slot) {
            Some(Known::There(value)) => Known::There(value),
            Some(Known::NotYet) => Known::NotYet,
            _ => Known::Missing,
        },
    }
}

fn compared(
    a: &Term,
    b: &Term,
    slots: &[Known<Value>],
    holds: impl Fn(&Value, &Value) -> bool,
) -> Option<bool> {
    match (looked_up(a, slots), looked_up(b, slots)) {
        (Known::Missing, _) | (_, Known::Missing) => Some(false),
        (Known::NotYet, _) | (_, Known::NotYet) => None,
        (Known::There(a), Known::There(b)) => Some(holds(a, b)),
    }
}

/// Texts by their letters, so that no id is taken for another; a number and a text that says one by size.
fn equal(a: &Value, b: &Value) -> bool {
    let are_texts = matches!((a, b), (Value::String(_), Value::String(_)));
    a == b || (!are_texts && order(a, b) == Some(Ordering::Equal))
}

/// Numbers by size, also such that stand in texts; other texts by their letters; others not at all.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    // Not by way of doubles, which have not all of them.
    if let (Some(a), Some(b)) = (whole(a), whole(b)) {
        return Some(a.cmp(&b));
    }
    match (a, b) {
        (Value::String(a), Value::String(b)) => match (parsed(a), parsed(b)) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => Some(a.cmp(b)),
        },
        _ => number(a)?.partial_cmp(&number(b)?),
    }
}

/// The whole number that a value is, or that its text says.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::I64(number) => Some((*number).into()),
        Value::U64(number) => Some((*number).into()),
        _ => None,
    }
}

/// The number that a value is, or that its text says; no infinity and nothing that is no number.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => parsed(text),
        Value::I64(number) => Some(*number as f64),
        Value::U64(number) => Some(*number as f64),
        Value::F64(number) => Some(*number),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

fn parsed(text: &str) -> Option<f64> {
    let text = text.trim();
    // Words such as `inf` and `nan` are texts.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if is_number && text.len() <= 64 { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: [Known<Value>; 3] = [Known::NotYet, Known::Missing, Known::There(Value::I64(5))];

    fn constant(value: impl Into<Value>) -> Term {
        Term::Constant(value.into())
    }

    #[test]
    fn what_is_not_known_decides_only_where_it_matters() {
        let (yes, no) = (|| Condition::Always(true), || Condition::Always(false));
        let open = || Condition::Exists(Term::Slot(0));
        let cases = [
            (Condition::All(vec![yes(), open()]), None),
            (Condition::All(vec![open(), no()]), Some(false)),
            (Condition::All(vec![]), Some(true)),
            (Condition::Any(vec![open(), yes()]), Some(true)),
            (Condition::Any(vec![no(), open()]), None),
            (Condition::Any(vec![]), Some(false)),
            (Condition::Not(Box::new(open())), None),
            (Condition::Not(Box::new(no())), Some(true)),
        ];
        for (condition, holds) in cases {
            assert_eq!(condition.holds(&NOTHING), holds, "{condition:?}");
        }
    }

    #[test]
    fn what_is_missing_is_equal_to_nothing() {
        let compared = [
            Condition::Equal(Term::Slot(1), constant(1)),
            Condition::Equal(Term::Slot(1), Term::Slot(0)),
            Condition::Greater(Term::Slot(1), constant(0)),
            Condition::Less(constant(0), Term::Slot(1)),
            Condition::Exists(Term::Slot(1)),
        ];
        for condition in compared {
            assert_eq!(condition.holds(&NOTHING), Some(false), "{condition:?}");
        }
    }

    #[test]
    fn texts_are_equal_if_their_letters_are() {
        for (a, b) in
            [("7", "007"), ("1.0", "1"), ("1e400", "1e500"), ("9007199254740993", "9007199254740992")]
        {
            let condition = Condition::Equal(constant(a), constant(b));
            assert_eq!(condition.holds(&NOTHING), Some(false), "{a} and {b}");
        }
        assert_eq!(Condition::Equal(constant("a"), constant("a")).holds(&NOTHING), Some(true));
        assert_eq!(
            Condition::Equal(constant(7), constant("007")).holds(&NOTHING),
            Some(true),
            "a number is one"
        );
    }

    #[test]
    fn numbers_are_compared_by_size_whatever_they_are_written_as() {
        let cases = [
            (constant(5), constant("5"), Some(Ordering::Equal)),
            (constant("10"), constant("9"), Some(Ordering::Greater)),
            (constant(5.5), constant(5), Some(Ordering::Greater)),
            (constant("a"), constant("b"), Some(Ordering::Less)),
            (constant("a"), constant(1), None),
            (constant(true), constant(1), None),
            (constant("nan"), constant("nan"), Some(Ordering::Equal)),
            (constant(i64::MAX), constant(i64::MAX - 1), Some(Ordering::Greater)),
            (constant(i64::MAX), constant((i64::MAX - 1).to_string()), Some(Ordering::Greater)),
            (constant(u64::MAX.to_string()), constant((u64::MAX - 1).to_string()), Some(Ordering::Greater)),
            (constant(i64::MAX), constant(i64::MAX as u64 + 1), Some(Ordering::Less)),
        ];
        for (a, b, expected) in cases {
            let (Term::Constant(a), Term::Constant(b)) = (&a, &b) else { panic!("constants") };
            assert_eq!(order(a, b), expected, "{a} and {b}");
        }
        assert_eq!(number(&Value::from("inf")), None);
        assert_eq!(number(&Value::from(" 7 ")), Some(7.0));
    }
}
