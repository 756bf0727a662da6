//! Strict request bodies, checked by rule tables as `NestJS` checks its DTOs: whatever is not listed
//! is refused by name, and each violation is one entry of the 422's `message`.
//!
//! To add a property, add its [`Rule`]; to add a type of value, a variant of [`Kind`].

use serde_json::{Map, Value};

use super::model::CHANNELS;
use super::phone;
use super::reply::Refusal;
use super::when;

/// One property of a body.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    name: &'static str,
    kind: Kind,
    required: bool,
    nullable: bool,
}

/// What a property's value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A string from a closed list.
    Choice(&'static [&'static str]),
    /// An e-mail address, or an empty string.
    Email,
    /// A phone number, or an empty string.
    Phone,
    /// A two-letter country code.
    Country,
    /// A date with its time.
    Instant,
    /// A birthday in one of the documented forms.
    Birthday,
    /// `true` or `false`.
    Flag,
    /// A number.
    Number,
    /// An array of strings.
    Texts,
    /// An array of `{id?, key?, field_value}`.
    CustomFields,
    /// Channels with `{status, message?, code?}`.
    Dnd,
    /// `{all: {status, message?}}`.
    InboundDnd,
    /// An array, checked by the handler.
    List,
}

/// A checked body: only listed properties of the right type are in it.
pub type Body = Map<String, Value>;

impl Rule {
    /// A property that may be absent but not null.
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, nullable: false }
    }

    /// A property that may be absent, and null to clear.
    pub const fn nullable(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, nullable: true }
    }

    /// A property that must be there.
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: true, nullable: false }
    }

    /// The same, where null is a value too.
    pub const fn required_nullable(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: true, nullable: true }
    }

    fn check(self, value: Option<&Value>, violations: &mut Vec<String>) {
        match value {
            None if self.required => violations.push(self.kind.expectation(self.name)),
            None => {}
            Some(Value::Null) if self.nullable => {}
            Some(value) => self.kind.check(self.name, value, violations),
        }
    }
}

/// Checks a JSON object against its rules.
pub fn check(value: Value, rules: &[Rule]) -> Result<Body, Refusal> {
    let Value::Object(body) = value else {
        return Err(Refusal::bad_request("Unexpected value, expected a JSON object"));
    };
    let mut violations: Vec<String> = body
        .keys()
        .filter(|name| !rules.iter().any(|rule| rule.name == name.as_str()))
        .map(|name| format!("property {name} should not exist"))
        .collect();
    for rule in rules {
        rule.check(body.get(rule.name), &mut violations);
    }
    if violations.is_empty() { Ok(body) } else { Err(Refusal::invalid(&violations)) }
}

impl Kind {
    fn check(self, name: &str, value: &Value, violations: &mut Vec<String>) {
        let text = value.as_str();
        let good = match self {
            Self::Text => text.is_some(),
            Self::Choice(choices) => text.is_some_and(|text| choices.contains(&text)),
            Self::Email => text.is_some_and(|text| text.is_empty() || is_email(text)),
            // Any known country may complete it here; the handler takes the right one.
            Self::Phone => {
                text.is_some_and(|t| t.is_empty() || phone::e164(t, Some("US")).is_some())
            }
            Self::Country => text.is_some_and(|text| {
                text.is_empty() || (text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()))
            }),
            Self::Instant => text.is_some_and(|text| when::instant(text).is_some()),
            Self::Birthday => {
                text.is_some_and(|text| text.is_empty() || when::birthday(text).is_some())
            }
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Texts => return check_texts(name, value, violations),
            Self::CustomFields => return check_custom_fields(value, violations),
            Self::Dnd => return check_dnd(name, value, &CHANNELS, violations),
            Self::InboundDnd => return check_dnd(name, value, &["all"], violations),
            Self::List => value.is_array(),
        };
        if !good {
            violations.push(self.expectation(name));
        }
    }

    fn expectation(self, name: &str) -> String {
        match self {
            Self::Text => format!("{name} must be a string"),
            Self::Choice(choices) => one_of(name, choices),
            Self::Email => format!("{name} must be an email"),
            Self::Phone => format!("{name} must be a valid phone number"),
            Self::Country => format!("{name} must be a valid ISO31661 Alpha2 code"),
            Self::Instant => format!("{name} must be a valid ISO 8601 date string"),
            Self::Birthday => format!("{name} must be a valid date string"),
            Self::Flag => format!("{name} must be a boolean value"),
            Self::Number => {
                format!("{name} must be a number conforming to the specified constraints")
            }
            Self::Texts | Self::CustomFields | Self::List => format!("{name} must be an array"),
            Self::Dnd | Self::InboundDnd => format!("{name} must be an object"),
        }
    }
}

