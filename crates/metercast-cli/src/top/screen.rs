//! Draws the view on a terminal of any size.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Row as Cells, Table};

use super::figure::{self, Unit, bars, counted, shortened};
use super::golden::Golden;
use super::health::Status;
use super::rows::Row;
use super::view::View;

/// Lines above the table at most, so that there is room for it.
const MOST_ABOVE: usize = 8;

/// What the keys do.
const KEYS: [(&str, &str); 9] = [
    ("up down", "choose a row; PgUp PgDn Home End too"),
    ("enter", "the series of a metric; esc: back"),
    ("/", "filter by a part of a name or a label; esc: all"),
    ("s", "sort by rate, name, series, what changed last"),
    ("d", "what came since the reading before, or per second"),
    ("p", "stand still, or go on; reading goes on meanwhile"),
    ("?", "these keys"),
    ("q", "quit"),
    ("", "any key closes this"),
];

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, view: &mut View) {
    let above = above(view, frame.area().width as usize);
    let areas = Layout::vertical([
        Constraint::Length(u16::try_from(above.len()).unwrap_or(u16::MAX)),
        Constraint::Min(1),
        Constraint::Length(1),
    ]);
    let [top, middle, bottom] = areas.areas(frame.area());
    frame.render_widget(Paragraph::new(above), top);
    table(frame, view, middle);
    frame.render_widget(Paragraph::new(footer(view)), bottom);
    if view.help {
        help(frame);
    }
}

fn above(view: &View, width: usize) -> Vec<Line<'static>> {
    let shown = &view.shown;
    let mut lines = vec![title(view, width)];
    if let Some(error) = &shown.error {
        lines.extend(wrapped("ERROR", error, width, view.style(Color::Red)));
    }
    let mut export: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for exporter in &shown.health.exporters {
        let words = exporter.words(shown.time);
        let (mark, colour) = match exporter.status {
            Status::Ok => ("✓", Color::Green),
            Status::Waiting => ("…", Color::Yellow),
            Status::Failing | Status::Stopped => ("✗", Color::Red),
        };
        let length = words.chars().count() + 5;
        if !export.is_empty() && 8 + used + length > width {
            lines.push(labelled("EXPORT", std::mem::take(&mut export)));
            used = 0;
        }
        used += length;
        export.push(Span::styled(format!("{mark} {words}   "), view.style(colour)));
    }
    if !export.is_empty() {
        lines.push(labelled("EXPORT", export));
    }
    if let Some(golden) = Golden::of(&shown.history) {
        lines.push(golden_line(&golden, width));
    }
    for problem in shown.health.problems.iter().chain(&shown.troubles) {
        lines.extend(wrapped("NOTE", problem, width, view.style(Color::Yellow)));
    }
    if lines.len() > MOST_ABOVE {
        let more = lines.len() - MOST_ABOVE + 1;
        lines.truncate(MOST_ABOVE - 1);
        lines.push(Line::raw(format!("        and {more} more")));
    }
    lines
}

fn title(view: &View, width: usize) -> Line<'static> {
    let shown = &view.shown;
    let state = match (view.is_paused(), shown.error.is_some()) {
        (true, _) => "paused".to_owned(),
        (false, true) => "no answer".to_owned(),
        (false, false) if shown.history.readings() == 0 => "waiting for the first page".to_owned(),
        _ => format!("every {} s", view.every),
    };
    let left = format!("metercast top  {}  {state}", view.url.strip_prefix("http://").unwrap_or(&view.url));
    let metrics = counted(shown.history.metrics().len(), "metric");
    let bytes = figure::value(shown.bytes as f64, Unit::Bytes, 0.0);
    let right = format!("{metrics}  {} series  {bytes}", shown.history.series);
    let longer = format!("{right} in {}", figure::length(shown.took));
    let room = |right: &str| width.saturating_sub(left.chars().count() + right.chars().count());
    let right = [longer, right].into_iter().find(|right| room(right) >= 2).unwrap_or_default();
    let text = format!("{left}{}{right}", " ".repeat(room(&right)));
    Line::styled(text, Style::new().add_modifier(Modifier::BOLD))
}

fn labelled(label: &str, spans: Vec<Span<'static>>) -> Line<'static> {
    let mut line = vec![Span::raw(format!("{label:<8}"))];
    line.extend(spans);
    Line::from(line)
}

/// A text behind its label, in as many lines as it takes, up to three.
fn wrapped(label: &str, text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && 8 + line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    let lines = labels.zip(lines).take(3);
    lines.map(|(label, line)| Line::styled(format!("{label:<8}{line}"), style)).collect()
}

fn golden_line(golden: &Golden, width: usize) -> Line<'static> {
    let text = format!("HTTP    {}", golden.words());
    let room = width.saturating_sub(text.chars().count() + 3).min(60);
    Line::raw(format!("{text}   {}", bars(golden.line.iter().copied(), room)))
}

