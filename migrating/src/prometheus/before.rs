//! What it is before: the text encoder over the default registry.

use super::shop;

// region: main
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    shop::run();
    print!("{}", prometheus::TextEncoder::new().encode_to_string(&prometheus::gather())?); // what GET /metrics answers
    Ok(())
}
// endregion
