//! What is wrong with metrics although they work: names, units and help that those who read them would trip over.
//!
//! The standard rules are all of [promlint](prometheus) for the page as it is served, and the naming and units of
//! OpenTelemetry's [semantic conventions](conventions) for the metrics as they are declared. Rules of one's own stand beside them.
//!
//! ```
//! use metercast::lint::Linter;
//! use metercast::{Store, assert_lint_clean, testing, u64_counter, u64_counter_with_unit};
//!
//! let _metrics = testing::scope();
//! u64_counter_with_unit!("orders.placed", "Orders accepted", "{order}", 1);
//! assert_lint_clean!();
//!
//! u64_counter!("orders.refused", "", 1);
//! let findings = Linter::standard().check(&Store::current());
//! let rules: Vec<_> = findings.iter().map(|finding| finding.rule.as_ref()).collect();
//! assert_eq!(rules, ["help", "no-unit"]);
//! assert_eq!(findings[1].mend, "give it a unit: {thing} for things that are counted, 1 for a ratio");
//! ```

pub mod conventions;
mod known;
mod page;
pub mod prometheus;
mod ucum;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use metercast_core::{Definition, Kind, Place, Store};

use crate::export::prometheus::{PageOptions, PrometheusPage};
use crate::log::Log;
use crate::snapshot::{Family, Snapshot};
use crate::view::Glob;

/// Something that a rule does not like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The metric, as it is declared, or, if only the page shows it, as it is called there.
    pub metric: String,
    /// The name of the rule, to [allow](Linter::allow) it.
    pub rule: Cow<'static, str>,
    /// What is wrong.
    pub text: String,
    /// What to do about it.
    pub mend: String,
    /// Where the metric is defined, if it is known.
    pub place: Option<Place>,
}

impl Finding {
    /// A finding of a rule about a metric.
    pub fn new(
        metric: &Metric,
        rule: impl Into<Cow<'static, str>>,
        text: impl Into<String>,
        mend: impl Into<String>,
    ) -> Finding {
        let place = Some(metric.definition.place());
        Finding { place, ..Finding::named(metric.name(), rule, text, mend) }
    }

    fn named(
        metric: &str,
        rule: impl Into<Cow<'static, str>>,
        text: impl Into<String>,
        mend: impl Into<String>,
    ) -> Finding {
        let (metric, text, mend) = (metric.to_owned(), text.into(), mend.into());
        Finding { metric, rule: rule.into(), text, mend, place: None }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {} ({}", self.metric, self.text, self.mend, self.rule)?;
        match self.place {
            Some(place) => write!(f, ", defined at {place})"),
            None => f.write_str(")"),
        }
    }
}

/// A metric as rules see it.
#[derive(Clone, Debug)]
pub struct Metric {
    definition: Arc<Definition>,
    labels: BTreeSet<String>,
}

impl Metric {
    fn of(family: &Family) -> Metric {
        let declared = family.definition.label_keys().into_iter().flatten().map(str::to_owned).collect();
        let used =
            family.series.iter().flat_map(|series| series.labels.iter().map(|(key, _)| key.to_owned()));
        let mut labels: BTreeSet<String> = declared;
        labels.extend(used);
        Metric { definition: Arc::clone(&family.definition), labels }
    }

    /// Its name, as it is declared.
    pub fn name(&self) -> &str {
        self.definition.name()
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.definition.kind()
    }

    /// Its unit; empty if it has none.
    pub fn unit(&self) -> &str {
        self.definition.unit()
    }

    /// The keys of its labels, declared or recorded, sorted.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    /// Everything else that is known of it.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }
}

/// Rules about metrics, such as those of one's own; a closure is one.
pub trait RuleSet {
    /// Looks at all metrics together, and adds what is wrong with them.
    fn check(&self, metrics: &[Metric], findings: &mut Vec<Finding>);
}

impl<F: Fn(&[Metric], &mut Vec<Finding>)> RuleSet for F {
    fn check(&self, metrics: &[Metric], findings: &mut Vec<Finding>) {
        self(metrics, findings);
    }
}

/// Sets of rules, and what is allowed in spite of them.
#[derive(Default)]
#[must_use]
pub struct Linter {
    sets: Vec<Box<dyn RuleSet>>,
    /// Whether the page is looked at as promlint does.
    page: Option<PageOptions>,
    allowed: Vec<(String, Glob)>,
}

impl Linter {
    /// A linter without rules.
    pub fn new() -> Linter {
        Linter::default()
    }

