//! A recording in a loop: the same loop for every subject, compiled with the operation inside.

use std::hint::black_box;

use crate::inputs::{Labels, Picks, combinations};

/// One recording, to be repeated.
pub(crate) trait Recording: Send + Sync {
    /// Records `times` on the calling thread.
    fn run(&self, times: u64, picks: &mut Picks);

    /// What has to be done now and then by whoever uses the library; between batches, not timed.
    fn keep_up(&self);

    /// What the subject says it has: the sum of a counter, the count of a histogram, the value of a gauge.
    fn total(&self) -> u64;

    fn expect(&self) -> Expect;
}

/// What a subject should say of itself after recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// As much more than before as was recorded.
    More,
    /// This, however much was recorded.
    Exactly(u64),
}

type Around = dyn Fn(&mut dyn FnMut()) + Send + Sync;

/// An operation, the combinations of labels that it may be given, and how to look at its result.
pub(crate) struct Loop<F, T> {
    op: F,
    items: Vec<T>,
    total: Box<dyn Fn() -> u64 + Send + Sync>,
    expect: Expect,
    keep_up: Option<Box<dyn Fn() + Send + Sync>>,
    around: Option<Box<Around>>,
}

/// An operation without labels.
pub(crate) fn plain<F>(
    op: F,
    total: impl Fn() -> u64 + Send + Sync + 'static,
) -> Loop<impl Fn(&mut Picks, &[()]) + Send + Sync, ()>
where
    F: Fn() + Send + Sync,
{
    looped(Vec::new(), move |_: &mut Picks, _: &[()]| op(), total)
}

/// An operation that is given an unpredictable one of `items`, which has the order of [`combinations`], and an
/// amount in seconds.
pub(crate) fn bound<T, F>(
    items: Vec<T>,
    op: F,
    total: impl Fn() -> u64 + Send + Sync + 'static,
) -> Loop<impl Fn(&mut Picks, &[T]) + Send + Sync, T>
where
    T: Send + Sync,
    F: Fn(&T, f64) + Send + Sync,
{
    looped(
        items,
        move |picks: &mut Picks, items: &[T]| {
            let (index, amount) = picks.pick();
            op(&items[index], amount);
        },
        total,
    )
}

/// An operation that is given the labels of a request, and an amount in seconds.
pub(crate) fn picked<F>(
    op: F,
    total: impl Fn() -> u64 + Send + Sync + 'static,
) -> Loop<impl Fn(&mut Picks, &[Labels]) + Send + Sync, Labels>
where
    F: Fn(&Labels, f64) + Send + Sync,
{
    bound(combinations(), op, total)
}

fn looped<F: Fn(&mut Picks, &[T]) + Send + Sync, T>(
    items: Vec<T>,
    op: F,
    total: impl Fn() -> u64 + Send + Sync + 'static,
) -> Loop<F, T> {
    Loop { op, items, total: Box::new(total), expect: Expect::More, keep_up: None, around: None }
}

impl<F, T> Loop<F, T>
where
    F: Fn(&mut Picks, &[T]) + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    pub(crate) fn expect(self, expect: Expect) -> Self {
        Loop { expect, ..self }
    }

    pub(crate) fn keep_up(self, keep_up: impl Fn() + Send + Sync + 'static) -> Self {
        Loop { keep_up: Some(Box::new(keep_up)), ..self }
    }

    /// Something that is entered once per batch: a scope.
    pub(crate) fn around(self, around: impl Fn(&mut dyn FnMut()) + Send + Sync + 'static) -> Self {
        Loop { around: Some(Box::new(around)), ..self }
    }

    pub(crate) fn boxed(self) -> Box<dyn Recording> {
        Box::new(self)
    }

    fn repeat(&self, times: u64, picks: &mut Picks) {
        // The state of the picks stays in a register: in memory, a processor that does not know yet where a recording stored
        // may hold back the next pick until it does, and recordings that could overlap wait for each other.
        let mut own = picks.clone();
        for _ in 0..times {
            (self.op)(&mut own, &self.items);
            // Costs nothing, and keeps the compiler from merging two recordings or carrying a load from one to the next.
            black_box(());
        }
        *picks = own;
    }
}

impl<F, T> Recording for Loop<F, T>
where
    F: Fn(&mut Picks, &[T]) + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    fn run(&self, times: u64, picks: &mut Picks) {
        match &self.around {
            None => self.repeat(times, picks),
            Some(around) => around(&mut || self.repeat(times, picks)),
        }
    }

    fn keep_up(&self) {
        if let Some(keep_up) = &self.keep_up {
            keep_up();
        }
    }

    fn total(&self) -> u64 {
        (self.total)()
    }

    fn expect(&self) -> Expect {
        self.expect
    }
}
