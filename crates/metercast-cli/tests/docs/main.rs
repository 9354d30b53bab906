//! `metercast docs`: what it says of programs that are built for it, and of files that are none.

mod support;

mod built;
mod checks;
mod mistakes;