    /// A linter with promlint's rules and those of the semantic conventions.
    pub fn standard() -> Linter {
        Linter::new().page(PageOptions::new()).rules(conventions::check)
    }

    /// Looks at the page as well, served with these options, as promlint does.
    pub fn page(mut self, options: PageOptions) -> Linter {
        self.page = Some(options);
        self
    }

    /// Adds a set of rules.
    ///
    /// ```
    /// use metercast::lint::{Finding, Linter, Metric};
    /// use metercast::{Store, testing, u64_counter};
    ///
    /// let linter = Linter::new().rules(|metrics: &[Metric], findings: &mut Vec<Finding>| {
    ///     for metric in metrics.iter().filter(|metric| !metric.name().starts_with("shop.")) {
    ///         findings.push(Finding::new(metric, "prefix", "the name does not say whose it is", "begin it with shop."));
    ///     }
    /// });
    ///
    /// let _metrics = testing::scope();
    /// u64_counter!("orders", "Orders accepted", 1);
    /// let found = linter.check(&Store::current())[0].to_string();
    /// assert!(found.starts_with("orders: the name does not say whose it is; begin it with shop. (prefix, defined at "));
    /// ```
    pub fn rules(mut self, rules: impl RuleSet + 'static) -> Linter {
        self.sets.push(Box::new(rules));
        self
    }

    /// Lets the metrics whose names match do what this rule forbids: `allow("no-unit", "legacy.*")`.
    pub fn allow(mut self, rule: &str, metrics: &str) -> Linter {
        self.allowed.push((rule.to_owned(), Glob::new(metrics)));
        self
    }

    /// What is wrong with the metrics that were used in this store, in the order of their names. Metrics of metercast
    /// itself are left out.
    pub fn check(&self, store: &Store) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(options) = &self.page {
            let page = PrometheusPage::with("lint", options.clone(), &[], Log::to(|_, _| {})).render(store);
            findings.extend(prometheus::check(&page));
        }
        let metrics: Vec<_> = Snapshot::of(store).families.iter().map(Metric::of).filter(is_theirs).collect();
        for rules in &self.sets {
            rules.check(&metrics, &mut findings);
        }
        findings.retain(|finding| {
            let allows =
                |(rule, metrics): &(String, Glob)| *rule == finding.rule && metrics.matches(&finding.metric);
            !finding.metric.starts_with("metercast_") && !self.allowed.iter().any(allows)
        });
        // What both find is said once, of the metric as it is declared.
        let declared: BTreeSet<String> = findings
            .iter()
            .filter(|finding| finding.place.is_some() && finding.rule == "help")
            .map(|finding| spelled(&finding.metric))
            .collect();
        let is_again = |finding: &Finding| {
            finding.place.is_none()
                && finding.rule == "help"
                && declared.iter().any(|name| finding.metric.starts_with(name.as_str()))
        };
        findings.retain(|finding| !is_again(finding));
        findings.sort_by_key(|finding| spelled(&finding.metric));
        findings
    }
}

impl fmt::Debug for Linter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linter")
            .field("sets", &self.sets.len())
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}

fn is_theirs(metric: &Metric) -> bool {
    !metric.name().starts_with("metercast.")
}

/// A name as a page spells it, but for what is put behind it.
fn spelled(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == ':' { c } else { '_' }).collect()
}

/// Asserts that nothing is wrong with the metrics of the current store: by the standard rules, or by those of the [`Linter`] that
/// is given.
///
/// # Panics
///
/// If something is; the message lists all of it, with how to mend it.
///
/// ```should_panic
/// use metercast::{assert_lint_clean, testing, u64_counter};
///
/// let _metrics = testing::scope();
/// u64_counter!("ordersPlaced", "Orders accepted", 1);
/// assert_lint_clean!();
/// ```
#[macro_export]
macro_rules! assert_lint_clean {
    () => {
        $crate::assert_lint_clean!($crate::lint::Linter::standard())
    };
    ($linter:expr $(,)?) => {
        $crate::lint::check_clean(&$linter)
    };
}

/// What `assert_lint_clean!` calls.
#[doc(hidden)]
#[track_caller]
pub fn check_clean(linter: &Linter) {
    let findings = linter.check(&Store::current());
    if !findings.is_empty() {
        let lines: String = findings.iter().map(|finding| format!("\n  {finding}")).collect();
        panic!("the metrics of this store are not clean:{lines}");
    }
}
