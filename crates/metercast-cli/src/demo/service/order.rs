//! Orders, and the words that describe them: in requests, in answers and as labels.

use metercast_tower::labels;
use serde::{Deserialize, Serialize};

labels! {
    /// The side of an order.
    #[derive(PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub(crate) enum Side { Buy, Sell }

    /// The market that an order goes to.
    #[derive(PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub(crate) enum Region { Eu, Us, Apac }

    /// Why an order was refused.
    #[derive(PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub(crate) enum Refusal { CreditLimit, MarketClosed, InvalidAmount }
}

/// What a customer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewOrder {
    pub(crate) account: u32,
    pub(crate) side: Side,
    pub(crate) region: Region,
    /// In cents: whole numbers add up exactly, in any order.
    pub(crate) amount: i64,
}

/// An order that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: i64,
    #[serde(flatten)]
    pub(crate) what: NewOrder,
    pub(crate) status: Status,
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Accepted; its amount counts against the credit of its account.
    Open,
    /// In the queue of the settlement.
    Queued,
    /// Done.
    Settled,
}

/// What became of a request, as far as the business is concerned. The answer says so, and the metrics count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An order was accepted.
    Placed(NewOrder),
    /// An order was refused.
    Refused(Refusal),
    /// An order will be settled.
    Queued(NewOrder),
}
