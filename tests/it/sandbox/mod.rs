//! The sandbox, as its contract describes it.

mod api;
mod control;
mod doppler;
mod faults;
mod fixtures;
mod highlevel;
mod imports;
