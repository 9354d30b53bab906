//! The history of series that somebody looks at by their labels, from then on: of metrics there is one from the start, of each series
//! there is no room for one.

use std::sync::Arc;

use metercast_core::Definition;
use metercast_core::reading::FamilyView;

use super::Name;
use super::amount::{Amount, lines_of};
use super::metric::{Metric, Room, Times};
use crate::live::selected::Selected;

/// How many choices of series are followed at once. Each is looked for at each reading.
const FOLLOWED: usize = 16;

/// Those that are followed; what was asked for last stands last.
#[derive(Debug, Default)]
pub(super) struct Followed(Vec<One>);

#[derive(Debug)]
struct One {
    name: Name,
    selected: Selected,
    /// What they come to together.
    metric: Metric,
    was_read: bool,
}

impl Followed {
    /// Follows these from the next reading on. Whoever was not asked for the longest time makes room.
    pub(super) fn follow(
        &mut self,
        name: &Name,
        selected: &Selected,
        definition: &Arc<Definition>,
        room: &mut Room,
    ) {
        if let Some(place) = self.0.iter().position(|one| one.is(name, selected)) {
            self.0[place..].rotate_left(1);
            return;
        }
        let needed = lines_needed(definition);
        while self.0.len() >= FOLLOWED || (room.left() < needed + self.promised() && !self.0.is_empty()) {
            room.lines -= self.0.remove(0).metric.count_lines();
        }
        if room.left() >= needed + self.promised() {
            let metric = Metric::new(definition);
            self.0.push(One { name: name.clone(), selected: selected.clone(), metric, was_read: false });
        }
    }

    /// Lines that the next reading takes, of those that none has seen yet.
    fn promised(&self) -> usize {
        self.0.iter().filter(|one| !one.was_read).map(|one| lines_needed(&one.metric.definition)).sum()
    }

    pub(super) fn get(&self, name: &Name, selected: &Selected) -> Option<&Metric> {
        self.0.iter().find(|one| one.is(name, selected)).map(|one| &one.metric)
    }

    /// Takes in what those of a metric have come to.
    pub(super) fn read(&mut self, name: &Name, family: &FamilyView<'_>, times: &Times, room: &mut Room) {
        for one in self.0.iter_mut().filter(|one| one.name == *name) {
            let amount = Amount::of(family, |labels| one.selected.takes(labels));
            one.metric.read(amount, one.was_read, times, room);
            one.was_read = true;
        }
    }

    /// After a reading: of what was not there nothing is known.
    pub(super) fn put_gone(&mut self, times: &Times) {
        for one in &mut self.0 {
            if one.was_read && one.metric.seen != times.second.1 {
                one.metric.put_gone(times);
            }
        }
    }

    /// Follows nothing any more.
    pub(super) fn clear(&mut self, room: &mut Room) {
        for one in self.0.drain(..) {
            room.lines -= one.metric.count_lines();
        }
    }
}

fn lines_needed(definition: &Definition) -> usize {
    // One more for what fails.
    lines_of(definition.kind()).len() + 1
}

impl One {
    fn is(&self, name: &Name, selected: &Selected) -> bool {
        self.name == *name && self.selected == *selected
    }
}
