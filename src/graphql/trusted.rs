//! The documents that an operator lists because the clients were built with them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_graphql::parser::parse_query;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::limits::Limits;
use super::persisted::hash_of;

/// Documents by the ids that clients name them by.
#[derive(Debug, Default)]
pub struct Trusted {
    by_id: HashMap<String, Arc<str>>,
    by_hash: HashMap<String, Arc<str>>,
}

/// The files that tools write.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    /// Apollo's manifest (`apollo-persisted-query-manifest`).
    Manifest { operations: Vec<Operation> },
    /// What graphql-codegen and Relay write: a text by its id.
    Map(Pairs),
}

/// A JSON object as it is written: an id that is there twice is seen.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("documents by their ids")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = members.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(Members)
    }
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

impl Trusted {
    /// Reads the text of a file; what is wrong with it is said in words for the operator.
    pub fn parse(file: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(file).map_err(|_| {
            "it is neither a JSON object of documents by id nor Apollo's manifest".to_owned()
        })?;
        let documents: Vec<_> = match file {
            File::Manifest { operations } => {
                operations.into_iter().map(|one| (one.id, one.body)).collect()
            }
            File::Map(Pairs(pairs)) => pairs,
        };
        let mut trusted = Self::default();
        for (id, text) in documents {
            let text: Arc<str> = text.into();
            trusted.by_hash.insert(hash_of(&text), Arc::clone(&text));
            if trusted.by_id.insert(id.clone(), text).is_some() {
                return Err(format!("the id {id} is there twice"));
            }
        }
        Ok(trusted)
    }

    /// Refuses what no client could run: a text that is over the limits, or no GraphQL.
    pub fn check(&self, limits: &Limits) -> Result<(), String> {
        let mut ids: Vec<_> = self.by_id.iter().collect();
        ids.sort();
        for (id, text) in ids {
            let read = limits.check_source(text).map_err(|error| error.message);
            read.and_then(|()| parse_query(text).map(|_| ()).map_err(|error| error.to_string()))
                .map_err(|why| format!("the document {id} cannot be run: {why}"))?;
        }
        Ok(())
    }

    /// The document with an id.
    pub fn named(&self, id: &str) -> Option<&Arc<str>> {
        self.by_id.get(id)
    }

    /// The document with a hash.
    pub fn hashed(&self, hash: &str) -> Option<&Arc<str>> {
        self.by_hash.get(hash)
    }

    /// Whether this very text is among them.
    pub fn lists(&self, text: &str) -> bool {
        self.by_hash.contains_key(&hash_of(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn reads_what_tools_write() {
        let map = r#"{"a": "{ tags { name } }"}"#;
        let manifest = r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations":
            [{"id": "a", "name": "A", "type": "query", "body": "{ tags { name } }"}]}"#;
        for file in [map, manifest] {
            let trusted = Trusted::parse(file).unwrap();
            assert_eq!(trusted.named("a").map(|text| &**text), Some("{ tags { name } }"));
            assert!(trusted.lists("{ tags { name } }") && !trusted.lists("{tags{name}}"));
        }
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(Trusted::parse("[]").unwrap_err().contains("neither"));
        let twice = r#"{"operations": [{"id": "a", "body": "{a}"}, {"id": "a", "body": "{b}"}]}"#;
        let in_a_map = r#"{"a": "{a}", "b": "{b}", "a": "{a}"}"#;
        for twice in [twice, in_a_map] {
            assert_eq!(Trusted::parse(twice).unwrap_err(), "the id a is there twice");
        }
        let limits = Limits::from_config(&Config::default().limits, 300);
        let check =
            |text: &str| Trusted::parse(&format!(r#"{{"a": "{text}"}}"#)).unwrap().check(&limits);
        assert!(check("{ tags").unwrap_err().starts_with("the document a cannot be run"));
        assert!(check(&"{a".repeat(1000)).is_err());
        assert_eq!(check("{ tags { name } }"), Ok(()));
    }
}
