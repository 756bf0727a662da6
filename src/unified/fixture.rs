//! People to test with.

use super::{Address, HighLevelContact, Subscriber, SubscriberField, SubscriberStatus};

/// A subscriber in one list, with these fields.
pub fn subscriber(fields: &[(&str, &str)]) -> Subscriber {
    let field = |(name, value): &(&str, &str)| SubscriberField {
        name: (*name).to_owned(),
        value: Some((*value).to_owned()),
        kind: "string".to_owned(),
        predefined: false,
        read_only: false,
    };
    Subscriber {
        email: "ana@example.com".to_owned(),
        status: SubscriberStatus::Active,
        lists: vec!["1".to_owned()],
        fields: fields.iter().map(field).collect(),
        unsubscribed_at: None,
        unsubscription_type: None,
        score: None,
    }
}

/// A contact read singly that has an e-mail address and nothing else.
pub fn contact() -> HighLevelContact {
    HighLevelContact {
        id: "h1".into(),
        location_id: "l1".to_owned(),
        email: Some("ana@example.com".to_owned()),
        phone: None,
        name: None,
        first_name: None,
        last_name: None,
        company_name: None,
        birthday: None,
        address: Address::default(),
        kind: None,
        source: None,
        assigned_to: None,
        dnd: Some(false),
        email_dnd: None,
        dnd_settings: None,
        bounced: false,
        unsubscribed: false,
        tags: Vec::new(),
        custom_fields: Vec::new(),
        date_added: None,
        date_updated: None,
        complete: true,
    }
}
