//! What is on the screen, and what keys do to it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::fetch::Fetched;

use super::health::Health;
use super::history::History;
use super::options::Sort;
use super::rows::Wanted;

/// All that the screen shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// The URL that is read.
    pub(crate) url: String,
    /// Seconds between readings.
    pub(crate) every: f64,
    pub(crate) shown: Shown,
    /// What is read while the screen stands still.
    pub(crate) behind: Option<Shown>,
    pub(crate) filter: String,
    pub(crate) sort: Sort,
    pub(crate) deltas: bool,
    /// The metric whose series are shown.
    pub(crate) inside: Option<String>,
    /// Whether keys are letters of the filter.
    pub(crate) typing: bool,
    pub(crate) help: bool,
    /// The row that is chosen, and the first that is shown.
    pub(crate) at: usize,
    pub(crate) top: usize,
    /// Whether there may be colours.
    pub(crate) colours: bool,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) history: History,
    pub(crate) health: Health,
    /// What of the page is not shown, and why there is none.
    pub(crate) troubles: Vec<String>,
    /// Why the last reading failed.
    pub(crate) error: Option<String>,
    /// Seconds since 1970 of the last page.
    pub(crate) time: f64,
    pub(crate) bytes: u64,
    /// Seconds that it took.
    pub(crate) took: f64,
}

/// What a key asks for beyond another look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    Quit,
}

impl Shown {
    /// Takes the next page, `at` so many seconds since any one moment.
    pub(crate) fn take(
        &mut self,
        fetched: &Fetched,
        troubles: Vec<String>,
        live: Option<&serde_json::Value>,
        at: f64,
    ) {
        self.history.take(&fetched.page, at);
        let page = Health::of_page(&self.history);
        self.health = match live {
            Some(live) => Health::of_live(live, page),
            None => page,
        };
        self.troubles = troubles;
        self.error = None;
        self.bytes = fetched.page.bytes;
        self.took = fetched.took.as_secs_f64();
    }
}

impl View {
    /// What is read now, be it shown or not.
    pub(crate) fn newest(&mut self) -> &mut Shown {
        self.behind.as_mut().unwrap_or(&mut self.shown)
    }

    /// Whether the screen stands still.
    pub(crate) fn is_paused(&self) -> bool {
        self.behind.is_some()
    }

    /// The rows that are wanted.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            filter: &self.filter,
            sort: self.sort,
            inside: self.inside.as_deref(),
            deltas: self.deltas,
            now: self.shown.time,
        }
    }

    /// Does what a key asks for.
    pub(crate) fn key(&mut self, key: KeyEvent) -> Asked {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if is_control => return Asked::Quit,
            _ if is_control => {}
            _ if self.typing => self.type_key(key.code),
            _ if self.help => self.help = false,
            KeyCode::Char('q') => return Asked::Quit,
            KeyCode::Char('?' | 'h') => self.help = true,
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Char('s') => self.sort = self.sort.next(),
            KeyCode::Char('d') => self.deltas = !self.deltas,
            KeyCode::Char('p' | ' ') => self.pause(),
            KeyCode::Esc if self.inside.is_some() => self.leave(),
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Backspace | KeyCode::Left => self.leave(),
            KeyCode::Enter | KeyCode::Right => self.enter(),
            KeyCode::Down | KeyCode::Char('j') => self.at = self.at.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => self.at = self.at.saturating_sub(1),
            KeyCode::PageDown => self.at = self.at.saturating_add(10),
            KeyCode::PageUp => self.at = self.at.saturating_sub(10),
            KeyCode::Home | KeyCode::Char('g') => self.at = 0,
            KeyCode::End | KeyCode::Char('G') => self.at = usize::MAX,
            _ => {}
        }
        let last = self.wanted().rows(&self.shown.history).len().saturating_sub(1);
        self.at = self.at.min(last);
        Asked::Nothing
    }

    fn type_key(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(letter) if self.filter.len() < 100 => self.filter.push(letter),
            _ => {}
        }
        (self.at, self.top) = (0, 0);
    }

    fn pause(&mut self) {
        match self.behind.take() {
            Some(newest) => self.shown = newest,
            None => self.behind = Some(self.shown.clone()),
        }
    }

    fn enter(&mut self) {
        if self.inside.is_none() {
            let wanted = self.wanted();
            self.inside = wanted.metrics(&self.shown.history).get(self.at).map(|metric| metric.name.clone());
            if self.inside.is_some() {
                self.filter.clear();
                (self.at, self.top) = (0, 0);
            }
        }
    }

    fn leave(&mut self) {
        if let Some(name) = self.inside.take() {
            self.filter.clear();
            let metrics = self.wanted().metrics(&self.shown.history).into_iter();
            self.at = metrics.map(|metric| &metric.name).position(|there| *there == name).unwrap_or_default();
        }
    }
}
