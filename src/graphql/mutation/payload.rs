//! What the payloads of mutations have in common.

use async_graphql::{Context, Enum, ID, Result, SimpleObject};

use crate::contacts::{Error, Refusal, RefusalKind, Target, Written};
use crate::graphql::context::ContextExt;
use crate::graphql::error::ErrorCode;
use crate::graphql::ids::GlobalId;
use crate::graphql::types::{Contact, SystemName};

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

/// What became of a write.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub enum WriteOutcome {
    /// Written.
    Applied,
    /// Nothing was sent, for a reason given.
    Skipped,
    /// The system refused it.
    Rejected,
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
pub enum UserErrorCode {
    /// A value that cannot be taken.
    Invalid,
    /// It does not exist.
    NotFound,
    /// Several people match.
    Ambiguous,
    /// The system that would have to do it cannot.
    NotSupported,
    /// A value is longer than the system takes.
    TooLong,
}

/// Declares a payload whose result is a note or task, read anew when it is selected: the retry of
/// an idempotent mutation shows it as it is by then.
macro_rules! payload {
    ($name:ident, $result:ident: $kind:ident, $what:literal) => {
        /// What became of it.
        #[derive(async_graphql::SimpleObject)]
        #[graphql(complex)]
        pub struct $name {
            /// The person.
            contact: Option<$crate::graphql::types::Contact>,
            /// What each system made of it.
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
        let (writes, user_errors) = match written.refusal {
            None => (vec![SystemWrite::applied()], Vec::new()),
            Some(refusal) => (vec![SystemWrite::not_done(&refusal)], vec![refusal.into()]),
        };
        Ok(Self { contact, writes, user_errors, target: written.target })
    }

    /// An input that was not taken at all.
    pub fn refused(code: UserErrorCode, message: &str, field: &str) -> Self {
        let field = Some(vec![field.to_owned()]);
        let error = UserError { code, message: message.to_owned(), field };
        Self { contact: None, writes: Vec::new(), user_errors: vec![error], target: None }
    }
}

impl SystemWrite {
    fn applied() -> Self {
        let system = SystemName::HighLevel;
        Self { system, outcome: WriteOutcome::Applied, reason: None, code: None }
    }

    fn not_done(refusal: &Refusal) -> Self {
        let (outcome, code) = if refusal.upstream {
            (WriteOutcome::Rejected, Some(ErrorCode::UpstreamRejected))
        } else {
            (WriteOutcome::Skipped, None)
        };
        let reason = Some(refusal.message.clone());
        Self { system: SystemName::HighLevel, outcome, reason, code }
    }
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.kind {
            RefusalKind::NotFound => UserErrorCode::NotFound,
            RefusalKind::Ambiguous => UserErrorCode::Ambiguous,
            RefusalKind::Invalid => UserErrorCode::Invalid,
            RefusalKind::NotSupported => UserErrorCode::NotSupported,
        };
        let field = (!refusal.fields.is_empty()).then_some(refusal.fields);
        Self { code, message: refusal.message, field }
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
