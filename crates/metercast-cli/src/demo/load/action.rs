//! What a customer does next: the mix of the load.

use super::random::Random;
use crate::demo::service::{CREDIT_LIMIT, NewOrder, Region, Side};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Place this order.
    Place(NewOrder),
    /// Look at an order of one's own.
    Show,
    /// Look at an order that there is not.
    ShowUnknown,
    /// Have the oldest open order settled.
    Settle,
    /// Wait for the order that was queued last.
    Wait,
    /// Wait for an order that nobody settles, and hang up.
    HangUp,
    /// Ask for something that there is not.
    Stray(&'static str, String),
    /// Ask for something that there is with an unusual method.
    Odd(&'static str, &'static str),
    /// Ask how the service is.
    Health,
}

/// So many of 100 requests, made so.
type Share = (u64, fn(&mut Random) -> Action);

const MIX: [Share; 10] = [
    (33, |random| Action::Place(fair(random))),
    (6, |random| Action::Place(unfair(random))),
    (22, |_| Action::Show),
    (3, |_| Action::ShowUnknown),
    (20, |_| Action::Settle),
    (4, |_| Action::Wait),
    (3, |_| Action::HangUp),
    (4, |random| {
        let folder = random.one_of(&["", "admin/", "orders/17/", "wp-content/"]);
        Action::Stray(random.one_of(&["GET", "POST", "BREW"]), format!("/{folder}{:016x}", random.next()))
    }),
    (4, |random| {
        let (method, route) = random.one_of(&ODD);
        Action::Odd(method, route)
    }),
    (1, |_| Action::Health),
];

/// Methods that the service does not know or does not have there; and one that axum answers beside GET.
const ODD: [(&str, &str); 5] = [
    ("BREW", "/orders"),
    ("PROPFIND", "/orders/{id}"),
    ("DELETE", "/orders/{id}"),
    ("GET", "/orders"),
    ("HEAD", "/health"),
];

impl Action {
    /// The action of one ticket: the same in every run.
    pub(super) fn of(ticket: u64) -> Action {
        let mut random = Random::new(ticket);
        let mut at = random.below(MIX.iter().map(|(share, _)| share).sum());
        for (share, action) in MIX {
            if at < share {
                return action(&mut random);
            }
            at -= share;
        }
        Action::Health
    }
}

/// Accounts that place orders.
const ACCOUNTS: u64 = 1000;

/// An order that is accepted unless its account owes too much already: 1 to 1,250 euros, more small ones than large.
pub(super) fn fair(random: &mut Random) -> NewOrder {
    let largest = random.one_of(&[2_000, 8_000, 30_000, 125_000]);
    NewOrder {
        account: random.below(ACCOUNTS) as u32,
        side: random.one_of(&[Side::Buy, Side::Sell]),
        region: random.one_of(&[Region::Eu, Region::Us]),
        amount: 100 + random.below(largest - 99) as i64,
    }
}

/// An order that is refused.
fn unfair(random: &mut Random) -> NewOrder {
    let order = fair(random);
    match random.below(6) {
        0 => NewOrder { amount: 0, ..order },
        1 | 2 => NewOrder { region: Region::Apac, ..order },
        _ => NewOrder { amount: CREDIT_LIMIT + order.amount, ..order },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_the_same_in_every_run_and_has_everything() {
        let actions: Vec<Action> = (0..1000).map(Action::of).collect();
        assert_eq!(actions, (0..1000).map(Action::of).collect::<Vec<_>>());
        assert_eq!(MIX.iter().map(|(share, _)| share).sum::<u64>(), 100);
        let count = |is: fn(&Action) -> bool| actions.iter().filter(|action| is(action)).count();
        for (share, found) in [
            (39, count(|action| matches!(action, Action::Place(_)))),
            (22, count(|action| matches!(action, Action::Show))),
            (3, count(|action| matches!(action, Action::HangUp))),
            (4, count(|action| matches!(action, Action::Stray(..)))),
            (4, count(|action| matches!(action, Action::Odd(..)))),
        ] {
            assert!((share * 6..share * 14).contains(&found), "{found} of 1000, not about {share} of 100");
        }
    }

    #[test]
    fn an_unfair_order_breaks_a_rule() {
        let mut random = Random::new(0);
        for _ in 0..100 {
            let order = unfair(&mut random);
            assert!(
                order.amount == 0 || order.region == Region::Apac || order.amount > CREDIT_LIMIT,
                "{order:?}"
            );
            let order = fair(&mut random);
            assert!((100..=125_000).contains(&order.amount) && order.region != Region::Apac, "{order:?}");
        }
    }
}
