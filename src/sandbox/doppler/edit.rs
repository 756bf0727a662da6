//! What a person does in Doppler's control panel, or a recipient in a mail. Unlike the API this can
//! delete people, change an address and undo an unsubscription.

use serde_json::{Map, Value, json};

use super::Doppler;
use super::account::Account;
use super::campaign::{Delivery, DeliveryStatus};
use super::email;
use super::snapshot::row;
use super::subscriber::{ManualReason, Standing, Unsubscription, UnsubscriptionType};
use crate::sandbox::control::edit::{Change, EditOp, Target};

/// What tags are joined by in the field named `TAGS`.
const SEPARATOR: &str = ", ";
/// For the history of permissions.
const ORIGIN: &str = "Manual";

impl Doppler {
    /// Does it and answers what it changed; an error is one clear line.
    pub fn edit(&self, edit: &EditOp) -> Result<Value, String> {
        let now = self.shared.clock.now_ms();
        self.settle(now);
        let account = &mut *self.write();
        let target = match &edit.target {
            Some(Target::Email(email)) => Some(email.as_str()),
            Some(Target::ContactId(_)) => {
                return Err("DOPPLER knows people by `email`, not by `contactId`".to_owned());
            }
            None => None,
        };
        if let Change::DeleteField { name } = &edit.change {
            return delete_field(account, name);
        }
        if let Change::DeleteList { list } = &edit.change {
            let id = list_of(account, list)?;
            let name = account.list_name(id).to_owned();
            account.remove_list(id);
            return Ok(json!({"deletedList": name}));
        }
        let email = target.ok_or("`email` is missing")?;
        if matches!(edit.change, Change::Upsert { .. } | Change::Subscribe { .. }) {
            foresee(account, email, &edit.change)?;
            account.ensure(email);
        }
        let id = account.find(email).ok_or("no subscriber has this `email`")?;
        if edit.change == (Change::Delete {}) {
            account.forget(id);
            return Ok(json!({"deleted": email}));
        }
        change(account, id, &edit.change, now)?;
        let subscriber = account.subscriber(id).ok_or("no subscriber has this `email`")?;
        Ok(row(account, subscriber))
    }
}

fn change(account: &mut Account, id: usize, change: &Change, now: i64) -> Result<(), String> {
    match change {
        Change::Upsert { fields, tags, list } => {
            let values = checked(account, fields)?;
            let list = list.as_deref().map(|list| list_of(account, list)).transpose()?;
            for (field, value) in values {
                account.set(id, field, &value, (now, ORIGIN));
            }
            if let Some(tags) = tags {
                set_tags(account, id, tags, now)?;
            }
            if let Some(list) = list {
                account.join(id, list, now);
            }
            Ok(())
        }
        Change::ChangeEmail { to } => {
            if !email::is_valid(to) {
                return Err("`to` is not a valid e-mail address".to_owned());
            }
            if account.find(to).is_some_and(|other| other != id) {
                return Err("another subscriber has the address in `to`".to_owned());
            }
            account.rename(id, to);
            Ok(())
        }
        Change::Tag { tags } => {
            let mut all = tags_of(account, id)?;
            let known = |all: &[String], tag: &str| all.iter().any(|other| other == tag);
            for tag in tags {
                if !known(&all, tag) {
                    all.push(tag.clone());
                }
            }
            set_tags(account, id, &all, now)
        }
        Change::Untag { tags } => {
            let mut all = tags_of(account, id)?;
            all.retain(|tag| !tags.contains(tag));
            set_tags(account, id, &all, now)
        }
        Change::Subscribe { list } => {
            let list = list_of(account, list)?;
            account.join(id, list, now);
            Ok(())
        }
        Change::Unsubscribe { kind } => {
            let kind = kind.clone().unwrap_or_else(|| "manual".to_owned());
            let kind: UnsubscriptionType = serde_json::from_value(Value::from(kind))
                .map_err(|_| "`type` is not an unsubscriptionType of DOPPLER")?;
            let own = kind == UnsubscriptionType::Manual;
            let reason = own.then_some(ManualReason::SubscriberRequestOther);
            let comment = String::new();
            let last = account.subscriber(id).and_then(|subscriber| subscriber.deliveries.last());
            let campaign = last.map(|delivery| delivery.campaign);
            if let Some(campaign) = campaign.and_then(|id| account.campaigns.get_mut(&id)) {
                campaign.tally.left();
            }
            account.unsubscribe(id, Unsubscription { at: now, kind, reason, comment });
            Ok(())
        }
        Change::Resubscribe {} => {
            if let Some(subscriber) = account.subscriber_mut(id) {
                subscriber.unsubscription = None;
                subscriber.standing = Standing::Active;
            }
            Ok(())
        }
        Change::Open { campaign_id } => engage(account, id, *campaign_id, Engagement::Open, now),
        Change::Click { campaign_id } => engage(account, id, *campaign_id, Engagement::Click, now),
        Change::Bounce { campaign_id } => {
            engage(account, id, *campaign_id, Engagement::Bounce, now)
        }
        Change::Delete {} | Change::DeleteField { .. } | Change::DeleteList { .. } => Ok(()),
        Change::Merge { .. }
        | Change::Note { .. }
        | Change::Task { .. }
        | Change::Appointment { .. }
        | Change::Install {}
        | Change::Uninstall { .. } => Err("this `op` is of HIGHLEVEL only".to_owned()),
    }
}

