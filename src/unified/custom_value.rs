//! The values of HighLevel's custom fields, which have one shape when they are read and another when
//! they are written, both depending on the field's type.
//!
//! [`CustomValue`] is the neutral value between the two. To support another type: a row in
//! [`CustomKind::of`], and an arm here and in `highlevel::custom`.

use chrono::{DateTime, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::value::parse_date;

/// A custom field to be written, addressed by its id.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CustomFieldEdit {
    pub id: String,
    /// The definition's `dataType`, which decides the shape that is sent.
    pub kind: String,
    /// `None` clears.
    pub value: Option<CustomValue>,
}

/// A value without the shape that a type has on the wire. Empty ones do not exist.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum CustomValue {
    Text(String),
    /// Whole wherever it has no fraction, so that equal numbers are equal values.
    Number(Number),
    Date(NaiveDate),
    /// Options, in the order given.
    Texts(Vec<String>),
}

/// What the types have in common as far as values go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CustomKind {
    /// Free text, and one option of a list.
    Text,
    Number,
    Date,
    /// Any number of options.
    Texts,
    /// Nothing that another system could hold: files, signatures, lists of text boxes, and types
    /// that this program does not know.
    Opaque,
}

impl CustomKind {
    /// By the definition's `dataType` (the list is in HighLevel's documents on custom fields).
    ///
    /// `TEXTBOX_LIST` is opaque although it holds texts: its values belong to named boxes that the
    /// definition lays down, and no request schema of the official files describes them.
    pub fn of(data_type: &str) -> Self {
        match data_type {
            "TEXT" | "LARGE_TEXT" | "PHONE" | "TIME" | "SINGLE_OPTIONS" | "RADIO" => Self::Text,
            "NUMERICAL" | "MONETORY" | "FLOAT" => Self::Number,
            "DATE" => Self::Date,
            "CHECKBOX" | "MULTIPLE_OPTIONS" => Self::Texts,
            _ => Self::Opaque,
        }
    }
}

impl CustomValue {
    /// The number that a text writes down in decimal; `None` if it is none.
    pub fn number(text: &str) -> Option<Self> {
        let text = text.trim();
        let whole = text.parse::<i64>().map(Number::from).ok();
        whole.or_else(|| plain(text.parse().ok()?)).map(Self::Number)
    }

    /// What was read of a field of this type. `None` when it is empty, when it is not what its type
    /// says, and when its type is opaque.
    pub fn read(data_type: &str, value: &Value) -> Option<Self> {
        match CustomKind::of(data_type) {
            CustomKind::Text => text(value).map(Self::Text),
            CustomKind::Number => Self::number(&text(value)?),
            CustomKind::Date => {
                // Epoch milliseconds at midnight UTC, where it is a number.
                let moment = value.as_i64().and_then(DateTime::from_timestamp_millis);
                let day = moment.map(|moment| moment.date_naive());
                day.or_else(|| parse_date(&text(value)?)).map(Self::Date)
            }
            CustomKind::Texts => {
                let single = std::slice::from_ref(value);
                let items = value.as_array().map_or(single, Vec::as_slice);
                let texts: Vec<String> = items.iter().filter_map(text).collect();
                (!texts.is_empty()).then_some(Self::Texts(texts))
            }
            CustomKind::Opaque => None,
        }
    }
}

/// A number that is written as whole where it is.
#[expect(clippy::cast_possible_truncation, reason = "exact below 2^53, which is asked for")]
fn plain(number: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn texts(texts: &[&str]) -> CustomValue {
        CustomValue::Texts(texts.iter().map(|&text| text.to_owned()).collect())
    }

    #[test]
    fn each_type_is_read_in_the_forms_it_comes_in() {
        let day = CustomValue::Date(NaiveDate::from_ymd_opt(2026, 12, 31).unwrap());
        let text = |text: &str| CustomValue::Text(text.to_owned());
        for (kind, raw, value) in [
            ("TEXT", json!("7"), text("7")),
            ("RADIO", json!(7), text("7")),
            ("NUMERICAL", json!("7"), CustomValue::number("7.0").unwrap()),
            ("MONETORY", json!(7.0), CustomValue::number("7").unwrap()),
            ("FLOAT", json!(0.5), CustomValue::number("0.50").unwrap()),
            ("DATE", json!("2026-12-31"), day.clone()),
            ("DATE", json!("2026-12-31T00:00:00.000Z"), day.clone()),
            ("DATE", json!(1_798_675_200_000_i64), day),
            ("CHECKBOX", json!(["a", null, "", 1]), texts(&["a", "1"])),
            ("MULTIPLE_OPTIONS", json!("a"), texts(&["a"])),
        ] {
            assert_eq!(CustomValue::read(kind, &raw), Some(value), "{kind} {raw}");
        }
    }

    #[test]
    fn what_is_empty_or_of_another_type_is_no_value() {
        for (kind, raw) in [
            ("TEXT", json!("")),
            ("TEXT", json!(null)),
            ("TEXT", json!({"a": 1})),
            ("NUMERICAL", json!("many")),
            ("NUMERICAL", json!("NaN")),
            ("DATE", json!("soon")),
            ("CHECKBOX", json!([])),
            ("FILE_UPLOAD", json!({"u": {"url": "x"}})),
            ("TEXTBOX_LIST", json!(["a"])),
            ("SOMETHING_NEW", json!("a")),
        ] {
            assert_eq!(CustomValue::read(kind, &raw), None, "{kind} {raw}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_one_value_however_it_is_written(whole in -1_000_000_000_i64..1_000_000_000) {
            let written = CustomValue::number(&whole.to_string());
            prop_assert_eq!(&CustomValue::number(&format!("{whole}.00")), &written);
            prop_assert_eq!(&CustomValue::read("NUMERICAL", &json!(whole)), &written);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            for kind in ["TEXT", "NUMERICAL", "DATE", "CHECKBOX", "SIGNATURE"] {
                let _ = CustomValue::read(kind, &json!(text));
            }
        }
    }
}
