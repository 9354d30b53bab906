//! Points become requests of at most so many bytes.

use metercast_core::Kind;
use metercast_core::reading::SeriesView;

use super::format::{AT_ONCE, Data, Format, Point, Scalar, Temporality};
use super::request::Request;
use super::told::Told;

/// Requests that are being written. A request, a scope or a metric is opened by its first point, so that none is there
/// without.
#[derive(Debug)]
pub(super) struct Walk<'a, F: Format> {
    format: &'a mut F,
    resource: &'a mut F::Resource,
    /// The most bytes of a request.
    limit: usize,
    /// Up to where nobody has to look closely whether a point makes the request too long.
    safe: usize,
    request: Option<Begun>,
    scope: Option<Begun>,
    metric: Option<(Begun, Data)>,
    /// Up to where points can be written in a hurry: nowhere unless a metric is open whose points are numbers.
    hurry_until: usize,
    /// Of the request.
    points: u64,
    told: Told,
    /// To be used for the next requests.
    spare: Vec<Told>,
    done: Done,
}

/// Where something that is open begins.
#[derive(Clone, Copy, Debug)]
struct Begun {
    position: usize,
    /// How many points there were.
    points: u64,
}

/// What a walk came to.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) requests: Vec<Request>,
    /// How many points were larger than a request may be.
    pub(super) left_out: u64,
}

/// The metric that a point belongs to.
#[derive(Debug)]
pub(super) struct Of<'a, F: Format> {
    pub(super) scope: &'a mut F::Scope,
    pub(super) metric: &'a mut F::Metric,
    pub(super) temporality: Temporality,
}

/// More than what is written behind a point to close everything.
const BEHIND: usize = 128;

impl<'a, F: Format> Walk<'a, F> {
    /// Writes behind what the format has. `spare` are to be used, the last one first.
    pub(super) fn new(
        format: &'a mut F,
        resource: &'a mut F::Resource,
        limit: usize,
        mut spare: Vec<Told>,
    ) -> Walk<'a, F> {
        let told = spare.pop().unwrap_or_default();
        let (scope, metric, done) = (None, None, Done::default());
        Walk {
            format,
            resource,
            limit,
            safe: 0,
            request: None,
            scope,
            metric,
            hurry_until: 0,
            points: 0,
            told,
            spare,
            done,
        }
    }

    /// What is to be known when the request arrives that has the point that was put last.
    pub(super) fn told(&mut self) -> &mut Told {
        &mut self.told
    }

    /// Writes the point of a series in a hurry, or gives up. `times` are those of its beginning and of the reading.
    #[inline(always)]
    pub(super) fn put_at_once(
        &mut self,
        of: &mut Of<'_, F>,
        series: &SeriesView<'_>,
        times: [u64; 2],
        scalar: Scalar,
    ) -> bool {
        if self.format.position() < self.hurry_until
            && self.format.number_at_once(of.metric, series, times, scalar)
        {
            self.points += 1;
            return true;
        }
        false
    }

    /// Writes a point of a metric of this kind; false if it is too large for a request.
    pub(super) fn put(&mut self, of: &mut Of<'_, F>, kind: Kind, point: &Point<'_>) -> bool {
        let data = Data::of(kind, &point.value);
        let mut begins = self.write(of, data, point);
        if self.is_too_long() {
            self.take_back(begins);
            if self.points == 0 {
                self.done.left_out += 1;
                return false;
            }
            // Once more, in a request of its own.
            self.close_metric(of.metric);
            self.close_scope(of.scope);
            self.close_request();
            begins = self.write(of, data, point);
            if self.is_too_long() {
                self.take_back(begins);
                self.done.left_out += 1;
                return false;
            }
        }
        self.points += 1;
        true
    }

    /// Writes a point and what has to be open around it; where it begins.
    fn write(&mut self, of: &mut Of<'_, F>, data: Data, point: &Point<'_>) -> usize {
        let points = self.points;
        if self.request.is_none() {
            let position = self.format.position();
            self.request = Some(Begun { position, points });
            self.safe = position.saturating_add(self.limit.saturating_sub(AT_ONCE + BEHIND));
            self.format.open_request(self.resource);
        }
        if self.scope.is_none() {
            self.scope = Some(Begun { position: self.format.position(), points });
            self.format.open_scope(of.scope);
        }
        if self.metric.is_some_and(|(_, open)| open != data) {
            self.close_metric(of.metric);
        }
        if self.metric.is_none() {
            self.metric = Some((Begun { position: self.format.position(), points }, data));
            let are_numbers = matches!(data, Data::Gauge | Data::Sum { .. });
            self.hurry_until = if are_numbers { self.safe } else { 0 };
            self.format.open_metric(of.metric, data, of.temporality);
        }
        let begins = self.format.position();
        self.format.point(of.metric, data, point);
        begins
    }

    fn is_too_long(&self) -> bool {
        let begins = self.request.map_or(0, |begun| begun.position);
        self.format.position() >= self.safe && self.format.length_if_closed() - begins > self.limit
    }

    /// Takes back the point that begins here, and what has no other.
    fn take_back(&mut self, begins: usize) {
        let is_empty = |begun: Begun| begun.points == self.points;
        self.format.back_to(begins, 3);
        if let Some((begun, _)) = self.metric.take_if(|(begun, _)| is_empty(*begun)) {
            self.hurry_until = 0;
            self.format.back_to(begun.position, 2);
        }
        if let Some(begun) = self.scope.take_if(|begun| is_empty(*begun)) {
            self.format.back_to(begun.position, 1);
        }
        if let Some(begun) = self.request.take_if(|begun| is_empty(*begun)) {
            self.format.back_to(begun.position, 0);
        }
    }

    /// Closes the open metric, if there is one, which is this.
    pub(super) fn close_metric(&mut self, metric: &mut F::Metric) {
        if self.metric.take().is_some() {
            self.hurry_until = 0;
            self.format.close_metric(metric);
        }
    }

    /// The same for scopes.
    pub(super) fn close_scope(&mut self, scope: &mut F::Scope) {
        if self.scope.take().is_some() {
            self.format.close_scope(scope);
        }
    }

    fn close_request(&mut self) {
        if self.request.take().is_none() {
            return;
        }
        self.format.close_request(self.resource);
        let body = self.format.take();
        self.format.write_behind(Vec::with_capacity(body.len()));
        let mut next = self.spare.pop().unwrap_or_default();
        (next.reading, next.time) = (self.told.reading, self.told.time);
        let told = std::mem::replace(&mut self.told, next);
        self.done.requests.push(Request { body, points: std::mem::take(&mut self.points), reading: 0, told });
    }

    /// What came of it, and what was not used.
    pub(super) fn finish(mut self) -> (Done, Vec<Told>) {
        if self.request.take().is_some() {
            self.format.close_request(self.resource);
            let (body, told) = (self.format.take(), std::mem::take(&mut self.told));
            self.done.requests.push(Request { body, points: self.points, reading: 0, told });
        } else {
            self.spare.push(self.told);
        }
        (self.done, self.spare)
    }
}
