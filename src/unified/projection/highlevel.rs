//! HighLevel's side: members of the contact, and custom fields by their type.

use super::Misfit;
use super::slot::{Member, Place, Slot};
use crate::unified::value::{is_country_code, parse_date};
use crate::unified::{
    Assign, Canonical, ContactDraft, ContactEdit, CustomFieldEdit, CustomKind, CustomValue,
    FieldDefinition, HighLevelContact, Kind, normalize_email, normalize_phone,
};

/// What a member of a contact makes of a value.
pub(super) fn project_member(
    member: Member,
    kind: Kind,
    value: &Canonical,
) -> Result<Canonical, Misfit> {
    Ok(to_member(member, value)?.map_or(Canonical::Null, |text| kind.read(&text)))
}

/// The value as a member takes it; `None` is empty.
fn to_member(member: Member, value: &Canonical) -> Result<Option<String>, Misfit> {
    let text = match value {
        Canonical::Null => return Ok(None),
        Canonical::Text(text) => text.trim().to_owned(),
        Canonical::Set(items) => items.join(super::OPTION_SEPARATOR),
    };
    if text.is_empty() {
        return Ok(None);
    }
    let (spelled, expected) = match member.0.kind {
        Kind::Phone => (normalize_phone(&text), "an international number such as +54 11 5555 0199"),
        Kind::Date => (parse_date(&text).map(|day| day.to_string()), "a date such as 1990-09-25"),
        Kind::Country => (
            Some(text.to_ascii_uppercase()).filter(|text| is_country_code(text)),
            "a country's two letters such as AR",
        ),
        Kind::Email => (normalize_email(&text), "an e-mail address"),
        Kind::Text | Kind::Number | Kind::Boolean | Kind::Gender | Kind::Options => {
            (Some(text), "")
        }
    };
    let spelled =
        spelled.ok_or_else(|| Misfit::Invalid(format!("HighLevel takes {expected} there")))?;
    Ok(Some(spelled))
}

/// The value as a custom field takes it; `None` is empty.
pub(super) fn to_custom(
    definition: &FieldDefinition,
    value: &Canonical,
) -> Result<Option<CustomValue>, Misfit> {
    if value.is_empty() {
        return Ok(None);
    }
    let invalid = |expected: &str| Misfit::Invalid(format!("HighLevel takes {expected} there"));
    let text = match value {
        Canonical::Set(items) => items.join(super::OPTION_SEPARATOR),
        Canonical::Text(text) => text.trim().to_owned(),
        Canonical::Null => return Ok(None),
    };
    if text.is_empty() {
        return Ok(None);
    }
    match CustomKind::of(&definition.kind) {
        CustomKind::Text => Ok(Some(CustomValue::Text(option(definition, &text)?))),
        CustomKind::Number => {
            CustomValue::number(&text).map(Some).ok_or_else(|| invalid("a number"))
        }
        CustomKind::Date => parse_date(&text)
            .map(|day| Some(CustomValue::Date(day)))
            .ok_or_else(|| invalid("a date such as 1990-09-25")),
        CustomKind::Texts => {
            let items = match Kind::Options.normalize(value) {
                Canonical::Set(items) => items,
                Canonical::Null | Canonical::Text(_) => return Ok(None),
            };
            let items: Result<Vec<_>, _> =
                items.iter().map(|item| option(definition, item)).collect();
            Ok(Some(CustomValue::Texts(items?)))
        }
        CustomKind::Opaque => Err(Misfit::Fixed("the field's type cannot be written")),
    }
}

/// The option in the spelling of the field's own list; any text where the field has no list.
fn option(definition: &FieldDefinition, text: &str) -> Result<String, Misfit> {
    if definition.options.is_empty() {
        return Ok(text.to_owned());
    }
    let known = definition.options.iter().find(|option| option.trim() == text).or_else(|| {
        let text = text.to_lowercase();
        definition.options.iter().find(|option| option.trim().to_lowercase() == text)
    });
    known.cloned().ok_or_else(|| {
        Misfit::Invalid(format!(
            "it is none of the options of HighLevel's field {}",
            definition.name
        ))
    })
}

/// A custom field's value as a value of the field's kind.
pub(super) fn canonical(kind: Kind, value: &CustomValue) -> Canonical {
    match value {
        CustomValue::Text(text) => kind.read(text),
        CustomValue::Number(number) => kind.read(&number.to_string()),
        CustomValue::Date(day) => kind.read(&day.to_string()),
        CustomValue::Texts(items) => kind.normalize(&Canonical::Set(items.clone())),
    }
}

/// What a contact holds in a custom field.
pub(super) fn read(
    definition: &FieldDefinition,
    kind: Kind,
    contact: &HighLevelContact,
) -> Canonical {
    let held = contact.custom_fields.iter().find(|held| Some(&held.id) == definition.id.as_ref());
    let value = held.and_then(|held| CustomValue::read(&definition.kind, &held.value));
    value.map_or(Canonical::Null, |value| canonical(kind, &value))
}

/// A custom field to be written; `None` for a definition without an id, which cannot be addressed.
fn custom_edit(
    definition: &FieldDefinition,
    value: &Canonical,
) -> Result<Option<CustomFieldEdit>, Misfit> {
    let value = to_custom(definition, value)?;
    Ok(definition.id.clone().map(|id| CustomFieldEdit { id, kind: definition.kind.clone(), value }))
}

/// Puts a value into a change. What HighLevel does not let be changed is left out.
pub fn into_edit(edit: &mut ContactEdit, slot: &Slot<'_>, value: &Canonical) -> Result<(), Misfit> {
    let member = match &slot.place {
        Place::Custom(definition) => {
            edit.custom_fields.extend(custom_edit(definition, value)?);
            return Ok(());
        }
        Place::Member(member) => *member,
        Place::Address | Place::Doppler { .. } => return Ok(()),
    };
    let text = to_member(member, value)?;
    match member.0.field {
        "email" => edit.email = Assign::from(text),
        "phone" => edit.phone = Assign::from(text),
        "firstName" => edit.first_name = Assign::from(text),
        "lastName" => edit.last_name = Assign::from(text),
        "birthday" => edit.birthday = Assign::from(text.as_deref().and_then(parse_date)),
        "address.line1" => edit.address_line1 = Assign::from(text),
        "address.city" => edit.city = Assign::from(text),
        "address.state" => edit.state = Assign::from(text),
        "address.postalCode" => edit.postal_code = text,
        "country" => edit.country = text,
        _ => {}
    }
    Ok(())
}

/// Puts a value into a contact to be created.
pub fn into_draft(
    draft: &mut ContactDraft,
    slot: &Slot<'_>,
    value: &Canonical,
) -> Result<(), Misfit> {
    let member = match &slot.place {
        Place::Custom(definition) => {
            draft.custom_fields.extend(custom_edit(definition, value)?);
            return Ok(());
        }
        Place::Member(member) => *member,
        Place::Address | Place::Doppler { .. } => return Ok(()),
    };
    let text = to_member(member, value)?;
    match member.0.field {
        "email" => draft.email = text,
        "phone" => draft.phone = text,
        "firstName" => draft.first_name = text,
        "lastName" => draft.last_name = text,
        "companyName" => draft.company_name = text,
        "birthday" => draft.birthday = text.as_deref().and_then(parse_date),
        "address.line1" => draft.address.line1 = text,
        "address.city" => draft.address.city = text,
        "address.state" => draft.address.state = text,
        "address.postalCode" => draft.address.postal_code = text,
        "country" => draft.address.country = text,
        _ => {}
    }
    Ok(())
}
