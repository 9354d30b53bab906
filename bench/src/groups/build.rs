//! `build`: what a service pays for measuring before it runs: crates, and time to check them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::measure::Effort;
use crate::report::{Report, Row};
use crate::subjects::{FLOOR, OWN};

const GROUP: &str = "build";

/// What the service is made of without any metrics.
const SERVICE: &str = "axum = \"0.8\"\n\
                       tokio = { version = \"1\", features = [\"macros\", \"net\", \"rt-multi-thread\"] }\n";

/// Case, subject, and the lines that it adds to the dependencies; `{crates}` is the folder of metercast's crates.
const PROJECTS: [(&str, &str, &str); 9] = [
    ("prometheus-text", FLOOR, ""),
    (
        "prometheus-text",
        OWN,
        "metercast = { path = \"{crates}/metercast\", default-features = false, features = [\"serve\"] }",
    ),
    ("prometheus-text", "prometheus", "prometheus = { version = \"0.14\", default-features = false }"),
    ("prometheus-text", "prometheus-client", "prometheus-client = \"0.25\""),
    ("prometheus-text", "measured", "measured = \"0.0.25\""),
    (
        "prometheus-text",
        "metrics",
        "metrics = \"0.24\"\nmetrics-exporter-prometheus = { version = \"0.18\", default-features = false }",
    ),
    (
        "prometheus-text",
        "otel",
        "opentelemetry = { version = \"0.33\", default-features = false, features = [\"metrics\"] }\n\
         opentelemetry_sdk = { version = \"0.33\", default-features = false, features = [\"metrics\"] }\n\
         opentelemetry-prometheus = { version = \"0.33\", default-features = false }\n\
         prometheus = { version = \"0.14\", default-features = false }",
    ),
    (
        "otlp",
        OWN,
        "metercast = { path = \"{crates}/metercast\", default-features = false, features = [\"otlp\"] }",
    ),
    (
        "otlp",
        "otel",
        "opentelemetry = { version = \"0.33\", default-features = false, features = [\"metrics\"] }\n\
         opentelemetry_sdk = { version = \"0.33\", default-features = false, features = [\"metrics\"] }\n\
         opentelemetry-otlp = { version = \"0.33\", default-features = false, features = [\"metrics\", \"http-proto\", \"reqwest-blocking-client\"] }",
    ),
];

pub(super) fn run(effort: &Effort, report: &mut Report) {
    let mut service = None;
    for (case, subject, lines) in PROJECTS {
        let checks = effort.checks_all || case == PROJECTS[0].0 && [FLOOR, OWN].contains(&subject);
        let project = match Project::new(case, subject, lines) {
            Ok(project) => project,
            Err(trouble) => {
                report.trouble(trouble);
                continue;
            }
        };
        let crates = match project.crates() {
            Ok(crates) => crates,
            Err(why) => {
                report.skip(GROUP, case, subject, &why);
                continue;
            }
        };
        let service = *service.get_or_insert(crates);
        report.add(Row::value(GROUP, &format!("{case}/crates"), subject, crates as f64, "crates"));
        if subject != FLOOR {
            let added = crates as f64 - service as f64;
            report.add(Row::value(GROUP, &format!("{case}/crates-added"), subject, added, "crates"));
        }
        if checks {
            match project.check() {
                Ok((wall, processor)) => {
                    report.add(Row::value(GROUP, &format!("{case}/seconds"), subject, wall, "s"));
                    report.add(Row::value(GROUP, &format!("{case}/cpu-seconds"), subject, processor, "s"));
                }
                Err(why) => report.skip(GROUP, &format!("{case}/seconds"), subject, &why),
            }
        }
    }
}

/// A program of one line, in a folder of its own beside this one's.
struct Project {
    folder: PathBuf,
    offline: bool,
}

impl Project {
    fn new(case: &str, subject: &str, lines: &str) -> Result<Project, String> {
        let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
        let program =
            std::env::current_exe().map_err(|error| format!("this program is not found: {error}"))?;
        let folder = program.with_file_name("projects").join(format!("{case}-{subject}"));
        let wrong = |error| format!("{}: {error}", folder.display());
        let crates = bench.with_file_name("crates");
        let mut manifest = String::from("[workspace]\n\n[package]\nname = \"service\"\nedition = \"2024\"\n");
        let _ = write!(manifest, "\n[dependencies]\n{SERVICE}{lines}\n");
        let manifest = manifest.replace("{crates}", &crates.display().to_string());
        std::fs::create_dir_all(folder.join("src")).map_err(wrong)?;
        std::fs::write(folder.join("Cargo.toml"), manifest).map_err(wrong)?;
        std::fs::write(folder.join("src/main.rs"), "fn main() {}\n").map_err(wrong)?;
        // The versions that the other groups measure.
        std::fs::copy(bench.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(wrong)?;
        let mut project = Project { folder, offline: true };
        project.offline = project.cargo(&["fetch"]).status().is_ok_and(|status| status.success());
        Ok(project)
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).stderr(Stdio::null());
        if self.offline {
            command.arg("--offline");
        }
        command
    }

    /// How many crates are in the tree, the program itself not among them.
    fn crates(&self) -> Result<usize, String> {
        let output = self.cargo(&["tree", "--prefix=none", "--format={p}", "--edges=normal,build"]).output();
        let output = output.map_err(|error| format!("cargo cannot be started: {error}"))?;
        if !output.status.success() {
            return Err("its crates are not in the local registry and cannot be fetched".to_owned());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let crates: BTreeSet<_> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        Ok(crates.into_iter().filter(|line| !line.is_empty()).count() - 1)
    }

    /// Seconds on the wall and on the processors, with nothing built before.
    fn check(&self) -> Result<(f64, f64), String> {
        let target = self.folder.join("target");
        let _ = std::fs::remove_dir_all(&target);
        let mut command = self.cargo(&["check", "--quiet"]);
        // Where this program's own build goes is not the project's concern.
        command.env_remove("CARGO_TARGET_DIR").arg("--target-dir").arg(&target);
        let (begun, before) = (Instant::now(), children_seconds());
        let done = command.status().is_ok_and(|status| status.success());
        let took = (begun.elapsed().as_secs_f64(), children_seconds() - before);
        let _ = std::fs::remove_dir_all(&target);
        if done { Ok(took) } else { Err("`cargo check` failed".to_owned()) }
    }
}

/// What all children of this process that have ended took of the processors; 0 where the system does not say.
fn children_seconds() -> f64 {
    let usage = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in parentheses, which may hold spaces, cutime and cstime are fields 16 and 17 of the whole line.
    let fields = usage.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
