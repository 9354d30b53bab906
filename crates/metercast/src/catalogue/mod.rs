//! The catalogue: all metrics that a program's text declares or names at its call sites, known without running it.
//!
//! [`metrics!`](crate::metrics) and the call-site macros leave a note of each metric in the file of the program, whether it is ever
//! recorded or not: in whichever crate, in generic functions, in functions that nobody calls. A [`Catalogue`] is read from that file, which
//! may be stripped, optimised, or made for another machine. So the reference of a service's metrics need not be written by
//! hand, and a test can say that nobody changed what dashboards rely on.
//!
//! ```no_run
//! use metercast::catalogue::Catalogue;
//!
//! let catalogue = Catalogue::of_file("target/release/shop")?.of_packages(["shop"]);
//! for metric in catalogue.metrics() {
//!     println!("{} ({}), at {}", metric.name, metric.kind, metric.places[0]);
//! }
//! println!("{}", catalogue.markdown());
//! # Ok::<(), metercast::catalogue::CatalogueError>(())
//! ```
//!
//! `metercast docs` prints the same on the command line, and [`assert_catalogue!`](crate::assert_catalogue) holds a file to it in a test.
//!
//! # What is not in it
//!
//! Metrics whose names are known when the program runs alone: those of runtime instruments and of other front ends. What of them a
//! store has met so far, [`Catalogue::and_met`] adds. The values of a label are known from its type, for declared metrics, or from
//! a literal at a call site; any other expression at a call site may give any text.
//!
//! What is linked is in it, also the metrics of crates that the program depends on; [`Catalogue::of_packages`] chooses. On systems other than
//! Linux and Android it is for the linker to keep what nothing uses: macOS and Windows keep it; other systems with ELF files
//! may not.

mod check;
mod document;
mod error;
mod json;
mod markdown;
mod merge;
mod metric;
mod note;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use metercast_core::Store;

use crate::PageOptions;

pub use check::Difference;
#[doc(hidden)]
pub use check::{Given, assert};
pub use document::DocumentError;
pub use error::CatalogueError;
pub use metric::{Buckets, Label, Metric, Place, Values};

/// The metrics of a program, as its text has them.
#[derive(Clone, Debug)]
#[must_use]
pub struct Catalogue {
    /// Sorted by name.
    metrics: Vec<Metric>,
    conflicts: Vec<String>,
    options: PageOptions,
}

/// The catalogue of the program that runs, read from its file.
///
/// ```
/// metercast::metrics! {
///     /// Orders accepted.
///     static ORDERS_PLACED: Counter<u64> = "orders.placed" { unit: "{order}" };
/// }
///
/// let catalogue = metercast::catalogue()?;
/// let placed = catalogue.metric("orders.placed").expect("it is declared, if never used");
/// assert_eq!(placed.description, "Orders accepted.");
/// # Ok::<(), metercast::catalogue::CatalogueError>(())
/// ```
///
/// # Errors
///
/// If the file cannot be found or read, as where `/proc` is missing, or the program runs in a browser.
pub fn catalogue() -> Result<Catalogue, CatalogueError> {
    Catalogue::of_file(std::env::current_exe().map_err(CatalogueError::nowhere)?)
}

impl Catalogue {
    /// The catalogue of the program, or the library, in this file. It is read, not run.
    ///
    /// A library in its Rust form (`.rlib`) or an archive of objects will do as well.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no program, or has notes in a shape that this version does not know. A program without metrics
    /// is no error: the catalogue is empty.
    pub fn of_file(path: impl AsRef<Path>) -> Result<Catalogue, CatalogueError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|cause| CatalogueError::unreadable(path, cause))?;
        Catalogue::read(path, file)
    }

    fn read(path: &Path, file: impl Read) -> Result<Catalogue, CatalogueError> {
        let found = note::find(file).map_err(|cause| CatalogueError::unreadable(path, cause))?;
        if found.unknown > 0 {
            return Err(CatalogueError::newer(path, found.unknown));
        }
        if found.metrics.is_empty() {
            error::assert_program(path, &found.head)?;
        }
        let mut catalogue =
            Catalogue { metrics: Vec::new(), conflicts: Vec::new(), options: PageOptions::new() };
        (catalogue.metrics, catalogue.conflicts) = merge::merged(found.metrics);
        if found.cores.len() > 1 {
            catalogue.conflicts.push(format!(
                "the program has metercast-core more than once, in the versions {}: each has a store of its own, so no exporter sees \
                 all metrics; let cargo choose one version (`cargo tree -i metercast-core` says who wants which)",
                found.cores.join(" and ")
            ));
        }
        Ok(catalogue)
    }

    /// All metrics, sorted by name. Those of one name that differ in kind, number or unit are several.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The metric of this name, as declared; the first of several.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// What places contradict each other in, in words: one name for several kinds or units, several descriptions or buckets of one metric.
    /// Of such metrics a store keeps the first that it meets.
    pub fn conflicts(&self) -> &[String] {
        &self.conflicts
    }

    /// The same, with those metrics alone that a place in one of these packages names.
    pub fn of_packages<P: AsRef<str>>(self, packages: impl IntoIterator<Item = P>) -> Catalogue {
        let packages: Vec<P> = packages.into_iter().collect();
        let is_asked = |place: &Place| packages.iter().any(|package| place.package == package.as_ref());
        self.retain(|metric| metric.places.iter().any(is_asked))
    }

    /// The same, with those metrics alone for which `keep` says so.
    pub fn retain(mut self, keep: impl FnMut(&Metric) -> bool) -> Catalogue {
        self.metrics.retain(keep);
        self
    }

    /// The same, with what `store` has met up to now and the program text does not have: metrics whose names are known at run time alone.
    /// They are [marked](Metric::met).
    ///
    /// ```
    /// use metercast::{Store, catalogue};
    ///
    /// let catalogue = catalogue()?.and_met(&Store::current());
    /// assert!(catalogue.metrics().iter().all(|metric| !metric.met), "nothing was recorded");
    /// # Ok::<(), metercast::catalogue::CatalogueError>(())
    /// ```
    pub fn and_met(mut self, store: &Store) -> Catalogue {
        merge::add_met(&mut self.metrics, store);
        self
    }

    /// The same, with the names that a Prometheus page with these options has.
    pub fn page_options(mut self, options: PageOptions) -> Catalogue {
        self.options = options;
        self
    }

    /// The packages whose metrics these are, each once, sorted.
    pub fn packages(&self) -> Vec<&str> {
        let mut packages: Vec<&str> =
            self.metrics.iter().flat_map(|metric| &metric.places).map(|place| &*place.package).collect();
        packages.sort_unstable();
        packages.dedup();
        packages
    }
}
