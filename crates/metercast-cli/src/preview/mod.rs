//! `metercast preview`: which metrics an exporter lets out, under which names and with which attributes.

mod offline;
mod options;
mod table;

use serde_json::Value;

use crate::admin::Program;
use crate::terminal::{Answer, data, print};

pub(crate) use options::Options;

/// Prints what an exporter lets out.
pub(crate) fn run(options: &Options) -> Answer {
    let told = match (&options.config, &options.binary) {
        (Some(config), Some(binary)) => offline::tell(&options.exporter, config, binary)?,
        _ => ask(options)?,
    };
    if options.json {
        return data(format!("{told:#}\n"));
    }
    print(&table::of(&told)?)
}

/// What a running program says.
fn ask(options: &Options) -> Result<Value, String> {
    let program = Program::at(&options.url, &options.access)?;
    let answer = program.get(&format!("live/api/exporters/{}/preview", encoded(&options.exporter)))?;
    if let Some(refusal) = program.refusal(&answer) {
        return Err(refusal);
    }
    let says = answer.says();
    match answer.status {
        200 => serde_json::from_str(&answer.text).map_err(|_| {
            "what answers there has no live page of metercast: its answer is no JSON".to_owned()
        }),
        404 if says.starts_with("there is no exporter") => Err(says),
        404 | 405 => Err(format!(
            "it has no live page ({says}); the program needs the Cargo feature `live` of metercast, and the exporter of its page no live = false"
        )),
        status => Err(format!("it answers {status}: {says}")),
    }
}

/// A name as a part of a path.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
