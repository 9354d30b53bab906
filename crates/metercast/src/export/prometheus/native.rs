//! The native buckets of a histogram that has exponential ones, for formats that know them.
//!
//! OpenTelemetry, "Prometheus and OpenMetrics Compatibility", "Exponential Histograms": the scale is the schema; above 8 it is lowered,
//! and what is below -4 has none. Indexes here are those of OpenTelemetry, whose bucket `i` ends at `base^(i+1)`; Prometheus calls the
//! same bucket `i + 1`.

use metercast_core::reading::Exponential;

/// The finest schema, and the coarsest.
const FINEST: i32 = 8;
const COARSEST: i32 = -4;

/// The most buckets of one sign where histograms were added up; as many as OpenTelemetry's default.
const MOST: i64 = 160;

/// How many empty buckets stand between others before they are passed over: as the Go client has it, fewer cost less than a span.
const MOST_EMPTY: usize = 2;

/// A histogram's native buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Native {
    pub(super) schema: i32,
    pub(super) zero_count: u64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
}

/// The buckets of one sign, from the lowest on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Buckets {
    /// The index of the first.
    low: i64,
    counts: Vec<u64>,
}

impl Native {
    /// Of exponential buckets; `None` if they are too coarse.
    pub(super) fn of(exponential: &Exponential) -> Option<Native> {
        let mut native = Native::default();
        native.refill(exponential).then_some(native)
    }

    /// The same in the memory of another; false if they are too coarse.
    pub(super) fn refill(&mut self, exponential: &Exponential) -> bool {
        let schema = exponential.scale.min(FINEST);
        let by = exponential.scale - schema;
        self.schema = schema;
        self.zero_count = exponential.zero_count;
        for (buckets, from) in
            [(&mut self.positive, &exponential.positive), (&mut self.negative, &exponential.negative)]
        {
            buckets.refill(from.offset.into(), &from.counts, by);
        }
        schema >= COARSEST
    }

    /// Both together, at the finest schema at which they are not too many; `None` if there is none.
    pub(super) fn with(mut self, other: &Native) -> Option<Native> {
        let finest = self.schema.min(other.schema);
        let is_few = |schema: &i32| {
            let [this, that] = [self.schema - schema, other.schema - schema];
            self.positive.together(this, &other.positive, that) <= MOST
                && self.negative.together(this, &other.negative, that) <= MOST
        };
        let schema = (COARSEST..=finest).rev().find(is_few)?;
        self.lower_to(schema);
        let mut other = other.clone();
        other.lower_to(schema);
        self.zero_count = self.zero_count.wrapping_add(other.zero_count);
        self.positive.add(&other.positive);
        self.negative.add(&other.negative);
        Some(self)
    }

    fn lower_to(&mut self, schema: i32) {
        for buckets in [&mut self.positive, &mut self.negative] {
            let Buckets { low, counts } = std::mem::take(buckets);
            buckets.refill(low, &counts, self.schema - schema);
        }
        self.schema = schema;
    }
}

impl Buckets {
    /// Takes these counts, from the index `low` on, `by` scales lower.
    fn refill(&mut self, low: i64, counts: &[u64], by: i32) {
        self.counts.clear();
        self.low = low >> by;
        for (index, count) in (low..).zip(counts) {
            let at = ((index >> by) - self.low) as usize;
            if at == self.counts.len() {
                self.counts.push(0);
            }
            self.counts[at] = self.counts[at].wrapping_add(*count);
        }
    }

    /// From the lowest bucket of both to the highest, if they are that many scales lower.
    fn together(&self, by: i32, other: &Buckets, other_by: i32) -> i64 {
        let ends = [(self, by), (other, other_by)].map(|(buckets, by)| {
            let last = buckets.low + buckets.counts.len() as i64 - 1;
            (!buckets.counts.is_empty()).then_some((buckets.low >> by, last >> by))
        });
        let ends = ends.into_iter().flatten();
        ends.reduce(|(low, high), (lower, higher)| (low.min(lower), high.max(higher)))
            .map_or(0, |(low, high)| high - low + 1)
    }

    /// Adds others of the same schema.
    fn add(&mut self, other: &Buckets) {
        let many = self.together(0, other, 0) as usize;
        let low = [&*self, other].into_iter().filter(|buckets| !buckets.counts.is_empty());
        let low = low.map(|buckets| buckets.low).min().unwrap_or(0);
        let mut counts = vec![0u64; many];
        for buckets in [&*self, other] {
            for (index, count) in (buckets.low..).zip(&buckets.counts) {
                let to = &mut counts[(index - low) as usize];
                *to = to.wrapping_add(*count);
            }
        }
        *self = Buckets { low, counts };
    }
}

