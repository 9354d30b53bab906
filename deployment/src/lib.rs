//! What stands beside the programs of the services: READMEs, images and manifests. They are compared with each other and with the
//! programs' sources here; each service runs the container of its manifest in a test of its own.

#![forbid(unsafe_code)]

mod service;
mod sources;

mod dockerfile;
mod kubernetes;
mod manifest;
mod readme;

mod running;

mod machinery;
mod table;

pub use machinery::{STANDING, Standing, machinery};
pub use manifest::{Shipped, troubles};
pub use readme::{command_is_taken, troubles as troubles_of_readme};
pub use running::{Asked, Container, Running};
pub use service::{SERVICES, Service};
pub use sources::Sources;
pub use table::{Row, rows, with_lines};
