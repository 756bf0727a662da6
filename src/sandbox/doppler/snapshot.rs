//! The account's contents for comparing: everything sorted, nothing that depends on order or time.

use serde_json::{Map, Value, json};

use super::Doppler;
use super::account::Account;
use super::subscriber::Subscriber;

impl Doppler {
    /// The `doppler` half of `GET /control/state`.
    pub fn snapshot(&self) -> Value {
        self.settle(self.shared.clock.now_ms());
        let account = self.read();
        let mut lists: Vec<_> = account.lists.iter().collect();
        lists.sort_by_key(|(id, _)| **id);
        let lists: Vec<_> =
            lists.into_iter().map(|(id, list)| json!({"id": id, "name": list.name})).collect();
        let mut people: Vec<_> =
            account.subscribers().filter_map(|id| account.subscriber(id)).collect();
        people.sort_by_key(|subscriber| super::email::key(&subscriber.email));
        let people: Vec<_> = people.into_iter().map(|person| row(&account, person)).collect();
        json!({"lists": lists, "subscribers": people})
    }
}

/// One subscriber. Members of `fields` are sorted by `Map`; empty values are left out, as they mean
/// the same as none.
pub fn row(account: &Account, subscriber: &Subscriber) -> Value {
    let mut lists: Vec<_> = subscriber.lists.iter().map(|(id, _)| account.list_name(*id)).collect();
    lists.sort_unstable();
    let set = subscriber.values.iter().filter(|(_, value)| !value.is_empty());
    let fields: Map<String, Value> = set
        .filter_map(|(id, value)| {
            Some((account.fields.get(*id)?.name.clone(), Value::from(value.as_str())))
        })
        .collect();
    json!({
        "email": subscriber.email,
        "status": subscriber.status(),
        "unsubscriptionType": subscriber.unsubscription.as_ref().map(|out| out.kind),
        "lists": lists,
        "fields": fields,
    })
}
