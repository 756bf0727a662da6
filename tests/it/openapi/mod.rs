//! Holds requests and answers of the HighLevel half against HighLevel's official specification.
//!
//! The specification is loose and in places wrong, so each exception is one row of
//! [`exceptions`], with its reason. What is left is read strictly: a request may have no property
//! that its schema lacks, an answer must have its wrapper (`contact`, `tasks`, ...) and no property
//! that is neither in its schema nor in the table.
//!
//! ```ignore
//! let validator = openapi::Validator::new();
//! let violations = validator.check(&openapi::Exchange {
//!     method: "GET", route: "/contacts/{contactId}", request: None, status: 200, answer: &body,
//! });
//! ```

mod exceptions;
mod schema;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Value, json};

use self::schema::Direction;

static SHARED: LazyLock<Validator> = LazyLock::new(Validator::load);

/// The official files, ready to check against.
pub struct Validator {
    operations: HashMap<(String, String), Value>,
    components: Value,
    compiled: Mutex<HashMap<String, Arc<jsonschema::Validator>>>,
}

/// One call with its answer.
pub struct Exchange<'a> {
    /// In capitals.
    pub method: &'a str,
    /// The path's template, as the specification spells it.
    pub route: &'a str,
    /// The body sent; a form as an object of strings.
    pub request: Option<&'a Value>,
    /// The answer's status.
    pub status: u16,
    /// The answer's body.
    pub answer: &'a Value,
}

