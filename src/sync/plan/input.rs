//! What a plan is made from: values, all read or stored before.

use chrono::{DateTime, Utc};

use crate::unified::{
    Agreement, ContactId, Definitions, Edit, Engagement, HighLevelContact, Hold, HoldDecision,
    Link, List, Mapping, Note, PendingWrite, Sighting, Subscriber, SyncSettings, System, Task,
};

/// Everything that is known of a contact.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub contact: ContactId,
    pub links: &'a [Link],
    pub doppler: Side<&'a Subscriber>,
    /// Read singly: a row of a listing leaves out what a plan needs.
    pub highlevel: Side<&'a HighLevelContact>,
    pub agreement: &'a Agreement,
    pub mapping: &'a Mapping,
    /// The contact's open edits, the oldest first.
    pub edits: &'a [Edit],
    /// The contact's open holds and those of the workspace, with what was decided about them.
    pub holds: &'a [OpenHold],
    pub scope: Scope,
    pub deletion: Deletion,
    /// What is paused.
    pub settings: &'a SyncSettings,
    pub lists: &'a [List],
    pub definitions: &'a Definitions,
    pub extra: Extra<'a>,
    pub now: DateTime<Utc>,
}

/// What only some plans need and so is read only when [`super::Plan::needs`] asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extra<'a> {
    /// Write-ahead records whose outcome is not known.
    pub pending: &'a [PendingWrite],
    /// What was last seen of the contact's deliveries, where the mapping asks for notes about it.
    pub engagements: &'a [Engagement],
    /// HighLevel's notes of the contact; the error's name in the public schema where they could not be read.
    pub notes: Option<Result<&'a [Note], &'static str>>,
    /// The same of HighLevel's tasks of the contact.
    pub tasks: Option<Result<&'a [Task], &'static str>>,
    /// The subscriber who has the address that a rename leads to.
    pub target: Option<Target<'a>>,
    /// Whether Doppler still works on an import of this subscriber: no second one is started.
    pub importing: bool,
    /// Records that answer to the person's address or number and are other contacts'.
    pub others: &'a [Other],
    /// Another contact's record in HighLevel that the person's own, which is gone, became part of.
    pub successor: Option<&'a Other>,
    /// Whether somebody with one of the person's addresses opted out before, whoever that was by then.
    pub suppressed: Suppressed,
    /// Whether one of the person's addresses is that of somebody who was erased.
    pub erased: bool,
    /// How many others were deleted lately where the person is gone.
    pub deleted: Deleted,
    /// How old each system's definitions are.
    pub defined: [Defined; 2],
}

/// How old the definitions of a system's fields are beside what was read of the person.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Defined {
    /// No older: a field that they name was there.
    #[default]
    Since,
    /// Older: a field may have been deleted in between.
    Before,
    /// The same, and they could not be read again. The error's name in the public schema.
    Unread { code: &'static str },
}

/// What is remembered of the opt-outs of those who had a person's addresses before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Suppressed {
    #[default]
    Nothing,
    /// Somebody opted out. Who was met as mailable since had their say.
    Before,
    /// Somebody opted out under an address that comes to the person only now, so what was agreed under
    /// another says nothing of it.
    Anew,
}

/// How many people were deleted in a system lately.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Deleted {
    /// As happens.
    #[default]
    Few,
    /// So many that nobody is treated so in the other system without a decision.
    Many,
    /// Somebody has looked, and lets the run go on.
    Waived,
}

/// What becomes of a person in one system who was deleted in the other.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Deletion {
    pub unchanged: WhenUnchanged,
    pub changed: WhenChanged,
}

/// Of a person about whom nothing else changed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WhenUnchanged {
    /// They are left as they are.
    #[default]
    Unlink,
    /// They get a tag that says so.
    Tag,
    /// They are opted out of e-mail.
    Unsubscribe,
    /// They are deleted, or opted out where nobody can be deleted.
    Delete,
}

/// Of a person who was changed meanwhile.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WhenChanged {
    /// They are left as they are.
    #[default]
    Keep,
    /// They are made again where they were deleted.
    Recreate,
}

/// A record that answers to the person's address or number and is another contact's. Its system
/// counts as unread: nobody is created beside it and it is not written over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Other {
    pub contact: ContactId,
    pub record: Sighting,
    /// Whether the two may be one person: no system has a record of each of them.
    pub can_join: bool,
    /// The same once the person's own record in that system is gone.
    pub succeeds: bool,
    /// What the other contact is in the other system.
    pub counterpart: Option<Sighting>,
}

/// Who has the address that a rename leads to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub side: Side<&'a Subscriber>,
    /// The contact that the subscriber is linked to.
    pub contact: Option<ContactId>,
}

/// What is known of a contact in one system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side<T> {
    /// It could not be read; its fields count as unchanged. The error's name in the public schema.
    Unread {
        code: &'static str,
    },
    /// The system does not know the person.
    Absent,
    /// The system knew the person and does not any more. Never created again on its own.
    Gone,
    Present(T),
}

impl<T> Side<T> {
    /// What was read.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Unread { .. } | Self::Absent | Self::Gone => None,
        }
    }

    /// The error's name where it could not be read.
    pub fn unread(&self) -> Option<&'static str> {
        match self {
            Self::Unread { code } => Some(code),
            Self::Absent | Self::Gone | Self::Present(_) => None,
        }
    }
}

/// How much a plan may be about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// All of the contact: sync is running, or a preview asks what it would do.
    Everything,
    /// Only the fields and objects that the open edits name, in the systems that they name.
    Edits,
}

/// A hold that is open, and the decision where one was taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenHold {
    pub hold: Hold,
    pub decision: Option<HoldDecision>,
    /// Whether the decision only stands for like questions to come: it was carried out, or is about
    /// somebody else.
    pub remembered: bool,
}

impl Input<'_> {
    /// Whose record is in this person's way in a system.
    pub fn other(&self, system: System) -> Option<&Other> {
        self.extra.others.iter().find(|other| other.record.system == system)
    }

    /// Whether a system could not be read; the error's name.
    pub fn unread(&self, system: System) -> Option<&'static str> {
        match system {
            System::Doppler => self.doppler.unread(),
            System::HighLevel => self.highlevel.unread(),
        }
    }

    /// How old the definitions of a system's fields are.
    pub fn defined(&self, system: System) -> Defined {
        self.extra.defined[system as usize]
    }

    /// Whether the person is in a system, as it was read.
    pub fn is_in(&self, system: System) -> bool {
        match system {
            System::Doppler => self.doppler.present().is_some(),
            System::HighLevel => self.highlevel.present().is_some(),
        }
    }

    /// Whether the person was in a system and is not any more.
    pub fn is_gone(&self, system: System) -> bool {
        match system {
            System::Doppler => self.doppler == Side::Gone,
            System::HighLevel => self.highlevel == Side::Gone,
        }
    }

    /// The link into a system.
    pub fn link(&self, system: System) -> Option<&Link> {
        self.links.iter().find(|link| link.system == system)
    }

    /// Whether values may flow to a system now.
    pub fn is_open(&self, system: System) -> bool {
        match system {
            System::Doppler => !self.settings.paused_to_doppler,
            System::HighLevel => !self.settings.paused_to_highlevel,
        }
    }
}
