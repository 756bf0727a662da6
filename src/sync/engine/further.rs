//! Reading what a plan turns out to need beside both sides.

use crate::sync::plan::Need;
use crate::unified::{HighLevelId, WorkspaceId};
use crate::upstream::{self, Call, Kind};

use super::look::{Found, found};
use super::run::Facts;
use super::{Error, Inner};

impl Inner {
    /// Reads what a plan asks for.
    pub(super) async fn look_further(
        &self,
        workspace: &WorkspaceId,
        facts: &mut Facts,
        needs: &[Need],
        call: &Call,
    ) -> Result<(), Error> {
        for need in needs {
            match need {
                Need::Notes => {
                    let notes = match whose(facts) {
                        Ok(id) => attached(self.parts.crm.notes(call, &id).await),
                        Err(code) => Err(code),
                    };
                    facts.looked.notes = Some(notes);
                }
                Need::Tasks => {
                    let tasks = match whose(facts) {
                        Ok(id) => attached(self.parts.crm.tasks(call, &id).await),
                        Err(code) => Err(code),
                    };
                    facts.looked.tasks = Some(tasks);
                }
                Need::Definitions(system) => self.define(facts, *system, call).await,
                Need::Subscriber(email) => {
                    let side =
                        found(self.parts.mailing.subscriber(call, email).await, Found::Absent);
                    let known = self.parts.store.contacts_by_email(workspace, email).await?;
                    let other = known.into_iter().find(|id| *id != facts.sheet.known.id);
                    facts.looked.namesake = Some((side, other));
                }
            }
        }
        Ok(())
    }
}

/// Whose notes and tasks there are; the error's name where the contact could not be read.
fn whose(facts: &Facts) -> Result<HighLevelId, &'static str> {
    if let Found::Unread(code) = &facts.looked.contact {
        return Err(code);
    }
    facts.highlevel_id().ok_or(Kind::NotFound.code())
}

/// What hangs on a contact; nothing does on one that is not there.
fn attached<T>(read: Result<Option<Vec<T>>, upstream::Error>) -> Result<Vec<T>, &'static str> {
    read.map(Option::unwrap_or_default).map_err(|error| error.kind.code())
}
