//! What a series is put together of: what the program text names, what is put together at run time, what callbacks say.

use super::view::{PointView, SeriesView};
use crate::label::LabelSet;
use crate::store::past::Stage;

impl<'a> SeriesView<'a> {
    /// What its value is the sum of, for who wants to know what came since an earlier reading: mostly one part, the series
    /// itself. There are more where the program text names the labels at several sites, where they are put together at run
    /// time as well, and where callbacks observe what is also counted.
    ///
    /// A part keeps its id and its start from reading to reading, although a series may gain and lose parts.
    ///
    /// ```
    /// use metercast_core::{Store, reading::PointView, u64_counter};
    ///
    /// let store = Store::new();
    /// let ids = || store.read(|reading| {
    ///     let mut ids = Vec::new();
    ///     for family in reading.families() {
    ///         family.each(|series| ids.extend(series.parts().map(|part| format!("{:?}", part.id))));
    ///     }
    ///     ids
    /// });
    /// store.scope(|| u64_counter!("orders", "Orders placed", 3));
    /// let before = ids();
    /// store.scope(|| u64_counter!("orders.of", "Orders placed", 1, "side" => String::from("buy")));
    /// assert_eq!((ids().len(), ids()[0] == before[0]), (2, true));
    /// ```
    pub fn parts(&self) -> impl Iterator<Item = Part<'a>> {
        let (one, several) = match self.origin {
            Origin::One(id) => {
                let (started_unix_nanos, value) = (self.started_unix_nanos, self.value);
                (Some(Part::new(id, started_unix_nanos, value)), &[][..])
            }
            Origin::Several(parts) => (None, parts),
            Origin::Stages(line, stages) => {
                let part = Part::new(PartId::Line(line), self.started_unix_nanos, self.value);
                (Some(Part { stages, ..part }), &[][..])
            }
        };
        one.into_iter().chain(several.iter().copied())
    }
}

/// What a series is put together of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin<'a> {
    /// This and nothing else.
    One(PartId<'a>),
    /// More than one, or none that is known.
    Several(&'a [Part<'a>]),
    /// The histogram of a line, which keeps more than is shown or than it kept at first.
    Stages(u32, &'a [Stage]),
}

/// A part of a series; see [`SeriesView::parts`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Part<'a> {
    /// Which part it is.
    pub id: PartId<'a>,
    /// When it began to count, in nanoseconds since 1970. If it is not what it was in an earlier reading, this is another
    /// part, which got the id of one that has ended.
    pub started_unix_nanos: u64,
    /// Its value. That of a counter never shrinks, but wraps at 2^64, unless it is observed.
    pub value: PointView<'a>,
    /// Empty if there is only one.
    pub(super) stages: &'a [Stage],
}

impl<'a> Part<'a> {
    pub(crate) fn new(id: PartId<'a>, started_unix_nanos: u64, value: PointView<'a>) -> Part<'a> {
        Part { id, started_unix_nanos, value, stages: &[] }
    }
}

/// Which part of a series it is. Numbers are small and without large gaps, so that they may be places in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartId<'a> {
    /// What sites count whose labels the program text names. No other metric's part has this number, but that gauges are
    /// numbered apart.
    Named(u32),
    /// What is counted under labels that are put together at run time. No other metric's part has this number.
    Line(u32),
    /// What callbacks and gauge sets say of these labels.
    Observed(&'a LabelSet),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyValue, Store, metrics, u64_counter};

    metrics! {
        static SEEN: ObservableCounter<u64> = "view.parts" { labels: { side: &str } };
    }

    #[test]
    fn the_parts_of_a_series_add_up_to_it_and_keep_their_ids() {
        let store = Store::new();
        let parts = || {
            let mut all = Vec::new();
            store.read(|reading| {
                let family = reading.families().find(|family| family.definition().name() == "view.parts");
                family.unwrap().each(|series| {
                    let parts = series.parts().map(|part| {
                        let PointView::U64(value) = part.value else { panic!("{part:?}") };
                        (format!("{:?}", part.id), part.started_unix_nanos, value)
                    });
                    let parts: Vec<_> = parts.collect();
                    let sum = parts.iter().map(|(.., value)| value).sum();
                    assert_eq!(series.value, PointView::U64(sum));
                    all.extend(parts);
                });
            });
            all
        };
        let line = |amount| u64_counter!("view.parts", "", amount, "side" => String::from("buy"));
        store.scope(|| line(1));
        let first = parts();
        assert_eq!((first.len(), first[0].2), (1, 1));
        store.scope(|| u64_counter!("view.parts", "", 2, "side" => "buy"));
        store.scope(|| u64_counter!("view.parts", "", 4, "side" => "buy"));
        let all = parts();
        assert_eq!(all.iter().map(|(.., value)| *value).collect::<Vec<_>>(), [6, 1]);
        assert_eq!(all[1], first[0]);
        let observation = store.scope(|| SEEN.observe(|o| o.set(8, ("buy",))));
        assert_eq!(parts()[..2], all);
        assert!(parts()[2].0.contains("Observed"));
        drop(observation);
        assert_eq!(parts(), all);
    }

    #[test]
    fn a_line_that_is_used_again_has_another_start() {
        let store = Store::new();
        let ids = || {
            let mut ids = Vec::new();
            store.read(|reading| {
                let mut families = reading.families();
                if let Some(family) = families.find(|family| family.definition().name() == "view.again") {
                    family.each(|series| {
                        ids.extend(
                            series.parts().map(|part| (format!("{:?}", part.id), part.started_unix_nanos)),
                        );
                    });
                }
            });
            ids
        };
        let record =
            |side: &str| store.scope(|| u64_counter!("view.again", "", 1, "side" => side.to_owned()));
        record("buy");
        let first = ids();
        for _ in 0..100 {
            store.remove("view.again", [KeyValue::new("side", "buy")]);
            // Readings tidy up.
            ids();
            record("buy");
            let now = ids();
            assert_ne!(now, first);
            if now[0].0 == first[0].0 {
                return;
            }
        }
        panic!("its line is never used again");
    }
}
