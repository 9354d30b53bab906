//! Where panels stand: rows with a title, and panels side by side on 24 columns.

use serde_json::{Value as Json, json};

use super::panel::Panel;

/// How wide a dashboard is.
const COLUMNS: u32 = 24;

/// A part of the dashboard under a title.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) title: String,
    /// Whether its panels are shown, and asked for, only once it is opened.
    pub(super) is_collapsed: bool,
    pub(super) panels: Vec<Panel>,
}

/// All rows, one below the other. What is collapsed takes the place of its title.
pub(super) fn lay(rows: &[Row]) -> Vec<Json> {
    let mut found = Vec::new();
    let (mut id, mut y) = (0, 0);
    for row in rows {
        id += 1;
        let own = id;
        let (mut panels, mut below, mut x, mut line) = (Vec::new(), y + 1, 0, 0);
        let mut of_row: Vec<&Panel> = row.panels.iter().collect();
        // Those of one width stand together, in their order.
        of_row.sort_by_key(|panel| panel.width);
        let mut width = 0;
        for panel in of_row {
            if x + panel.width > COLUMNS || panel.width != width {
                (x, below, line) = (0, below + line, 0);
            }
            width = panel.width;
            id += 1;
            panels.push(panel.json(id, (x, below)));
            x += panel.width;
            line = line.max(panel.height());
        }
        let (inside, beside) = if row.is_collapsed { (panels, Vec::new()) } else { (Vec::new(), panels) };
        found.push(json!({
            "id": own,
            "type": "row",
            "title": row.title,
            "collapsed": row.is_collapsed,
            "gridPos": { "h": 1, "w": COLUMNS, "x": 0, "y": y },
            "panels": inside,
        }));
        found.extend(beside);
        y = if row.is_collapsed { y + 1 } else { below + line };
    }
    found
}
