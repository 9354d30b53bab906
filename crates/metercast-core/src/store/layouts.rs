//! Which layouts the distributions of a store have, each with a number that a line can hold.

use std::sync::OnceLock;

use super::blocks::Blocks;
use super::layout::Layout;
use super::line::CellWord;

/// The buckets that the histograms of a store have, each with a number.
pub(super) struct Layouts {
    /// Those of most stores: found in one step.
    first: [OnceLock<&'static Layout>; 8],
    others: Blocks<&'static Layout>,
}

impl Layouts {
    pub(super) const fn new() -> Layouts {
        Layouts { first: [const { OnceLock::new() }; 8], others: Blocks::new() }
    }

    #[inline(always)]
    pub(super) fn get(&self, number: u32) -> &'static Layout {
        let layout = match self.first.get(number as usize) {
            Some(first) => first.get(),
            None => self.others.get(number - self.first.len() as u32),
        };
        layout.copied().unwrap_or_else(Layout::fallback)
    }

    /// The number of these buckets; `None` with more than a line can tell apart. One at a time calls this.
    pub(super) fn number_of(&self, layout: &'static Layout) -> Option<u16> {
        for number in 0..CellWord::MOST_LAYOUTS {
            let there = match self.first.get(number as usize) {
                Some(first) => *first.get_or_init(|| layout),
                None if number - self.first.len() as u32 == self.others.len() => {
                    if self.others.push(layout).is_none() {
                        break;
                    }
                    layout
                }
                None => self.get(number),
            };
            if std::ptr::eq(there, layout) {
                return Some(number as u16);
            }
        }
        None
    }
}
