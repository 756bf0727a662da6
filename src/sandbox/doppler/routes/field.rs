//! Field definitions. The collection has no pages.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::sandbox::doppler::account::Account;
use crate::sandbox::doppler::answer::{Href, Link, content_type, created, message, ok};
use crate::sandbox::doppler::call::Call;
use crate::sandbox::doppler::field::Field;
use crate::sandbox::doppler::problem::Problem;
use crate::sandbox::doppler::value::FieldType;

/// Longest name.
const LONGEST_NAME: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    private: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    private: Option<bool>,
}

#[derive(Serialize)]
struct Collection<T> {
    items: Vec<T>,
    #[serde(rename = "_links")]
    links: [Link<'static>; 2],
}

/// `GET .../fields`
#[expect(clippy::unnecessary_wraps, reason = "handlers are alike")]
pub fn collection(call: &Call) -> Result<Response, Problem> {
    let account = call.account();
    let all = account.fields.iter().filter(|_| !call.pretends_empty());
    let items = all.map(|(_, field)| field.shown()).collect();
    let own = Link {
        href: Href::Below("fields"),
        description: "Get fields.",
        rel: "/docs/rels/get-field-collection self",
    };
    let body = Collection { items, links: [Link::account_home(), own] };
    Ok(ok(content_type!("field-collection"), &body))
}

/// `POST .../fields`
pub fn create(call: &Call) -> Result<Response, Problem> {
    let New { name, kind, private } = call.body()?;
    let name = name.ok_or_else(|| Problem::invalid_value("name", "Value is required."))?;
    let kind = kind.ok_or_else(|| Problem::invalid_value("type", "Value is required."))?;
    let kind = serde_json::from_value::<FieldType>(kind.into())
        .ok()
        .filter(|kind| *kind != FieldType::Email)
        .ok_or_else(|| Problem::invalid_value("type", "Value is not a type of field."))?;
    let mut account = call.account_mut();
    check_name(&account, &name, None)?;
    account.fields.add(Field::custom(&name, kind, private.unwrap_or(true)));
    let link = Link { href: Href::Field(&name), description: "The created field.", rel: "related" };
    Ok(created(StatusCode::CREATED, &name, "Field successfully created", link))
}

/// `PUT .../fields/{name}`
pub fn edit(call: &Call) -> Result<Response, Problem> {
    let mut account = call.account_mut();
    let id = own(call, &account)?;
    let Edit { name, private } = call.body()?;
    if let Some(name) = &name {
        check_name(&account, name, Some(id))?;
    }
    if let Some(field) = account.fields.get_mut(id) {
        field.private = private.unwrap_or(field.private);
        if let Some(name) = name {
            field.name = name;
        }
    }
    Ok(message("Field successfully edited"))
}

/// `DELETE .../fields/{name}`, with everybody's values.
pub fn delete(call: &Call) -> Result<Response, Problem> {
    let mut account = call.account_mut();
    let id = own(call, &account)?;
    account.remove_field(id);
    Ok(message("Field successfully deleted"))
}

/// The field of the path, which must not be a predefined one.
fn own(call: &Call, account: &Account) -> Result<usize, Problem> {
    let name = call.text("name");
    let id = account.fields.find(name).ok_or_else(|| Problem::missing("Field", name))?;
    if account.fields.get(id).is_some_and(|field| field.predefined) {
        return Err(Problem::invalid_value("name", "Predefined fields can not be changed."));
    }
    Ok(id)
}

fn check_name(account: &Account, name: &str, except: Option<usize>) -> Result<(), Problem> {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, 'ñ' | 'Ñ');
    if name.is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().all(plain) {
        let detail = format!("Value must be `1` to `{LONGEST_NAME}` letters and digits.");
        return Err(Problem::invalid_value("name", detail));
    }
    if account.fields.is_taken(name, except) {
        return Err(Problem::invalid_value("name", "Another field has the same name."));
    }
    Ok(())
}
