//! What is remembered of the series of a store as a whole, and of each share of it that was read.

use super::group::{Memory, Readable};

/// Of how many shares it is remembered what they were, which costs memory for each of their series. Who asks for another makes it be
/// forgotten of the one that was read longest ago.
const MOST_SHARES: usize = 256;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Memories {
    whole: Memory,
    /// Of shares by their labels, the one that was read last at the end.
    shares: Vec<Share>,
    /// Of what nothing is to be remembered of.
    other: Memory,
}

#[derive(Debug)]
struct Share {
    key: String,
    value: String,
    memory: Memory,
}

impl Share {
    fn is(&self, (key, value): (&str, &str)) -> bool {
        self.key == key && self.value == value
    }
}

impl Memories {
    /// That of what is read.
    pub(super) fn of(&mut self, of: Readable<'_>) -> &mut Memory {
        match of {
            Readable::Whole => &mut self.whole,
            Readable::Share(label) => self.share(label),
            Readable::Other => {
                self.other = Memory::default();
                &mut self.other
            }
        }
    }

    /// The same, if something is remembered.
    pub(super) fn known(&self, of: Readable<'_>) -> Option<&Memory> {
        match of {
            Readable::Whole => Some(&self.whole),
            Readable::Share(label) => {
                self.shares.iter().find(|share| share.is(label)).map(|share| &share.memory)
            }
            Readable::Other => None,
        }
    }

    fn share(&mut self, label: (&str, &str)) -> &mut Memory {
        match self.shares.iter().rposition(|share| share.is(label)) {
            Some(at) => self.shares[at..].rotate_left(1),
            None => {
                if self.shares.len() == MOST_SHARES {
                    self.shares.remove(0);
                }
                let (key, value) = (label.0.to_owned(), label.1.to_owned());
                self.shares.push(Share { key, value, memory: Memory::default() });
            }
        }
        let last = self.shares.len() - 1;
        &mut self.shares[last].memory
    }

    /// The same with something else of each.
    pub(super) fn map(&self, f: impl Fn(&Memory) -> Memory) -> Memories {
        let of_share = |share: &Share| Share {
            key: share.key.clone(),
            value: share.value.clone(),
            memory: f(&share.memory),
        };
        let shares = self.shares.iter().map(of_share).collect();
        Memories { whole: f(&self.whole), shares, other: Memory::default() }
    }

    /// Gives each together with what others remember of the same.
    pub(super) fn meet(&mut self, others: &Memories, f: impl Fn(&mut Memory, &Memory)) {
        f(&mut self.whole, &others.whole);
        for share in &others.shares {
            f(self.share((&share.key, &share.value)), &share.memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_was_read_longest_ago_is_forgotten_when_there_are_too_many() {
        let mut memories = Memories::default();
        let put = |memories: &mut Memories, n: usize| {
            memories.of(Readable::Share(("tenant", &n.to_string()))).stays_put_together(true)
        };
        (0..MOST_SHARES).for_each(|n| assert!(put(&mut memories, n)));
        let is_known = |memories: &mut Memories, n: usize| {
            let value = n.to_string();
            memories.shares.iter().any(|share| share.is(("tenant", &value)) && share.memory.is_put_together())
        };
        // The one that was read last now.
        put(&mut memories, 0);
        put(&mut memories, MOST_SHARES);
        assert_eq!(memories.shares.len(), MOST_SHARES);
        assert!(is_known(&mut memories, 0) && !is_known(&mut memories, 1) && is_known(&mut memories, 2));
        assert!(!memories.of(Readable::Whole).is_put_together());
        assert!(memories.of(Readable::Other).stays_put_together(true));
        assert!(!memories.of(Readable::Other).is_put_together(), "nothing is remembered of it");
    }
}
