//! Search filters: conditions on fields, and groups of them.
//!
//! A list of filters is an AND. Texts are compared without case; a condition on a field with
//! several values holds when one of them fits, its negation when none does. To add a field: an arm
//! of [`Subject::named`] and of [`Subject::of`].

use std::borrow::Cow;

use serde_json::Value;

use super::super::directory::Directory;
use super::super::model::{CHANNELS, Contact, Id};
use super::super::reply::Refusal;
use super::super::when;
use super::{MAX_TEXT, too_long};

/// A condition or a group.
#[derive(Debug)]
pub enum Filter {
    /// All must hold; empty holds always.
    All(Vec<Filter>),
    /// One must hold.
    Any(Vec<Filter>),
    /// One field.
    Field(Subject, Test),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A field by its documented name.
    Plain(&'static str),
    /// A channel's status.
    Dnd(&'static str),
    /// The value of a custom field, by id.
    Custom(String),
}

/// How it is compared.
#[derive(Debug)]
pub enum Test {
    /// Equal to one of these.
    Equal(Vec<Value>),
    /// Equal to none of these.
    NotEqual(Vec<Value>),
    /// Has this text in it, in lower case.
    Contains(String),
    /// Does not have it.
    NotContains(String),
    /// Has a value.
    Exists,
    /// Has none.
    NotExists,
    /// Within these bounds.
    Range(Vec<(Bound, f64)>),
}

/// A side of a range.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// `gt`
    Above,
    /// `gte`
    From,
    /// `lt`
    Below,
    /// `lte`
    UpTo,
}

const FIELDS: &[&str] = &[
    "id",
    "email",
    "phone",
    "tags",
    "dnd",
    "firstName",
    "lastName",
    "firstNameLowerCase",
    "lastNameLowerCase",
    "fullNameLowerCase",
    "businessName",
    "companyName",
    "address",
    "city",
    "state",
    "country",
    "postalCode",
    "website",
    "source",
    "timezone",
    "type",
    "assignedTo",
    "businessId",
    "followers",
    "additionalEmails",
    "dateAdded",
    "dateUpdated",
    "dateOfBirth",
    "inboundDndSettings.all.status",
];

impl Filter {
    /// Reads a list of filters; shapes that are wrong go to `violations`, fields and operators
    /// that do not exist are refused at once.
    pub fn read_all(value: Option<&Value>, violations: &mut Vec<String>) -> Result<Self, Refusal> {
        let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut filters = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            filters.push(Self::read(item, &format!("filters.{index}"), violations)?);
        }
        Ok(Self::All(filters))
    }

    fn read(item: &Value, path: &str, violations: &mut Vec<String>) -> Result<Self, Refusal> {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        if item.get("group").is_some() {
            let Self::All(inner) = Self::read_all(item.get("filters"), violations)? else {
                return Ok(Self::All(Vec::new()));
            };
            return match text("group") {
                Some("AND") => Ok(Self::All(inner)),
                Some("OR") => Ok(Self::Any(inner)),
                _ => {
                    violations
                        .push(format!("{path}.group must be one of the following values: AND, OR"));
                    Ok(Self::All(Vec::new()))
                }
            };
        }
        let (Some(field), Some(operator)) = (text("field"), text("operator")) else {
            for name in ["field", "operator"].into_iter().filter(|name| text(name).is_none()) {
                violations.push(format!("{path}.{name} must be a string"));
            }
            return Ok(Self::All(Vec::new()));
        };
        if operator == "nested" {
            return Self::read_all(item.get("value"), violations);
        }
        let subject = Subject::named(field)?;
        Ok(Self::Field(subject, Test::read(operator, item.get("value"), path, violations)?))
    }

    /// Refuses custom fields that the location does not have.
    pub fn resolve(&mut self, directory: &Directory) -> Result<(), Refusal> {
        match self {
            Self::All(inner) | Self::Any(inner) => {
                inner.iter_mut().try_for_each(|filter| filter.resolve(directory))
            }
            Self::Field(Subject::Custom(id), _) if directory.field(id).is_none() => {
                Err(Refusal::bad_request(format!("Invalid field customFields.{id}")))
            }
            Self::Field(..) => Ok(()),
        }
    }

