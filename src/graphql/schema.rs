//! The schema as a whole.

use async_graphql::{SDLExportOptions, Schema, SchemaBuilder};

use super::mutation::Mutation;
use super::query::Query;
use super::subscription::Events;

/// The executable schema.
pub type TandemSchema = Schema<Query, Mutation, Events>;

/// The schema without what a running gateway adds. Limits are checked before the schema sees a
/// document (`graphql::limits`), so the library's own, which speak too late, are not used.
pub fn builder() -> SchemaBuilder<Query, Mutation, Events> {
    Schema::build(Query::default(), Mutation::default(), Events::default())
        .limit_recursive_depth(64)
}

/// The schema in its own language, in a stable order.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by();
    builder().finish().sdl_with_options(options)
}
