//! The part of the schema that stages decide.
