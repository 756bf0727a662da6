//! Campaigns, to read: what a contact's engagement refers to.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::sandbox::doppler::account::Account;
use crate::sandbox::doppler::answer::{Href, Link, content_type, ok};
use crate::sandbox::doppler::call::Call;
use crate::sandbox::doppler::campaign::{Campaign, CampaignStatus};
use crate::sandbox::doppler::page::{Kind, LARGEST, Paging};
use crate::sandbox::doppler::problem::Problem;

/// A one-pixel GIF.
const PICTURE: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\
    \x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

#[derive(Serialize)]
struct Recipients<'a> {
    lists: Vec<Recipient<'a>>,
    #[serde(rename = "_links")]
    links: [Link<'static>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Recipient<'a> {
    id: u64,
    name: &'a str,
    subscribers_count: usize,
}

/// `GET .../campaigns`, newest first.
pub fn page(call: &Call) -> Result<Response, Problem> {
    let paging = Paging::of(call, LARGEST)?;
    let state = call
        .query("state")
        .map(|state| {
            CampaignStatus::parse(&state).ok_or_else(|| {
                let detail = "Value for `state` must be a campaign's status.";
                Problem::invalid_value("state", detail)
            })
        })
        .transpose()?;
    let account = call.account();
    let all = account.campaigns.iter().rev();
    let found: Vec<_> =
        all.filter(|(_, campaign)| state.is_none_or(|state| campaign.status == state)).collect();
    let kind = Kind {
        content_type: content_type!("campaign-collection"),
        rel: "/docs/rels/get-campaign-collection",
        parent: Href::Account,
    };
    let total = found.len();
    let shown = paging.cut(found.into_iter()).map(|(id, campaign)| campaign.shown(*id));
    Ok(paging.answer(call, kind, total, shown))
}

/// `GET .../campaigns/{campaignId}`
pub fn get(call: &Call) -> Result<Response, Problem> {
    let account = call.account();
    let (id, campaign) = existing(call, &account)?;
    Ok(ok(content_type!("campaign"), &campaign.shown(id)))
}

/// `GET .../campaigns/{campaignId}/recipients`
pub fn recipients(call: &Call) -> Result<Response, Problem> {
    let account = call.account();
    let (_, campaign) = existing(call, &account)?;
    let lists = campaign.recipients.iter().filter_map(|id| {
        let list = account.lists.get(id)?;
        Some(Recipient { id: *id, name: &list.name, subscribers_count: list.members.len() })
    });
    let body = Recipients { lists: lists.collect(), links: [Link::account_home()] };
    Ok(ok(content_type!("campaign-recipients"), &body))
}

/// `GET .../campaigns/{campaignId}/results-summary`
pub fn summary(call: &Call) -> Result<Response, Problem> {
    let account = call.account();
    let (_, campaign) = existing(call, &account)?;
    Ok(ok(content_type!("campaign-results-summary"), &campaign.summary()))
}

/// `GET .../campaigns/{campaignId}/preview`
pub fn preview(call: &Call) -> Result<Response, Problem> {
    existing(call, &call.account())?;
    Ok(([(CONTENT_TYPE, "image/gif")], PICTURE).into_response())
}

fn existing<'a>(call: &Call, account: &'a Account) -> Result<(u64, &'a Campaign), Problem> {
    let id = call.number("campaignId")?;
    let found = account.campaigns.get(&id).map(|campaign| (id, campaign));
    found.ok_or_else(|| Problem::missing("Campaign", &id.to_string()))
}
