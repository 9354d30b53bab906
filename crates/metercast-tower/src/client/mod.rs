//! The client side: what is measured of the requests that a program sends.

mod semantic;
mod template;

pub use semantic::{ClientRequest, ClientSemantic, client};
pub use template::UrlTemplate;
