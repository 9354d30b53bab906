//! What the exporters of a program remember of the sums of their views, by their names: one that is removed and comes back goes on
//! with it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::stream::Stream;

/// Of how many names it is kept that no exporter has, which costs memory for each series: names that a program makes up do not come
/// back.
const MOST: usize = 16;

/// The shelves of all exporters. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Archive(Arc<Mutex<Names>>);

#[derive(Debug, Default)]
struct Names {
    shelves: HashMap<String, Shelf>,
    /// Those that no exporter has, in the order in which they were given up.
    gone: VecDeque<String>,
}

/// What the exporters of one name remember: the streams of each metric, by the address of its definition, the newest first. Clones
/// are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(Arc<Mutex<HashMap<usize, Vec<Arc<Stream>>>>>);

impl Archive {
    /// What is remembered under this name.
    pub(crate) fn shelf(&self, name: &str) -> Shelf {
        let mut names = self.lock();
        // Those of exporters that never ran.
        names.shelves.retain(|_, shelf| !shelf.is_unused());
        names.shelves.entry(name.to_owned()).or_default().clone()
    }

    /// Says which names there are from now on. Of the others the last ones are kept.
    pub(crate) fn settle(&self, is_there: impl Fn(&str) -> bool) {
        let mut names = self.lock();
        let Names { shelves, gone } = &mut *names;
        gone.retain(|name| !is_there(name));
        let new = shelves.keys().filter(|name| !is_there(name) && !gone.contains(name));
        let new: Vec<String> = new.cloned().collect();
        gone.extend(new);
        while gone.len() > MOST {
            gone.pop_front().inspect(|name| drop(shelves.remove(name)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// All that is there.
    pub(super) fn all<M: FromIterator<(usize, Vec<Arc<Stream>>)>>(&self) -> M {
        self.lock().iter().map(|(address, streams)| (*address, streams.clone())).collect()
    }

    /// Puts the streams of a metric there, in place of what there was, if any of them remembers something.
    pub(super) fn put(&self, address: usize, streams: Vec<Arc<Stream>>) {
        if streams.iter().any(|stream| stream.remembers()) {
            self.lock().insert(address, streams);
        } else {
            self.lock().remove(&address);
        }
    }

    /// Keeps the metrics of which this is so.
    pub(super) fn retain(&self, is_there: impl Fn(usize) -> bool) {
        self.lock().retain(|address, _| is_there(*address));
    }

    /// Whether nobody has it and nothing is there.
    fn is_unused(&self) -> bool {
        Arc::strong_count(&self.0) == 1 && self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Vec<Arc<Stream>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_names_that_nobody_has_the_last_are_kept_and_of_those_that_never_ran_none() {
        let archive = Archive::default();
        let used = |name: &str| {
            let shelf = archive.shelf(name);
            // As if something was remembered.
            shelf.lock().insert(1, Vec::new());
        };
        let is_known = |name: &str| archive.lock().shelves.contains_key(name);
        used("stays");
        for n in 0..MOST + 3 {
            let name = format!("made-up-{n}");
            used(&name);
            archive.settle(|there| there == "stays" || there == name);
            archive.settle(|there| there == "stays");
        }
        assert_eq!(archive.lock().shelves.len(), 1 + MOST);
        assert!(is_known("stays") && !is_known("made-up-2") && is_known("made-up-3"));
        // One that comes back has time again.
        archive.settle(|there| ["stays", "made-up-3"].contains(&there));
        archive.settle(|there| there == "stays");
        used("new");
        archive.settle(|there| there == "stays");
        assert!(is_known("made-up-3") && !is_known("made-up-4"));

        drop(archive.shelf("refused"));
        let held = archive.shelf("held");
        archive.shelf("another");
        assert!(is_known("held") && !is_known("refused"));
        drop(held);
    }
}
