//! `metercast k8s`: what a cluster needs to run a program and to find its metrics, made from the program and its configuration.

mod manifest;
mod options;
mod page;

use std::path::Path;

use crate::alerts;
use crate::grafana::dashboard;
use crate::terminal::{Answer, data};

use manifest::Known;
pub(crate) use options::Options;

/// A name in a cluster has so many letters at most.
const LONGEST: usize = 63;

/// Prints the manifest.
pub(crate) fn run(options: &Options) -> Answer {
    let metrics = options.program.metrics()?;
    let name = options.name.clone().unwrap_or_else(|| options.program.name());
    check(&name, options)?;
    let page = page::of_file(options.config.as_deref(), options.exporter.as_deref())?;
    let config = options.config.as_deref().map(file_name).transpose()?;
    let known = Known {
        name: &name,
        namespace: &options.namespace,
        image: &options.image,
        page: &page,
        config: config.as_deref(),
        ports: &options.ports,
        arguments: &options.arguments,
        labels: &options.labels,
        metrics: &metrics,
    };
    let mut objects = vec![known.deployment(), known.service(), known.monitor()];
    if options.alerts {
        // The operator's jobs are called as the Services.
        let groups = alerts::groups(&name, &metrics, std::slice::from_ref(&name), &options.limits);
        objects.push(known.rule(&groups));
    }
    if options.dashboard {
        objects.push(known.dashboard(&dashboard(&name, &metrics)));
    }
    let texts: Result<Vec<String>, _> = objects.iter().map(serde_saphyr::to_string).collect();
    let texts = texts.map_err(|error| error.to_string())?;
    data(known.head() + &texts.join("---\n"))?;
    Ok(true)
}

/// What a cluster would refuse.
fn check(name: &str, options: &Options) -> Result<(), String> {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    for (option, name) in [("--name", name), ("--namespace", &*options.namespace)] {
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-');
        // Behind a name stands `-dashboard`.
        if !begins || !name.chars().all(is_letter) || name.len() > LONGEST - "-dashboard".len() {
            return Err(format!(
                "{name:?} is no name in a cluster: a letter a-z, then letters, digits and dashes; give one by {option}"
            ));
        }
    }
    if options.image.is_empty() || options.image.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("--image {:?} is no image; write it as shop:1.4.2", options.image));
    }
    let mut ports: Vec<_> = options.ports.iter().collect();
    ports.sort();
    if ports.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err("--port: two ports of one name; each needs its own".to_owned());
    }
    Ok(())
}

/// The key of the Secret that the file becomes.
fn file_name(file: &Path) -> Result<String, String> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
    if name.is_empty() || !name.chars().all(is_letter) {
        return Err(format!(
            "{}: a key of a Secret has letters, digits, dots and dashes; rename the file",
            file.display()
        ));
    }
    Ok(name.to_owned())
}
