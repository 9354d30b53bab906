//! Gauges whose slots the program text names, which can be hidden from the hot path.

use std::sync::OnceLock;

use super::directory::{CHUNK_WORDS, Chunk, Directory};
use super::fixed_chunks::FIXED_CHUNKS;

/// The chunks of these gauges, of which the hot path sees those that are shown, as of [`FixedChunks`](super::fixed_chunks::FixedChunks). They are
/// in the store once, and all but the lookups need the lock under which gauges are mapped.
pub(crate) struct FixedGauges {
    shown: Directory,
    /// What was hidden once stays here, shown or not.
    hidden: OnceLock<Box<Directory>>,
}

impl FixedGauges {
    pub(crate) const fn new() -> FixedGauges {
        FixedGauges { shown: Directory::new(), hidden: OnceLock::new() }
    }

    /// The chunk of a slot, if it is mapped and shown.
    #[inline(always)]
    pub(crate) fn shown(&self, slot: u32) -> Option<&Chunk> {
        self.shown.chunk(slot)
    }

    /// The chunk of a slot, if it is mapped.
    #[inline]
    pub(crate) fn chunk(&self, slot: u32) -> Option<&Chunk> {
        self.shown(slot).or_else(|| self.hidden.get()?.chunk(slot))
    }

    /// Maps the chunk of a slot, and shows it unless the store is watched.
    pub(crate) fn map_alone(&self, slot: u32, is_watched: bool) {
        match self.hidden.get().and_then(|hidden| hidden.chunk(slot)) {
            Some(_) if is_watched => {}
            Some(chunk) => self.shown.put_alone(slot, chunk),
            None if is_watched => _ = self.hidden.get_or_init(|| Box::new(Directory::new())).map_alone(slot),
            None => _ = self.shown.map_alone(slot),
        }
    }

    /// Hides all chunks.
    pub(crate) fn hide_alone(&self) {
        for slot in (0..FIXED_CHUNKS).map(|at| (at * CHUNK_WORDS) as u32) {
            if let Some(chunk) = self.shown.chunk(slot) {
                self.hidden.get_or_init(|| Box::new(Directory::new())).put_alone(slot, chunk);
                self.shown.take_alone(slot);
            }
        }
    }
}

impl Drop for FixedGauges {
    fn drop(&mut self) {
        // A chunk that is in both is freed once.
        if self.hidden.get().is_some() {
            self.hide_alone();
        }
    }
}
