//! An assertion of what an exporter lets out: these metrics with these attributes, and nothing else.

use metercast_core::Store;

use crate::view::{Audit, Projection};

/// Asserts that an exporter with this projection lets exactly these metrics out of the current store, each with exactly these
/// attributes: a name as it is let out, and the keys behind it in braces. The order is of no account. A failure shows what is too
/// much, what is missing, and everything that is let out.
///
/// # Panics
///
/// If anything else is let out, or less.
///
/// ```
/// use metercast::view::{Projection, View};
/// use metercast::{assert_lets_out, testing::isolated, u64_counter};
///
/// isolated(|_| {
///     u64_counter!("logins", "Logins", 1, "user.id" => 42, "method" => "password");
///     u64_counter!("starts", "Starts", 1);
///
///     let projection = Projection::new().view(View::of("logins").drop_labels(["user.*"]));
///     assert_lets_out!(projection, ["logins{method}", "starts"]);
/// });
/// ```
#[macro_export]
macro_rules! assert_lets_out {
    ($projection:expr, $expected:expr $(,)?) => {
        $crate::testing::check_lets_out(&$projection, &$expected)
    };
}

/// What `assert_lets_out!` calls.
#[doc(hidden)]
#[track_caller]
pub fn check_lets_out<S: AsRef<str>>(projection: &Projection, expected: &[S]) {
    let audit = Audit::of(projection, &Store::current());
    let there = audit.names();
    let expected: Vec<String> = expected.iter().map(|metric| sorted(metric.as_ref())).collect();
    let missing: Vec<&String> = expected.iter().filter(|metric| !there.contains(metric)).collect();
    let surplus: Vec<&String> = there.iter().filter(|metric| !expected.contains(metric)).collect();
    if !missing.is_empty() || !surplus.is_empty() {
        panic!("expected other metrics\nmissing: {missing:?}\ntoo much: {surplus:?}\nlet out is:\n{audit}");
    }
}

/// A name with its attributes in their order.
fn sorted(metric: &str) -> String {
    let Some((name, keys)) = metric.strip_suffix('}').and_then(|metric| metric.split_once('{')) else {
        return metric.to_owned();
    };
    let mut keys: Vec<&str> = keys.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
    keys.sort_unstable();
    if keys.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", keys.join(",")) }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use metercast_core::{metrics, u64_counter};

    use super::*;
    use crate::testing::isolated;
    use crate::view::{Filter, View, Visibilities};

    metrics! {
        /// Sold, for the vendor only.
        static SOLD: Counter<u64> = "audit.sold" { visibility: private, labels: { item: &str, user: &str } };
    }

    #[test]
    fn what_is_let_out_is_known_to_the_last_attribute() {
        isolated(|_| {
            SOLD.add(1, ("shoe", "kim"));
            u64_counter!("audit.seen", "Seen", 1, "page" => 3);
            crate::assert_lets_out!(Projection::new(), ["audit.seen{page}"]);
            let vendor = Projection::new()
                .filter(Filter::new().visibility(Visibilities::Both))
                .view(View::of("audit.sold").drop_labels(["user"]).rename_label("item", "product"));
            crate::assert_lets_out!(vendor, ["audit.sold{ product }", "audit.seen{page}"]);
        });
    }

    #[test]
    fn a_failure_shows_what_is_missing_what_is_too_much_and_everything() {
        let message = isolated(|_| {
            SOLD.add(1, ("shoe", "kim"));
            u64_counter!("audit.seen", "Seen", 1, "page" => 3);
            let all = Projection::new().filter(Filter::new().visibility(Visibilities::Both));
            let panic = catch_unwind(|| check_lets_out(&all, &["audit.seen", "audit.sold{user,item}"]));
            *panic.unwrap_err().downcast::<String>().unwrap()
        });
        let expected = [
            "missing: [\"audit.seen\"]",
            "too much: [\"audit.seen{page}\"]",
            "audit.sold  audit.sold  counter  -     private     item, user  Sold, for the vendor only.",
        ];
        for expected in expected {
            assert!(message.contains(expected), "{expected}: {message}");
        }
    }
}
