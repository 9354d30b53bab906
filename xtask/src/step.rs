//! The steps of `cargo xtask test`, in the order in which they run.

use std::fmt;

/// One step; its name is what `--only` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Services,
    Format,
    Lint,
    Tidy,
    Test,
    Docs,
    Features,
    Signatures,
    Api,
    Package,
    Minimal,
    Dependencies,
    Sanitizers,
    Miri,
    Fuzz,
}

impl Step {
    pub(crate) const ALL: [Step; 15] = [
        Step::Services,
        Step::Format,
        Step::Lint,
        Step::Tidy,
        Step::Test,
        Step::Docs,
        Step::Features,
        Step::Signatures,
        Step::Api,
        Step::Package,
        Step::Minimal,
        Step::Dependencies,
        Step::Sanitizers,
        Step::Miri,
        Step::Fuzz,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Step::Services => "services",
            Step::Format => "format",
            Step::Lint => "lint",
            Step::Tidy => "tidy",
            Step::Test => "test",
            Step::Docs => "docs",
            Step::Features => "features",
            Step::Signatures => "signatures",
            Step::Api => "api",
            Step::Package => "package",
            Step::Minimal => "minimal",
            Step::Dependencies => "dependencies",
            Step::Sanitizers => "sanitizers",
            Step::Miri => "miri",
            Step::Fuzz => "fuzz",
        }
    }

    /// What the step looks at, for `cargo xtask help`.
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Step::Services => "the real programs that tests start: installs what is missing, if it may",
            Step::Format => "cargo fmt --check",
            Step::Lint => "cargo clippy, warnings are errors, the oldest promised compiler held to",
            Step::Tidy => "file heads, machine paths, links, manifests, the list of files with unsafe code",
            Step::Test => "all tests and doctests, all features on",
            Step::Docs => "cargo doc, warnings are errors",
            Step::Features => "each feature of each published crate, alone; and what Tokio calls unstable",
            Step::Signatures => "no type of a foreign crate in a public signature, unless allowed",
            Step::Api => "what each published library shows to others is what its api.txt says",
            Step::Package => {
                "cargo package of each published crate: what goes out, and that it builds from that"
            }
            Step::Minimal => {
                "the oldest versions that the published crates ask for go together; --long builds with them"
            }
            Step::Dependencies => {
                "licences and sources of what the published crates are built of, and advisories"
            }
            Step::Sanitizers => {
                "the core's tests under ThreadSanitizer and AddressSanitizer, which prove first that they see"
            }
            Step::Miri => "the core's tests of data structures under Miri; skipped where no toolchain has it",
            Step::Fuzz => {
                "fuzz targets over inputs that follow from their corpus; --long: 5 minutes each, for what is new"
            }
        }
    }

    /// The step of that name, or an error that lists the names.
    pub(crate) fn parse(name: &str) -> Result<Step, String> {
        Step::ALL.into_iter().find(|step| step.name() == name).ok_or_else(|| {
            let names: Vec<_> = Step::ALL.into_iter().map(Step::name).collect();
            format!("--only: unknown step \"{name}\"; the steps are {}", names.join(", "))
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