    /// Whether it holds for everybody.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::All(inner) if inner.iter().all(Self::is_empty))
    }

    /// Whether it holds for `contact`.
    pub fn fits(&self, contact: &Contact) -> bool {
        match self {
            Self::All(inner) => inner.iter().all(|filter| filter.fits(contact)),
            Self::Any(inner) => inner.iter().any(|filter| filter.fits(contact)),
            // Ids differ by case too, and a batch read compares many: no copies here.
            Self::Field(Subject::Plain("id"), Test::Equal(ids)) => {
                ids.iter().any(|id| id.as_str() == Some(&*contact.id))
            }
            Self::Field(Subject::Plain("id"), Test::NotEqual(ids)) => {
                ids.iter().all(|id| id.as_str() != Some(&*contact.id))
            }
            Self::Field(subject, test) => test.holds(&subject.of(contact)),
        }
    }

    /// Ids among which everybody who fits is, if an index knows them.
    pub fn candidates(&self, directory: &Directory) -> Option<Vec<Id>> {
        match self {
            Self::All(inner) => inner.iter().find_map(|filter| filter.candidates(directory)),
            Self::Any(inner) => {
                let lists: Option<Vec<Vec<Id>>> =
                    inner.iter().map(|filter| filter.candidates(directory)).collect();
                Some(lists?.concat())
            }
            Self::Field(Subject::Plain(name), Test::Equal(values)) => {
                let texts = values.iter().filter_map(Value::as_str);
                match *name {
                    "id" => Some(texts.map(Id::from).collect()),
                    "email" => Some(texts.flat_map(|t| directory.with_email(t)).cloned().collect()),
                    "phone" => Some(texts.flat_map(|t| directory.with_phone(t)).cloned().collect()),
                    _ => None,
                }
            }
            Self::Field(Subject::Plain("dateUpdated"), Test::Range(bounds)) => {
                let from = bounds.iter().filter(|(bound, _)| bound.is_lower());
                let from = from.map(|(_, limit)| *limit).reduce(f64::max)?;
                Some(directory.changed_since(from).cloned().collect())
            }
            Self::Field(..) => None,
        }
    }
}

impl Bound {
    fn is_lower(self) -> bool {
        matches!(self, Self::Above | Self::From)
    }
}

impl Subject {
    fn named(field: &str) -> Result<Self, Refusal> {
        if let Some(known) = FIELDS.iter().find(|known| **known == field) {
            return Ok(Self::Plain(known));
        }
        if let Some(id) = field.strip_prefix("customFields.") {
            return Ok(Self::Custom(id.to_owned()));
        }
        let channel =
            field.strip_prefix("dndSettings.").and_then(|rest| rest.strip_suffix(".status"));
        match CHANNELS.iter().find(|known| channel == Some(**known)) {
            Some(channel) => Ok(Self::Dnd(channel)),
            None => Err(Refusal::bad_request(format!("Invalid field {field}"))),
        }
    }

    /// The values of the field; none where it is empty.
    fn of<'a>(&self, contact: &'a Contact) -> Vec<Cow<'a, Value>> {
        let text = |text: &Option<String>| text.clone().map(Value::from).into_iter().collect();
        let texts = |texts: &[String]| texts.iter().cloned().map(Value::from).collect();
        let owned: Vec<Value> = match self {
            Self::Custom(id) => {
                let held = contact.custom_fields.iter().filter(|field| *field.id == **id);
                return held
                    .flat_map(|field| {
                        let value = std::slice::from_ref(&field.value);
                        field.value.as_array().map_or(value, Vec::as_slice)
                    })
                    .map(Cow::Borrowed)
                    .collect();
            }
            Self::Dnd(channel) => {
                contact.dnd_settings.status(channel).map(Value::from).into_iter().collect()
            }
            Self::Plain(name) => match *name {
                "id" => vec![Value::from(&*contact.id)],
                "email" => text(&contact.email),
                "phone" => text(&contact.phone),
                "tags" => texts(&contact.tags),
                "dnd" => vec![Value::from(contact.dnd)],
                "firstName" | "firstNameLowerCase" => text(&contact.lower.first_name),
                "lastName" | "lastNameLowerCase" => text(&contact.lower.last_name),
                "fullNameLowerCase" => text(&contact.lower.full_name),
                "businessName" | "companyName" => text(&contact.company_name),
                "address" => text(&contact.address1),
                "city" => text(&contact.city),
                "state" => text(&contact.state),
                "country" => text(&contact.country),
                "postalCode" => text(&contact.postal_code),
                "website" => text(&contact.website),
                "source" => text(&contact.source),
                "timezone" => text(&contact.timezone),
                "type" => vec![Value::from(contact.kind.as_str())],
                "assignedTo" => text(&contact.assigned_to),
                "businessId" => text(&contact.business_id),
                "followers" => texts(&contact.followers),
                "additionalEmails" => {
                    contact.additional_emails.iter().map(|e| Value::from(&*e.email)).collect()
                }
                "dateAdded" => vec![Value::from(contact.date_added.0)],
                "dateUpdated" => vec![Value::from(contact.date_updated.0)],
                "dateOfBirth" => {
                    let midnight = contact.date_of_birth.and_then(|date| date.and_hms_opt(0, 0, 0));
                    let at = midnight.map(|at| at.and_utc().timestamp_millis());
                    at.map(Value::from).into_iter().collect()
                }
                _ => {
                    let held = contact.inbound_dnd.as_ref();
                    held.map(|dnd| Value::from(&*dnd.status)).into_iter().collect()
                }
            },
        };
        owned.into_iter().map(Cow::Owned).collect()
    }
}

