//! An operation under way: what was seen of it, and what is recorded of it in the end.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use metercast_core::{Guard, Kind, LabelRef, Store, Value, ValueRef};

use super::condition::{Known, Term, number};
use super::moment::Moment;
use super::plan::{Measure, Plan, Planned, Quantity};
use super::selector::{DURATION, REDACTED, Selection};
use super::source::Source;

/// An operation that is measured by the instruments that its stage had when it began; made by
/// [`StageHandle::begin`](super::StageHandle::begin).
///
/// It records into the store that was current then, and ends with [`end`](Self::end). Dropped before it was broken off: it is
/// recorded all the same, once, by each instrument whose condition is known to hold.
#[must_use = "what is dropped at once counts as broken off"]
pub struct Operation {
    plan: Arc<Plan>,
    store: Store,
    started: Instant,
    /// When the last event was.
    last_event: Instant,
    slots: Box<[Known<Value>]>,
    /// Of each instrument whether its condition holds, as soon as that is known.
    decided: Box<[Option<bool>]>,
    active: Vec<Guard>,
    is_over: bool,
}

impl Operation {
    pub(super) fn begin(plan: Arc<Plan>, request: &dyn Source) -> Operation {
        let store = Store::current();
        let started = store.now();
        let mut operation = Operation {
            slots: plan.selections.iter().map(|_| Known::NotYet).collect(),
            decided: plan
                .instruments
                .iter()
                .map(|planned| planned.condition.is_none().then_some(true))
                .collect(),
            plan,
            store,
            started,
            last_event: started,
            active: Vec::new(),
            is_over: false,
        };
        operation.look(Moment::Request, request);
        let plan = Arc::clone(&operation.plan);
        for (planned, decided) in plan.instruments.iter().zip(&operation.decided) {
            if matches!(planned.measure, Measure::Active) && *decided == Some(true) {
                let labels = labels(planned, &plan.selections, &operation.slots);
                operation.active.push(planned.instrument.guard(labels));
            }
        }
        operation
    }

    /// The head of its answer is there.
    pub fn response(&mut self, response: &dyn Source) {
        self.look(Moment::Response, response);
    }

    /// A part of its answer came, of which this is to be seen.
    pub fn event(&mut self, event: &dyn Source) {
        self.each(Moment::Event, event);
        self.last_event = self.store.now();
    }

    /// A part of what it is about was met, of which this is to be seen.
    pub fn field(&mut self, field: &dyn Source) {
        self.each(Moment::Field, field);
    }

    /// It failed: nothing more will come of it, but that it ends.
    pub fn error(&mut self, error: &dyn Source) {
        self.look(Moment::Error, error);
        for (slot, selection) in self.slots.iter_mut().zip(&self.plan.selections) {
            if !selection.moments.has(Moment::End) {
                settle(slot, selection);
            }
        }
    }

    /// It is over: everything that will ever be known of it is known.
    pub fn end(mut self, end: &dyn Source) {
        self.conclude(end, true);
    }

    /// It was broken off: what did not come until now stays unknown, but for what is known at every end.
    pub fn abandon(mut self, end: &dyn Source) {
        self.conclude(end, false);
    }

    /// Takes what is to be seen in this moment, and decides what can be decided.
    fn look(&mut self, moment: Moment, source: &dyn Source) {
        let plan = Arc::clone(&self.plan);
        if moment.is_repeated() {
            for (slot, selection) in self.slots.iter_mut().zip(&plan.selections) {
                if selection.moments.has(moment) {
                    *slot = Known::NotYet;
                }
            }
        }
        for slot in &plan.deciding[moment as usize] {
            self.find(&plan, *slot, moment, source);
        }
        self.decide(&plan);
        for (at, planned) in plan.instruments.iter().enumerate() {
            if self.decided[at] != Some(false) {
                for slot in &planned.recorded[moment as usize] {
                    self.find(&plan, *slot, moment, source);
                }
            }
        }
    }

    /// What is known stays; only what comes again and again is what it was last.
    fn find(&mut self, plan: &Plan, slot: usize, moment: Moment, source: &dyn Source) {
        let selection = &plan.selections[slot];
        if self.slots[slot] != Known::NotYet {
            return;
        }
        let found = if selection.name == DURATION {
            Some(Value::from(self.elapsed(self.started)))
        } else {
            source.find(selection).into_value()
        };
        match found {
            Some(value) => self.slots[slot] = Known::There(value),
            None if selection.moments.end_with(moment) || moment.is_repeated() => {
                settle(&mut self.slots[slot], selection);
            }
            None => {}
        }
    }

