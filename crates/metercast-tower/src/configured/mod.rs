//! HTTP as a stage of instruments from a configuration: what can be asked of a request, the instruments that are known by name, and
//! the profile that answers.

mod look;
mod profile;
mod stage;

pub use profile::{Configured, ConfiguredRequest};
pub use stage::{http_client_stage, http_server_stage};
