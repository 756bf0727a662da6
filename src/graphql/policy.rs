//! What a client may run and look at, beside what its scopes say of fields: the `[documents]` section.
//!
//! Who holds `workspace.manage` may run any document: such a token changes everything anyway, and the
//! playground and the terminal need it.

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Response, ServerError};

use super::error::{ErrorCode, refusal};
use crate::auth::{Requester, Scope};
use crate::config::documents::{Documents, Introspection};

/// What the operator decided.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    only_trusted: bool,
    introspection: Introspection,
}

impl Policy {
    /// As the section says.
    pub fn from_config(config: &Documents) -> Self {
        Self { only_trusted: config.only_trusted, introspection: config.introspection }
    }

    /// Refuses a document that is not listed; `is_trusted` is asked only where it matters.
    pub fn check_trust(
        self,
        requester: &Requester,
        is_trusted: impl FnOnce() -> bool,
    ) -> Result<(), ServerError> {
        if self.only_trusted && !manages(requester) && !is_trusted() {
            let message = "only the documents that the operator lists are run here";
            return Err(refusal(message, ErrorCode::PersistedQueryRequired));
        }
        Ok(())
    }

    /// Refuses a look at the schema. The document must have passed the limits: it is walked.
    pub fn check_introspection(
        self,
        requester: &Requester,
        document: &ExecutableDocument,
    ) -> Result<(), ServerError> {
        if !self.shows_schema(requester) && introspects(document) {
            let message = match self.introspection {
                Introspection::Nobody => "the schema is not shown here",
                Introspection::Everyone | Introspection::Managers => {
                    "the schema is shown to tokens with workspace.manage only"
                }
            };
            return Err(refusal(message, ErrorCode::Forbidden));
        }
        Ok(())
    }

    /// Takes the names that the validator suggests out of an answer: they are a look at the schema, one
    /// guess at a time.
    pub fn hide_hints(self, requester: &Requester, response: &mut Response) {
        if self.shows_schema(requester) {
            return;
        }
        for error in &mut response.errors {
            if let Some(hint) = error.message.find(" Did you mean ") {
                error.message.truncate(hint);
            }
        }
    }

    fn shows_schema(self, requester: &Requester) -> bool {
        match self.introspection {
            Introspection::Everyone => true,
            Introspection::Managers => manages(requester),
            Introspection::Nobody => false,
        }
    }
}

fn manages(requester: &Requester) -> bool {
    requester.scopes.has(Scope::WorkspaceManage)
}

/// Whether anything in the document asks for the schema, run or not.
fn introspects(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter().map(|(_, it)| &it.node.selection_set.node);
    let fragments = document.fragments.values().map(|it| &it.node.selection_set.node);
    operations.chain(fragments).any(selects_schema)
}

fn selects_schema(set: &SelectionSet) -> bool {
    set.items.iter().any(|item| match &item.node {
        Selection::Field(field) => {
            let name = field.node.name.node.as_str();
            matches!(name, "__schema" | "__type") || selects_schema(&field.node.selection_set.node)
        }
        Selection::InlineFragment(inline) => selects_schema(&inline.node.selection_set.node),
        Selection::FragmentSpread(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;
    use crate::auth::Scopes;

    fn with(scope: Scope) -> Requester {
        let scopes = Scopes::named([scope.as_str()]);
        Requester { scopes, ..Requester::anonymous("default".into()) }
    }

    fn looks(policy: Policy, requester: &Requester, text: &str) -> bool {
        policy.check_introspection(requester, &parse_query(text).unwrap()).is_ok()
    }

    #[test]
    fn the_schema_is_shown_to_whom_it_is_meant_for() {
        let (reader, manager) = (with(Scope::ContactsRead), with(Scope::WorkspaceManage));
        let of = |introspection| Policy { only_trusted: false, introspection };
        let texts = [
            "{ __schema { queryType { name } } }",
            "{ a: __type(name: \"Contact\") { name } }",
            "query A { tags { name } } query B { ...F } fragment F on Query { ... { __schema { __typename } } }",
        ];
        for text in texts {
            assert!(looks(of(Introspection::Everyone), &reader, text));
            assert!(!looks(of(Introspection::Managers), &reader, text), "{text}");
            assert!(looks(of(Introspection::Managers), &manager, text));
            assert!(!looks(of(Introspection::Nobody), &manager, text), "{text}");
        }
        for text in ["{ tags { __typename } }", "{ contact(by: {email: \"__schema\"}) { id } }"] {
            assert!(looks(of(Introspection::Nobody), &reader, text), "{text}");
        }
    }

    #[test]
    fn only_managers_write_their_own_where_documents_are_listed() {
        let policy = Policy { only_trusted: true, introspection: Introspection::Everyone };
        let reader = with(Scope::ContactsRead);
        assert!(policy.check_trust(&reader, || false).is_err());
        assert!(policy.check_trust(&reader, || true).is_ok());
        assert!(policy.check_trust(&with(Scope::WorkspaceManage), || false).is_ok());
    }
}