/// Buckets as Prometheus has them: where there are some, and by how much each has more than the one before.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Spans {
    /// How far from the end of the one before (the first: from 0), and how many buckets.
    pub(super) spans: Vec<(i32, u32)>,
    pub(super) deltas: Vec<i64>,
}

impl Spans {
    /// Those of these buckets, in the memory of others.
    pub(super) fn refill(&mut self, buckets: &Buckets) {
        self.spans.clear();
        self.deltas.clear();
        // Prometheus counts from 1 what OpenTelemetry counts from 0.
        let mut end = 0;
        let mut before = 0;
        for (index, count) in (buckets.low + 1..).zip(&buckets.counts).filter(|(_, count)| **count > 0) {
            let gap = index - end;
            match self.spans.last_mut() {
                Some((_, length)) if gap <= MOST_EMPTY as i64 => {
                    *length += gap as u32 + 1;
                    for _ in 0..gap {
                        self.deltas.push(-std::mem::take(&mut before));
                    }
                }
                _ => self.spans.push((gap as i32, 1)),
            }
            self.deltas.push((*count as i64).wrapping_sub(before));
            before = *count as i64;
            end = index + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn native(schema: i32, low: i64, counts: &[u64]) -> Native {
        let positive = Buckets { low, counts: counts.to_vec() };
        Native { schema, positive, ..Native::default() }
    }

    fn spans(low: i64, counts: &[u64]) -> (Vec<(i32, u32)>, Vec<i64>) {
        let mut spans = Spans::default();
        spans.refill(&Buckets { low, counts: counts.to_vec() });
        (spans.spans, spans.deltas)
    }

    #[test]
    fn spans_are_where_there_are_values_and_deltas_are_what_the_next_has_more() {
        assert_eq!(spans(0, &[]), (vec![], vec![]));
        assert_eq!(spans(-1, &[5]), (vec![(0, 1)], vec![5]));
        assert_eq!(spans(-3, &[2, 4, 1]), (vec![(-2, 3)], vec![2, 2, -3]));
        // Two empty buckets are cheaper than a span, three are not.
        assert_eq!(spans(6, &[1, 0, 0, 3]), (vec![(7, 4)], vec![1, -1, 0, 3]));
        assert_eq!(spans(6, &[1, 0, 0, 0, 3, 3]), (vec![(7, 1), (3, 2)], vec![1, 2, 0]));
        assert_eq!(spans(6, &[0, 1, 0]), (vec![(8, 1)], vec![1]));
    }

    #[test]
    fn schemas_are_lowered_to_the_finest_there_is_and_none_is_below_the_coarsest() {
        let mut exponential = Exponential::default();
        (exponential.scale, exponential.zero_count) = (10, 3);
        (exponential.positive.offset, exponential.positive.counts) = (-5, vec![1, 2, 3, 4, 5, 6]);
        let lowered = native(8, -2, &[1, 14, 6]);
        assert_eq!(Native::of(&exponential), Some(Native { zero_count: 3, ..lowered }));
        exponential.scale = -4;
        assert_eq!(Native::of(&exponential).map(|native| native.schema), Some(-4));
        exponential.scale = -5;
        assert_eq!(Native::of(&exponential), None);
    }

    #[test]
    fn two_are_added_up_at_a_schema_at_which_they_are_few() {
        let sum = native(3, 10, &[1, 2]).with(&native(3, 12, &[4]));
        assert_eq!(sum, Some(native(3, 10, &[1, 2, 4])));
        let sum = native(3, 10, &[1, 2]).with(&native(2, 5, &[4]));
        assert_eq!(sum, Some(native(2, 5, &[7])));
        let sum = native(8, -200_000, &[1]).with(&native(8, 200_000, &[1])).unwrap();
        assert!((81..=160).contains(&sum.positive.counts.len()), "{sum:?}");
        assert_eq!(sum.positive.counts.iter().sum::<u64>(), 2);
        // The least and the greatest double, at the finest schema.
        let sum = native(8, -1075 * 256, &[1]).with(&native(8, 1024 * 256 - 1, &[1]));
        assert_eq!(sum.map(|sum| sum.schema), Some(-4));
    }
}
