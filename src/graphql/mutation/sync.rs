//! Sync itself: reconcile now, pause, go on, decide, try again.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::payload::{Outcome, UserError, payload, split};
use crate::contacts::{Error, PauseTarget};
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::types::{
    ContactBy, Failure, FailureFilter, Hold, MappingDirection, SyncStatus,
};
use crate::unified::{ContactId, System};

/// The mutations of sync.
#[derive(Default)]
pub struct SyncWrites;

/// A person to be reconciled.
#[derive(InputObject)]
pub struct SyncContactInput {
    /// Who.
    contact: ContactBy,
}

/// What is to pause: everything, a direction or a field.
#[derive(InputObject)]
pub struct PauseSyncInput {
    /// Only changes in this direction.
    direction: Option<MappingDirection>,
    /// Only this field, by the mapping's name.
    field: Option<String>,
}

/// What is to go on: everything, a direction or a field.
#[derive(InputObject)]
pub struct ResumeSyncInput {
    /// Only changes in this direction.
    direction: Option<MappingDirection>,
    /// Only this field, by the mapping's name.
    field: Option<String>,
}

/// A decision about a hold.
#[derive(InputObject)]
pub struct ResolveHoldInput {
    /// Which hold.
    hold: ID,
    /// One of its `resolutions`.
    choice: String,
    /// One of its `candidates`, where the choice is between them.
    candidate: Option<ID>,
    /// Whether the same question is to be answered alike for this person from now on.
    remember: Option<bool>,
}

/// Failures to be tried again at once: those named, or those that the filter finds.
#[derive(InputObject)]
pub struct RetryFailuresInput {
    /// By their ids.
    failures: Option<Vec<ID>>,
    /// By conditions; all failures if neither is given.
    filter: Option<FailureFilter>,
}

/// A failure to be forgotten.
#[derive(InputObject)]
pub struct DiscardFailureInput {
    /// Which.
    failure: ID,
}

payload!(SyncContactPayload);

/// How sync stands after it.
#[derive(SimpleObject)]
pub struct PauseSyncPayload {
    /// How sync stands.
    status: Option<SyncStatus>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

/// How sync stands after it.
#[derive(SimpleObject)]
pub struct ResumeSyncPayload {
    /// How sync stands.
    status: Option<SyncStatus>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

/// What became of the hold.
#[derive(SimpleObject)]
pub struct ResolveHoldPayload {
    /// The hold as it was when it was resolved.
    hold: Option<Hold>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

/// What is tried again.
#[derive(SimpleObject)]
pub struct RetryFailuresPayload {
    /// How many failures are tried again.
    retried: u32,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

/// What was forgotten.
#[derive(SimpleObject)]
pub struct DiscardFailurePayload {
    /// The failure as it was.
    failure: Option<Failure>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

#[Object]
impl SyncWrites {
    /// Reconciles a person now. Unless sync is running nothing is written but what earlier mutations
    /// left over. Needs `contacts.write`.
    async fn sync_contact(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom.")] input: SyncContactInput,
    ) -> Result<SyncContactPayload> {
        let writer = context.writer()?;
        let written = writer.sync(input.contact.try_into()?).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Stops writing changes of one side to the other; they accumulate. Mutations go on. Needs
    /// `sync.manage`.
    async fn pause_sync(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to pause; everything if nothing is given.")]
        input: PauseSyncInput,
    ) -> Result<PauseSyncPayload> {
        let admin = context.admin()?;
        let target = PauseTarget::new(input.direction.map(Into::into), input.field);
        let (status, user_errors) = split(admin.pause(target).await?);
        Ok(PauseSyncPayload { status, user_errors })
    }

    /// Goes on, with what has accumulated first. `READ_ONLY` while HighLevel's credential may not write.
    /// Needs `sync.manage`.
    async fn resume_sync(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to go on; everything if nothing is given.")]
        input: ResumeSyncInput,
    ) -> Result<ResumeSyncPayload> {
        let admin = context.admin()?;
        let target = PauseTarget::new(input.direction.map(Into::into), input.field);
        let (status, user_errors) = split(admin.resume(target).await?);
        Ok(ResumeSyncPayload { status, user_errors })
    }

    /// Decides about a hold. Needs `sync.manage`.
    async fn resolve_hold(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which hold, and how.")] input: ResolveHoldInput,
    ) -> Result<ResolveHoldPayload> {
        let admin = context.admin()?;
        let Some(GlobalId::Hold(hold)) = GlobalId::decode(&input.hold) else {
            return Err(Error::invalid("hold", "not the id of a hold"))?;
        };
        let candidate = input.candidate.map(|id| id.0);
        let remember = input.remember.unwrap_or(false);
        let resolved = admin.resolve(hold, input.choice, candidate, remember).await?;
        let (hold, user_errors) = split(resolved.map(|hold| Hold(Arc::new(hold))));
        Ok(ResolveHoldPayload { hold, user_errors })
    }

    /// Tries failures again at once, those given up included. Needs `sync.manage`.
    async fn retry_failures(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which.")] input: RetryFailuresInput,
    ) -> Result<RetryFailuresPayload> {
        let admin = context.admin()?;
        let ids = input.failures.map(|ids| ids.iter().map(failure_of).collect::<Result<_, _>>());
        let ids = ids.transpose()?;
        let filter = input.filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
        let retried = admin.retry(ids, filter).await?;
        Ok(RetryFailuresPayload { retried, user_errors: Vec::new() })
    }

    /// Forgets a failure, and with it the write that failed: it is not tried again until the person
    /// changes. Needs `sync.manage`.
    async fn discard_failure(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which.")] input: DiscardFailureInput,
    ) -> Result<DiscardFailurePayload> {
        let admin = context.admin()?;
        let (contact, system) = failure_of(&input.failure)?;
        let discarded = admin.discard(contact, system).await?;
        let (failure, user_errors) = split(discarded.map(|failure| Failure(Arc::new(failure))));
        Ok(DiscardFailurePayload { failure, user_errors })
    }
}

/// The failure that an id names.
fn failure_of(id: &ID) -> Result<(ContactId, System), Error> {
    match GlobalId::decode(id) {
        Some(GlobalId::Failure(contact, system)) => Ok((contact, system)),
        _ => Err(Error::invalid("failure", "not the id of a failure")),
    }
}
