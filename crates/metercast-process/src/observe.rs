//! All of it by one line.

use metercast_core::Observation;

use crate::build_info::BuildInfo;
use crate::panics::{PanicCounting, panics};
use crate::process::{ProcessNames, ProcessObservation, process};

/// Observes all that this build of the crate knows of, in the current store: the process by the names of the semantic conventions, the
/// Tokio runtime that is current, jemalloc with that feature, and panics.
pub fn observe() -> Observed {
    Observe::new().start()
}

/// What is to be observed of the process.
///
/// ```
/// use metercast_process::{Observe, ProcessNames, build_info};
///
/// let observed = Observe::new()
///     .names(ProcessNames::Prometheus)
///     .build_info(build_info!())
///     .without_panics()
///     .start();
/// # drop(observed);
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is observed until `start`"]
pub struct Observe {
    names: ProcessNames,
    runtime: Option<String>,
    build_info: Option<BuildInfo>,
    panics: bool,
}

impl Observe {
    /// All that this build of the crate knows of.
    #[expect(clippy::new_without_default, reason = "it is where a sentence begins")]
    pub fn new() -> Observe {
        Observe {
            names: ProcessNames::default(),
            runtime: Some("main".to_owned()),
            build_info: None,
            panics: true,
        }
    }

    /// By these names; those of the semantic conventions unless said.
    pub fn names(mut self, names: ProcessNames) -> Self {
        self.names = names;
        self
    }

    /// The Tokio runtime that is current under this name; `main` unless said. Others are observed by
    /// [`RuntimeObservation`](crate::RuntimeObservation), each under its own.
    #[cfg(feature = "tokio")]
    pub fn runtime(mut self, name: &str) -> Self {
        self.runtime = Some(name.to_owned());
        self
    }

    /// No Tokio runtime.
    #[cfg(feature = "tokio")]
    pub fn without_runtime(mut self) -> Self {
        self.runtime = None;
        self
    }

    /// What was built, as [`build_info!`](crate::build_info!) says.
    pub fn build_info(mut self, build: BuildInfo) -> Self {
        self.build_info = Some(build);
        self
    }

    /// Panics are not counted, and the hook stays as it is.
    pub fn without_panics(mut self) -> Self {
        self.panics = false;
        self
    }

    /// Observes it in the current store.
    #[track_caller]
    pub fn start(self) -> Observed {
        let Observe { names, runtime, build_info, panics: has_panics } = self;
        #[cfg(feature = "tokio")]
        let runtime = runtime.and_then(|name| {
            let handle = tokio::runtime::Handle::try_current().ok()?;
            Some(crate::runtime::RuntimeObservation::start(&name, &handle))
        });
        #[cfg(not(feature = "tokio"))]
        drop(runtime);
        Observed {
            process: process(names),
            #[cfg(feature = "tokio")]
            runtime,
            // Without statistics in the jemalloc that the program has there is nothing to observe.
            #[cfg(feature = "jemalloc")]
            jemalloc: crate::jemalloc::jemalloc().ok(),
            build_info: build_info.map(BuildInfo::observe),
            panics: has_panics.then(panics),
        }
    }
}

/// What is observed until this is dropped.
#[must_use = "dropping it ends the observation at once; keep it, or call `forever`"]
#[derive(Debug)]
pub struct Observed {
    process: ProcessObservation,
    #[cfg(feature = "tokio")]
    runtime: Option<crate::runtime::RuntimeObservation>,
    #[cfg(feature = "jemalloc")]
    jemalloc: Option<crate::jemalloc::JemallocObservation>,
    build_info: Option<Observation>,
    panics: Option<PanicCounting>,
}

impl Observed {
    /// Observes it for as long as the store lives.
    pub fn forever(self) {
        self.process.forever();
        #[cfg(feature = "tokio")]
        self.runtime.into_iter().for_each(crate::runtime::RuntimeObservation::forever);
        #[cfg(feature = "jemalloc")]
        self.jemalloc.into_iter().for_each(crate::jemalloc::JemallocObservation::forever);
        self.build_info.into_iter().for_each(Observation::forever);
        self.panics.into_iter().for_each(PanicCounting::forever);
    }
}
