//! Where the two systems disagree about a person now.
//!
//! Compared is what each side says at this moment, without regard to what was agreed before; that
//! an edit is on its way does not hide a difference. Some differences last, because a system cannot
//! hold or change a value: their `reason` says so.

use super::profile::{Sides, shown_email};
use super::status::{doppler_status, highlevel_restriction};
use super::tags::{DOPPLER_FIELD_CHARACTERS, same_tags};
use super::value::{self, Kind};
use super::{
    ContactStatus, DndStatus, FieldMapping, HighLevelContact, List, Mapping, MappingRule,
    Subscriber, System, TagRepresentation, doppler_tags, join_tags, merge_tags,
};

/// One field about which the systems disagree. `None` for a side: it has no value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// The unified name, such as `firstName`, `address.city`, `tags` or `status`.
    pub field: String,
    pub doppler: Option<String>,
    pub highlevel: Option<String>,
    pub rule: MappingRule,
    /// Whose value counts; `None` where both do.
    pub owner: Option<System>,
    /// What to know about it, such as why it lasts.
    pub reason: Option<String>,
}

/// Every difference between a subscriber and a HighLevel contact that are one person, in the
/// mapping's order, after the e-mail address and before tags and status.
///
/// An incomplete HighLevel row (`complete == false`) is not compared in what it left out. `lists`
/// are the account's lists, needed only where tags are lists.
pub fn differences(
    subscriber: &Subscriber,
    contact: &HighLevelContact,
    mapping: &Mapping,
    lists: &[List],
) -> Vec<Difference> {
    let sides = Sides { subscriber: Some(subscriber), contact: Some(contact), mapping };
    let fields = mapping.fields.iter().filter_map(|rule| field_difference(&sides, contact, rule));
    email_difference(subscriber, contact)
        .into_iter()
        .chain(fields)
        .chain(tag_difference(subscriber, contact, mapping, lists))
        .chain(status_difference(subscriber, contact))
        .collect()
}

fn email_difference(subscriber: &Subscriber, contact: &HighLevelContact) -> Option<Difference> {
    let doppler = shown_email(&subscriber.email);
    let highlevel = contact.email.as_deref().and_then(shown_email);
    (doppler != highlevel).then(|| Difference {
        field: "email".to_owned(),
        doppler,
        reason: highlevel
            .is_some()
            .then(|| "Doppler cannot change an address: it takes a new subscriber".to_owned()),
        highlevel,
        rule: MappingRule::Owner,
        owner: Some(System::HighLevel),
    })
}

fn field_difference(
    sides: &Sides<'_>,
    contact: &HighLevelContact,
    mapping: &FieldMapping,
) -> Option<Difference> {
    let shape = value::shape(&mapping.field)?;
    // Kept in one system only, there is nothing to disagree with.
    let in_doppler = mapping.doppler.as_deref()?;
    // A listing's row has no birthday: unknown is not different.
    if shape.kind == Kind::Date && !contact.complete {
        return None;
    }
    let (doppler, highlevel) = (sides.doppler(&mapping.field), sides.highlevel(&mapping.field));
    let text = |side: &Option<String>| side.clone().unwrap_or_default();
    if shape.kind.same(&text(&doppler), &text(&highlevel)) {
        return None;
    }
    // Who would be written: the other side of the owner, or of whoever has the only value.
    let source = match (&doppler, &highlevel) {
        (Some(_), None) => System::Doppler,
        (None, Some(_)) => System::HighLevel,
        _ => mapping.owner(),
    };
    let reason = match source {
        System::Doppler => shape.highlevel_fixed.map(str::to_owned),
        System::HighLevel if text(&highlevel).chars().count() > DOPPLER_FIELD_CHARACTERS => {
            Some(format!("longer than the {DOPPLER_FIELD_CHARACTERS} characters Doppler holds"))
        }
        System::HighLevel if doppler.is_none() => {
            Some(format!("Doppler has nothing in the field {in_doppler}"))
        }
        System::HighLevel => None,
    };
    Some(Difference {
        field: mapping.field.clone(),
        doppler,
        highlevel,
        rule: mapping.rule,
        owner: Some(mapping.owner()),
        reason,
    })
}

fn tag_difference(
    subscriber: &Subscriber,
    contact: &HighLevelContact,
    mapping: &Mapping,
    lists: &[List],
) -> Option<Difference> {
    let doppler = doppler_tags(subscriber, &mapping.tags, lists);
    let highlevel = merge_tags(contact.tags.iter().map(String::as_str));
    let reason = match &mapping.tags {
        TagRepresentation::Off => return None,
        _ if same_tags(&doppler, &highlevel) => return None,
        TagRepresentation::Field { field, separator } => {
            let all = merge_tags(highlevel.iter().chain(&doppler).map(String::as_str));
            match join_tags(&all, separator) {
                Ok(_) => format!("Doppler has no tags: kept in the field {field}"),
                Err(error) => format!("cannot be kept in Doppler's field {field}: {error}"),
            }
        }
        TagRepresentation::Lists { prefix } => {
            format!("Doppler has no tags: kept as lists named {prefix}…")
        }
    };
    let shown = |tags: &[String]| (!tags.is_empty()).then(|| tags.join(", "));
    Some(Difference {
        field: "tags".to_owned(),
        doppler: shown(&doppler),
        highlevel: shown(&highlevel),
        rule: MappingRule::Merge,
        owner: None,
        reason: Some(reason),
    })
}

/// The systems disagree about consent when one of them forbids mailing and the other does not.
/// HighLevel cannot say "pending" or "in no list", so those are no difference.
fn status_difference(subscriber: &Subscriber, contact: &HighLevelContact) -> Option<Difference> {
    if !contact.consent_known() {
        return None;
    }
    let doppler = doppler_status(subscriber)?;
    let forbidden = highlevel_restriction(contact);
    if (doppler <= ContactStatus::Unsubscribed) == forbidden.is_some() {
        return None;
    }
    let highlevel = forbidden.unwrap_or(ContactStatus::Active);
    let reason = if contact.email_dnd == Some(DndStatus::Permanent) {
        "HighLevel's do-not-disturb for e-mail is permanent".to_owned()
    } else {
        format!("the most restrictive counts: {}", doppler.min(highlevel).as_str())
    };
    Some(Difference {
        field: "status".to_owned(),
        doppler: Some(doppler.as_str().to_owned()),
        highlevel: Some(highlevel.as_str().to_owned()),
        rule: MappingRule::Merge,
        owner: None,
        reason: Some(reason),
    })
}

#[cfg(test)]
mod tests;
