//! What all subjects pay: the loop, the picked input, the copied page.

use std::hint::black_box;

use super::{Expect, Kind, Offer, Purpose, Recording, Registry, Subject, What, picked, plain};
use crate::inputs::Labels;

pub(crate) struct Floor;

impl Subject for Floor {
    fn name(&self) -> &'static str {
        super::FLOOR
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        let expect = Expect::Exactly(0);
        if exporters > 1 {
            return Offer::No;
        }
        Offer::Yes(match what {
            What::Counter | What::CounterOff | What::Gauge => plain(|| {}, || 0).expect(expect).boxed(),
            What::HistogramDynamic | What::HistogramBound => {
                let op = |labels: &Labels, amount: f64| {
                    black_box((labels, amount));
                };
                picked(op, || 0).expect(expect).boxed()
            }
            _ => {
                let op = |labels: &Labels, _| {
                    black_box(labels);
                };
                picked(op, || 0).expect(expect).boxed()
            }
        })
    }

    fn registry(&self, _: Kind, _: usize, purpose: Purpose) -> Offer<Box<dyn Registry>> {
        match purpose {
            Purpose::Page => Offer::Yes(Box::new(Copied { page: vec![b'x'; 8 << 20] })),
            _ => Offer::No,
        }
    }
}

/// A page that is there already; reading it is a copy.
struct Copied {
    page: Vec<u8>,
}

impl Registry for Copied {
    fn record(&self, labels: &Labels) {
        black_box(labels);
    }

    fn page(&self, read: &mut dyn FnMut(&[u8])) {
        read(black_box(&self.page.clone()));
    }
}
