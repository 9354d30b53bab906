//! Two profiles as one.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::head::{RequestHead, ResponseHead};
use super::profile::{BodyFrame, HttpEnd, HttpExchange, HttpProfile};

impl<A: HttpProfile, B: HttpProfile> HttpProfile for (A, B) {
    type Exchange = (Option<A::Exchange>, Option<B::Exchange>);

    /// Each decides for itself which requests it records.
    fn begin(&self, request: &RequestHead<'_>) -> Option<Self::Exchange> {
        match (self.0.begin(request), self.1.begin(request)) {
            (None, None) => None,
            both => Some(both),
        }
    }

    fn records(&self) -> Vec<&'static str> {
        [self.0.records(), self.1.records()].concat()
    }

    fn beside(self, recorded: &[&'static str]) -> Self {
        (self.0.beside(recorded), self.1.beside(recorded))
    }
}

impl<A: HttpExchange, B: HttpExchange> HttpExchange for (Option<A>, Option<B>) {
    const WATCHES_DATA: bool = A::WATCHES_DATA || B::WATCHES_DATA;

    fn answered(&mut self, response: &ResponseHead<'_>) {
        if let Some(first) = &mut self.0 {
            first.answered(response);
        }
        if let Some(second) = &mut self.1 {
            second.answered(response);
        }
    }

    fn frame(&mut self, frame: &BodyFrame<'_>) {
        if let Some(first) = &mut self.0 {
            first.frame(frame);
        }
        if let Some(second) = &mut self.1 {
            second.frame(frame);
        }
    }

    fn ended(&mut self, end: &HttpEnd<'_>) {
        let (first, second) = self;
        // There is no other end: that of an application's own profile may panic, and the other has it all the same.
        let first = first.as_mut().map(|first| catch_unwind(AssertUnwindSafe(|| first.ended(end))));
        if let Some(second) = second {
            second.ended(end);
        }
        if let Some(Err(panic)) = first {
            resume_unwind(panic);
        }
    }
}
