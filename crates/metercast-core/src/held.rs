//! Series that somebody holds: a guard, a timer, a handle.

use crate::definition::Definition;
use crate::local;
use crate::number::Number;
use crate::store::exemplars::Of;
use crate::store::line::CellWord;

/// A dynamic series that is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub(crate) cell: CellWord,
    /// Its line.
    pub(crate) number: u32,
}

/// A histogram or a summary that is held. Its cell may change meanwhile, so that only its line is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distribution {
    pub(crate) number: u32,
    pub(crate) definition: &'static Definition,
}

impl Distribution {
    /// Records a value in the current store.
    #[inline(always)]
    pub(crate) fn record(self, value: f64) {
        local::record_held(self.number, self.definition, value);
    }

    /// Records a value in the current store, which may become an exemplar.
    pub(crate) fn sample(self, value: f64) {
        self.record(value);
        local::with_store(|store| {
            // It is held, so its line stays its own.
            if store.takes_exemplars()
                && let Some(line) = store.dictionary.line(self.number)
                && let Some(side) = store.dictionary.side(self.number)
            {
                let of = Of { slot: line.cell().slot(), started: side.started() };
                store.sample_distribution(of, store.dictionary.layout(line.cell()), value);
            }
        });
    }

    /// Lets the series be removed again, in the current store.
    pub(crate) fn let_go(self) {
        let_go(self.number);
    }
}

fn let_go(number: u32) {
    local::with_store(|store| {
        if let Some(side) = store.dictionary.side(number) {
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
    #[inline(always)]
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
