//! When an operation can be looked at: as it begins, at its answer, at each event, at an error, at its end.

use std::fmt;

/// A moment of an operation.
///
/// Request, response, error and end come at most once; events and fields come as often as there are some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Moment {
    /// It begins.
    Request,
    /// The head of its answer is there.
    Response,
    /// A part of its answer, such as a frame of a body or a message of a stream.
    Event,
    /// A part of what it is about, such as a field of a query.
    Field,
    /// It failed: there is no more to come.
    Error,
    /// It is over, however that came.
    End,
}

impl Moment {
    /// All of them, in the order in which they come.
    pub const ALL: [Moment; 6] =
        [Moment::Request, Moment::Response, Moment::Event, Moment::Field, Moment::Error, Moment::End];

    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Whether it may come more than once.
    pub(super) const fn is_repeated(self) -> bool {
        matches!(self, Moment::Event | Moment::Field)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Moment::Request => "request",
            Moment::Response => "response",
            Moment::Event => "event",
            Moment::Field => "field",
            Moment::Error => "error",
            Moment::End => "end",
        })
    }
}

/// Some moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Moments(u8);

impl Moments {
    pub(super) fn of(moments: &[Moment]) -> Moments {
        Moments(moments.iter().fold(0, |all, moment| all | moment.bit()))
    }

    pub(super) const fn has(self, moment: Moment) -> bool {
        self.0 & moment.bit() != 0
    }

    /// Whether one of them may come more than once.
    pub(super) const fn is_repeated(self) -> bool {
        self.has(Moment::Event) || self.has(Moment::Field)
    }

    /// Whether none of them comes after this one, of those that come once.
    pub(super) fn end_with(self, moment: Moment) -> bool {
        !self.is_repeated() && Moment::ALL.iter().all(|later| *later <= moment || !self.has(*later))
    }

    /// In words: `request or response`.
    pub(super) fn shown(self) -> String {
        let names: Vec<String> =
            Moment::ALL.iter().filter(|moment| self.has(**moment)).map(Moment::to_string).collect();
        names.join(" or ")
    }
}
