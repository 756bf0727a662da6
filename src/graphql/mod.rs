//! The GraphQL schema: thin. A resolver asks for a handle, calls one method of `contacts` and
//! shapes the answer; it decides nothing.
//!
//! [`Gateway`] is what the transports see. On its way in, a document passes `limits`; on its way
//! out, an answer passes `error`, where every failure gets its public words and code.
//!
//! To add a field: a method on its type in `types/`, its cost in `limits/`, and the printed schema.

mod caller;
mod context;
mod cost;
mod document;
mod documents;
mod error;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod gateway;
mod ids;
pub mod limits;
mod loaders;
mod loads;
mod mutation;
mod nulls;
mod order;
mod persisted;
mod policy;
mod query;
mod responses;
mod scalars;
mod schema;
mod subscription;
mod trusted;
mod typename;
mod types;

pub use caller::{CachePolicy, Caller};
pub use error::{ErrorCode, extend, refusal};
pub use gateway::{Answer, Gateway, GatewaySettings};
pub use policy::Policy;
pub use responses::ResponseKey;
pub use schema::sdl;
pub use trusted::Trusted;
