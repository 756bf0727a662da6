//! Those who are out.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::sandbox::doppler::answer::{Href, content_type, message};
use crate::sandbox::doppler::call::Call;
use crate::sandbox::doppler::page::{Kind, LARGEST_OF_SUBSCRIBERS, Paging};
use crate::sandbox::doppler::problem::{Invalid, Problem};
use crate::sandbox::doppler::subscriber::{
    ManualReason, Shown, Unsubscription, UnsubscriptionType,
};
use crate::sandbox::doppler::write::address;

/// Longest comment.
const LONGEST_COMMENT: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    #[serde(default)]
    email: Option<Value>,
    #[serde(default)]
    manual_unsubscription_reason: Option<ManualReason>,
    #[serde(default)]
    unsubscription_comment: Option<String>,
}

/// `GET .../unsubscribed?from=&to=`, `from` inclusive, `to` exclusive, earliest first.
pub fn page(call: &Call) -> Result<Response, Problem> {
    let paging = Paging::of(call, LARGEST_OF_SUBSCRIBERS)?;
    let settings = call.doppler.shared.settings();
    let (Some(from), Some(to)) = (call.time("from")?, call.time("to")?) else {
        if settings.unsubscribed_gateway_error {
            let page = "<html><body>504 Gateway Time-out</body></html>";
            let kind = [(CONTENT_TYPE, "text/html")];
            return Ok((StatusCode::GATEWAY_TIMEOUT, kind, page).into_response());
        }
        let missing = ["from", "to"].into_iter().filter(|name| call.query(name).is_none());
        let detail = || "Value is required.".to_owned();
        let errors = missing.map(|name| Invalid { key: name.to_owned(), detail: detail() });
        return Err(Problem::invalid(errors.collect()));
    };
    let account = call.account();
    let mut found: Vec<_> = account
        .subscribers()
        .filter_map(|id| {
            let at = account.subscriber(id)?.unsubscription.as_ref()?.at;
            (from..to).contains(&at).then_some((at, id))
        })
        .collect();
    found.sort_unstable();
    let kind = Kind {
        content_type: content_type!("unsubscribed-collection"),
        rel: "/docs/rels/get-unsubscribed-collection",
        parent: Href::Account,
    };
    let total = found.len();
    let shown = paging.cut(found.into_iter()).filter_map(|(_, id)| {
        Some(Shown::new(account.subscriber(id)?, &account, settings.belongs_to_lists))
    });
    Ok(paging.answer(call, kind, total, shown))
}

/// `POST .../unsubscribed`. Whoever is not known yet is remembered as unsubscribed.
pub fn add(call: &Call) -> Result<Response, Problem> {
    let body: Body = call.body()?;
    let email = address(body.email.as_ref()).map_err(|error| Problem::invalid(vec![error]))?;
    let comment = body.unsubscription_comment.unwrap_or_default();
    if comment.chars().count() > LONGEST_COMMENT {
        let detail = format!("Value must be at most {LONGEST_COMMENT} characters long.");
        return Err(Problem::invalid_value("unsubscriptionComment", detail));
    }
    let mut account = call.account_mut();
    let (id, _) = account.ensure(&email);
    let how = Unsubscription {
        at: call.now,
        kind: UnsubscriptionType::Manual,
        reason: Some(body.manual_unsubscription_reason.unwrap_or_default()),
        comment,
    };
    account.unsubscribe(id, how);
    Ok(message("Subscriber successfully unsubscribed"))
}
