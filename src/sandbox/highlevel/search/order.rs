//! The order of search results, and the cursor that follows from it.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::model::Contact;
use super::super::reply::Refusal;

/// Sort keys in their order of importance; the id settles what is left, from the end.
#[derive(Debug)]
pub struct Order(Vec<(By, Direction)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    DateAdded,
    DateUpdated,
    DateOfBirth,
    Email,
    FirstName,
    LastName,
    CompanyName,
    Source,
    Country,
    City,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

#[derive(Debug, PartialEq, PartialOrd)]
enum Key {
    Number(i64),
    Text(String),
}

impl Order {
    /// Reads `sort`; newest first when there is none.
    pub fn read(sort: Option<&Value>, violations: &mut Vec<String>) -> Result<Self, Refusal> {
        let mut keys = Vec::new();
        for (index, item) in sort.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let text = |name: &str| item.get(name).and_then(Value::as_str);
            let direction = match text("direction") {
                Some("asc") => Direction::Ascending,
                Some("desc") => Direction::Descending,
                _ => {
                    violations.push(format!(
                        "sort.{index}.direction must be one of the following values: asc, desc"
                    ));
                    continue;
                }
            };
            let Some(field) = text("field") else {
                violations.push(format!("sort.{index}.field must be a string"));
                continue;
            };
            keys.push((By::named(field)?, direction));
        }
        if keys.is_empty() {
            keys.push((By::DateAdded, Direction::Descending));
        }
        Ok(Self(keys))
    }

    /// Whether this is the order that the directory is kept in.
    pub fn is_newest_first(&self) -> bool {
        self.0 == [(By::DateAdded, Direction::Descending)]
    }

    /// Whether this is the other order that the directory is kept in.
    pub fn is_longest_unchanged_first(&self) -> bool {
        self.0 == [(By::DateUpdated, Direction::Ascending)]
    }

    /// How many values a cursor has.
    pub fn width(&self) -> usize {
        self.0.len() + 1
    }

    /// What continues after `contact`: its sort values and its id.
    pub fn cursor(&self, contact: &Contact) -> Vec<Value> {
        let values = self.0.iter().map(|(by, _)| match by.key(contact) {
            Some(Key::Number(number)) => Value::from(number),
            Some(Key::Text(text)) => Value::from(text),
            None => Value::Null,
        });
        values.chain([Value::from(&*contact.id)]).collect()
    }

    /// Which comes first.
    pub fn compare(&self, a: &Contact, b: &Contact) -> Ordering {
        let mut keys = self.0.iter().map(|(by, way)| way.compare(by.key(a), by.key(b)));
        keys.find(|order| order.is_ne()).unwrap_or_else(|| b.id.cmp(&a.id))
    }

    /// Whether `contact` comes after a cursor.
    pub fn compare_cursor(&self, contact: &Contact, cursor: &[Value]) -> Ordering {
        let (keys, ids) = cursor.split_at(self.0.len().min(cursor.len()));
        for ((by, way), value) in self.0.iter().zip(keys) {
            let text = || value.as_str().map(|text| Key::Text(text.to_owned()));
            let key = value.as_i64().map(Key::Number).or_else(text);
            let order = way.compare(by.key(contact), key);
            if order.is_ne() {
                return order;
            }
        }
        let id = ids.first().and_then(Value::as_str).unwrap_or_default();
        id.cmp(&*contact.id)
    }
}

impl Direction {
    /// What has no value comes last in both directions.
    fn compare(self, a: Option<Key>, b: Option<Key>) -> Ordering {
        match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => {
                let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
                if self == Self::Ascending { order } else { order.reverse() }
            }
        }
    }
}

impl By {
    fn named(field: &str) -> Result<Self, Refusal> {
        Ok(match field {
            "dateAdded" => Self::DateAdded,
            "dateUpdated" => Self::DateUpdated,
            "dateOfBirth" => Self::DateOfBirth,
            "email" => Self::Email,
            "firstNameLowerCase" => Self::FirstName,
            "lastNameLowerCase" => Self::LastName,
            "businessName" | "companyName" => Self::CompanyName,
            "source" => Self::Source,
            "country" => Self::Country,
            "city" => Self::City,
            _ => return Err(Refusal::bad_request(format!("Invalid field {field}"))),
        })
    }

    fn key(self, contact: &Contact) -> Option<Key> {
        let text = |text: &Option<String>| text.clone().map(Key::Text);
        match self {
            Self::DateAdded => Some(Key::Number(contact.date_added.0)),
            Self::DateUpdated => Some(Key::Number(contact.date_updated.0)),
            Self::DateOfBirth => {
                let day = contact.date_of_birth?.and_hms_opt(0, 0, 0)?;
                Some(Key::Number(day.and_utc().timestamp_millis()))
            }
            Self::Email => text(&contact.lower.email),
            Self::FirstName => text(&contact.lower.first_name),
            Self::LastName => text(&contact.lower.last_name),
            Self::CompanyName => text(&contact.company_name),
            Self::Source => text(&contact.source),
            Self::Country => text(&contact.country),
            Self::City => text(&contact.city),
        }
    }
}
