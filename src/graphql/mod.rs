//! placeholder of the schema; the seam that `http` uses
mod caller;
mod gateway;

pub use caller::{CachePolicy, Caller};
pub use gateway::{Answer, Gateway, ResponseKey};
