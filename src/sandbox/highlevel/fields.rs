//! Custom field definitions and the location's tags: what contacts refer to by id and by name.

use serde::Serialize;
use serde_json::Value;

use super::directory::Directory;
use super::model::Id;
use super::seed::SeedField;
use crate::sandbox::here;
use crate::sandbox::ids::Ids;

/// The `dataType` values a definition may have.
pub const DATA_TYPES: [&str; 15] = [
    "TEXT",
    "LARGE_TEXT",
    "NUMERICAL",
    "PHONE",
    "MONETORY",
    "CHECKBOX",
    "SINGLE_OPTIONS",
    "MULTIPLE_OPTIONS",
    "FLOAT",
    "TIME",
    "DATE",
    "TEXTBOX_LIST",
    "FILE_UPLOAD",
    "SIGNATURE",
    "RADIO",
];

/// A definition, as the API shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    pub id: Id,
    pub name: String,
    #[serde(rename = "fieldKey")]
    pub key: String,
    pub placeholder: String,
    pub data_type: String,
    pub position: i64,
    pub picklist_options: Vec<String>,
    pub picklist_image_options: Vec<String>,
    pub is_allowed_custom_option: bool,
    pub is_multi_file_allowed: bool,
    pub max_file_limit: u32,
    pub location_id: &'static str,
    pub model: String,
}

/// A tag of the location.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocationTag {
    pub id: Id,
    pub name: String,
    pub location_id: &'static str,
}

/// What a value of a field must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string; the only shape that may be addressed by key.
    Text,
    /// A number, or a string that is one.
    Number,
    /// An array of strings.
    Texts,
    /// An object keyed by upload id.
    Files,
}

impl Field {
    /// The definition of a seeded field.
    pub fn seeded(ids: &Ids, position: i64, seed: &SeedField) -> Self {
        let mut field = Self::new(ids.alphanumeric().into(), seed.name, seed.data_type, position);
        seed.key.clone_into(&mut field.key);
        field.picklist_options = seed.options.iter().map(|&option| option.to_owned()).collect();
        field
    }

    /// A definition whose key is made from its name: `Pin code` is `contact.pin_code`.
    pub fn new(id: Id, name: &str, data_type: &str, position: i64) -> Self {
        let slug: String = name
            .trim()
            .to_lowercase()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        Self {
            id,
            name: name.to_owned(),
            key: format!("contact.{slug}"),
            placeholder: String::new(),
            data_type: data_type.to_owned(),
            position,
            picklist_options: Vec::new(),
            picklist_image_options: Vec::new(),
            is_allowed_custom_option: false,
            is_multi_file_allowed: false,
            max_file_limit: 1,
            location_id: here::account().location,
            model: "contact".to_owned(),
        }
    }

    /// The shape of this field's values.
    pub fn shape(&self) -> Shape {
        match self.data_type.as_str() {
            "NUMERICAL" | "MONETORY" | "FLOAT" => Shape::Number,
            "CHECKBOX" | "MULTIPLE_OPTIONS" | "TEXTBOX_LIST" => Shape::Texts,
            "FILE_UPLOAD" | "SIGNATURE" => Shape::Files,
            _ => Shape::Text,
        }
    }

    /// Whether this is the field called `name`: by id, by key with or without its prefix, or as
    /// shown.
    pub fn is_called(&self, name: &str) -> bool {
        *self.id == *name
            || self.key == name
            || self.key.strip_prefix("contact.") == Some(name)
            || self.name == name
    }
}

impl Shape {
    /// The read form of a written value, or what is wrong with it.
    pub fn read_form(self, value: &Value) -> Result<Value, &'static str> {
        match (self, value) {
            (_, Value::Null)
            | (Self::Text, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Files, Value::Object(_)) => Ok(value.clone()),
            (Self::Number, Value::String(text)) if text.is_empty() => Ok(Value::Null),
            (Self::Number, Value::String(text)) => text
                .parse::<serde_json::Number>()
                .map(Value::Number)
                .map_err(|_| "must be a number conforming to the specified constraints"),
            (Self::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => {
                Ok(value.clone())
            }
            (Self::Text, _) => Err("must be a string"),
            (Self::Number, _) => Err("must be a number conforming to the specified constraints"),
            (Self::Texts, _) => Err("must be an array of strings"),
            (Self::Files, _) => Err("must be an object"),
        }
    }
}

impl Directory {
    /// The definition addressed by `id`.
    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|field| *field.id == *id)
    }

    /// Makes the location know a tag, as using it on a contact does. Its id follows from its name,
    /// so that equal worlds have equal ids whatever the order of the writes.
    pub fn know_tag(&mut self, name: &str) {
        if !self.tags.iter().any(|tag| tag.name == name) {
            let id = tag_id(name);
            self.tags.push(LocationTag {
                id,
                name: name.to_owned(),
                location_id: here::account().location,
            });
        }
    }
}

/// Twenty letters and digits from a name.
pub fn tag_id(name: &str) -> Id {
    use sha2::{Digest, Sha256};
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKMNPQRSTVWXYZabcdefghjk";
    let digest = Sha256::digest(name.as_bytes());
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    digest.iter().take(20).map(letter).collect::<String>().into()
}