impl Validator {
    /// The one validator of the test binary.
    pub fn new() -> &'static Self {
        &SHARED
    }

    fn load() -> Self {
        let mut components = json!({});
        let mut operations = HashMap::new();
        for file in ["common-schemas.json", "contacts.json", "oauth.json", "locations.json"] {
            let document = read(file);
            let own = file.trim_end_matches(".json");
            for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
                // Two files have a `CustomFieldSchema`, so names carry their file's.
                components[format!("{own}.{name}")] = schema::qualified(schema, own);
            }
            for (path, methods) in document["paths"].as_object().into_iter().flatten() {
                for (method, operation) in methods.as_object().unwrap() {
                    let key = (method.to_uppercase(), path.clone());
                    operations.insert(key, schema::qualified(operation, own));
                }
            }
        }
        exceptions::add_operations(&mut operations);
        let compiled = Mutex::new(HashMap::new());
        Self { operations, components, compiled }
    }

    /// Method and route of every operation of `contacts.json`.
    pub fn contact_operations() -> Vec<(String, String)> {
        let document = read("contacts.json");
        let paths = document["paths"].as_object().unwrap();
        let of = |(path, methods): (&String, &Value)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of).collect()
    }

    /// What is wrong with a call and its answer; nothing when all is well.
    pub fn check(&self, exchange: &Exchange<'_>) -> Vec<String> {
        let mut violations = Vec::new();
        if exchange.status < 300 {
            violations.extend(self.check_request(
                exchange.method,
                exchange.route,
                exchange.request,
            ));
        }
        violations.extend(self.check_answer(exchange));
        violations
    }

    /// What is wrong with a request, whatever was answered.
    pub fn check_request(&self, method: &str, route: &str, body: Option<&Value>) -> Vec<String> {
        let Some(operation) = self.operation(method, route) else {
            return vec![format!("{method} {route} is not in the specification")];
        };
        let content = operation["requestBody"]["content"].as_object();
        let schema = content.and_then(|content| content.values().next()).map(|c| &c["schema"]);
        match (schema, body) {
            (None, None) => Vec::new(),
            (None, Some(_)) => vec![format!("{method} {route} takes no body")],
            (Some(_), None) => vec![format!("{method} {route} needs a body")],
            (Some(schema), Some(body)) => {
                let name = format!("request of {method} {route}");
                self.validate(&name, schema, Direction::Request, body)
            }
        }
    }

    /// What is wrong with a query: parameters that are missing or unknown.
    pub fn check_query(&self, method: &str, route: &str, query: &[(&str, &str)]) -> Vec<String> {
        let Some(operation) = self.operation(method, route) else {
            return vec![format!("{method} {route} is not in the specification")];
        };
        let known: BTreeMap<&str, bool> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
            .map(|p| (p["name"].as_str().unwrap(), p["required"] == true))
            .collect();
        let has = |name: &str| query.iter().any(|(held, _)| *held == name);
        let missing = known.iter().filter(|(name, required)| **required && !has(name));
        let unknown = query.iter().filter(|(name, _)| !known.contains_key(name));
        let missing = missing.map(|(name, _)| format!("{method} {route} needs ?{name}"));
        missing.chain(unknown.map(|(name, _)| format!("{method} {route} has no ?{name}"))).collect()
    }

    fn check_answer(&self, exchange: &Exchange<'_>) -> Vec<String> {
        let Exchange { method, route, status, answer, .. } = *exchange;
        let name = format!("{status} of {method} {route}");
        if status >= 400 {
            return self.validate(&name, &exceptions::error(status), Direction::Error, answer);
        }
        let Some(operation) = self.operation(method, route) else {
            return vec![format!("{method} {route} is not in the specification")];
        };
        let documented = exceptions::documented_status(method, route, status);
        let response = &operation["responses"][documented.to_string()];
        if response.is_null() {
            return vec![format!("{name} is not in the specification")];
        }
        let schema = match response["content"].as_object().and_then(|c| c.values().next()) {
            Some(content) => content["schema"].clone(),
            None => match exceptions::missing_schema(method, route) {
                Some(schema) => schema,
                None => return vec![format!("{name} has no schema, and none is in the table")],
            },
        };
        self.validate(&name, &schema, Direction::Answer, answer)
    }

    fn operation(&self, method: &str, route: &str) -> Option<&Value> {
        let find = |route: &str| self.operations.get(&(method.to_owned(), route.to_owned()));
        find(route).or_else(|| find(&format!("{route}/")))
    }

    fn validate(
        &self,
        name: &str,
        schema: &Value,
        direction: Direction,
        body: &Value,
    ) -> Vec<String> {
        let mut compiled = self.compiled.lock().unwrap();
        let validator = compiled.entry(name.to_owned()).or_insert_with(|| {
            let schema = schema::strict(schema, &self.components, direction);
            Arc::new(jsonschema::validator_for(&schema).unwrap())
        });
        let errors = validator.iter_errors(body);
        errors.map(|error| format!("{name}: {} at {}", error, error.instance_path())).collect()
    }
}

/// A file of `tests/fixtures/highlevel`.
pub fn read(file: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/highlevel");
    let text = std::fs::read_to_string(root.join(file)).unwrap();
    serde_json::from_str(&text).unwrap()
}

mod tests {
    use super::*;

    fn read_contact(answer: &Value) -> Vec<String> {
        let route = "/contacts/{contactId}";
        let exchange = Exchange { method: "GET", route, request: None, status: 200, answer };
        Validator::new().check(&exchange)
    }

    #[test]
    fn what_the_specification_does_not_say_is_found() {
        assert!(
            read_contact(&json!({"contact": {"id": "a", "phone": null}, "traceId": "t"}))
                .is_empty()
        );
        assert_eq!(read_contact(&json!({"contact": {"id": 7}})).len(), 1);
        assert_eq!(read_contact(&json!({"person": {}})).len(), 2, "no wrapper, a strange property");
        assert_eq!(read_contact(&json!({"contact": {"nickname": "x"}})).len(), 1);
        let wrong = json!({"locationId": "loc", "nickname": "x", "tags": "vip"});
        let found = Validator::new().check_request("POST", "/contacts/", Some(&wrong));
        assert_eq!(found.len(), 2, "{found:?}");
        let found = Validator::new().check_query("GET", "/contacts/", &[("page", "2")]);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
