//! Labels in the forms in which a recording gives them: values of a site's keys, or a list with keys.

use super::KeyValue;
use super::Labels;
use super::packed::Packing;
use super::value::{LabelRef, ValueRef};

/// Labels in the order and form in which a call site gives them.
#[doc(hidden)]
pub trait Pairs {
    /// How many there are, keys given twice counted twice.
    fn count(&self) -> usize;
    /// The label at `at`, below `count()`.
    fn pair(&self, at: usize) -> LabelRef<'_>;
    /// The number of metric and keys, if those are known beforehand, else 0: under one number equal words are equal labels.
    fn shape(&self) -> u32 {
        0
    }
}

/// So that any list can be borrowed as `&dyn Pairs`.
impl<P: Pairs + ?Sized> Pairs for &P {
    fn count(&self) -> usize {
        (**self).count()
    }
    fn pair(&self, at: usize) -> LabelRef<'_> {
        (**self).pair(at)
    }
    fn shape(&self) -> u32 {
        (**self).shape()
    }
}

impl Pairs for [LabelRef<'_>] {
    fn count(&self) -> usize {
        self.len()
    }
    fn pair(&self, at: usize) -> LabelRef<'_> {
        self[at]
    }
}

impl Pairs for [KeyValue] {
    fn count(&self) -> usize {
        self.len()
    }
    fn pair(&self, at: usize) -> LabelRef<'_> {
        (&self[at].key, self[at].value.as_ref())
    }
}

/// Labels as a call gives them.
#[doc(hidden)]
pub trait Given: Copy {
    /// Whether there are none.
    fn is_empty(self) -> bool {
        false
    }
    /// How many there are.
    fn count(self) -> usize;
    /// Packs them, if their keys are known beforehand.
    fn pack(self, packing: &mut Packing<'_>);
    /// Gives them to `f`, if their keys are known beforehand; else false. Where they are: they were just written there, and a copy
    /// would have to wait until all of that has reached the cache.
    fn with_values(&self, f: impl FnOnce(&[ValueRef<'_>]) -> bool) -> bool;
    /// Gives them to `f` with their keys, or those of the site.
    fn with_pairs<R>(self, keys: &'static [&'static str], shape: u32, f: impl FnOnce(&dyn Pairs) -> R) -> R;
}

/// The labels of a declared metric.
#[doc(hidden)]
#[derive(Debug)]
pub struct Typed<'a, L: Labels>(pub(crate) L::Values<'a>);

impl<L: Labels> Clone for Typed<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Labels> Copy for Typed<'_, L> {}

impl<L: Labels> Given for Typed<'_, L> {
    #[inline(always)]
    fn count(self) -> usize {
        L::COUNT
    }

    #[inline(always)]
    fn pack(self, packing: &mut Packing<'_>) {
        L::pack(self.0, packing);
    }

    #[inline(always)]
    fn with_values(&self, f: impl FnOnce(&[ValueRef<'_>]) -> bool) -> bool {
        L::spell(self.0, f)
    }

    fn with_pairs<R>(self, keys: &'static [&'static str], shape: u32, f: impl FnOnce(&dyn Pairs) -> R) -> R {
        L::spell(self.0, |values| f(&Spelled::new(keys, shape, values)))
    }
}

impl<const N: usize> Given for [ValueRef<'_>; N] {
    #[inline(always)]
    fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    fn count(self) -> usize {
        N
    }

    #[inline(always)]
    fn pack(self, packing: &mut Packing<'_>) {
        for value in self {
            packing.put(value);
        }
    }

    #[inline(always)]
    fn with_values(&self, f: impl FnOnce(&[ValueRef<'_>]) -> bool) -> bool {
        f(self)
    }

    fn with_pairs<R>(self, keys: &'static [&'static str], shape: u32, f: impl FnOnce(&dyn Pairs) -> R) -> R {
        f(&Spelled::new(keys, shape, &self))
    }
}

impl Given for &[ValueRef<'_>] {
    #[inline(always)]
    fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    fn count(self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn pack(self, packing: &mut Packing<'_>) {
        for value in self {
            packing.put(*value);
        }
    }

    #[inline(always)]
    fn with_values(&self, f: impl FnOnce(&[ValueRef<'_>]) -> bool) -> bool {
        f(self)
    }

    fn with_pairs<R>(self, keys: &'static [&'static str], shape: u32, f: impl FnOnce(&dyn Pairs) -> R) -> R {
        f(&Spelled::new(keys, shape, self))
    }
}

/// A list that is put together at run time: nothing is known of its keys.
impl Given for &[KeyValue] {
    #[inline(always)]
    fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    fn count(self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn pack(self, packing: &mut Packing<'_>) {
        packing.give_up();
    }

    #[inline(always)]
    fn with_values(&self, _: impl FnOnce(&[ValueRef<'_>]) -> bool) -> bool {
        false
    }

    fn with_pairs<R>(self, _: &'static [&'static str], _: u32, f: impl FnOnce(&dyn Pairs) -> R) -> R {
        f(&self)
    }
}

/// Labels that a site spells out.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Spelled<'a> {
    keys: &'static [&'static str],
    /// 0 if the keys make none.
    shape: u32,
    /// As many as there are keys.
    values: &'a [ValueRef<'a>],
}

impl<'a> Spelled<'a> {
    #[inline(always)]
    pub(crate) fn new(keys: &'static [&'static str], shape: u32, values: &'a [ValueRef<'a>]) -> Spelled<'a> {
        Spelled { keys, shape, values }
    }
}

impl Pairs for Spelled<'_> {
    fn count(&self) -> usize {
        self.values.len().min(self.keys.len())
    }

    fn pair(&self, at: usize) -> LabelRef<'_> {
        (self.keys[at], self.values[at])
    }

    fn shape(&self) -> u32 {
        self.shape
    }
}
