//! Doppler's subscriber lists.

use serde::{Deserialize, Serialize};

use super::Subscriber;

/// A Doppler list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct List {
    pub id: i64,
    pub name: String,
    pub subscribers_count: Option<i64>,
}

/// The lists a subscriber is in, in the subscriber's order. Those that the account does not list
/// (any more) are left out.
///
/// `belongsToLists` holds ids or names, which Doppler's documents leave open: digits are an id
/// first and a name second.
pub fn lists_of<'a>(subscriber: &Subscriber, lists: &'a [List]) -> Vec<&'a List> {
    subscriber
        .lists
        .iter()
        .filter_map(|raw| {
            let id = raw.parse::<i64>().ok();
            let by_id = id.and_then(|id| lists.iter().find(|list| list.id == id));
            by_id.or_else(|| lists.iter().find(|list| list.name == *raw))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unified::SubscriberStatus;

    #[test]
    fn ids_and_names_are_both_found() {
        let list = |id, name: &str| List { id, name: name.to_owned(), subscribers_count: None };
        let lists = [list(7, "Newsletter"), list(8, "2024"), list(2025, "Old")];
        let subscriber = Subscriber {
            email: "ana@example.com".to_owned(),
            status: SubscriberStatus::Active,
            lists: ["2024", "7", "2025", "Gone", "99"].map(str::to_owned).to_vec(),
            fields: Vec::new(),
            unsubscribed_at: None,
            unsubscription_type: None,
            score: None,
        };
        let found: Vec<i64> = lists_of(&subscriber, &lists).iter().map(|list| list.id).collect();
        assert_eq!(found, [8, 7, 2025]);
    }
}
