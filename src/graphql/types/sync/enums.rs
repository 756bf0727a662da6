//! The small enums of sync under their public names.

use async_graphql::Enum;

use crate::unified;

/// What is done to a person in a system.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::ActionKind")]
pub enum SyncActionKind {
    /// The person is made there.
    Create,
    /// Fields are written.
    Update,
    /// The e-mail address changes, which in Doppler takes a new subscriber.
    Rename,
    /// Tags are added.
    Tag,
    /// Tags are taken away.
    Untag,
    /// The person joins a list.
    Subscribe,
    /// The person is not to be mailed any more.
    Unsubscribe,
    /// The person leaves a list.
    RemoveFromList,
    /// A note is written, changed or deleted.
    Note,
    /// A task is written, changed, completed or deleted.
    Task,
    /// The person is deleted there.
    Delete,
    /// A record is recognised as this person's.
    Link,
    /// A record is no longer this person's.
    Unlink,
    /// Something waits for a decision.
    Hold,
    /// Nothing is done, for a reason given.
    Skip,
}

/// What happened.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::EventKind")]
pub enum SyncEventKind {
    /// A change was asked for or heard of.
    Received,
    /// It was decided what to do.
    Planned,
    /// A system took a write.
    Written,
    /// A system held it already.
    Unchanged,
    /// Something waits for a decision.
    Held,
    /// A write was given up.
    Failed,
    /// A write failed and will be tried again.
    Retrying,
    /// A hold or failure is over.
    Resolved,
    /// A record was recognised as a person's.
    Linked,
    /// A record is no longer a person's.
    Unlinked,
    /// Two contacts turned out to be one person.
    Merged,
    /// A person was made in a system.
    Created,
    /// A person was deleted from a system.
    Deleted,
    /// A person was erased on request.
    Erased,
    /// An e-mail was opened, clicked or bounced.
    Engagement,
    /// A run went on.
    RunProgress,
    /// A connection's state changed.
    UpstreamChanged,
    /// A credential expires soon.
    CredentialExpiring,
    /// The mapping or another setting was changed.
    SettingsChanged,
}

/// Why something waits for a decision.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::HoldKind")]
pub enum HoldKind {
    /// Several people could be this one.
    AmbiguousMatch,
    /// Both systems changed a field, to different values.
    Conflict,
    /// A value is longer than a system takes.
    Overflow,
    /// A field went to and fro between the systems.
    Oscillation,
    /// Somebody who opted out would be mailed again.
    Consent,
    /// More people would be removed than is allowed without asking.
    MassDelete,
    /// A system listed nobody where there were people before.
    EmptyListing,
    /// A mapped field no longer exists in a system.
    RemoteFieldGone,
    /// A system does not take a value.
    InvalidValue,
}

/// Which way a field's changes go.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::MappingDirection")]
pub enum MappingDirection {
    /// Either system's changes reach the other.
    Both,
    /// HighLevel's changes reach Doppler.
    ToDoppler,
    /// Doppler's changes reach HighLevel.
    #[graphql(name = "TO_HIGHLEVEL")]
    ToHighLevel,
    /// None.
    Off,
}

/// How Doppler, which has no tags, holds them.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub enum TagRepresentation {
    /// All in one custom text field.
    Field,
    /// A list a tag.
    Lists,
    /// Not at all.
    Off,
}

/// Whether both systems are kept in step.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub enum SyncState {
    /// No first sync was approved: a mutation writes only what its input names.
    NotSetUp,
    /// A first sync waits for approval.
    Preview,
    /// Changes of either side reach the other.
    Running,
    /// Changes accumulate and are written after it is resumed.
    Paused,
    /// HighLevel's credential does not allow writes.
    ReadOnly,
}

impl From<unified::SyncState> for SyncState {
    fn from(state: unified::SyncState) -> Self {
        match state {
            unified::SyncState::NotSetUp => Self::NotSetUp,
            unified::SyncState::Preview => Self::Preview,
            unified::SyncState::Running => Self::Running,
            unified::SyncState::Paused => Self::Paused,
        }
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::WriteOutcome")]
pub enum WriteOutcome {
    /// Written.
    Applied,
    /// The system held it already.
    Unchanged,
    /// Not yet; Tandem goes on with it.
    Queued,
    /// Nothing was sent, for a reason given.
    Skipped,
    /// The system refused it.
    Rejected,
}
