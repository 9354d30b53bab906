//! What was built: one series with the value 1, whose labels say it.

use metercast_core::{Observation, metrics};

metrics! {
    /// What was built: always 1, with the version, the revision and the compiler.
    static BUILD_INFO: ObservableGauge<u64> = "build.info" {
        labels: { version: Option<&str>, revision: Option<&str>, rustc: Option<&str> }
    };
}

/// What was built; made by [`build_info!`](crate::build_info!), or by hand from what the program knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// The version of the program.
    pub version: Option<&'static str>,
    /// The revision of its source, such as a commit.
    pub revision: Option<&'static str>,
    /// The version of the compiler.
    pub rustc: Option<&'static str>,
}

impl BuildInfo {
    /// Shows it in the current store as `build.info`, 1 with the labels that are known.
    ///
    /// ```
    /// use metercast::{Log, PrometheusPage, Store};
    /// use metercast_process::BuildInfo;
    ///
    /// # let store = Store::new();
    /// # store.scope(|| {
    /// BuildInfo { version: Some("1.2.3"), revision: Some("4b825dc"), rustc: None }.observe().forever();
    /// let page = PrometheusPage::new("p", Log::default()).render(&Store::current());
    /// assert_eq!(page.lines().last(), Some("build_info{version=\"1.2.3\",revision=\"4b825dc\"} 1"));
    /// # });
    /// ```
    #[track_caller]
    pub fn observe(self) -> Observation {
        let BuildInfo { version, revision, rustc } = self;
        BUILD_INFO.observe(move |gauge| gauge.set(1, (version, revision, rustc)))
    }
}

/// What was built of the crate in which this stands: a [`BuildInfo`](crate::BuildInfo) of its version, and of what the environment says
/// while it is compiled: `BUILD_REVISION` (or `VERGEN_GIT_SHA`, or `GITHUB_SHA`) and `BUILD_RUSTC` (or `VERGEN_RUSTC_SEMVER`). What is not
/// there is left out.
///
/// A build script can say them:
///
/// ```no_run
/// // In the `main` of build.rs:
/// let say = |name: &str, program: &str, arguments: &[&str]| {
///     if let Ok(output) = std::process::Command::new(program).args(arguments).output() {
///         println!("cargo::rustc-env={name}={}", String::from_utf8_lossy(&output.stdout).trim());
///     }
/// };
/// say("BUILD_REVISION", "git", &["rev-parse", "--short", "HEAD"]);
/// say("BUILD_RUSTC", &std::env::var("RUSTC").unwrap(), &["--version"]);
/// ```
///
/// ```
/// let build = metercast_process::build_info!();
/// assert_eq!(build.version, option_env!("CARGO_PKG_VERSION"));
/// ```
#[macro_export]
macro_rules! build_info {
    () => {
        $crate::BuildInfo {
            version: ::core::option_env!("CARGO_PKG_VERSION"),
            revision: ::core::option_env!("BUILD_REVISION")
                .or(::core::option_env!("VERGEN_GIT_SHA"))
                .or(::core::option_env!("GITHUB_SHA")),
            rustc: ::core::option_env!("BUILD_RUSTC").or(::core::option_env!("VERGEN_RUSTC_SEMVER")),
        }
    };
}
