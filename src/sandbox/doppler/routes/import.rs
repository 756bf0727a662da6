//! Imports and the tasks they become.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::list::existing;
use crate::sandbox::doppler::account::Account;
use crate::sandbox::doppler::answer::{Href, Link, content_type, created, ok};
use crate::sandbox::doppler::call::Call;
use crate::sandbox::doppler::page::{Kind, LARGEST, Paging};
use crate::sandbox::doppler::problem::Problem;
use crate::sandbox::doppler::task::{ImportTask, Row, Work};
use crate::sandbox::doppler::write::{Item, address, value};

/// Most items of one request.
const MOST_ITEMS: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    #[serde(default)]
    items: Option<Vec<Item>>,
    #[serde(default)]
    fields: Option<Vec<String>>,
    #[serde(default)]
    callback: Option<String>,
    #[serde(default, rename = "enableEmailNotification")]
    _enable_email_notification: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaving {
    #[serde(default)]
    items: Option<Vec<Address>>,
    #[serde(default)]
    callback: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    #[serde(default)]
    email: Option<Value>,
}

/// `POST .../lists/{listId}/subscribers/import`
pub fn into_list(call: &Call) -> Result<Response, Problem> {
    let list = existing(call, &call.account())?;
    subscribe(call, Some(list))
}

/// `POST .../subscribers/import`: whoever is new is in no list.
pub fn into_account(call: &Call) -> Result<Response, Problem> {
    subscribe(call, None)
}

fn subscribe(call: &Call, list: Option<u64>) -> Result<Response, Problem> {
    let body: Body = call.body()?;
    let items = within(body.items)?;
    let names =
        body.fields.ok_or_else(|| Problem::invalid_value("fields", "Value is required."))?;
    let work = {
        let account = call.account();
        let columns = columns(&account, &names)?;
        let rows = items.iter().map(|item| row(&account, item, &columns)).collect();
        Work::Subscribe { columns, rows }
    };
    start(call, list, work, body.callback)
}

/// `POST .../unsubscribed/import`
pub fn unsubscribed(call: &Call) -> Result<Response, Problem> {
    let body: Leaving = call.body()?;
    let items = within(body.items)?;
    let emails = items.iter().map(|item| address(item.email.as_ref()).ok()).collect();
    start(call, None, Work::Unsubscribe(emails), body.callback)
}

fn within<T>(items: Option<Vec<T>>) -> Result<Vec<T>, Problem> {
    let items = items.ok_or_else(|| Problem::invalid_value("items", "Value is required."))?;
    if items.len() > MOST_ITEMS {
        let detail = format!("Value must have at most `{MOST_ITEMS}` items.");
        return Err(Problem::invalid_value("items", detail));
    }
    Ok(items)
}

fn columns(account: &Account, names: &[String]) -> Result<Vec<usize>, Problem> {
    let column = |(index, name): (usize, &String)| {
        let key = format!("fields[{index}]");
        let id = account.fields.find(name).ok_or_else(|| {
            Problem::invalid_value(key.clone(), format!("Field `{name}` does not exist."))
        })?;
        if account.fields.get(id).is_some_and(crate::sandbox::doppler::field::Field::readonly) {
            return Err(Problem::invalid_value(key, format!("Field `{name}` is read-only.")));
        }
        Ok(id)
    };
    names.iter().enumerate().map(column).collect()
}

fn row(account: &Account, item: &Item, columns: &[usize]) -> Row {
    let mut row =
        Row { email: address(item.email.as_ref()).ok(), values: Vec::new(), mismatch: false };
    for (index, sent) in item.fields.iter().flatten().enumerate() {
        match value(account, index, sent) {
            Ok((field, text)) if columns.contains(&field) => row.values.push((field, text)),
            Ok(_) | Err(_) => row.mismatch = true,
        }
    }
    row
}

fn start(
    call: &Call,
    list: Option<u64>,
    work: Work,
    callback: Option<String>,
) -> Result<Response, Problem> {
    let callback = callback
        .map(|address| {
            let parsed = url::Url::parse(&address).ok();
            parsed
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .ok_or_else(|| Problem::invalid_value("callback", "Value is not an absolute URL."))
        })
        .transpose()?;
    let mut account = call.account_mut();
    let same = account.tasks.values().filter(|task| task.is_open() && task.list() == list);
    let after = same.map(|task| task.ends).max().unwrap_or(i64::MIN);
    let end = call.doppler.shared.settings().imports_end;
    let task = ImportTask::new(list, work, call.now, after).ending(end);
    let ends = task.ends;
    let number = account.add_task(task);
    if let Some(list) = list.and_then(|list| account.lists.get_mut(&list)) {
        list.importing += 1;
    }
    drop(account);
    call.doppler.await_task(number, ends, callback);
    let link = Link {
        href: Href::Task(number),
        description: "Get the created task.",
        rel: "/docs/rels/get-task related",
    };
    let id = format!("import-{number}");
    Ok(created(StatusCode::ACCEPTED, &id, "Import task successfully created", link))
}

/// `GET .../tasks`, newest first.
pub fn tasks(call: &Call) -> Result<Response, Problem> {
    let paging = Paging::of(call, LARGEST)?;
    let account = call.account();
    let kind = Kind {
        content_type: content_type!("task-collection"),
        rel: "/docs/rels/get-task-collection",
        parent: Href::Account,
    };
    let shown =
        paging.cut(account.tasks.iter().rev()).map(|(number, task)| task.shown(*number, call.now));
    Ok(paging.answer(call, kind, account.tasks.len(), shown))
}

/// `GET .../tasks/{taskId}`
pub fn task(call: &Call) -> Result<Response, Problem> {
    let id = call.text("taskId");
    let account = call.account();
    let number = id.strip_prefix("import-").and_then(|number| number.parse().ok());
    let found = number.and_then(|number: u64| Some((number, account.tasks.get(&number)?)));
    let (number, task) = found.ok_or_else(|| Problem::missing("Task", id))?;
    Ok(ok(content_type!("task"), &task.shown(number, call.now)))
}
