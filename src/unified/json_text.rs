//! JSON that is kept as the text it came in.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A value that is mostly just passed on: a parsed object of two members takes twenty times the
/// memory of its text, for every contact that is cached.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// The value that the text means.
    pub fn value(&self) -> Value {
        // It was checked when it was read; only its depth could still be refused.
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }
}

impl From<&Value> for JsonText {
    fn from(value: &Value) -> Self {
        let text = RawValue::from_string(value.to_string());
        Self(text.unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

/// What the texts mean counts, not how they are spaced and ordered.
impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get() || self.value() == other.value()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_the_value_in_both_directions_and_equal_by_meaning() {
        let text = r#"{ "b": [1, "x"],"a":null }"#;
        let held: JsonText = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&held).unwrap(), text);
        assert_eq!(held.value(), json!({"a": null, "b": [1, "x"]}));
        assert_eq!(held, JsonText::from(&held.value()));
        assert_ne!(held, JsonText::from(&json!({"b": [1, "y"], "a": null})));
        assert_eq!(serde_json::from_value::<JsonText>(held.value()).unwrap(), held);
        assert_eq!(serde_json::from_str::<Option<JsonText>>("null").unwrap(), None);
    }
}
