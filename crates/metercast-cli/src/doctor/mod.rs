//! `metercast doctor`: what a configuration comes to, where each value is from, and whether its exporters work.
//!
//! What receivers answer is explained by the library, so that a log, the live page and this say the same.

mod certificate;
mod exporter;
mod finding;
mod holder;
mod options;

use metercast_tower::config::{Config, ConfigError};
use serde_json::{Value, json};

use crate::terminal::{Answer, data, print};
use exporter::{Examined, examine, examine_traces};

pub(crate) use options::Options;

/// Prints what a configuration comes to. The status says whether all is well.
pub(crate) fn run(options: &Options) -> Answer {
    let config = match read(options) {
        Ok(config) => config,
        Err(error) if options.json => {
            data(format!("{:#}\n", refused(&error)))?;
            return Ok(false);
        }
        Err(error) => return Err(error.to_string()),
    };
    let examined = examine_all(&config, options.send);
    let is_well = examined.iter().all(Examined::is_well) && config.traces_problem().is_none();
    if options.json {
        data(format!("{:#}\n", json_of(&config, &examined, is_well)))?;
    } else {
        print(&text_of(&config, &examined, options.send))?;
    }
    Ok(is_well)
}

/// The configuration as a program would have it.
fn read(options: &Options) -> Result<Config, ConfigError> {
    let mut builder = Config::builder();
    if let Some(file) = &options.config {
        builder = builder.file(file);
    }
    if let Some(prefix) = &options.env_prefix {
        builder = builder.env_prefix(prefix);
    }
    builder.build()
}

/// All exporters at once, so that one that hangs does not hold up the others.
fn examine_all(config: &Config, send: bool) -> Vec<Examined> {
    if !config.is_enabled() {
        return Vec::new();
    }
    std::thread::scope(|scope| {
        let exporters: Vec<_> = config
            .exporters()
            .map(|(name, exporter)| scope.spawn(move || Some(examine(config, name, exporter, send))))
            .collect();
        let traces = scope.spawn(move || examine_traces(config, send));
        let all = exporters.into_iter().chain([traces]);
        all.filter_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn text_of(config: &Config, examined: &[Examined], send: bool) -> String {
    let mut text = format!("{}\n", config.sources());
    for warning in config.warnings() {
        text.push_str(&format!("\nWARNING: {warning}\n"));
    }
    if let Some(problem) = config.traces_problem() {
        text.push_str(&format!("\nFAILED: there are no traces: {problem}\n"));
    }
    for one in examined {
        text.push('\n');
        text.push_str(&one.text());
    }
    let ill: Vec<&str> = examined.iter().filter(|one| !one.is_well()).map(|one| one.name.as_str()).collect();
    let verdict = match (config.is_enabled(), &ill[..]) {
        (false, _) => "telemetry is switched off: nothing runs".to_owned(),
        (_, [_, ..]) => format!("not well: {}", ill.join(", ")),
        (_, []) if config.traces_problem().is_some() => "not well: traces".to_owned(),
        (_, []) if !send => "nothing is wrong with the configuration; --send tries the exporters".to_owned(),
        (_, []) => "all is well".to_owned(),
    };
    format!("{text}\n{verdict}\n")
}

fn json_of(config: &Config, examined: &[Examined], is_well: bool) -> Value {
    let settings = config.sources().settings().iter().map(|setting| {
        let overruled: Vec<String> = setting.overruled().iter().map(ToString::to_string).collect();
        json!({
            "key": setting.key(),
            "value": setting.value(),
            "source": setting.source().to_string(),
            "overruled": overruled,
            "remark": setting.remark(),
        })
    });
    json!({
        "ok": is_well,
        "enabled": config.is_enabled(),
        "files": config.files().iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
        "settings": settings.collect::<Vec<_>>(),
        "warnings": config.warnings(),
        "traces_problem": config.traces_problem(),
        "exporters": examined.iter().map(Examined::json).collect::<Vec<_>>(),
    })
}

/// What is wrong with a configuration that no program would start with.
fn refused(error: &ConfigError) -> Value {
    let problems = error.problems().iter().map(|problem| {
        json!({ "file": problem.file(), "line": problem.line(), "key": problem.key(), "message": problem.message() })
    });
    json!({ "ok": false, "problems": problems.collect::<Vec<_>>() })
}
