//! `[mapping]`: where Doppler keeps what a contact has.

use std::collections::HashMap;

use serde::Deserialize;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Mapping {
    /// How tags are kept.
    pub tags: Tags,
    /// How fields are called.
    pub fields: Fields,
    /// Who may be made in which system.
    #[serde(default)]
    pub create_in: Vec<CreateRule>,
}

/// Who may be made in a system.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a rule")]
pub struct CreateRule {
    /// In which.
    pub system: CreateIn,
    /// A CEL condition on the person; everybody if there is none.
    pub when: Option<String>,
    /// The id of the Doppler list that they join.
    pub list: Option<String>,
}

/// The systems in which a person can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CreateIn {
    /// Doppler, where it takes a list.
    Doppler,
    /// HighLevel.
    #[serde(rename = "HIGHLEVEL")]
    HighLevel,
}

/// How Doppler, which has no tags, keeps them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Tags {
    /// The representation.
    #[serde(rename = "as")]
    pub representation: TagsAs,
    /// The text field of [`TagsAs::Field`].
    pub field: String,
    /// What stands between two tags in it.
    pub separator: String,
    /// What comes before the tag in a list's name, for [`TagsAs::Lists`].
    pub prefix: String,
}

/// The ways to keep tags in Doppler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TagsAs {
    /// All in one text field.
    Field,
    /// One list a tag.
    Lists,
    /// Not at all.
    Off,
}

/// The Doppler field of each field of a contact; empty: not kept in Doppler.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
#[expect(missing_docs, reason = "each is the contact's field of the same name")]
pub struct Fields {
    pub first_name: String,
    pub last_name: String,
    pub birthday: String,
    pub country: String,
    pub phone: String,
    pub company_name: String,
    pub city: String,
    pub state: String,
    pub address_line1: String,
    pub postal_code: String,
}

impl Fields {
    /// Each field of a contact with its Doppler field, which may be empty.
    pub fn named(&self) -> [(&'static str, &str); 10] {
        [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("birthday", &self.birthday),
            ("country", &self.country),
            ("phone", &self.phone),
            ("company_name", &self.company_name),
            ("city", &self.city),
            ("state", &self.state),
            ("address_line1", &self.address_line1),
            ("postal_code", &self.postal_code),
        ]
    }
}

impl Mapping {
    pub(super) fn validate(&self, check: &mut Check<'_>) {
        let mut taken = HashMap::new();
        for (key, name) in self.fields.named() {
            let key = format!("fields.{key}");
            if !name.is_empty() {
                self::name(&key, name, &mut taken, check);
            }
        }
        match self.tags.representation {
            TagsAs::Field => {
                name("tags.field", &self.tags.field, &mut taken, check);
                if self.tags.separator.trim().is_empty() {
                    check.fault("tags.separator", "must contain more than white space");
                }
            }
            TagsAs::Lists if self.tags.prefix.is_empty() => {
                check.fault("tags.prefix", "must not be empty, or every list would be a tag");
            }
            TagsAs::Lists | TagsAs::Off => {}
        }
        for (place, rule) in self.create_in.iter().enumerate() {
            let listed = rule.list.as_ref().is_some_and(|list| list.parse::<u32>().is_ok());
            if rule.system == CreateIn::Doppler && !listed {
                let key = format!("create_in.{place}.list");
                check.fault(&key, "must be the id of a Doppler list, in digits");
            }
        }
    }
}

/// Doppler's field names: 1 to 50 letters and digits, compared without regard to case. `-` and `_`
/// are accepted because third-party clients report them.
fn name(key: &str, name: &str, taken: &mut HashMap<String, String>, check: &mut Check<'_>) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, 'ñ' | 'Ñ' | '-' | '_');
    if !(1..=50).contains(&name.chars().count()) || !name.chars().all(allowed) {
        check.fault(key, "must be a Doppler field name: 1 to 50 letters and digits");
        return;
    }
    if let Some(other) = taken.insert(name.to_uppercase(), key.to_owned()) {
        check.fault(key, format!("`{name}` is already the field of mapping.{other}"));
    }
}

impl Default for Mapping {
    fn default() -> Self {
        super::Config::default().mapping
    }
}
