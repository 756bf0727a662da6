//! Everything in which the live API differs from its specification, one row or arm each, with the
//! reason. GH#n is an issue of GoHighLevel/highlevel-api-docs; "observed" was written down by
//! integrators who called the live API.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Properties that answers have and schemas do not: schema, property, reason. Besides these every
/// object may have a `traceId` (docs/oauth/Overview.md), and every answer's property may be null:
/// the schemas call nothing nullable, and live answers hold null for what is empty.
pub const EXTRA: &[(&str, &str, &str)] = &[
    ("ContactsSearchSuccessfulResponseDto", "meta", "`ContactsMetaSchema` exists, unreferenced"),
    ("ContactsSearchSchema", "contactName", "observed in list items"),
    ("ContactsSearchSchema", "firstName", "observed in list items"),
    ("ContactsSearchSchema", "lastName", "observed in list items"),
    ("ContactsSearchSchema", "phone", "observed in list items"),
    ("ContactsSearchSchema", "companyName", "observed in list items"),
    ("ContactsSearchSchema", "city", "observed in list items"),
    ("ContactsSearchSchema", "type", "observed in list items"),
    ("ContactsSearchSchema", "assignedTo", "observed in list items"),
    ("ContactsSearchSchema", "dnd", "observed in list items"),
    ("ContactsSearchSchema", "dateUpdated", "observed in list items"),
    ("ContactsSearchSchema", "profilePhoto", "a field no client knows, on purpose"),
    ("GetContectByIdSchema", "additionalEmails", "GH#289"),
    ("GetContectByIdSchema", "validEmail", "a field no client knows, on purpose"),
    ("GetContectByIdSchema", "bounceEmail", "specified for create only; shown once it is set"),
    ("GetContectByIdSchema", "unsubscribeEmail", "specified for create only; shown once set"),
    ("AttributionSource", "sessionSource", "GH#289"),
    ("CreateAddTagSuccessfulResponseDto", "tagsAdded", "observed"),
    ("CreateDeleteTagSuccessfulResponseDto", "tagsRemoved", "observed"),
];

/// Wrappers that an answer may lack.
pub const OPTIONAL_WRAPPERS: &[&str] = &[
    "traceId",                  // in the body of every answer, checked apart from the schema
    "refresh_token",            // an agency's token for its location has none
    "locationId",               // only in a Location token's answer
    "approvedLocations",        // only in a Company token's answer
    "installToFutureLocations", // only in a Company token's answer
    "approveAllLocations",      // only in a Company token's answer
    "isBulkInstallation",       // only in the token endpoint's answer
    "appId",                    // listed for the location token, absent in the samples
    "versionId",                // listed for the location token, absent in the samples
];

/// Changes a component where it is wrong.
pub fn correct(name: &str, schema: &mut Value) {
    match name {
        // Typed as a string; string, number, array and object in practice, and in the webhooks'
        // own pages. The other schema of this name, of definitions, has no value.
        "CustomFieldSchema" if schema["properties"].get("value").is_some() => {
            schema["properties"]["value"] = json!({});
        }
        // `url` is called required and may be missing (GH#289). A text field may be addressed by
        // its key alone (`customFieldsInputStringSchema`, which nothing refers to).
        "AttributionSource" | "TextField" => schema["required"] = json!([]),
        // Said to be strings, shown as objects in its own example.
        "UpdateTagsResponseDTO" => {
            schema["properties"]["responses"]["items"] = json!({"type": "object"});
        }
        // An array of arrays that its description calls a list of tasks.
        "LocationTaskListSuccessfulResponseDto" => {
            schema["properties"]["tasks"]["items"] = json!({"type": "object"});
        }
        // Said to be objects, shown as 100.
        "NumericField" | "MonetoryField" => {
            schema["properties"]["field_value"] = json!({"type": "number"});
        }
        // Said to be an object, described as one of eight forms of text.
        "CreateContactDto" | "UpsertContactDto" | "UpdateContactDto" => {
            schema["properties"]["dateOfBirth"] = json!({"type": "string", "nullable": true});
        }
        // The body of search is empty in the specification; the vendor's guide has the rest.
        "SearchBodyV2DTO" => *schema = search_body(),
        // Empty objects are sent for these two.
        "AddContactToCampaignDto" => *schema = json!({"type": "object", "properties": {}}),
        _ => {}
    }
}

fn search_body() -> Value {
    let texts = json!({"type": "string", "maxLength": 75});
    json!({
        "type": "object",
        "required": ["locationId", "pageLimit"],
        "properties": {
            "locationId": {"type": "string"},
            "pageLimit": {"type": "integer", "minimum": 1, "maximum": 500},
            "page": {"type": "integer", "minimum": 1},
            "searchAfter": {"type": "array"},
            "query": texts,
            "filters": {"type": "array", "items": {"type": "object"}},
            "sort": {"type": "array", "items": {
                "type": "object", "required": ["field", "direction"],
                "properties": {
                    "field": {"type": "string"}, "direction": {"enum": ["asc", "desc"]},
                },
            }},
        },
    })
}

/// Schemas of the two answers that have none.
pub fn missing_schema(method: &str, route: &str) -> Option<Value> {
    match (method, route) {
        ("POST", "/contacts/search") => Some(json!({
            "type": "object",
            "properties": {
                // The rows have more than the list's items; section "fields" of the guide.
                "contacts": {"type": "array", "items": {
                    "type": "object", "required": ["id", "searchAfter", "dateAdded", "dndSettings"],
                }},
                "total": {"type": "integer"},
            },
        })),
        ("GET", "/contacts/search/duplicate") => Some(json!({
            "type": "object",
            "properties": {"contact": {"$ref": "#/components/contacts.GetContectByIdSchema"}},
        })),
        _ => None,
    }
}

/// The status under which the specification describes what is answered with `status`.
pub fn documented_status(method: &str, route: &str, status: u16) -> u16 {
    match (method, route, status) {
        // Observed 201, specified 200.
        ("POST", "/oauth/locationToken", 201) => 200,
        _ => status,
    }
}

/// Refusals: `message` is a string or an array in any of them, `error` is optional, `meta` comes
/// with duplicates, and the token endpoint has its own form. 403, 404 and 429 are in no operation.
pub fn error(status: u16) -> Value {
    json!({"anyOf": [
        {
            "type": "object",
            "required": ["statusCode", "message"],
            "properties": {
                "statusCode": {"const": status},
                "message": {"anyOf": [
                    {"type": "string"}, {"type": "array", "items": {"type": "string"}},
                ]},
                "error": {"type": "string"},
                "meta": {"type": "object"},
                "traceId": {"type": "string"},
            },
            "additionalProperties": false,
        },
        {
            "type": "object",
            "required": ["error", "error_description", "traceId"],
            "additionalProperties": {"type": "string"},
        },
    ]})
}

/// Operations that exist and are in no file.
pub fn add_operations(operations: &mut HashMap<(String, String), Value>) {
    // Help article 155000003717.
    let text = json!({"type": "string"});
    let reconnect = json!({
        "requestBody": {"content": {"application/json": {"schema": {
            "type": "object", "required": ["clientKey", "clientSecret"],
            "properties": {
                "clientKey": text, "clientSecret": text, "locationId": text, "companyId": text,
            },
        }}}},
        "responses": {"200": {"content": {"application/json": {"schema": {
            "type": "object", "properties": {"authorizationCode": text, "expiresAt": text},
        }}}}},
    });
    operations.insert(("POST".to_owned(), "/oauth/reconnect".to_owned()), reconnect);
}