    fn decide(&mut self, plan: &Plan) {
        for (planned, decided) in plan.instruments.iter().zip(&mut self.decided) {
            let Some(condition) = &planned.condition else { continue };
            let holds = condition.holds(&self.slots);
            // What is recorded at each event is decided at each.
            match planned.measure {
                Measure::AtEach(..) => *decided = holds,
                // Of a condition on events it is enough that it held once; the others do not change.
                Measure::Active | Measure::AtEnd(_) if *decided != Some(true) => {
                    *decided = holds.filter(|holds| *holds || !planned.depends_on_events);
                }
                Measure::Active | Measure::AtEnd(_) => {}
            }
        }
    }

    fn each(&mut self, moment: Moment, source: &dyn Source) {
        self.look(moment, source);
        let plan = Arc::clone(&self.plan);
        for (planned, decided) in plan.instruments.iter().zip(&self.decided) {
            if let Measure::AtEach(when, quantity) = planned.measure
                && when == moment
                && *decided == Some(true)
            {
                self.record(planned, quantity, self.last_event);
            }
        }
    }

    fn conclude(&mut self, end: &dyn Source, is_complete: bool) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        self.look(Moment::End, end);
        let plan = Arc::clone(&self.plan);
        if is_complete {
            for (slot, selection) in self.slots.iter_mut().zip(&plan.selections) {
                settle(slot, selection);
            }
            self.decide_finally(&plan);
        }
        for (planned, decided) in plan.instruments.iter().zip(&self.decided) {
            if let Measure::AtEnd(quantity) = planned.measure
                && *decided == Some(true)
            {
                self.record(planned, quantity, self.started);
            }
        }
        self.active.clear();
    }

    /// Decides what has to be decided, since nothing more will come.
    fn decide_finally(&mut self, plan: &Plan) {
        for (planned, decided) in plan.instruments.iter().zip(&mut self.decided) {
            if let Some(condition) = &planned.condition
                && matches!(planned.measure, Measure::AtEnd(_))
                && decided.is_none()
            {
                *decided = condition.holds(&self.slots);
            }
        }
    }

    fn record(&self, planned: &Planned, quantity: Quantity, since: Instant) {
        let value = match quantity {
            Quantity::One => None,
            Quantity::Elapsed(unit) => Some(unit.of(self.store.now().saturating_duration_since(since))),
            Quantity::Slot(slot) => match self.slots.get(slot) {
                Some(Known::There(value)) => match number(value) {
                    Some(number) => Some(number),
                    None => return,
                },
                _ => return,
            },
        };
        let (instrument, labels) = (planned.instrument, labels(planned, &self.plan.selections, &self.slots));
        self.store.scope(|| match (instrument.kind(), value) {
            (Kind::Counter, None) => instrument.add(1u64, labels),
            (Kind::UpDownCounter, None) => instrument.add(1i64, labels),
            (Kind::Counter | Kind::UpDownCounter, Some(value)) => instrument.add(value, labels),
            (Kind::Gauge, value) => instrument.set(value.unwrap_or(1.0), labels),
            (_, value) => instrument.record(value.unwrap_or(1.0), labels),
        });
    }

    fn elapsed(&self, since: Instant) -> f64 {
        self.store.now().saturating_duration_since(since).as_secs_f64()
    }
}

/// Nothing more will come for this slot.
fn settle(slot: &mut Known<Value>, selection: &Selection) {
    if *slot == Known::NotYet {
        *slot = selection.default.clone().map_or(Known::Missing, Known::There);
    }
}

/// The labels of what is recorded now. What is not known is what stands for it, or left out.
pub(super) fn labels<'a>(
    planned: &'a Planned,
    selections: &'a [Selection],
    slots: &'a [Known<Value>],
) -> impl Iterator<Item = LabelRef<'a>> {
    planned.labels.iter().map(move |label| {
        let value = match &label.value {
            Term::Constant(value) => Some(value),
            Term::Nothing => None,
            Term::Slot(slot) => match slots.get(*slot) {
                Some(Known::There(value)) => Some(value),
                _ => selections.get(*slot).and_then(|selection| selection.default.as_ref()),
            },
        };
        let value = match value {
            Some(value) if label.hides(value) => ValueRef::String(REDACTED),
            Some(value) => ValueRef::from(value),
            None => ValueRef::Absent,
        };
        (label.key.as_str(), value)
    })
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.conclude(&(), false);
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("store", &self.store).finish_non_exhaustive()
    }
}
