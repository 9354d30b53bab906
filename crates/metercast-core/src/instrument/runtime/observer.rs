//! What callbacks of instruments that were made at run time say their values to.

use std::fmt;

use super::super::observable::{self, Run};
use super::super::observation::Observation;
use super::orders::with_list;
use crate::label::LabelRef;
use crate::number::Number;
use crate::own::{self, Reason};
use crate::site::Site;

/// Takes what a callback observes in one run; see [`observe`](crate::Instrument::observe).
pub struct RuntimeObserver<'a> {
    run: Run<'a>,
}

impl RuntimeObserver<'_> {
    /// Observes the value, in the metric's unit, of the series with these labels. Of two in one run the last stays. A number
    /// that is not of the instrument's type is dropped and counted in `metercast.recordings.dropped`.
    pub fn set<'l, N: Number>(&mut self, value: N, labels: impl IntoIterator<Item = LabelRef<'l>>) {
        let descriptor = self.run.site.descriptor();
        if descriptor.number != N::TYPE {
            return own::dropped_if_enabled(descriptor, Reason::Definition);
        }
        with_list(labels.into_iter(), |labels| self.run.set(value, &&*labels));
    }
}

impl fmt::Debug for RuntimeObserver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.run.site.descriptor().name;
        f.debug_struct("RuntimeObserver").field("name", &name).finish_non_exhaustive()
    }
}

#[track_caller]
pub(super) fn observe(
    site: &'static Site,
    mut callback: impl FnMut(&mut RuntimeObserver<'_>) + Send + 'static,
) -> Observation {
    observable::observe(site, move |run| callback(&mut RuntimeObserver { run }))
}
