//! Subscribers of the account, whatever lists they are in.

use std::fmt::Write;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::sandbox::doppler::account::Account;
use crate::sandbox::doppler::answer::{Href, content_type, ok};
use crate::sandbox::doppler::call::Call;
use crate::sandbox::doppler::page::{Kind, LARGEST, LARGEST_OF_SUBSCRIBERS, Paging};
use crate::sandbox::doppler::problem::Problem;
use crate::sandbox::doppler::stamp::Stamp;
use crate::sandbox::doppler::subscriber::{Shown, Subscriber};

const PAGE: Kind<'static> = Kind {
    content_type: content_type!("subscriber-collection"),
    rel: "/docs/rels/get-subscriber-collection",
    parent: Href::Account,
};

/// Where permissions are said to come from: an address reserved for documentation.
const ORIGIN_IP: &str = "192.0.2.47";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Permission<'a> {
    subscriber_email: &'a str,
    field_name: &'a str,
    field_type: &'static str,
    date: Stamp,
    value: Option<&'a str>,
    #[serde(rename = "originIP")]
    origin_ip: &'static str,
    origin_type: &'static str,
}

/// `GET .../subscribers`, oldest first; `keyword` is looked for in address and names.
pub fn page(call: &Call) -> Result<Response, Problem> {
    let paging = Paging::of(call, LARGEST_OF_SUBSCRIBERS)?;
    let by = call.doppler.shared.settings().belongs_to_lists;
    let account = call.account();
    let shown = |id: usize| Some(Shown::new(account.subscriber(id)?, &account, by));
    let Some(keyword) = call.query("keyword") else {
        let all = account.subscribers();
        let total = all.len();
        return Ok(paging.answer(call, PAGE, total, paging.cut(all).filter_map(shown)));
    };
    let keyword = keyword.to_lowercase();
    let has = |id: &usize| {
        account.subscriber(*id).is_some_and(|subscriber| subscriber.haystack.contains(&keyword))
    };
    let found: Vec<_> = account.subscribers().filter(has).collect();
    let total = found.len();
    Ok(paging.answer(call, PAGE, total, paging.cut(found.into_iter()).filter_map(shown)))
}

/// `GET .../subscribers/{email}`
pub fn get(call: &Call) -> Result<Response, Problem> {
    let by = call.doppler.shared.settings().belongs_to_lists;
    let account = call.account();
    let subscriber = existing(call, &account)?;
    Ok(ok(content_type!("subscriber"), &Shown::new(subscriber, &account, by)))
}

/// `GET .../subscribers/{email}/deliveries`, newest first.
pub fn deliveries(call: &Call) -> Result<Response, Problem> {
    let paging = Paging::of(call, LARGEST)?;
    let account = call.account();
    let subscriber = existing(call, &account)?;
    let kind = Kind {
        content_type: content_type!("delivery-collection"),
        rel: "/docs/rels/get-delivery-collection",
        parent: Href::Subscriber(&subscriber.email),
    };
    let total = subscriber.deliveries.len();
    let shown = paging.cut(subscriber.deliveries.iter().rev()).filter_map(|delivery| {
        account.campaigns.get(&delivery.campaign).map(|campaign| delivery.shown(campaign))
    });
    Ok(paging.answer(call, kind, total, shown))
}

/// `GET .../subscribers/{email}/permissions-history/{fieldName}`, newest first.
pub fn permissions(call: &Call) -> Result<Response, Problem> {
    let paging = Paging::of(call, LARGEST)?;
    let account = call.account();
    let subscriber = existing(call, &account)?;
    let name = call.text("fieldName");
    let field = account.fields.find(name).ok_or_else(|| Problem::missing("Field", name))?;
    let kind = Kind {
        content_type: content_type!("permission-history"),
        rel: "/docs/rels/get-permission-history",
        parent: Href::Subscriber(&subscriber.email),
    };
    let mut rows = history(subscriber, &account);
    rows.retain(|(id, _)| *id == field);
    let total = rows.len();
    let shown = paging.cut(rows.into_iter()).map(|(_, row)| row);
    Ok(paging.answer(call, kind, total, shown))
}

/// `GET .../subscribers/{email}/permissions-history.csv`
pub fn permissions_csv(call: &Call) -> Result<Response, Problem> {
    let account = call.account();
    let subscriber = existing(call, &account)?;
    let mut text = "fieldName,fieldType,date,value,originIP,originType\n".to_owned();
    for (_, row) in history(subscriber, &account) {
        let value = row.value.unwrap_or_default();
        let Permission { field_name, field_type, date, origin_ip, origin_type, .. } = row;
        // Neither names nor values of these fields can hold a comma or a quote.
        let _ =
            writeln!(text, "{field_name},{field_type},{date},{value},{origin_ip},{origin_type}");
    }
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response())
}

fn history<'a>(subscriber: &'a Subscriber, account: &'a Account) -> Vec<(usize, Permission<'a>)> {
    let row = |change: &'a crate::sandbox::doppler::subscriber::PermissionChange| {
        let field = account.fields.get(change.field)?;
        let row = Permission {
            subscriber_email: &subscriber.email,
            field_name: &field.name,
            field_type: field.kind.name(),
            date: Stamp(change.at),
            value: change.value.as_deref(),
            origin_ip: ORIGIN_IP,
            origin_type: change.origin,
        };
        Some((change.field, row))
    };
    subscriber.permissions.iter().rev().filter_map(row).collect()
}

fn existing<'a>(call: &Call, account: &'a Account) -> Result<&'a Subscriber, Problem> {
    let email = call.text("email");
    let found = account.find(email).and_then(|id| account.subscriber(id));
    found.ok_or_else(|| Problem::missing("Subscriber", email))
}
