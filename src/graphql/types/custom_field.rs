//! Custom fields: each system's own, shown as they are.

use async_graphql::{ComplexObject, Context, Result, SimpleObject};
use serde_json::Value;

use super::enums::SystemName;
use crate::graphql::context::ContextExt;
use crate::unified::{CustomFieldValue, FieldDefinition, SubscriberField, System};

/// A custom field of a contact in one system.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct CustomField {
    /// The field's name; HighLevel's id of it where its definition cannot be read.
    pub name: String,
    /// Whose field it is.
    pub system: SystemName,
    /// The value in its own shape: text, number, list, …
    pub value: Option<Value>,
    /// The value as text, lists joined by commas.
    pub text: Option<String>,
    /// By what its definition is found.
    #[graphql(skip)]
    pub key: String,
}

#[ComplexObject]
impl CustomField {
    /// How the system defines the field.
    async fn definition(&self, context: &Context<'_>) -> Result<Option<CustomFieldDefinition>> {
        let fields = context.reader()?.fields(self.system.into()).await?;
        let found = fields.iter().find(|field| is_for(field, &self.key));
        Ok(found.cloned().map(Into::into))
    }
}

impl CustomField {
    /// A HighLevel field, named by its definition if that is known.
    pub fn highlevel(field: &CustomFieldValue, definitions: &[FieldDefinition]) -> Self {
        let definition = definitions.iter().find(|definition| is_for(definition, &field.id));
        Self {
            name: definition.map_or_else(|| field.id.clone(), |found| found.name.clone()),
            system: SystemName::HighLevel,
            text: text_of(&field.value),
            value: Some(field.value.clone()),
            key: field.id.clone(),
        }
    }

    /// A Doppler field.
    pub fn doppler(field: &SubscriberField) -> Self {
        Self {
            name: field.name.clone(),
            system: SystemName::Doppler,
            value: field.value.clone().map(Value::String),
            text: field.value.clone(),
            key: field.name.clone(),
        }
    }
}

/// How a system defines a field.
#[derive(Clone, Debug, SimpleObject)]
pub struct CustomFieldDefinition {
    /// The stable key: `contact.plan` in HighLevel, the name in Doppler.
    key: String,
    /// The name that people see.
    name: String,
    /// Whose field it is.
    system: SystemName,
    /// The system's own type, for example `TEXT`, `MULTIPLE_OPTIONS` or `string`.
    #[graphql(name = "type")]
    kind: String,
    /// What may be chosen, for fields with choices.
    options: Option<Vec<String>>,
    /// Whether the system refuses to change it.
    read_only: bool,
}

impl From<FieldDefinition> for CustomFieldDefinition {
    fn from(field: FieldDefinition) -> Self {
        Self {
            key: field.key,
            name: field.name,
            system: field.system.into(),
            kind: field.kind,
            options: (!field.options.is_empty()).then_some(field.options),
            read_only: field.read_only,
        }
    }
}

fn is_for(definition: &FieldDefinition, key: &str) -> bool {
    match definition.system {
        System::HighLevel => definition.id.as_deref() == Some(key),
        System::Doppler => definition.name.eq_ignore_ascii_case(key),
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(text_of).collect();
            Some(items.join(", "))
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(value.to_string()),
    }
}
