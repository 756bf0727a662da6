//! Lists.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::sandbox::doppler::account::{Account, List};
use crate::sandbox::doppler::answer::{Href, Link, content_type, created, message, ok};
use crate::sandbox::doppler::call::Call;
use crate::sandbox::doppler::campaign::CampaignStatus;
use crate::sandbox::doppler::page::{Kind, LARGEST, Paging};
use crate::sandbox::doppler::problem::Problem;
use crate::sandbox::doppler::stamp::Stamp;

/// Longest name.
const LONGEST_NAME: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    list_id: u64,
    name: &'a str,
    current_status: &'static str,
    subscribers_count: usize,
    creation_date: Stamp,
    #[serde(rename = "_links")]
    links: [Link<'a>; 3],
}

fn shown<'a>((id, list): (&u64, &'a List)) -> Shown<'a> {
    Shown {
        list_id: *id,
        name: &list.name,
        current_status: if list.importing > 0 { "importingSubscribers" } else { "ready" },
        subscribers_count: list.members.len(),
        creation_date: Stamp(list.created),
        links: [
            Link::account_home(),
            Link {
                href: Href::List(*id),
                description: "Get, edit or delete the list.",
                rel: "/docs/rels/delete-list /docs/rels/edit-list /docs/rels/get-list self",
            },
            Link {
                href: Href::ListSubscribers(*id),
                description: "Get or add the list's subscribers.",
                rel: "/docs/rels/associate-subscriber /docs/rels/get-subscriber-collection",
            },
        ],
    }
}

/// `GET .../lists`, newest first.
pub fn page(call: &Call) -> Result<Response, Problem> {
    let paging = Paging::of(call, LARGEST)?;
    let none = match call.query("state").as_deref() {
        None | Some("active") => false,
        Some("inactive") => true,
        Some(_) => {
            let detail = "Value for `state` must be `active` or `inactive`.";
            return Err(Problem::invalid_value("state", detail));
        }
    };
    let named = call.query("listName").map(|name| name.to_lowercase());
    let account = call.account();
    let wanted = |(_, list): &(&u64, &List)| {
        !none && named.as_ref().is_none_or(|name| list.name.to_lowercase().contains(&**name))
    };
    let found: Vec<_> = account.lists.iter().rev().filter(wanted).collect();
    let kind = Kind {
        content_type: content_type!("list-collection"),
        rel: "/docs/rels/get-list-collection",
        parent: Href::Account,
    };
    let total = found.len();
    Ok(paging.answer(call, kind, total, paging.cut(found.into_iter()).map(shown)))
}

/// `GET .../lists/{listId}`
pub fn get(call: &Call) -> Result<Response, Problem> {
    let account = call.account();
    let id = existing(call, &account)?;
    let list = account.lists.get_key_value(&id).ok_or_else(|| missing(id))?;
    Ok(ok(content_type!("list"), &shown(list)))
}

/// `POST .../lists`
pub fn create(call: &Call) -> Result<Response, Problem> {
    let name = named(call)?;
    let most = call.doppler.shared.settings().max_lists;
    let mut account = call.account_mut();
    free(&account, &name, None)?;
    if account.lists.len() >= most {
        return Err(Problem::too_many_lists());
    }
    let id = account.add_list(&name, call.now);
    let link = Link {
        href: Href::List(id),
        description: "Get the created list.",
        rel: "/docs/rels/get-list related",
    };
    Ok(created(StatusCode::CREATED, &id.to_string(), "List successfully created", link))
}

/// `PUT .../lists/{listId}`
pub fn rename(call: &Call) -> Result<Response, Problem> {
    let mut account = call.account_mut();
    let id = existing(call, &account)?;
    let name = named(call)?;
    free(&account, &name, Some(id))?;
    if let Some(list) = account.lists.get_mut(&id) {
        list.name = name;
    }
    Ok(message("List successfully edited"))
}

/// `DELETE .../lists/{listId}`; its members stay in the account.
pub fn delete(call: &Call) -> Result<Response, Problem> {
    let mut account = call.account_mut();
    let id = existing(call, &account)?;
    let awaited = account.campaigns.values().any(|campaign| {
        campaign.status == CampaignStatus::Scheduled && campaign.recipients.contains(&id)
    });
    if awaited {
        return Err(Problem::list_in_use("CannotDeleteSubscribersListWithAnScheduledCampaign"));
    }
    if account.lists.get(&id).is_some_and(|list| list.importing > 0) {
        return Err(Problem::list_in_use("CannotDeleteSubscribersListInImportSubscribersProcess"));
    }
    account.remove_list(id);
    Ok(message("List successfully deleted"))
}

/// The list of the path, or 404.1.
pub fn existing(call: &Call, account: &Account) -> Result<u64, Problem> {
    let id = call.number("listId")?;
    if account.lists.contains_key(&id) { Ok(id) } else { Err(missing(id)) }
}

fn missing(id: u64) -> Problem {
    Problem::missing("List", &id.to_string())
}

fn named(call: &Call) -> Result<String, Problem> {
    let Body { name } = call.body()?;
    let Some(name) = name else {
        return Err(Problem::invalid_value("name", "Value is required."));
    };
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let detail = format!("Value must be between `1` and `{LONGEST_NAME}` characters long.");
        return Err(Problem::invalid_value("name", detail));
    }
    Ok(name)
}

fn free(account: &Account, name: &str, except: Option<u64>) -> Result<(), Problem> {
    match account.list_named(name) {
        Some(id) if Some(id) != except => Err(Problem::duplicated_list_name(name)),
        _ => Ok(()),
    }
}
