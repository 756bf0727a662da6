//! What the payloads of mutations have in common.

use async_graphql::{Context, Enum, ID, Result, SimpleObject};

use crate::contacts::{Error, Managed, Target, Written};
use crate::graphql::context::ContextExt;
use crate::graphql::error::ErrorCode;
use crate::graphql::ids::GlobalId;
use crate::graphql::types::{Contact, SystemName, WriteOutcome};
use crate::unified;

/// What one system made of a write.
#[derive(Clone, Debug, SimpleObject)]
pub struct SystemWrite {
    /// Which system.
    system: SystemName,
    /// What became of it.
    outcome: WriteOutcome,
    /// Why, in words.
    reason: Option<String>,
    /// Why, as a code.
    code: Option<ErrorCode>,
}

/// Why an input was not taken.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What is wrong, as a code.
    code: UserErrorCode,
    /// What is wrong, in words.
    message: String,
    /// Which members of the input are at fault.
    field: Option<Vec<String>>,
}

/// What can be wrong with an input. New codes may come.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::UserErrorCode")]
pub enum UserErrorCode {
    /// It does not exist.
    NotFound,
    /// Several people match.
    Ambiguous,
    /// A value that cannot be taken.
    Invalid,
    /// The system that would have to do it cannot.
    NotSupported,
    /// A value is longer than the system takes.
    TooLong,
    /// The person opted out, and nothing but their own will undoes that.
    OptedOut,
    /// Another record has this address or number.
    Duplicate,
    /// The person was erased on request: nothing is kept of them or written about them.
    Erased,
    /// It was made from an older state than the present one.
    Stale,
}

/// Declares a payload. With a result, which is a note or task, that is read anew when it is
/// selected: the retry of an idempotent mutation shows it as it is by then.
macro_rules! payload {
    ($name:ident) => {
        /// What became of it.
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            /// The person.
            contact: Option<$crate::graphql::types::Contact>,
            /// What each system made of it; one that is `QUEUED` is finished later.
            writes: Vec<$crate::graphql::mutation::payload::SystemWrite>,
            /// Why the input was not taken; empty when it was.
            user_errors: Vec<$crate::graphql::mutation::payload::UserError>,
        }

        impl From<$crate::graphql::mutation::payload::Outcome> for $name {
            fn from(outcome: $crate::graphql::mutation::payload::Outcome) -> Self {
                let $crate::graphql::mutation::payload::Outcome {
                    contact,
                    writes,
                    user_errors,
                    target: _,
                } = outcome;
                Self { contact, writes, user_errors }
            }
        }
    };
    ($name:ident, $result:ident: $kind:ident, $what:literal) => {
        /// What became of it.
        #[derive(async_graphql::SimpleObject)]
        #[graphql(complex)]
        pub struct $name {
            /// The person.
            contact: Option<$crate::graphql::types::Contact>,
            /// What each system made of it; one that is `QUEUED` is finished later.
            writes: Vec<$crate::graphql::mutation::payload::SystemWrite>,
            /// Why the input was not taken; empty when it was.
            user_errors: Vec<$crate::graphql::mutation::payload::UserError>,
            #[graphql(skip)]
            target: Option<$crate::contacts::Target>,
        }

        #[async_graphql::ComplexObject]
        impl $name {
            #[doc = $what]
            async fn $result(
                &self,
                context: &async_graphql::Context<'_>,
            ) -> async_graphql::Result<Option<$kind>> {
                match &self.target {
                    Some(target) => $kind::find(context, target).await,
                    None => Ok(None),
                }
            }
        }

        impl From<$crate::graphql::mutation::payload::Outcome> for $name {
            fn from(outcome: $crate::graphql::mutation::payload::Outcome) -> Self {
                let $crate::graphql::mutation::payload::Outcome {
                    contact,
                    writes,
                    user_errors,
                    target,
                } = outcome;
                Self { contact, writes, user_errors, target }
            }
        }
    };
}

pub(super) use payload;

/// The parts of a payload that every contact mutation has.
pub struct Outcome {
    pub contact: Option<Contact>,
    pub writes: Vec<SystemWrite>,
    pub user_errors: Vec<UserError>,
    pub target: Option<Target>,
}

impl Outcome {
    /// Puts what was written into the payload's parts.
    pub async fn of(context: &Context<'_>, written: Written) -> Result<Self> {
        let contact = match written.contact {
            Some(id) => context.reader()?.person(id).await?.map(Contact::new),
            None => None,
        };
        Ok(Self {
            contact,
            writes: written.writes.into_iter().map(Into::into).collect(),
            user_errors: written.refusals.into_iter().map(Into::into).collect(),
            target: written.target,
        })
    }

    /// An input that was not taken at all.
    pub fn refused(code: UserErrorCode, message: &str, field: &str) -> Self {
        let field = Some(vec![field.to_owned()]);
        let error = UserError { code, message: message.to_owned(), field };
        Self { contact: None, writes: Vec::new(), user_errors: vec![error], target: None }
    }
}

/// The result of a mutation that is not about one contact, and why its input was not taken.
pub fn split<T, U: From<T>>(managed: Managed<T>) -> (Option<U>, Vec<UserError>) {
    match managed {
        Ok(result) => (Some(result.into()), Vec::new()),
        Err(refusals) => (None, refusals.into_iter().map(Into::into).collect()),
    }
}

impl From<unified::SystemWrite> for SystemWrite {
    fn from(write: unified::SystemWrite) -> Self {
        let unified::SystemWrite { system, outcome, reason, code } = write;
        let code = code.as_deref().and_then(ErrorCode::named);
        Self { system: system.into(), outcome: outcome.into(), reason, code }
    }
}

impl From<unified::UserError> for UserError {
    fn from(error: unified::UserError) -> Self {
        let unified::UserError { code, message, field } = error;
        Self { code: code.into(), message, field: (!field.is_empty()).then_some(field) }
    }
}

/// The Doppler list that an id names.
pub fn list_of(id: &ID, argument: &'static str) -> Result<String, Error> {
    match GlobalId::decode(id) {
        Some(GlobalId::List(list)) => Ok(list.to_string()),
        _ => Err(Error::invalid(argument, "not the id of a list")),
    }
}

/// The note that an id names.
pub fn note_target(id: &ID) -> Result<Target, Error> {
    match GlobalId::decode(id) {
        Some(GlobalId::Note(target)) => Ok(target),
        _ => Err(Error::invalid("note", "not the id of a note")),
    }
}

/// The task that an id names.
pub fn task_target(id: &ID) -> Result<Target, Error> {
    match GlobalId::decode(id) {
        Some(GlobalId::Task(target)) => Ok(target),
        _ => Err(Error::invalid("task", "not the id of a task")),
    }
}

/// A text that must say something and must not be endless.
pub fn check_text(text: &str, field: &str) -> Option<Outcome> {
    /// HighLevel states no bound; this one keeps a note well under its body limits.
    const LONGEST: usize = 65_536;
    if text.trim().is_empty() {
        return Some(Outcome::refused(UserErrorCode::Invalid, "must not be empty", field));
    }
    if text.len() > LONGEST {
        let message = "at most 65,536 bytes";
        return Some(Outcome::refused(UserErrorCode::TooLong, message, field));
    }
    None
}
