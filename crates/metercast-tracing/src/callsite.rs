//! What is known of the places of a program whose events measure something: worked out once, and found again without a lock.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tracing_core::Metadata;
use tracing_core::callsite::Identifier;

use crate::field::Measure;

/// The fields of the events of a place.
#[derive(Debug)]
pub(crate) struct Callsite {
    /// By the numbers of the fields: what they measure, if they do.
    pub(crate) measures: Box<[Option<Measure>]>,
}

impl Callsite {
    fn new(metadata: &'static Metadata<'static>) -> Callsite {
        let measures = metadata.fields().iter().map(|field| Measure::of(&field, metadata));
        Callsite { measures: measures.collect() }
    }

    /// What is known of this place.
    pub(crate) fn of(metadata: &'static Metadata<'static>) -> Arc<Callsite> {
        static KNOWN: OnceLock<Known> = OnceLock::new();
        KNOWN.get_or_init(|| Known::new(SLOTS)).of(metadata)
    }
}

type Entry = (Identifier, Arc<Callsite>);

/// A table that only grows, and what does not fit into it. There are as many places as the program text has.
struct Known {
    hasher: RandomState,
    slots: Box<[OnceLock<Entry>]>,
    others: RwLock<Vec<Entry>>,
}

/// More places than programs have whose events measure something.
const SLOTS: usize = 2_048;

/// How many slots are tried.
const TRIES: usize = 16;

impl Known {
    fn new(slots: usize) -> Known {
        let slots = (0..slots).map(|_| OnceLock::new()).collect();
        Known { hasher: RandomState::new(), slots, others: RwLock::default() }
    }

    fn of(&self, metadata: &'static Metadata<'static>) -> Arc<Callsite> {
        let callsite = metadata.callsite();
        let first = self.hasher.hash_one(&callsite) as usize;
        for at in first..first.wrapping_add(TRIES) {
            let (there, known) = self.slots[at % self.slots.len()]
                .get_or_init(|| (callsite.clone(), Arc::new(Callsite::new(metadata))));
            if *there == callsite {
                return Arc::clone(known);
            }
        }
        self.of_others(&callsite, metadata)
    }

    #[cold]
    fn of_others(&self, callsite: &Identifier, metadata: &'static Metadata<'static>) -> Arc<Callsite> {
        let find = |others: &[Entry]| {
            others.iter().find(|(there, _)| there == callsite).map(|(_, known)| Arc::clone(known))
        };
        if let Some(known) = find(&self.others.read().unwrap_or_else(PoisonError::into_inner)) {
            return known;
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        find(&others).unwrap_or_else(|| {
            let made = Arc::new(Callsite::new(metadata));
            others.push((callsite.clone(), Arc::clone(&made)));
            made
        })
    }
}

#[cfg(test)]
mod tests {
    use tracing_core::callsite::Callsite as _;

    use super::*;

    macro_rules! places {
        ($($name:ident)*) => { $( mod $name {
            use tracing_core::{Interest, Kind, Level, Metadata, callsite, metadata};

            pub(super) struct Place;
            pub(super) static PLACE: Place = Place;

            impl callsite::Callsite for Place {
                fn set_interest(&self, _: Interest) {}
                fn metadata(&self) -> &Metadata<'_> {
                    static METADATA: Metadata<'static> = metadata! {
                        name: "event", target: "places", level: Level::INFO, fields: &["gauge.a", "b"],
                        callsite: &PLACE, kind: Kind::EVENT
                    };
                    &METADATA
                }
            }
        } )* };
    }

    places!(first second third);

    #[test]
    fn more_places_than_the_table_has_room_for_are_known_too() {
        let known = Known::new(1);
        let places = [first::PLACE.metadata(), second::PLACE.metadata(), third::PLACE.metadata()];
        let found = places.map(|place| known.of(place));
        assert_eq!(found[0].measures.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        for (place, found) in places.iter().zip(&found) {
            assert!(Arc::ptr_eq(&known.of(place), found), "it is the same each time");
        }
        assert!(!Arc::ptr_eq(&found[0], &found[1]) && !Arc::ptr_eq(&found[1], &found[2]));
    }
}
