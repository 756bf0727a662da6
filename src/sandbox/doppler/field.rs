//! Field definitions: the predefined ones and the account's own.

use serde::Serialize;

use super::answer::{Href, Link};
use super::value::FieldType;

/// A field of the account.
#[derive(Clone, Debug)]
pub struct Field {
    /// Exact case matters when writing.
    pub name: String,
    /// What its values look like.
    pub kind: FieldType,
    /// Comes with every account and cannot be changed.
    pub predefined: bool,
    /// Not shown in forms.
    pub private: bool,
    /// An example of the value; empty for the account's own fields.
    pub sample: &'static str,
}

/// Those every account starts with.
const PREDEFINED: [(&str, FieldType, &str); 7] = [
    ("FIRSTNAME", FieldType::String, "FIRST_NAME"),
    ("LASTNAME", FieldType::String, "LAST_NAME"),
    ("EMAIL", FieldType::Email, "EMAIL"),
    ("GENDER", FieldType::Gender, "GENDER"),
    ("BIRTHDAY", FieldType::Date, "BIRTHDAY"),
    ("COUNTRY", FieldType::Country, "COUNTRY"),
    ("CONSENT", FieldType::Consent, "CONSENT"),
];

impl Field {
    /// One of the account's own.
    pub fn custom(name: &str, kind: FieldType, private: bool) -> Self {
        Self { name: name.to_owned(), kind, predefined: false, private, sample: "" }
    }

    /// The e-mail address is the identity and cannot be written.
    pub fn readonly(&self) -> bool {
        self.kind == FieldType::Email
    }

    /// What the person agreed to, where the field is a permission.
    pub fn permission_html(&self) -> Option<&'static str> {
        (self.kind == FieldType::Permission).then_some("<p>I agree to be contacted.</p>")
    }

    /// As the API shows it.
    pub fn shown(&self) -> impl Serialize + '_ {
        Shown {
            name: &self.name,
            predefined: self.predefined,
            private: self.private,
            readonly: self.readonly(),
            kind: self.kind,
            sample: self.sample,
            links: [Link {
                href: Href::Field(&self.name),
                description: "Edit or delete the field.",
                rel: "related",
            }],
        }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    predefined: bool,
    private: bool,
    readonly: bool,
    #[serde(rename = "type")]
    kind: FieldType,
    sample: &'a str,
    #[serde(rename = "_links")]
    links: [Link<'a>; 1],
}

/// The account's fields. A field's number is its place and is never used again.
#[derive(Clone, Debug)]
pub struct Fields(Vec<Option<Field>>);

impl Default for Fields {
    fn default() -> Self {
        let field = |(name, kind, sample): &(&str, FieldType, &'static str)| {
            Some(Field {
                name: (*name).to_owned(),
                kind: *kind,
                predefined: true,
                private: false,
                sample,
            })
        };
        Self(PREDEFINED.iter().map(field).collect())
    }
}

impl Fields {
    /// By number.
    pub fn get(&self, id: usize) -> Option<&Field> {
        self.0.get(id)?.as_ref()
    }

    /// By number, to change.
    pub fn get_mut(&mut self, id: usize) -> Option<&mut Field> {
        self.0.get_mut(id)?.as_mut()
    }

    /// The number of the field of exactly this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.iter().find(|(_, field)| field.name == name).map(|(id, _)| id)
    }

    /// Whether a name is taken, in any case.
    pub fn is_taken(&self, name: &str, except: Option<usize>) -> bool {
        let name = name.to_lowercase();
        self.iter().any(|(id, field)| Some(id) != except && field.name.to_lowercase() == name)
    }

    /// In the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.0.iter().enumerate().filter_map(|(id, field)| Some((id, field.as_ref()?)))
    }

    /// Adds one and answers its number.
    pub fn add(&mut self, field: Field) -> usize {
        self.0.push(Some(field));
        self.0.len() - 1
    }

    /// Removes one; values that people have for it must be removed too.
    pub fn remove(&mut self, id: usize) {
        if let Some(place) = self.0.get_mut(id) {
            *place = None;
        }
    }
}