/// Finds what would fail, before anything is changed.
fn foresee(account: &Account, address: &str, change: &Change) -> Result<(), String> {
    let known = account.find(address).and_then(|id| account.subscriber(id));
    if known.is_none() && !email::is_valid(address) {
        return Err("`email` is not a valid e-mail address".to_owned());
    }
    let mut wanted = None;
    if let Change::Subscribe { list } = change {
        wanted = Some(list);
    }
    if let Change::Upsert { fields, tags, list } = change {
        checked(account, fields)?;
        if let Some(tags) = tags {
            joined(account, tags)?;
        }
        wanted = list.as_ref();
    }
    let Some(list) = wanted else { return Ok(()) };
    list_of(account, list)?;
    if known.is_some_and(|subscriber| subscriber.unsubscription.is_some()) {
        return Err("the subscriber is unsubscribed; `resubscribe` first".to_owned());
    }
    Ok(())
}

fn list_of(account: &Account, list: &str) -> Result<u64, String> {
    let by_id = list.parse().ok().filter(|id| account.lists.contains_key(id));
    by_id.or_else(|| account.list_named(list)).ok_or_else(|| format!("no list is named `{list}`"))
}

fn delete_field(account: &mut Account, name: &str) -> Result<Value, String> {
    let id = account.fields.find(name).ok_or_else(|| format!("no field is named `{name}`"))?;
    if account.fields.get(id).is_some_and(|field| field.predefined) {
        return Err(format!("`{name}` is predefined and cannot be deleted"));
    }
    account.remove_field(id);
    Ok(json!({"deletedField": name}))
}

/// All values, or the first that is wrong.
fn checked(account: &Account, fields: &Map<String, Value>) -> Result<Vec<(usize, String)>, String> {
    let others = fields.iter().filter(|(name, _)| *name != "EMAIL");
    others
        .map(|(name, value)| {
            let id = account.fields.find(name).ok_or_else(|| format!("no field `{name}`"))?;
            let field = account.fields.get(id).ok_or_else(|| format!("no field `{name}`"))?;
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(format!("`{name}` must be a text"));
                }
            };
            field.kind.check(&text).map_err(|detail| format!("`{name}`: {detail}"))?;
            Ok((id, text))
        })
        .collect()
}

fn tags_field(account: &Account) -> Result<usize, String> {
    account.fields.find("TAGS").ok_or_else(|| "DOPPLER has no field `TAGS`".to_owned())
}

fn tags_of(account: &Account, id: usize) -> Result<Vec<String>, String> {
    let field = tags_field(account)?;
    let joined = account.subscriber(id).and_then(|subscriber| subscriber.value(field));
    let tags = joined.unwrap_or_default().split(SEPARATOR.trim());
    Ok(tags.map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect())
}

/// The tags as one value of the field they live in.
fn joined(account: &Account, tags: &[String]) -> Result<(usize, String), String> {
    let joined = tags.join(SEPARATOR);
    super::value::FieldType::String.check(&joined).map_err(|detail| format!("`TAGS`: {detail}"))?;
    Ok((tags_field(account)?, joined))
}

fn set_tags(account: &mut Account, id: usize, tags: &[String], now: i64) -> Result<(), String> {
    let (field, joined) = joined(account, tags)?;
    account.set(id, field, &joined, (now, ORIGIN));
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Engagement {
    Open,
    Click,
    Bounce,
}

/// Something happens to a mail; one that was never sent is sent first.
fn engage(
    account: &mut Account,
    id: usize,
    campaign: Option<u64>,
    what: Engagement,
    now: i64,
) -> Result<(), String> {
    let subscriber = account.subscriber(id).ok_or("no subscriber has this `email`")?;
    let before = subscriber.deliveries.clone();
    let newest = before.last().map(|delivery| delivery.campaign);
    let number = campaign.or(newest).ok_or("no campaign was sent to this `email`")?;
    let campaign = account.campaigns.get_mut(&number).ok_or("no campaign has this `campaignId`")?;
    let tally = &mut campaign.tally;
    let mut sent = Delivery { campaign: number, status: DeliveryStatus::NotOpened, clicks: 0 };
    match before.iter().find(|delivery| delivery.campaign == number) {
        Some(known) => sent = *known,
        None => tally.sent(sent, now),
    }
    let was_opened = sent.status == DeliveryStatus::Opened;
    match what {
        Engagement::Open => tally.opened(!was_opened, now),
        Engagement::Click => {
            if !was_opened {
                tally.opened(true, now);
            }
            tally.clicked(sent.clicks == 0, now);
            sent.clicks += 1;
        }
        Engagement::Bounce => tally.bounced(was_opened),
    }
    sent.status = match what {
        Engagement::Bounce => DeliveryStatus::HardBounced,
        Engagement::Open | Engagement::Click => DeliveryStatus::Opened,
    };
    let Some(subscriber) = account.subscriber_mut(id) else { return Ok(()) };
    match subscriber.deliveries.iter_mut().find(|delivery| delivery.campaign == number) {
        Some(place) => *place = sent,
        None => subscriber.deliveries.push(sent),
    }
    if what == Engagement::Bounce {
        let kind = UnsubscriptionType::HardBounce;
        let how = Unsubscription { at: now, kind, reason: None, comment: String::new() };
        account.unsubscribe(id, how);
    }
    Ok(())
}
