//! Custom fields on their way out: `{id, field_value}`, where answers have `{id, value}`.
//!
//! The shape of `field_value` follows the field's type (`TextField` to `FileField` of the official
//! contacts.json): a text, a number, or a list of texts. A field is always addressed by its id,
//! which serves all types; the key serves texts only.

use serde::Serialize;
use serde_json::{Value, json};

use crate::unified::{CustomFieldEdit, CustomKind, CustomValue};

#[derive(Serialize)]
pub(super) struct CustomField<'a> {
    id: &'a str,
    field_value: Value,
}

/// All edits, or the id of the first whose value its type does not take.
pub(super) fn encode<'a>(edits: &'a [CustomFieldEdit]) -> Result<Vec<CustomField<'a>>, String> {
    let encode = |edit: &'a CustomFieldEdit| {
        let CustomFieldEdit { id, kind, value } = edit;
        let field_value = field_value(kind, value.as_ref()).ok_or_else(|| id.clone())?;
        Ok(CustomField { id, field_value })
    };
    edits.iter().map(encode).collect()
}

/// `None` when a field of this type cannot have this value. Lists are cleared by an empty one, all
/// others by an empty text: no schema takes null.
fn field_value(data_type: &str, value: Option<&CustomValue>) -> Option<Value> {
    match (CustomKind::of(data_type), value) {
        (CustomKind::Text | CustomKind::Number | CustomKind::Date, None) => Some(json!("")),
        (CustomKind::Texts, None) => Some(json!([])),
        (CustomKind::Text, Some(CustomValue::Text(text))) => Some(json!(text)),
        (CustomKind::Number, Some(CustomValue::Number(number))) => Some(json!(number)),
        (CustomKind::Date, Some(CustomValue::Date(day))) => Some(json!(day.to_string())),
        (CustomKind::Texts, Some(CustomValue::Texts(texts))) => Some(json!(texts)),
        (
            CustomKind::Text
            | CustomKind::Number
            | CustomKind::Date
            | CustomKind::Texts
            | CustomKind::Opaque,
            _,
        ) => None,
    }
}
