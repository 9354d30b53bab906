//! `metercast top` as a program: real pages, pages that are none, servers that do not answer, a terminal.

mod support;

mod mistakes;
mod pages;
mod terminal;
