//! The keys that recordings of an instrument give, in the orders in which they came: each has the number of a shape.

use std::sync::{Arc, Mutex, OnceLock};

use crate::definition::Definition;
use crate::label::{LabelRef, MOST_KEYS, MOST_LABELS, Pairs, ValueRef};
use crate::store::blocks::Blocks;
use crate::{lock, registry};

/// The orders that an instrument has met.
pub(super) struct Orders {
    /// Those that nearly all instruments have: tried first.
    first: [OnceLock<Order>; 4],
    others: Blocks<Order>,
    adding: Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    keys: &'static [&'static str],
    shape: u32,
}

/// The most orders of the same keys that are learned: each has a line of its own for every series.
const MOST_ORDERS: usize = 4;

impl Orders {
    pub(super) const fn new() -> Orders {
        Orders { first: [const { OnceLock::new() }; 4], others: Blocks::new(), adding: Mutex::new(()) }
    }

    /// The shape of these keys in this order, if it is one of the first.
    #[inline(always)]
    pub(super) fn find(&self, labels: &[LabelRef<'_>]) -> Option<u32> {
        for order in &self.first {
            let order = order.get()?;
            if order.is(labels) {
                return Some(order.shape);
            }
        }
        None
    }

    /// The same if it is one of the others.
    pub(super) fn find_other(&self, labels: &[LabelRef<'_>]) -> Option<u32> {
        let mut others = (0..self.others.len()).filter_map(|at| self.others.get(at));
        others.find(|order| order.is(labels)).map(|order| order.shape)
    }

    /// The labels with the shape of their keys, which is learned if it is new. If it cannot be, the labels are put into an order
    /// that is known, or else have none.
    pub(super) fn listed<'a>(
        &self,
        definition: Option<&'static Arc<Definition>>,
        labels: &'a mut [LabelRef<'_>],
    ) -> Listed<'a> {
        let shape = match definition {
            Some(definition) if labels.len() <= MOST_KEYS => self.shape_of(definition, labels),
            _ => 0,
        };
        Listed { labels, shape }
    }

    fn shape_of(&self, definition: &Definition, labels: &mut [LabelRef<'_>]) -> u32 {
        if let Some(order) = self.all().find(|order| order.is(labels)) {
            return order.shape;
        }
        let mut alike = self.all().filter(|order| order.has_keys_of(labels));
        let known = alike.next();
        if known.is_none() || alike.count() + 1 < MOST_ORDERS {
            let mut keys = [""; MOST_KEYS];
            keys.iter_mut().zip(&*labels).for_each(|(to, (key, _))| *to = key);
            if let Some((keys, shape)) = registry::shape_at_run_time(definition, &keys[..labels.len()]) {
                self.add(Order { keys, shape });
                return shape;
            }
        }
        known.map_or(0, |order| {
            order.bring(labels);
            order.shape
        })
    }

    /// All orders, first those that are tried first.
    fn all(&self) -> impl Iterator<Item = Order> + '_ {
        let others = (0..self.others.len()).filter_map(|at| self.others.get(at));
        self.first.iter().filter_map(OnceLock::get).chain(others).copied()
    }

    fn add(&self, order: Order) {
        // Whoever comes again learns it then.
        let Some(_one_at_a_time) = lock::soon(&self.adding) else { return };
        if self.all().any(|known| known.shape == order.shape) {
            return;
        }
        if self.first.iter().all(|first| first.set(order).is_err()) {
            self.others.push(order);
        }
    }
}

impl Order {
    #[inline(always)]
    fn is(&self, labels: &[LabelRef<'_>]) -> bool {
        self.keys.len() == labels.len()
            && self.keys.iter().zip(labels).all(|(key, (given, _))| same(key, given))
    }

    /// Whether it has the keys of these labels, in whatever order.
    fn has_keys_of(&self, labels: &[LabelRef<'_>]) -> bool {
        // Its keys are different from each other, so that as many labels have each of them once.
        let has = |key: &&str| labels.iter().any(|(given, _)| given == key);
        self.keys.len() == labels.len() && self.keys.iter().all(has)
    }

    /// Brings labels with these keys into this order.
    fn bring(&self, labels: &mut [LabelRef<'_>]) {
        for (at, key) in self.keys.iter().enumerate() {
            if let Some(from) = labels[at..].iter().position(|(given, _)| given == key) {
                labels.swap(at, at + from);
            }
        }
    }
}

/// `==` without a call: most keys are short.
#[inline(always)]
fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    // Two pieces that may overlap are the whole, if it is no shorter than one and no longer than both.
    match a.len() {
        length if length > 32 => a == b,
        length if length > 16 => pieces::<16>(a, b),
        length if length >= 8 => pieces::<8>(a, b),
        length if length >= 4 => pieces::<4>(a, b),
        _ => a == b,
    }
}

#[inline(always)]
fn pieces<const N: usize>(a: &[u8], b: &[u8]) -> bool {
    a.first_chunk::<N>() == b.first_chunk() && a.last_chunk::<N>() == b.last_chunk()
}

/// Labels that came at run time.
pub(super) struct Listed<'a> {
    labels: &'a [LabelRef<'a>],
    /// 0 if there is none.
    shape: u32,
}

impl Pairs for Listed<'_> {
    fn count(&self) -> usize {
        self.labels.len()
    }

    fn pair(&self, at: usize) -> LabelRef<'_> {
        self.labels[at]
    }

    fn shape(&self) -> u32 {
        self.shape
    }
}

/// Gives the labels to `f` as a list, which takes no memory if there are not very many.
#[inline(always)]
pub(super) fn with_list<'a, R>(
    labels: impl Iterator<Item = LabelRef<'a>>,
    f: impl FnOnce(&mut [LabelRef<'a>]) -> R,
) -> R {
    // Mostly known beforehand.
    match labels.size_hint().0 {
        0..=MOST_LABELS => with_list_of::<MOST_LABELS, R>(labels, f),
        5..=8 => with_list_of::<8, R>(labels, f),
        _ => with_list_of::<MOST_KEYS, R>(labels, f),
    }
}

#[inline(always)]
fn with_list_of<'a, const N: usize, R>(
    mut labels: impl Iterator<Item = LabelRef<'a>>,
    f: impl FnOnce(&mut [LabelRef<'a>]) -> R,
) -> R {
    let mut list = [("", ValueRef::Absent); N];
    let mut count = 0;
    for to in &mut list {
        let Some(label) = labels.next() else { break };
        *to = label;
        count += 1;
    }
    if count == list.len()
        && let Some(next) = labels.next()
    {
        return with_long_list(list.into_iter().chain([next]).chain(labels), f);
    }
    f(&mut list[..count])
}

#[inline(never)]
fn with_long_list<'a, R>(
    mut labels: impl Iterator<Item = LabelRef<'a>>,
    f: impl FnOnce(&mut [LabelRef<'a>]) -> R,
) -> R {
    let mut list = [("", ValueRef::Absent); 32];
    let mut count = 0;
    for (to, label) in list.iter_mut().zip(labels.by_ref()) {
        *to = label;
        count += 1;
    }
    match labels.next() {
        None => f(&mut list[..count]),
        Some(next) => f(&mut list.into_iter().chain([next]).chain(labels).collect::<Vec<_>>()),
    }
}