fn one_of(name: &str, choices: &[&str]) -> String {
    format!("{name} must be one of the following values: {}", choices.join(", "))
}

/// As loose as class-validator in what it takes before the `@`, as strict after it.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |text: &str| !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@');
    !local.is_empty()
        && plain(local)
        && plain(domain)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

fn check_texts(name: &str, value: &Value, violations: &mut Vec<String>) {
    match value.as_array() {
        Some(items) if items.iter().all(Value::is_string) => {}
        Some(_) => violations.push(format!("each value in {name} must be a string")),
        None => violations.push(format!("{name} must be an array")),
    }
}

fn check_custom_fields(value: &Value, violations: &mut Vec<String>) {
    let Value::Array(items) = value else {
        violations.push("customFields must be an array".to_owned());
        return;
    };
    for (index, item) in items.iter().enumerate() {
        let Value::Object(members) = item else {
            violations
                .push("each value in nested property customFields must be an object".to_owned());
            continue;
        };
        let strange = |name: &&String| !["id", "key", "field_value"].contains(&name.as_str());
        for name in members.keys().filter(strange) {
            violations.push(format!("customFields.{index}.property {name} should not exist"));
        }
        for name in ["id", "key"] {
            if members.get(name).is_some_and(|value| !value.is_string()) {
                violations.push(format!("customFields.{index}.{name} must be a string"));
            }
        }
        if !members.contains_key("id") && !members.contains_key("key") {
            violations.push(format!("customFields.{index}.id must be a string"));
        }
    }
}

fn check_dnd(name: &str, value: &Value, channels: &[&str], violations: &mut Vec<String>) {
    let Value::Object(members) = value else {
        violations.push(format!("{name} must be an object"));
        return;
    };
    let statuses: &[&str] = if channels == ["all"] {
        &["active", "inactive"]
    } else {
        &["active", "inactive", "permanent"]
    };
    for (channel, setting) in members {
        if !channels.contains(&channel.as_str()) {
            violations.push(format!("{name}.property {channel} should not exist"));
            continue;
        }
        let Value::Object(setting) = setting else {
            violations.push(format!("{name}.{channel} must be an object"));
            continue;
        };
        let status = setting.get("status").and_then(Value::as_str);
        if !status.is_some_and(|status| statuses.contains(&status)) {
            violations.push(one_of(&format!("{name}.{channel}.status"), statuses));
        }
        for (member, value) in setting {
            match member.as_str() {
                "status" => {}
                "message" | "code" if value.is_string() => {}
                "message" | "code" => {
                    violations.push(format!("{name}.{channel}.{member} must be a string"));
                }
                _ => {
                    violations.push(format!("{name}.{channel}.property {member} should not exist"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RULES: &[Rule] = &[
        Rule::required("title", Kind::Text),
        Rule::nullable("email", Kind::Email),
        Rule::optional("dndSettings", Kind::Dnd),
        Rule::optional("customFields", Kind::CustomFields),
    ];

    fn violations(body: Value) -> Value {
        check(body, RULES).unwrap_err().body["message"].clone()
    }

    #[test]
    fn every_violation_is_told() {
        assert_eq!(
            violations(json!({"extra": 1, "email": "nobody"})),
            json!([
                "property extra should not exist",
                "title must be a string",
                "email must be an email"
            ])
        );
        assert_eq!(
            violations(json!({"title": "t", "customFields": {"a": "b"}})),
            json!(["customFields must be an array"])
        );
        assert_eq!(
            violations(
                json!({"title": "t", "dndSettings": {"RCS": {"status": "active"}, "SMS": {"status": "on"}}})
            ),
            json!([
                "dndSettings.property RCS should not exist",
                "dndSettings.SMS.status must be one of the following values: active, inactive, permanent"
            ])
        );
    }

    #[test]
    fn null_clears_only_where_it_may() {
        assert!(check(json!({"title": "t", "email": null}), RULES).is_ok());
        assert_eq!(violations(json!({"title": null})), json!(["title must be a string"]));
    }
}