impl Test {
    fn read(
        operator: &str,
        value: Option<&Value>,
        path: &str,
        violations: &mut Vec<String>,
    ) -> Result<Self, Refusal> {
        let value = value.unwrap_or(&Value::Null);
        let values = || value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let long = |value: &Value| value.as_str().is_some_and(|t| t.chars().count() > MAX_TEXT);
        if values().iter().any(long) {
            violations.push(too_long(&format!("{path}.value")));
        }
        let needs = matches!(operator, "eq" | "not_eq" | "contains" | "not_contains" | "range");
        if needs && value.is_null() {
            violations.push(format!("{path}.value should not be empty"));
        }
        let mut text = || {
            let text = value.as_str().unwrap_or_default();
            let plain = |c: char| c.is_alphanumeric() || c.is_whitespace() || "@._-+".contains(c);
            if value.as_str().is_none() {
                violations.push(format!("{path}.value must be a string"));
            } else if !text.chars().all(plain) {
                violations.push(format!("{path}.value must not contain special characters"));
            }
            text.to_lowercase()
        };
        Ok(match operator {
            "eq" => Self::Equal(values()),
            "not_eq" => Self::NotEqual(values()),
            "contains" => Self::Contains(text()),
            "not_contains" => Self::NotContains(text()),
            "exists" => Self::Exists,
            "not_exists" => Self::NotExists,
            "range" => Self::Range(bounds(value, path, violations)),
            _ => return Err(Refusal::bad_request(format!("Invalid operator {operator}"))),
        })
    }

    fn holds(&self, held: &[Cow<'_, Value>]) -> bool {
        let any = |wanted: &[Value]| {
            held.iter().any(|held| wanted.iter().any(|wanted| same(held, wanted)))
        };
        let has = |needle: &str| {
            held.iter().any(|held| held.as_str().is_some_and(|t| t.to_lowercase().contains(needle)))
        };
        match self {
            Self::Equal(wanted) => any(wanted),
            Self::NotEqual(wanted) => !any(wanted),
            Self::Contains(needle) => has(needle),
            Self::NotContains(needle) => !has(needle),
            Self::Exists => !held.is_empty(),
            Self::NotExists => held.is_empty(),
            Self::Range(bounds) => held.iter().filter_map(|held| number(held)).any(|held| {
                bounds.iter().all(|(bound, limit)| match bound {
                    Bound::Above => held > *limit,
                    Bound::From => held >= *limit,
                    Bound::Below => held < *limit,
                    Bound::UpTo => held <= *limit,
                })
            }),
        }
    }
}

fn bounds(value: &Value, path: &str, violations: &mut Vec<String>) -> Vec<(Bound, f64)> {
    let Some(members) = value.as_object() else {
        violations.push(format!("{path}.value must be an object"));
        return Vec::new();
    };
    let mut bounds = Vec::new();
    for (name, limit) in members {
        let bound = match name.as_str() {
            "gt" => Bound::Above,
            "gte" => Bound::From,
            "lt" => Bound::Below,
            "lte" => Bound::UpTo,
            _ => {
                violations.push(format!("{path}.value.property {name} should not exist"));
                continue;
            }
        };
        match number(limit) {
            Some(limit) => bounds.push((bound, limit)),
            None => violations.push(format!("{path}.value.{name} must be a number or a date")),
        }
    }
    bounds
}

/// A number, or a date as epoch milliseconds.
fn number(value: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "epoch milliseconds fit 53 bits")]
    let date = |text: &str| when::instant(text).map(|at| at.0 as f64);
    match value.as_str() {
        Some(text) => date(text).or_else(|| text.parse().ok()),
        None => value.as_f64(),
    }
}

fn same(held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (Value::String(held), Value::String(wanted)) => {
            held == wanted || held.to_lowercase() == wanted.to_lowercase()
        }
        (Value::Number(_), _) => number(held).zip(number(wanted)).is_some_and(|(a, b)| {
            // Both come from the same texts; equality here means the same number was written.
            (a - b).abs() < f64::EPSILON
        }),
        (held, wanted) => held == wanted,
    }
}
