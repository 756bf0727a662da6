//! The subscribers of one list.

use axum::response::Response;

use super::list::existing;
use crate::sandbox::doppler::answer::{Href, content_type, message};
use crate::sandbox::doppler::call::Call;
use crate::sandbox::doppler::page::{Kind, LARGEST_OF_SUBSCRIBERS, Paging};
use crate::sandbox::doppler::problem::Problem;
use crate::sandbox::doppler::subscriber::Shown;
use crate::sandbox::doppler::write::{Adding, Item, Outcome, add as write};

/// `GET .../lists/{listId}/subscribers`, in the order of joining; `from` and `to` look at its time.
pub fn page(call: &Call) -> Result<Response, Problem> {
    let account = call.account();
    let list = existing(call, &account)?;
    let paging = Paging::of(call, LARGEST_OF_SUBSCRIBERS)?;
    let from = call.time("from")?.unwrap_or(i64::MIN);
    let to = call.time("to")?.unwrap_or(i64::MAX);
    let by = call.doppler.shared.settings().belongs_to_lists;
    let members = account.lists.get(&list).map(|list| &list.members);
    let all = members.into_iter().flat_map(|members| members.values());
    let inside = all.filter(|(_, at)| (from..to).contains(at));
    let total = if from == i64::MIN && to == i64::MAX {
        members.map_or(0, std::collections::BTreeMap::len)
    } else {
        inside.clone().count()
    };
    let shown = paging.cut(inside).filter_map(|(id, _)| {
        account.subscriber(*id).map(|subscriber| Shown::new(subscriber, &account, by))
    });
    let kind = Kind {
        content_type: content_type!("subscriber-collection"),
        rel: "/docs/rels/get-subscriber-collection",
        parent: Href::List(list),
    };
    Ok(paging.answer(call, kind, total, shown))
}

/// `POST .../lists/{listId}/subscribers`: creates or updates, and adds to the list.
pub fn add(call: &Call) -> Result<Response, Problem> {
    put(call, false)
}

/// `POST .../lists/{listId}/subscribers/doble-optin/{templateId}` (the spelling is theirs): whoever
/// is new has to confirm first.
pub fn add_double_opt_in(call: &Call) -> Result<Response, Problem> {
    call.number("templateId")?;
    put(call, true)
}

fn put(call: &Call, double_opt_in: bool) -> Result<Response, Problem> {
    let mut account = call.account_mut();
    let list = existing(call, &account)?;
    let person = call.body::<Item>()?.check(&account)?;
    let how = Adding { list: Some(list), double_opt_in, now: call.now, origin: "API" };
    match write(&mut account, &person, how) {
        Outcome::Added | Outcome::Updated => Ok(message("Subscriber successfully added to List")),
        Outcome::Refused(kind) if kind.is_own_will() => Err(Problem::unsubscribed(&person.email)),
        Outcome::Refused(_) => Err(Problem::not_subscribable(&person.email)),
    }
}

/// `DELETE .../lists/{listId}/subscribers/{email}`: out of the list, still in the account.
pub fn remove(call: &Call) -> Result<Response, Problem> {
    let mut account = call.account_mut();
    let list = existing(call, &account)?;
    let email = call.text("email");
    let left = account.find(email).is_some_and(|id| account.leave(id, list));
    if !left {
        return Err(Problem::missing("Subscriber", email));
    }
    Ok(message("Subscriber successfully removed from List"))
}
