//! What people send about a subscriber: the body, its check against the account's fields, and the
//! rules of adding.

use serde::Deserialize;
use serde_json::Value;

use super::account::Account;
use super::email;
use super::problem::{Invalid, Problem};
use super::subscriber::{Standing, UnsubscriptionType};

/// `{email, fields}`, with whatever of a field's definition a client sends along.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The identity.
    #[serde(default)]
    pub email: Option<Value>,
    /// What is not named keeps its value.
    #[serde(default)]
    pub fields: Option<Vec<FieldValue>>,
}

/// One value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldValue {
    /// In the account's exact case.
    pub name: String,
    /// Always a text; empty or `null` clears.
    #[serde(default)]
    pub value: Option<Value>,
    #[serde(default, rename = "predefined")]
    _predefined: Option<Value>,
    #[serde(default, rename = "private")]
    _private: Option<Value>,
    #[serde(default, rename = "readonly")]
    _readonly: Option<Value>,
    #[serde(default, rename = "type")]
    _kind: Option<Value>,
}

/// An item found right: address, and values by field number.
#[derive(Debug)]
pub struct Checked {
    /// Valid.
    pub email: String,
    /// Ready to be set.
    pub values: Vec<(usize, String)>,
}

/// The address of a body's `email`, or what is wrong with it.
pub fn address(value: Option<&Value>) -> Result<String, Invalid> {
    let wrong = |detail: &str| Invalid { key: "email".to_owned(), detail: detail.to_owned() };
    match value {
        None | Some(Value::Null) => Err(wrong("Value is required.")),
        Some(Value::String(text)) if email::is_valid(text) => Ok(text.clone()),
        Some(_) => Err(wrong("Value is not a valid e-mail address.")),
    }
}

/// One value checked against its field.
pub fn value(
    account: &Account,
    index: usize,
    sent: &FieldValue,
) -> Result<(usize, String), Invalid> {
    let wrong =
        |member: &str, detail: String| Invalid { key: format!("fields[{index}].{member}"), detail };
    let found = account.fields.find(&sent.name);
    let Some((id, field)) = found.and_then(|id| Some((id, account.fields.get(id)?))) else {
        return Err(wrong("name", format!("Field `{}` does not exist.", sent.name)));
    };
    if field.readonly() {
        return Err(wrong("name", format!("Field `{}` is read-only.", sent.name)));
    }
    let text = match &sent.value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err(wrong("value", "Value must be a string.".to_owned())),
    };
    field.kind.check(&text).map_err(|detail| wrong("value", detail))?;
    Ok((id, text))
}

impl Item {
    /// All that is wrong, or all that is to be written.
    pub fn check(&self, account: &Account) -> Result<Checked, Problem> {
        let mut errors = Vec::new();
        let email = address(self.email.as_ref()).map_err(|error| errors.push(error)).ok();
        let mut values = Vec::new();
        for (index, sent) in self.fields.iter().flatten().enumerate() {
            match value(account, index, sent) {
                Ok(value) => values.push(value),
                Err(error) => errors.push(error),
            }
        }
        match email {
            Some(email) if errors.is_empty() => Ok(Checked { email, values }),
            _ => Err(Problem::invalid(errors)),
        }
    }
}

/// What adding a person comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// First seen.
    Added,
    /// Known before.
    Updated,
    /// Out, by this; nothing was changed.
    Refused(UnsubscriptionType),
}

/// Where added people go and when and how they come.
#[derive(Clone, Copy, Debug)]
pub struct Adding {
    /// `None`: into no list.
    pub list: Option<u64>,
    /// Newcomers must confirm first.
    pub double_opt_in: bool,
    /// Epoch milliseconds.
    pub now: i64,
    /// For the history of permissions.
    pub origin: &'static str,
}

/// Creates or updates one person, and puts it into the list. There is no way back from
/// unsubscribed.
pub fn add(account: &mut Account, person: &Checked, how: Adding) -> Outcome {
    let known = account.find(&person.email);
    let out = known.and_then(|id| account.subscriber(id)?.unsubscription.as_ref());
    if let Some(out) = out {
        return Outcome::Refused(out.kind);
    }
    let (id, new) = account.ensure(&person.email);
    if new
        && how.double_opt_in
        && let Some(subscriber) = account.subscriber_mut(id)
    {
        subscriber.standing = Standing::Pending;
    }
    for (field, value) in &person.values {
        account.set(id, *field, value, (how.now, how.origin));
    }
    if let Some(list) = how.list {
        account.join(id, list, how.now);
    }
    if new { Outcome::Added } else { Outcome::Updated }
}
