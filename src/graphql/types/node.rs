//! Everything that has a global id.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Result};

use super::appointment::Appointment;
use super::delivery::Delivery;
use super::viewer::Workspace;
use super::{Contact, DopplerList, Failure, Hold, Note, SyncRun, Task};
use crate::contacts::Target;
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::unified::{ContactId, WorkspaceId};

/// Something with a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The global id."))]
pub enum Node {
    Contact(Contact),
    Note(Note),
    Task(Task),
    Appointment(Appointment),
    Delivery(Delivery),
    DopplerList(DopplerList),
    Workspace(Workspace),
    Hold(Hold),
    Failure(Failure),
    SyncRun(SyncRun),
}

/// What an id names, if it names anything that exists and that the caller may see.
pub async fn resolve(context: &Context<'_>, id: &str) -> Result<Option<Node>> {
    let id = GlobalId::decode(id);
    // Whether there is such a thing is for those to know who may read.
    match id {
        Some(GlobalId::Run(_) | GlobalId::Hold(_) | GlobalId::Failure(..)) => {
            context.observer()?;
        }
        Some(_) | None => {
            context.reader()?;
        }
    }
    let Some(id) = id else { return Ok(None) };
    Ok(match id {
        GlobalId::Contact(id) => {
            context.reader()?.person(id).await?.map(|person| Contact::new(person).into())
        }
        GlobalId::Note(target) => Note::find(context, &target).await?.map(Node::Note),
        GlobalId::Task(target) => Task::find(context, &target).await?.map(Node::Task),
        GlobalId::Appointment(target) => appointment(context, target).await?.map(Node::Appointment),
        GlobalId::Delivery(contact, campaign) => {
            delivery(context, contact, &campaign).await?.map(Node::Delivery)
        }
        GlobalId::List(id) => {
            let lists = context.reader()?.lists().await?;
            lists.iter().find(|list| list.id == id).map(|list| DopplerList(list.clone()).into())
        }
        GlobalId::Hold(id) => {
            let hold = context.observer()?.hold(id).await?;
            hold.map(|hold| Hold(Arc::new(hold)).into())
        }
        GlobalId::Run(id) => {
            context.observer()?.run(id).await?.map(|run| SyncRun::from(run).into())
        }
        GlobalId::Failure(contact, system) => {
            let failure = context.observer()?.failure((contact, system)).await?;
            failure.map(|failure| Failure(Arc::new(failure)).into())
        }
        GlobalId::Workspace(id) => {
            let id = WorkspaceId::from(id);
            context.realm()?.find(&id).await?.map(|found| Workspace(found).into())
        }
    })
}

async fn appointment(context: &Context<'_>, target: Target) -> Result<Option<Appointment>> {
    let all = context.reader()?.appointments(&target.contact).await?.value;
    let found = all.iter().flat_map(|all| all.iter()).find(|one| one.id == target.id).cloned();
    Ok(found.map(|appointment| Appointment { appointment, with: target.contact }))
}

async fn delivery(
    context: &Context<'_>,
    to: ContactId,
    campaign: &str,
) -> Result<Option<Delivery>> {
    let Some(person) = context.reader()?.person(to).await? else { return Ok(None) };
    let all = Contact::new(person).all_deliveries(context).await?;
    let found = all.into_iter().flatten().find(|(one, _)| one.campaign_id == campaign);
    Ok(found.map(|(delivery, at)| Delivery { delivery, to, first_seen_at: Some(at) }))
}
