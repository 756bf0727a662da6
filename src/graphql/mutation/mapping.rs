//! The mapping.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::payload::{UserError, split};
use crate::graphql::context::ContextExt;
use crate::graphql::types::{Mapping, MappingInput};

/// The mutations of the mapping.
#[derive(Default)]
pub struct MappingWrites;

/// A new mapping.
#[derive(InputObject)]
pub struct UpdateMappingInput {
    /// What is to be true of it.
    mapping: MappingInput,
    /// The revision that it was made from: if that is not the present one, nothing is changed.
    if_revision: i32,
}

/// The mapping after it.
#[derive(SimpleObject)]
pub struct UpdateMappingPayload {
    /// The mapping.
    mapping: Option<Mapping>,
    /// What is wrong with it; empty when it was taken.
    user_errors: Vec<UserError>,
}

#[Object]
impl MappingWrites {
    /// Changes the mapping, after checking it against both systems' real fields. Needs
    /// `sync.manage`.
    async fn update_mapping(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The mapping, and what it was made from.")] input: UpdateMappingInput,
    ) -> Result<UpdateMappingPayload> {
        let admin = context.admin()?;
        let (proposed, revision) = (input.mapping.try_into()?, i64::from(input.if_revision));
        let updated = admin.update_mapping(&proposed, revision).await?;
        let (mapping, user_errors) = split(updated.map(|mapping| Mapping(Arc::new(mapping))));
        Ok(UpdateMappingPayload { mapping, user_errors })
    }
}
