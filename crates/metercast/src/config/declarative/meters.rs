//! The meter configurator: meters that are switched off are scopes that no reader takes.

use super::Reader;
use super::section::{Field, Section};
use crate::config::place::Given;
use crate::config::projection::{ProjectionLayer, check_glob};
use crate::view::Glob;

impl<'n> Reader<'_, 'n> {
    pub(super) fn meters(&mut self, field: &Field<'n>, projection: &mut ProjectionLayer) {
        let Some(mut section) = Section::of(field.place.clone(), field.node, self.findings) else { return };
        let by_default = section.take("default_config").map(|field| self.enabled(&field));
        let meters = section.take("meters").and_then(|field| self.findings.items(&field)).unwrap_or_default();
        section.finish(self.findings);
        let by_default = by_default.map_or(Some(true), |enabled| enabled);
        // The first that matches counts.
        let (mut on, mut off): (Vec<Glob>, Vec<Glob>) = (Vec::new(), Vec::new());
        for item in meters {
            let Some((name, enabled)) = self.meter(&item) else { continue };
            if !enabled && let Some(above) = on.iter().find(|above| may_meet(above, &name)) {
                let message = format!(
                    "is off behind \"{above}\", which is on and may match the same meters; metercast cannot except meters from \
                     those that are off: write the names of those that are off only"
                );
                self.findings.problem(&item.place, message);
            }
            if enabled { &mut on } else { &mut off }.push(name);
        }
        let given = |globs: Vec<Glob>| {
            (!globs.is_empty()).then(|| Given { value: globs, place: field.place.clone() })
        };
        projection.exclude_scopes = given(off);
        match (by_default, on.is_empty()) {
            (Some(false), false) => projection.include_scopes = given(on),
            (Some(false), true) => projection.exclude_scopes = given(vec![Glob::new("*")]),
            _ => {}
        }
    }

    fn meter(&mut self, item: &Field<'n>) -> Option<(Glob, bool)> {
        let mut section = Section::of(item.place.clone(), item.node, self.findings)?;
        let (name, config) = (section.take("name"), section.take("config"));
        section.finish(self.findings);
        for (key, field) in [("name", &name), ("config", &config)] {
            if field.is_none() {
                self.findings.problem(&item.place.child(key), "is missing; a meter has a name and a config");
            }
        }
        let (name, config) = (name?, config?);
        let glob = Glob::new(self.findings.string(&name.place, name.node, "\"library.*\"")?);
        let glob = self.findings.checked(&name.place, check_glob(glob))?;
        Some((glob, self.enabled(&config)?))
    }

    /// `enabled` as 1.1 has it, or `disabled` as 1.0 does.
    fn enabled(&mut self, field: &Field<'n>) -> Option<bool> {
        let mut section = Section::of(field.place.clone(), field.node, self.findings)?;
        let mut enabled = Some(true);
        for (key, means) in [("enabled", true), ("disabled", false)] {
            if let Some(field) = section.take(key) {
                enabled = self.findings.truth(&field.place, field.node).map(|truth| truth == means);
            }
        }
        section.finish(self.findings);
        enabled
    }
}

/// Whether two patterns may match one name: surely not if both are names, or one is and the other does not match it.
fn may_meet(a: &Glob, b: &Glob) -> bool {
    if b.is_exact() { a.matches(b.as_str()) } else { !a.is_exact() || b.matches(a.as_str()) }
}
