//! Series that somebody holds: a guard, a timer, a handle.

use crate::local;
use crate::number::Number;
use crate::store::exemplars::Of;
use crate::store::layout::Layout;
use crate::store::line::CellWord;

/// A dynamic series that is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub(crate) cell: CellWord,
    /// Its line, unless it is the overflow series, which is never removed.
    pub(crate) number: Option<u32>,
}

/// A histogram that is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distribution {
    pub(crate) slot: u32,
    pub(crate) number: Option<u32>,
    pub(crate) layout: &'static Layout,
}

impl Distribution {
    /// Records a value in the current store.
    #[inline(always)]
    pub(crate) fn record(self, value: f64) {
        local::record_held(self.slot, self.layout, value);
    }

    /// Records a value in the current store, which may become an exemplar.
    pub(crate) fn sample(self, value: f64) {
        self.record(value);
        local::with_store(|store| {
            // It is held, so its line stays its own.
            if store.takes_exemplars()
                && let Some(side) = self.number.and_then(|number| store.dictionary.side(number))
            {
                let of = Of { slot: self.slot, started: side.started() };
                store.sample_distribution(of, self.layout, value);
            }
        });
    }

    /// Lets the series be removed again, in the current store.
    pub(crate) fn let_go(self) {
        let_go(self.number);
    }
}

fn let_go(number: Option<u32>) {
    local::with_store(|store| {
        if let Some(side) = number.and_then(|number| store.dictionary.side(number)) {
            side.let_go();
        }
    });
}

/// The counter or up-down cell that a guard or a handle goes back to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held {
    Fixed(u32),
    Series(Hold),
    /// Recording was off, or the definition is not valid.
    Nothing,
}

impl Held {
    /// Itself, unless it is nothing.
    pub(crate) fn there(self) -> Option<Held> {
        match self {
            Held::Nothing => None,
            held => Some(held),
        }
    }

    /// Adds to the ups (word 0) or downs (word 1) in the current store.
    pub(crate) fn add<N: Number>(self, word: u32, size: N) {
        match self {
            Held::Fixed(slot) => {
                if !local::add_fixed(slot + word, size) {
                    local::map_and_add_fixed(slot + word, size);
                }
            }
            Held::Series(hold) => local::add_held(hold.cell.slot() + word, size),
            Held::Nothing => {}
        }
    }

    /// Lets the series be removed again, in the current store.
    pub(crate) fn let_go(self) {
        if let Held::Series(hold) = self {
            let_go(hold.number);
        }
    }
}
