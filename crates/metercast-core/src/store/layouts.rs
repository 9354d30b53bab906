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
    /// Those that are left when there are no more numbers, under the last of them.
    spare: [OnceLock<&'static Layout>; SPARES],
}

/// One for each unit and one for summaries: see [`Layout::spare`].
const SPARES: usize = 3;
const FIRST_SPARE: u32 = CellWord::MOST_LAYOUTS - SPARES as u32;

impl Layouts {
    pub(super) const fn new() -> Layouts {
        Layouts {
            first: [const { OnceLock::new() }; 8],
            others: Blocks::new(),
            spare: [const { OnceLock::new() }; SPARES],
        }
    }

    #[inline(always)]
    pub(super) fn get(&self, number: u32) -> &'static Layout {
        self.get_among_first(number).unwrap_or_else(|| self.get_other(number))
    }

    #[inline(always)]
    pub(super) fn get_among_first(&self, number: u32) -> Option<&'static Layout> {
        self.first.get(number as usize).and_then(OnceLock::get).copied()
    }

    /// Out of line, so that the way to the first ones stays short.
    #[inline(never)]
    fn get_other(&self, number: u32) -> &'static Layout {
        let layout = match number.checked_sub(FIRST_SPARE) {
            Some(spare) => self.spare.get(spare as usize).and_then(OnceLock::get),
            None => number.checked_sub(self.first.len() as u32).and_then(|other| self.others.get(other)),
        };
        layout.copied().unwrap_or_else(Layout::fallback)
    }

    /// The number of these buckets; `None` with more than a line can tell apart. One at a time calls this.
    pub(super) fn number_of(&self, layout: &'static Layout) -> Option<u16> {
        let first = self.first.len() as u32;
        let is = |there: Option<&&'static Layout>| there.is_some_and(|there| std::ptr::eq(*there, layout));
        // Where readers have wanted many, it is one of the last.
        let others = || (0..self.others.len()).rev().find(|at| is(self.others.get(*at)));
        let place = self.first.iter().position(|place| std::ptr::eq(*place.get_or_init(|| layout), layout));
        let number = place.map(|place| place as u32).or_else(|| others().map(|at| first + at));
        if number.is_none() && first + self.others.len() >= FIRST_SPARE {
            return None;
        }
        let number = number.or_else(|| self.others.push(layout).map(|at| first + at));
        number.map(|number| number as u16)
    }

    /// The number of these buckets, which are among those that there is always one for. One at a time calls this.
    pub(super) fn number_of_spare(&self, layout: &'static Layout) -> Option<u16> {
        let place = self.spare.iter().position(|place| std::ptr::eq(*place.get_or_init(|| layout), layout));
        place.map(|place| (FIRST_SPARE as usize + place) as u16)
    }

    /// Gives all numbers away.
    #[cfg(test)]
    pub(super) fn use_up(&self) {
        for place in &self.first {
            place.get_or_init(Layout::fallback);
        }
        while self.first.len() as u32 + self.others.len() < FIRST_SPARE {
            self.others.push(Layout::fallback());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Kind;

    #[test]
    fn each_layout_has_one_number_of_which_there_are_so_many() {
        let layouts = Layouts::new();
        let of = |at: u32| Layout::of(&[f64::from(at)]).unwrap();
        for round in 0..2 {
            for at in 0..100 {
                assert_eq!(layouts.number_of(of(at)), Some(at as u16), "in round {round}");
                assert!(std::ptr::eq(layouts.get(at), of(at)));
            }
        }
        layouts.use_up();
        assert_eq!((layouts.number_of(of(99)), layouts.number_of(of(100))), (Some(99), None));
        let spare = ["s", "", "By"].map(|unit| Layout::spare(Kind::Histogram, unit));
        for layout in spare.into_iter().chain([Layout::spare(Kind::Summary, "s")]) {
            let number = layouts.number_of_spare(layout).unwrap();
            assert!(number >= 100 && std::ptr::eq(layouts.get(number.into()), layout));
            assert_eq!(layouts.number_of_spare(layout), Some(number));
        }
        assert!(std::ptr::eq(layouts.get(u32::from(u16::MAX)), Layout::fallback()), "there is none");
    }
}
