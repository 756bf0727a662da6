//! Making or changing a person: who it is about, and which field of the mapping each value is.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::store::Reserved;
use crate::unified::{
    Canonical, EditChange, FieldDefinition, Mapping, System, UserError, UserErrorCode,
    normalize_email, normalize_phone,
};

use super::submit::Addressed;
use super::writer::Written;
use super::{By, Error, Writer};

/// What is to be true of a person.
#[derive(Clone, Debug, Default)]
pub struct Upsert {
    /// Who; `None`: whoever answers to the address or number, or somebody new.
    pub by: Option<By>,
    /// By the mapping's names.
    pub fields: BTreeMap<String, Canonical>,
    /// By the keys of either system's definitions.
    pub custom: Vec<(String, Value)>,
    pub tags: Vec<String>,
    /// Doppler list ids.
    pub lists: Vec<String>,
    /// Where a new person may be made.
    pub create_in: Option<Vec<System>>,
}

/// What tells one input from another under the same idempotency key.
#[derive(Serialize)]
struct Input<'a> {
    by: Option<String>,
    change: &'a EditChange,
}

impl Writer {
    /// Makes or changes a person.
    pub async fn upsert(&self, key: Option<&str>, upsert: Upsert) -> Result<Written, Error> {
        let Upsert { by, fields, custom, tags, lists, create_in } = upsert;
        let mut fields = fields;
        if let Err(refusals) = self.take_custom(custom, &mut fields).await? {
            return Ok(Written::refusing(refusals));
        }
        let address = text(&fields, "email").and_then(normalize_email);
        let phone = text(&fields, "phone").and_then(normalize_phone);
        if by.is_none() && address.is_none() && phone.is_none() {
            let message = "name the contact, or give an e-mail address or a phone number";
            return Ok(Written::refused(UserErrorCode::Invalid, message, "email"));
        }
        let workspace = &self.session.requester.workspace;
        if let Some(address) = &address
            && self.core.is_erased(workspace, address).await?
        {
            return Ok(erased());
        }
        let change = EditChange::Upsert { fields, tags, lists, create_in };
        let input = Input { by: by.as_ref().map(ToString::to_string), change: &change };
        let attempt = self.attempt("upsertContact", key, &input)?;
        self.once(attempt, change, || async move {
            match by {
                Some(by) => self.addressee(by).await,
                None => self.answering(address.as_deref(), phone.as_deref()).await,
            }
        })
        .await
    }

    /// Whoever answers to an address or, where nobody does, to a number; else somebody new. A system
    /// that cannot be asked now does not stop it: should it know the person, the two are joined when
    /// it can be read.
    async fn answering(
        &self,
        email: Option<&str>,
        phone: Option<&str>,
    ) -> Result<Addressed, Error> {
        let by =
            [email.map(|it| By::Email(it.to_owned())), phone.map(|it| By::Phone(it.to_owned()))];
        for by in by.into_iter().flatten() {
            match self.reader()?.find(by).await {
                Ok(Some(person)) => {
                    // A number alone does not make one of two people with different addresses.
                    let contradicts = email.is_some_and(|email| {
                        person.email.as_deref().is_some_and(|known| known != email)
                    });
                    if !contradicts {
                        return Ok(Ok(person.id));
                    }
                }
                Ok(None) => {}
                Err(Error::Ambiguous(_)) => return Ok(Err(several())),
                Err(Error::Upstream(error)) if error.unreachable() => {}
                Err(error) => return Err(error),
            }
        }
        let workspace = &self.session.requester.workspace;
        let now = self.core.clock.now();
        match self.core.store.reserve(workspace, email, phone, now).await? {
            Reserved::Minted(id) | Reserved::Known(id) => Ok(Ok(id)),
            Reserved::Ambiguous(_) => Ok(Err(several())),
            Reserved::Erased => Ok(Err(erased())),
        }
    }

    /// Puts custom fields under the mapping's names. A field of one system that the mapping does not
    /// name keeps its key.
    async fn take_custom(
        &self,
        custom: Vec<(String, Value)>,
        fields: &mut BTreeMap<String, Canonical>,
    ) -> Result<Result<(), Vec<UserError>>, Error> {
        if custom.is_empty() {
            return Ok(Ok(()));
        }
        let reader = self.reader()?;
        let mapping = reader.mapping();
        let (doppler, highlevel) =
            tokio::join!(reader.fields(System::Doppler), reader.fields(System::HighLevel));
        let mut refusals = Vec::new();
        for (key, value) in custom {
            let field = mapped_name(&mapping, &key);
            let known = [&doppler, &highlevel].into_iter().flatten();
            let defined = known.flat_map(|all| all.iter()).any(|one| is_named(one, &key));
            if field.is_none() && !defined {
                // Whether the field exists may be what a system that is down would know.
                let missing = doppler.as_ref().err().or(highlevel.as_ref().err());
                if let Some(error) = missing {
                    return Err(error.clone());
                }
                refusals.push(refusal(&key, "neither system has a custom field of this key"));
                continue;
            }
            let Some(value) = canonical(value) else {
                refusals.push(refusal(&key, "give a text, a number, a flag or a list of texts"));
                continue;
            };
            fields.insert(field.unwrap_or(key), value);
        }
        Ok(if refusals.is_empty() { Ok(()) } else { Err(refusals) })
    }
}

fn erased() -> Written {
    let message =
        "the person with this address was erased on request, so nothing is kept or written";
    Written::refused(UserErrorCode::Erased, message, "email")
}

fn several() -> Written {
    let message = "several contacts match; name one by its id in `contact`";
    Written::refused(UserErrorCode::Ambiguous, message, "email")
}

fn refusal(key: &str, message: &str) -> UserError {
    let message = format!("{key}: {message}");
    UserError::new(UserErrorCode::Invalid, message, ["customFields", key])
}

fn mapped_name(mapping: &Mapping, key: &str) -> Option<String> {
    let named = |name: Option<&str>| name.is_some_and(|name| name.eq_ignore_ascii_case(key));
    let row = mapping.fields.iter().find(|row| {
        row.field == key || System::ALL.into_iter().any(|system| named(row.name_in(system)))
    })?;
    Some(row.field.clone())
}

fn is_named(definition: &FieldDefinition, key: &str) -> bool {
    !definition.predefined && definition.key.eq_ignore_ascii_case(key)
}

fn text<'a>(fields: &'a BTreeMap<String, Canonical>, field: &str) -> Option<&'a str> {
    match fields.get(field)? {
        Canonical::Text(text) => Some(text),
        Canonical::Null | Canonical::Set(_) => None,
    }
}

/// A JSON value in canonical form; `None` for what no field holds.
fn canonical(value: Value) -> Option<Canonical> {
    Some(match value {
        Value::Null => Canonical::Null,
        Value::String(text) if text.trim().is_empty() => Canonical::Null,
        Value::String(text) => Canonical::Text(text),
        Value::Number(number) => Canonical::Text(number.to_string()),
        Value::Bool(flag) => Canonical::Text(flag.to_string()),
        Value::Array(items) => {
            let texts: Option<Vec<String>> = items
                .into_iter()
                .map(|item| if let Value::String(text) = item { Some(text) } else { None })
                .collect();
            Canonical::Set(texts?)
        }
        Value::Object(_) => return None,
    })
}
