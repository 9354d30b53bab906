//! What it is before: the text encoder over the group.

use super::shop;

// region: main
use measured::MetricGroup;
use measured::text::BufferedTextEncoder;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let metrics = shop::Metrics::new();
    shop::run(&metrics);
    let mut encoder = BufferedTextEncoder::new();
    metrics.collect_group_into(&mut encoder)?;
    print!("{}", String::from_utf8(encoder.finish().into())?); // what GET /metrics answers
    Ok(())
}
// endregion
