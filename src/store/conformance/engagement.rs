//! What engagement remembers.

use super::{Place, at, event, open, pair, person, run_sync};
use crate::store::{CONTACT, Claim, ENGAGEMENT, Engaged, Lease, Mark, Priority, ROUND, Store};
use crate::unified::{ContactId, DeliveryStatus, Engagement, EventKind, SyncState, WorkspaceId};

fn opened(campaign: &str) -> Engagement {
    Engagement {
        campaign: campaign.to_owned(),
        name: Some("News".to_owned()),
        status: DeliveryStatus::Opened,
        clicks: 1,
        noted: true,
    }
}

async fn lease(store: &std::sync::Arc<dyn Store>, w: &WorkspaceId, seconds: i64) -> Lease {
    let key = ROUND.to_owned();
    let mark = Mark { kind: ENGAGEMENT, key, priority: Priority::Live, due: at(seconds) };
    store.mark(w, &[mark]).await.unwrap();
    let claim = Claim { kinds: &[ENGAGEMENT], ..super::a_claim(seconds, 10) };
    store.claim(&claim).await.unwrap().leases.remove(0)
}

/// Somebody was read, and is in the queue of the round that goes on.
pub async fn goes_on_with(
    store: &std::sync::Arc<dyn Store>,
    w: &WorkspaceId,
    (contact, campaign): (ContactId, &str),
) {
    let lease = lease(store, w, 5).await;
    let position = format!(r#"{{"todo":[{{"Person":"{}"}}]}}"#, contact.0);
    assert!(store.put_round(&lease, &position).await.unwrap());
    let engagements = [opened(campaign)];
    let engaged = Engaged { contact, engagements: &engagements, events: &[], marks: &[] };
    assert!(store.engage(&lease, engaged, at(5)).await.unwrap().is_some());
}

pub async fn a_reading_is_remembered_whole(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let (ana, ben) = (person(&store, &w, "h1").await, person(&store, &w, "h2").await);
    let old = lease(&store, &w, 1).await;
    assert_eq!(store.round(&w).await.unwrap(), None);
    assert!(store.put_round(&old, "1").await.unwrap());
    assert_eq!(store.reading(&w, ana).await.unwrap(), None);
    let events = [event(EventKind::Engagement, Some(ana))];
    let marks = [Mark::contact(ana, Priority::Backfill, at(1))];
    let engagements = [opened("7")];
    let engaged =
        Engaged { contact: ana, engagements: &engagements, events: &events, marks: &marks };
    let cursor = store.engage(&old, engaged, at(2)).await.unwrap();
    assert_eq!(cursor, Some(Some(store.last_cursor(&w).await.unwrap())));
    let reading = store.reading(&w, ana).await.unwrap().unwrap();
    assert_eq!((reading.asked_at, &*reading.engagements), (at(2), &engagements[..]));
    let since = async |seconds| store.read_since(&w, &[ben, ana], at(seconds)).await.unwrap();
    assert_eq!((since(2).await, since(3).await), (vec![false, true], vec![false, false]));
    let claim = Claim { kinds: &[CONTACT], ..super::a_claim(2, 10) };
    assert_eq!(store.claim(&claim).await.unwrap().leases[0].key, ana.to_string());
    // Somebody else went on.
    let new = lease(&store, &w, 60).await;
    let nothing = Engaged { contact: ana, engagements: &[], events: &events, marks: &[] };
    assert_eq!(store.engage(&old, nothing, at(61)).await.unwrap(), None);
    assert!(!store.put_round(&old, "2").await.unwrap());
    assert_eq!(store.reading(&w, ana).await.unwrap().unwrap(), reading);
    assert!(store.put_round(&new, "3").await.unwrap());
    assert_eq!(store.round(&w).await.unwrap().as_deref(), Some("3"));
    let quiet = Engaged { events: &[], ..nothing };
    assert_eq!(store.engage(&new, quiet, at(62)).await.unwrap(), Some(None));
}

pub async fn a_reading_of_a_merged_contact_is_the_survivors(place: &impl Place) {
    let (store, w) = open(place).await;
    run_sync(&store, &w, SyncState::Running).await;
    let [older, younger] = pair(&store, &w).await;
    let lease = lease(&store, &w, 1).await;
    let engagements = [opened("7")];
    let engaged = Engaged { contact: younger, engagements: &engagements, events: &[], marks: &[] };
    store.engage(&lease, engaged, at(1)).await.unwrap();
    let proof = super::contact("h1", Some("ana@example.com"));
    store.recognize(&w, &[proof], at(2)).await.unwrap();
    let reading = store.reading(&w, older).await.unwrap().unwrap();
    assert_eq!((reading.asked_at, reading.engagements.len()), (at(1), 1));
    store.engage(&lease, Engaged { engagements: &[], ..engaged }, at(3)).await.unwrap();
    assert_eq!(store.reading(&w, older).await.unwrap().unwrap().asked_at, at(3));
}
