//! The windows of a store's summaries: what was read before, so that a reading can tell what came since.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::exponential::{Exponential, Window};

/// How many times a window moves on until all that was in it is gone.
const SLICES: u32 = 6;

/// The windows, by line.
pub(crate) struct Windows(Mutex<Option<All>>);

struct All {
    /// What the times of readings are counted from.
    began: Instant,
    /// With the start of the series, since a line may be used again.
    by_line: HashMap<u32, (u64, Window)>,
}

impl Windows {
    pub(crate) const fn new() -> Windows {
        Windows(Mutex::new(None))
    }

    /// Moves the window of a series that began then on to what a reading found now, and gives what came within it.
    pub(crate) fn advance(
        &self,
        line: u32,
        started: u64,
        width: Duration,
        total: &Exponential,
        now: Instant,
    ) -> Exponential {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = guard.get_or_insert_with(|| All { began: now, by_line: HashMap::new() });
        let window = all.by_line.entry(line).or_insert_with(|| (started, Window::new(width, SLICES)));
        if window.0 != started {
            *window = (started, Window::new(width, SLICES));
        }
        window.1.advance(now.saturating_duration_since(all.began), total)
    }

    /// Forgets the window of a line that ends.
    pub(crate) fn forget(&self, line: u32) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(all) = guard.as_mut() {
            all.by_line.remove(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::exponential::Shape;

    fn of(values: &[f64]) -> Exponential {
        let words: Vec<_> =
            (0..Shape::SUMMARY.words()).map(|_| std::sync::atomic::AtomicU64::new(0)).collect();
        values.iter().for_each(|value| Shape::SUMMARY.record(&words, *value, 1));
        let words: Vec<u64> = words.into_iter().map(std::sync::atomic::AtomicU64::into_inner).collect();
        Shape::SUMMARY.read(&words).unwrap_or_default()
    }

    #[test]
    fn values_leave_the_window_and_a_line_that_is_used_again_begins_anew() {
        let (windows, began) = (Windows::new(), Instant::now());
        let minute = Duration::from_secs(60);
        let advance = |started, seconds, total: &Exponential| {
            windows.advance(7, started, minute, total, began + Duration::from_secs(seconds)).count()
        };
        assert_eq!(advance(1, 0, &of(&[1.0, 2.0])), 2);
        assert_eq!(advance(1, 30, &of(&[1.0, 2.0, 3.0])), 3);
        assert_eq!(advance(1, 60, &of(&[1.0, 2.0, 3.0])), 1);
        assert_eq!(advance(1, 120, &of(&[1.0, 2.0, 3.0])), 0);
        assert_eq!(advance(2, 121, &of(&[1.0])), 1);
        windows.forget(7);
        assert_eq!(advance(2, 122, &of(&[1.0])), 1);
    }
}
