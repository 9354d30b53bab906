//! A Prometheus page in text, as far as a test asks.

use crate::http;

/// A page in text.
#[derive(Clone, Debug)]
pub struct Page(pub String);

impl Page {
    /// The one at this URL, which must be there.
    ///
    /// # Panics
    ///
    /// If it is not, or is no text.
    pub fn get(url: &str) -> Page {
        Page(String::from_utf8(http::get(url)).expect("UTF-8"))
    }

    /// The sum of the samples of this name that have all these labels, each as `key="value"`; `None` if there are none.
    ///
    /// # Panics
    ///
    /// If the value of one is no number.
    pub fn sum(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let values: Vec<f64> = self.samples(name, labels).map(|(_, value)| value).collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// How many such samples there are.
    ///
    /// # Panics
    ///
    /// If the value of one is no number.
    pub fn count(&self, name: &str, labels: &[&str]) -> usize {
        self.samples(name, labels).count()
    }

    fn samples<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a str, f64)> + 'a {
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(move |line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, of) = series.split_once('{').unwrap_or((series, ""));
            let has_all = labels.iter().all(|label| of.contains(label));
            (found == name && has_all).then(|| (series, value.parse().expect("a number")))
        })
    }

    /// All lines that begin so.
    pub fn lines(&self, start: &str) -> Vec<&str> {
        self.0.lines().filter(|line| line.starts_with(start)).collect()
    }
}
