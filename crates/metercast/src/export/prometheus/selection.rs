//! Which part of a store is on a page: metrics by their names, series of one tenant.

use std::collections::HashSet;

use metercast_core::Store;
use metercast_core::reading::Reading;

use super::family::Family;

/// What a page is to show; unless it is said, everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    names: HashSet<String>,
    tenant: Option<(String, String)>,
}

impl Selection {
    /// These families only, each named as on the page, or by one of its samples. All if there are none.
    pub(crate) fn named(names: HashSet<String>) -> Selection {
        Selection { names, tenant: None }
    }

    /// Only series with this label, without it.
    pub(crate) fn of_tenant(mut self, key: &str, value: &str) -> Selection {
        self.tenant = Some((key.to_owned(), value.to_owned()));
        self
    }

    /// Reads what is selected by tenant.
    pub(super) fn read<R>(&self, store: &Store, f: impl FnOnce(&Reading<'_>) -> R) -> R {
        match &self.tenant {
            None => store.read(f),
            Some((key, value)) => store.read_share(key, value, f),
        }
    }

    /// Whether a family is on the page.
    pub(super) fn shows(&self, family: &Family, is_open: bool) -> bool {
        let is_asked_for = |name: &String| self.names.contains(name);
        self.names.is_empty()
            || family.names(is_open).iter().any(is_asked_for)
            || family.names_by_type(is_open).iter().any(is_asked_for)
    }
}
