//! placeholder until limits land
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{ServerError, Variables};
pub struct Limits;
impl Limits {
    pub fn from_config(_: &crate::config::limits::Limits, _: u32) -> Self {
        Self
    }
    pub fn check(
        &self,
        _: &ExecutableDocument,
        _: Option<&str>,
        _: &Variables,
        _: Option<u32>,
    ) -> Result<(), ServerError> {
        Ok(())
    }
}
