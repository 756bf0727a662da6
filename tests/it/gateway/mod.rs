//! The gateway as a whole, over the sandbox.

mod reading;
