//! Labels that are too many or too long to be packed, found by their number.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

use super::blocks::Blocks;
use crate::label::LabelSet;

/// A list of label sets, each of which can be replaced.
pub(crate) struct Wide(Blocks<AtomicPtr<LabelSet>>);

impl Wide {
    pub(crate) const fn new() -> Wide {
        Wide(Blocks::new())
    }

    /// The labels of this number.
    ///
    /// The caller keeps them from being freed meanwhile: it is in an operation of its region, holds the lock of the
    /// dictionary, or is a reading.
    pub(crate) fn get(&self, number: u32) -> Option<&LabelSet> {
        let labels = self.0.get(number)?.load(Acquire);
        // SAFETY: null, or labels that are freed only after this look; Acquire pairs with the Release in `put`.
        unsafe { labels.as_ref() }
    }

    /// [`get`](Self::get), to keep.
    pub(crate) fn share(&self, number: u32) -> Option<Arc<LabelSet>> {
        let labels = ptr::from_ref(self.get(number)?);
        // SAFETY: it came from `Arc::into_raw` in `put`, and that `Arc` is not freed during this look.
        unsafe {
            Arc::increment_strong_count(labels);
            Some(Arc::from_raw(labels))
        }
    }

    /// Keeps labels, under a number that is free or else a new one; `None` if there are too many.
    pub(crate) fn put(&self, labels: Arc<LabelSet>, free: Option<u32>) -> Option<u32> {
        let number = match free {
            Some(number) => number,
            None => self.0.push(AtomicPtr::new(ptr::null_mut()))?,
        };
        let before = self.0.get(number)?.swap(Arc::into_raw(labels).cast_mut(), Release);
        debug_assert!(before.is_null(), "a number that is free has no labels");
        Some(number)
    }

    /// Forgets the labels of this number.
    ///
    /// # Safety
    ///
    /// Whoever was looking at them has finished, and nobody can find the number any more.
    pub(crate) unsafe fn take(&self, number: u32) {
        let Some(entry) = self.0.get(number) else { return };
        let labels = entry.swap(ptr::null_mut(), AcqRel);
        if !labels.is_null() {
            // SAFETY: it came from `Arc::into_raw` in `put`, and was swapped out once.
            drop(unsafe { Arc::from_raw(labels) });
        }
    }
}

impl Drop for Wide {
    fn drop(&mut self) {
        for number in 0..self.0.len() {
            // SAFETY: `&mut self` says that nobody can look at them any more.
            unsafe { self.take(number) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::KeyValue;

    #[test]
    fn labels_are_kept_until_they_are_taken_and_freed_once() {
        let labels = Arc::new(LabelSet::from_iter([KeyValue::new("a", 1)]));
        let wide = Wide::new();
        let number = wide.put(Arc::clone(&labels), None).unwrap();
        let shared = wide.share(number).unwrap();
        assert!(Arc::ptr_eq(&labels, &shared) && wide.get(number) == Some(&*labels));
        // SAFETY: one thread, and nothing borrowed.
        unsafe { wide.take(number) };
        assert!(wide.get(number).is_none() && wide.share(number).is_none());
        assert_eq!(Arc::strong_count(&labels), 2);
        assert_eq!(wide.put(Arc::clone(&labels), Some(number)), Some(number));
        drop((wide, shared));
        assert_eq!(Arc::strong_count(&labels), 1);
    }
}
