//! From OpenAPI 3.0 to a strict JSON Schema.

use serde_json::{Map, Value, json};

use super::exceptions;

/// What is checked; strictness differs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// No unknown property, nulls only where they may be.
    Request,
    /// Nulls anywhere, no unknown property beside those of the table, wrappers present.
    Answer,
    /// As the schema says.
    Error,
}

/// The same with every `$ref` pointing to `#/components/FILE.NAME`.
pub fn qualified(schema: &Value, own: &str) -> Value {
    if let Some(items) = schema.as_array() {
        return items.iter().map(|item| qualified(item, own)).collect();
    }
    let Some(members) = schema.as_object() else { return schema.clone() };
    let member = |(name, value): (&String, &Value)| {
        let Some(target) = value.as_str().filter(|_| name == "$ref") else {
            return (name.clone(), qualified(value, own));
        };
        let (file, path) = target.split_once('#').unwrap();
        let file = file.trim_end_matches(".json");
        let file = if file.is_empty() { own } else { file };
        let target = path.rsplit('/').next().unwrap();
        (name.clone(), json!(format!("#/components/{file}.{target}")))
    };
    Value::Object(members.iter().map(member).collect())
}

/// A whole schema document for `schema`, which may refer to `components`.
pub fn strict(schema: &Value, components: &Value, direction: Direction) -> Value {
    let convert = |(name, schema): (&String, &Value)| {
        let short = name.split_once('.').map_or(name.as_str(), |(_, short)| short);
        let mut schema = schema.clone();
        exceptions::correct(short, &mut schema);
        (name.clone(), converted(&schema, short, direction))
    };
    let strict: Map<String, Value> = components.as_object().unwrap().iter().map(convert).collect();
    let mut root = converted(schema, "", direction);
    if direction == Direction::Answer {
        let target = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next());
        let wrapper = target.map_or(schema, |target| &components[target]);
        let wrappers: Vec<&String> = wrapper["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .filter(|name| !exceptions::OPTIONAL_WRAPPERS.contains(&name.as_str()))
            .collect();
        let required = json!(wrappers);
        root = json!({"allOf": [root, {"type": "object", "required": required}]});
    }
    root["components"] = Value::Object(strict);
    root
}

fn converted(schema: &Value, name: &str, direction: Direction) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut members = members.clone();
    if let Some(Value::Object(properties)) = members.get("properties") {
        let mut properties: Map<String, Value> = properties
            .iter()
            .map(|(name, schema)| (name.clone(), converted(schema, "", direction)))
            .collect();
        if direction == Direction::Answer {
            for (_, property, _) in exceptions::EXTRA.iter().filter(|(owner, ..)| *owner == name) {
                properties.insert((*property).to_owned(), json!({}));
            }
            properties.insert("traceId".to_owned(), json!({"type": "string"}));
        }
        members.insert("properties".to_owned(), Value::Object(properties));
        if direction != Direction::Error {
            members.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = members.get(key).filter(|inner| inner.is_object()) {
            let inner = converted(inner, "", direction);
            members.insert(key.to_owned(), inner);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(inner)) = members.get(key) {
            let inner = inner.iter().map(|inner| converted(inner, "", direction)).collect();
            members.insert(key.to_owned(), inner);
        }
    }
    let nullable = members.remove("nullable") == Some(json!(true));
    // A named component stays what it is; where it is used, null may stand for it.
    if nullable || (direction == Direction::Answer && name.is_empty()) {
        return json!({"anyOf": [members, {"type": "null"}]});
    }
    Value::Object(members)
}
