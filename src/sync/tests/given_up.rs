//! Notes and a deletion that a system refused and somebody gave up: they stay so, and what comes later is
//! written.

use super::World;
use super::model::set_field;
use crate::sync::{Deletion, Extra, Input, Outcome, Payload, Plan, WhenUnchanged, plan, settle};
use crate::unified::{ActionKind, DeliveryStatus, Engagement, Note, System};

/// Plans with what is known of deliveries.
fn planned(world: &World, engagements: &[Engagement]) -> Plan {
    world.with_input(|input| plan(&Input { extra: Extra { engagements, ..input.extra }, ..*input }))
}

fn refusal() -> Outcome {
    let (code, message) = ("UPSTREAM_REJECTED".to_owned(), "no".to_owned());
    Outcome::Refused { code, message, error: None }
}

/// Has all that is planned refused, of which there has to be something, and then given up.
fn give_up(world: &mut World, system: System, engagements: &[Engagement]) {
    for _ in 0..2 {
        world.wait(1);
        let made = planned(world, engagements);
        assert!(!made.actions.is_empty(), "what was refused is planned until somebody gives it up");
        let outcomes: Vec<Outcome> = made.actions.iter().map(|_| refusal()).collect();
        let settled = world.with_input(|input| settle(input, &made, &outcomes));
        assert_eq!(settled.failures.len(), 1, "{:#?}", settled.failures);
        world.agreement = settled.agreement;
    }
    world.agreement.given_up.insert(system, world.now);
    world.wait(1);
    assert_eq!(planned(world, engagements).actions, [], "it was given up");
}

fn note(world: &World, id: &str, body: &str) -> Note {
    let (id, body, created_at) = (id.to_owned(), Some(body.to_owned()), Some(world.now));
    Note { id, body, title: None, created_at, author_id: None }
}

#[test]
fn a_value_that_became_no_note_is_none_any_more_and_the_next_is_one() {
    let mut world = World::paired();
    world.mapping.notes.note_from_field = Some("NOTE".to_owned());
    world.settle_down();
    set_field(world.subscriber_mut(), "NOTE", "Wants a call");
    give_up(&mut world, System::HighLevel, &[]);
    world.settle_down();
    assert_eq!(world.notes, []);
    for value in ["Was called", "Wants a call"] {
        set_field(world.subscriber_mut(), "NOTE", value);
        world.settle_down();
        assert_eq!(world.notes.last().and_then(|note| note.body.as_deref()), Some(value));
    }
    assert_eq!(world.notes.len(), 2);
}

#[test]
fn a_note_that_was_not_shown_stays_so_and_the_next_is_shown() {
    let mut world = World::paired();
    world.mapping.notes.last_note_field = Some("NOTE".to_owned());
    world.settle_down();
    world.notes.push(note(&world, "n1", "called"));
    give_up(&mut world, System::Doppler, &[]);
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().field("NOTE"), None);
    world.wait(10);
    world.notes.push(note(&world, "n2", "called again"));
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().field("NOTE"), Some("called again"));
    // It is shown once it is the last one anew.
    world.notes.pop();
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().field("NOTE"), Some("called"));
}

#[test]
fn a_campaign_whose_note_was_given_up_has_one_when_more_happens() {
    let mut world = World::paired();
    world.mapping.notes.engagement_notes = true;
    let opened = |clicks| Engagement {
        campaign: "7".to_owned(),
        name: None,
        status: DeliveryStatus::Opened,
        clicks,
        noted: true,
    };
    let before = [opened(0)];
    give_up(&mut world, System::HighLevel, &before);
    let made = planned(&world, &before);
    world.agreement = made.agreement;
    let more = planned(&world, &[opened(1)]);
    let [action] = more.actions.as_slice() else { panic!("{:#?}", more.actions) };
    assert_eq!(action.kind, ActionKind::Note);
    assert!(matches!(action.payload, Payload::CreateNote { .. }), "{action:?}");
}

#[test]
fn who_was_not_deleted_stays_when_that_is_given_up() {
    let mut world = World::paired();
    world.deletion = Deletion { unchanged: WhenUnchanged::Delete, ..Deletion::default() };
    world.settle_down();
    world.subscribers.clear();
    world.gone.push(System::Doppler);
    for _ in 0..2 {
        world.wait(1);
        let made = planned(&world, &[]);
        let kinds: Vec<_> = made.actions.iter().map(|action| action.kind).collect();
        assert_eq!(kinds, [ActionKind::Delete, ActionKind::Unlink]);
        let outcomes = [refusal(), Outcome::Done { side: None, result: None }];
        let settled = world.with_input(|input| settle(input, &made, &outcomes));
        assert_eq!((settled.failures.len(), settled.links.len()), (1, 0));
        world.agreement = settled.agreement;
    }
    world.agreement.given_up.insert(System::HighLevel, world.now);
    world.wait(1);
    world.settle_down();
    assert!(world.highlevel.is_some());
    assert_eq!(world.links.len(), 1);
}
