//! What pages need of a form, text or protobuf, to be written in it. Which metric has which name, which series are left out or merged,
//! is decided for all forms alike by the encoder.

use metercast_core::reading::SeriesView;

use super::classic::Classic;
use super::family::Family;
use super::series::Series;
use super::style::Style;

/// A form of pages.
pub(super) trait Form {
    /// What pages are written with, one after the other.
    type Desk: Default;
    /// A page on its way out.
    type Sheet<'a>;
    /// A moment while writing.
    type Moment: Copy;
    /// What is prepared of a metric.
    type Metric;
    /// What is prepared of the keys of series.
    type Keys;

    /// Begins a page, which goes to `sink` in chunks.
    fn sheet<'a>(desk: &'a mut Self::Desk, sink: &'a mut dyn FnMut(&[u8])) -> Self::Sheet<'a>;

    /// Ends a page.
    fn finish(sheet: Self::Sheet<'_>, style: &Style);

    /// Prepares a metric.
    fn metric(family: &Family, style: &Style) -> Self::Metric;

    /// Prepares keys that have these names, in their order.
    fn keys(metric: &Self::Metric, names: &[String]) -> Self::Keys;

    /// The classic buckets of the metric, if it has exponential ones.
    fn classic(metric: &mut Self::Metric) -> &mut Classic;

    /// Begins a metric, of which series follow.
    fn begin(metric: &mut Self::Metric, sheet: &mut Self::Sheet<'_>);

    /// Ends the metric that was begun.
    fn end(metric: &mut Self::Metric, style: &Style, sheet: &mut Self::Sheet<'_>);

    /// Writes a series straight from the store. Returns a number that is equal for labels that are spelled alike, in any order, if
    /// that is asked for. `MORE` is what [`Style::has_more`] says.
    fn write<const HASHED: bool, const MORE: bool>(
        metric: &mut Self::Metric,
        keys: &Self::Keys,
        series: &SeriesView<'_>,
        sheet: &mut Self::Sheet<'_>,
    ) -> u64;

    /// Writes a series that was kept, without hurry.
    fn write_kept(
        metric: &mut Self::Metric,
        family: &Family,
        series: &Series,
        style: &Style,
        sheet: &mut Self::Sheet<'_>,
    );

    /// Keeps what is written from now on, so that it can be taken back.
    fn hold(sheet: &mut Self::Sheet<'_>) -> Self::Moment;

    /// Takes back what was written since.
    fn take_back(sheet: &mut Self::Sheet<'_>, since: Self::Moment);

    /// Lets what was held go.
    fn let_go(sheet: &mut Self::Sheet<'_>);
}