fn table(frame: &mut Frame<'_>, view: &mut View, area: Rect) {
    let rows = view.wanted().rows(&view.shown.history);
    let room = usize::from(area.height.saturating_sub(1)).max(1);
    view.at = view.at.min(rows.len().saturating_sub(1));
    view.top = view.top.clamp((view.at + 1).saturating_sub(room), view.at);
    let columns = Columns::of(area.width);
    let what = match &view.inside {
        Some(metric) => format!("  {metric} (by {})", view.sort.name()),
        None => format!("  METRIC (by {})", view.sort.name()),
    };
    let rate = if view.deltas { "since" } else { "/s" };
    let series = if columns.is_wide { "SERIES" } else { "N" };
    let head = Row {
        name: what,
        kind: "KIND",
        series: series.to_owned(),
        now: "NOW".to_owned(),
        rate: rate.to_owned(),
        line: Vec::new(),
        labels: "LABELS".to_owned(),
    };
    let header = columns.cells(&head, "LATELY".to_owned());
    let header = header.style(Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED));
    let chosen = view.at;
    let body = rows.iter().enumerate().skip(view.top).take(room).map(|(at, row)| {
        let mark = if at == chosen { '>' } else { ' ' };
        let marked = Row { name: format!("{mark} {}", row.name), ..row.clone() };
        let cells = columns.cells(&marked, bars(row.line.iter().copied(), columns.bars));
        if at == chosen { cells.style(Style::new().add_modifier(Modifier::REVERSED)) } else { cells }
    });
    frame.render_widget(Table::new(body, columns.widths()).header(header).column_spacing(1), area);
    if rows.is_empty() && view.shown.history.readings() > 0 && area.height > 1 {
        let text = match (view.filter.is_empty(), &view.inside) {
            (false, _) => format!("  nothing has {:?} in its name or labels; esc shows all", view.filter),
            (true, Some(_)) => "  it is not on the page any more; esc goes back".to_owned(),
            (true, None) => "  no metrics yet: the page is empty".to_owned(),
        };
        let below = Rect { y: area.y + 1, height: 1, ..area };
        frame.render_widget(Paragraph::new(text), below);
    }
}

/// How wide the columns are.
struct Columns {
    is_wide: bool,
    name: usize,
    series: usize,
    now: usize,
    rate: usize,
    bars: usize,
    labels: usize,
}

const KIND: usize = 5;

impl Columns {
    fn of(width: u16) -> Columns {
        let is_wide = width >= 120;
        let (series, now, rate, bars) = if is_wide { (6, 17, 9, 30) } else { (4, 13, 7, 8) };
        let rest = usize::from(width).saturating_sub(KIND + series + now + rate + bars + 6);
        let name = if is_wide { rest * 3 / 5 } else { rest + 1 };
        Columns { is_wide, name, series, now, rate, bars, labels: rest.saturating_sub(name) }
    }

    fn widths(&self) -> Vec<Constraint> {
        let mut widths = vec![self.name, KIND, self.series, self.now, self.rate, self.bars];
        if self.is_wide {
            widths.push(self.labels);
        }
        widths.into_iter().map(|width| Constraint::Length(u16::try_from(width).unwrap_or(u16::MAX))).collect()
    }

    /// Texts to the left, figures to the right.
    fn cells(&self, row: &Row, bars: String) -> Cells<'static> {
        let figure = |text: &str| Line::raw(text.to_owned()).right_aligned();
        let mut cells = vec![
            Line::raw(shortened(&row.name, self.name)),
            Line::raw(row.kind),
            figure(&row.series),
            figure(&row.now),
            figure(&row.rate),
            Line::raw(bars),
        ];
        if self.is_wide {
            cells.push(Line::raw(shortened(&row.labels, self.labels)));
        }
        Cells::new(cells)
    }
}

fn footer(view: &View) -> Line<'static> {
    if view.typing {
        return Line::raw(format!("filter: {}_   enter: done   esc: all", view.filter));
    }
    let filter = if view.filter.is_empty() { String::new() } else { format!(" [{}]", view.filter) };
    let inside = if view.inside.is_some() { "esc back" } else { "enter series" };
    let pause = if view.is_paused() { "p go on" } else { "p pause" };
    let deltas = if view.deltas { "d rates" } else { "d deltas" };
    Line::raw(format!("q quit   / filter{filter}   s sort   {deltas}   {pause}   {inside}   ? keys"))
}

fn help(frame: &mut Frame<'_>) {
    let lines: Vec<_> = KEYS.iter().map(|(key, text)| Line::raw(format!(" {key:<8} {text}"))).collect();
    let (width, height) = (66.min(frame.area().width), 11.min(frame.area().height));
    let area =
        Rect { x: (frame.area().width - width) / 2, y: (frame.area().height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" Keys ")), area);
}

impl View {
    fn style(&self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }
}
