//! `metercast docs`: the reference of a program's metrics, made from the program, and a check that a file still says the same.

mod options;

use std::path::Path;
use std::{fs, io};

use metercast_tower::catalogue::Catalogue;

use crate::exported::same;
use crate::terminal::{Answer, data, say};

pub(crate) use options::Options;

/// Prints, writes or checks the reference.
pub(crate) fn run(options: &Options) -> Answer {
    let catalogue = asked(options)?.page_options(options.spelling.page());
    for conflict in catalogue.conflicts() {
        say(&format!("warning: {conflict}"));
    }
    if let Some(file) = &options.check {
        return check(&catalogue, file, options).map(|()| true);
    }
    if let Some(file) = &options.write {
        return write(&catalogue, file).map(|()| true);
    }
    let text = if options.json {
        catalogue.json()
    } else {
        catalogue.document("").map_err(|error| error.to_string())?
    };
    data(text)?;
    Ok(true)
}

/// The metrics that were asked for; there is at least one.
fn asked(options: &Options) -> Result<Catalogue, String> {
    let binary = options.binary.display();
    let catalogue = Catalogue::of_file(&options.binary).map_err(|error| error.to_string())?;
    if catalogue.metrics().is_empty() {
        return Err(format!(
            "{binary} has no metrics: it does not use metercast, was built by a compiler for which linkers drop what is unused \
             (see `metercast::catalogue`), or was packed after it was built; a stripped program keeps them"
        ));
    }
    if options.crates.is_empty() {
        return Ok(catalogue);
    }
    let packages: Vec<String> = catalogue.packages().into_iter().map(str::to_owned).collect();
    let mut wanted = Vec::new();
    for name in &options.crates {
        match packages.iter().find(|package| same(package, name)) {
            Some(package) => wanted.push(package.clone()),
            None => {
                return Err(format!(
                    "{binary} has no metrics of the crate {name}; it has those of {}",
                    packages.join(", ")
                ));
            }
        }
    }
    Ok(catalogue.of_packages(wanted))
}

fn check(catalogue: &Catalogue, file: &Path, options: &Options) -> Result<(), String> {
    let shown = file.display();
    let existing = fs::read_to_string(file)
        .map_err(|error| format!("cannot read {shown}: {error}; write it by --write {shown}"))?;
    // A file that says nowhere where the reference stands differs in everything, which tells nobody anything.
    catalogue.document(&existing).map_err(|error| format!("{shown}: {error}"))?;
    if existing.trim().is_empty() {
        return Err(format!("{shown} is empty; write it by --write {shown}"));
    }
    catalogue.check(&existing).map_err(|difference| {
        format!(
            "{shown} is not what {} says:\n{difference}If that is meant, write it anew by --write {shown}; dashboards and alerts may \
             rely on what it said",
            options.binary.display()
        )
    })
}

fn write(catalogue: &Catalogue, file: &Path) -> Result<(), String> {
    let shown = file.display();
    let existing = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("cannot read {shown}: {error}")),
    };
    let new = catalogue.document(&existing).map_err(|error| format!("{shown}: {error}"))?;
    fs::write(file, new).map_err(|error| format!("cannot write {shown}: {error}"))
}
