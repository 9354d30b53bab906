//! Whether two keys are one series, without an allocation for any number of labels that people give.

use metrics::{Key, Label};

/// Whether both have the same name and labels, in any order; their hashes are known to be equal.
#[inline]
pub(crate) fn same(a: &Key, b: &Key) -> bool {
    a.name() == b.name() && a.labels().len() == b.labels().len() && same_labels(a, b)
}

fn same_labels(a: &Key, b: &Key) -> bool {
    // A place in the program gives them in the same order each time.
    a.labels().eq(b.labels()) || same_in_other_order(a, b)
}

#[cold]
fn same_in_other_order(a: &Key, b: &Key) -> bool {
    let count = a.labels().len();
    if count > 64 {
        // Takes memory, to sort them.
        return a == b;
    }
    let mut taken = 0u64;
    a.labels().all(|label| {
        // Of labels with one key the first is the first of the other, for the last one counts.
        let is_free = |(at, other): &(usize, &Label)| taken & (1 << at) == 0 && other.key() == label.key();
        match b.labels().enumerate().find(is_free) {
            Some((at, other)) if other.value() == label.value() => {
                taken |= 1 << at;
                true
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(labels: &[(&'static str, &'static str)]) -> Key {
        Key::from_parts("name", labels)
    }

    #[test]
    fn labels_in_any_order_are_one_series_and_others_are_not() {
        let one = key(&[("a", "1"), ("b", "2"), ("c", "3")]);
        assert!(same(&one, &key(&[("c", "3"), ("a", "1"), ("b", "2")])));
        for other in [
            key(&[("a", "1"), ("b", "2")]),
            key(&[("a", "1"), ("b", "2"), ("c", "4")]),
            key(&[("a", "1"), ("b", "2"), ("d", "3")]),
            key(&[("a", "2"), ("b", "1"), ("c", "3")]),
            Key::from_parts("other", &[("a", "1"), ("b", "2"), ("c", "3")]),
        ] {
            assert!(!same(&one, &other), "{other}");
        }
    }

    #[test]
    fn of_a_key_that_is_given_twice_the_order_counts() {
        let (one, other) = (key(&[("a", "1"), ("a", "2")]), key(&[("a", "2"), ("a", "1")]));
        assert!(same(&one, &one) && !same(&one, &other));
        assert!(same(
            &key(&[("b", "3"), ("a", "1"), ("a", "2")]),
            &key(&[("a", "1"), ("b", "3"), ("a", "2")])
        ));
    }

    #[test]
    fn hundreds_of_labels_are_compared_too() {
        let labels = |order: &mut dyn Iterator<Item = u32>| {
            Key::from_parts("name", order.map(|at| Label::new(at.to_string(), "x")).collect::<Vec<_>>())
        };
        assert!(same(&labels(&mut (0..300)), &labels(&mut (0..300).rev())));
        assert!(!same(&labels(&mut (0..300)), &labels(&mut (1..301).rev())));
    }
}
