//! The job server from outside, as those meet it who ask for jobs, scrape it and probe it.

mod endings;
mod gate;
mod health;
mod isolation;
mod jobs;
mod reference;
mod support;
mod traces;
