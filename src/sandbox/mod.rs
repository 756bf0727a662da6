//! The fakes of both systems.

pub mod highlevel;
