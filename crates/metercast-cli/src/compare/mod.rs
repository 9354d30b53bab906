//! `metercast compare`: what two pages differ in, as before and after a migration.

mod difference;
mod options;

use serde_json::json;

use crate::fetch;
use crate::terminal::{Answer, data, print};

use difference::{Difference, differences};
pub(crate) use options::Options;

/// Lines that are printed for people at most; JSON has all.
const MOST_LINES: usize = 100;

/// Prints what two pages differ in. The status says whether they do.
pub(crate) fn run(options: &Options) -> Answer {
    let page = |place: &str| {
        let (there, access) = (place.to_owned(), options.access.clone());
        fetch::within(&options.access, place, move || fetch::page(&there, &access))?
    };
    let (old, old_shown) = page(&options.old)?;
    let (new, new_shown) = page(&options.new)?;
    let limits = options.access.limits();
    // What was left out may be what differs.
    for (page, shown) in [(&old, &old_shown), (&new, &new_shown)] {
        if let Some(trouble) = page.troubles(&limits).first() {
            return Err(format!("{shown} cannot be compared as a whole: {trouble}"));
        }
    }
    if old.families.is_empty() && new.families.is_empty() {
        return Err(format!(
            "{old_shown} and {new_shown} have no metrics at all; are these where the pages are?"
        ));
    }
    let found = differences(&old, &new, options.values());
    if options.json {
        let differences = found.iter().map(Difference::json).collect::<Vec<_>>();
        data(format!("{}\n", json!({ "old": old_shown, "new": new_shown, "differences": differences })))?;
    } else if found.is_empty() {
        print(&format!("{old_shown} and {new_shown} say the same in {} metrics\n", new.families.len()))?;
    } else {
        let mut lines: String =
            found.iter().take(MOST_LINES).map(|difference| format!("{difference}\n")).collect();
        if let more @ 1.. = found.len().saturating_sub(MOST_LINES) {
            lines += &format!("and {more} more; --json has all\n");
        }
        print(&lines)?;
    }
    Ok(found.is_empty())
}
