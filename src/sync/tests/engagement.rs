//! Notes about what people did with their mails.

use super::World;
use crate::sync::{Extra, Input, Need, Outcome, Payload, Plan, Scope, plan, settle};
use crate::unified::{
    ActionKind, DeliveryStatus, Engagement, Note, PendingWrite, SyncSettings, System,
};

fn opened(clicks: u32, noted: bool) -> Engagement {
    let (campaign, name) = ("7".to_owned(), Some("Summer sale".to_owned()));
    Engagement { campaign, name, status: DeliveryStatus::Opened, clicks, noted }
}

fn world() -> World {
    let mut world = World::paired();
    world.mapping.notes.engagement_notes = true;
    world
}

/// What is planned, and what is agreed once it is done and the note's id is `n1`.
fn run(world: &mut World, seen: &[Engagement]) -> Plan {
    let outcome = || Outcome::Done { side: None, result: Some("n1".to_owned()) };
    let (made, settled) = world.with_input(|input| {
        let input = Input { extra: Extra { engagements: seen, ..input.extra }, ..*input };
        let made = plan(&input);
        let outcomes: Vec<Outcome> = made.actions.iter().map(|_| outcome()).collect();
        let settled = settle(&input, &made, &outcomes);
        (made, settled)
    });
    world.agreement = settled.agreement;
    made
}

fn body(plan: &Plan) -> Option<&str> {
    let payload = plan.actions.first().map(|action| &action.payload)?;
    if let Payload::CreateNote { draft, .. } = payload {
        Some(&draft.body)
    } else if let Payload::UpdateNote { note, edit, .. } = payload {
        assert_eq!(note, "n1");
        edit.body.as_deref()
    } else {
        panic!("{payload:?}")
    }
}

#[test]
fn a_campaign_is_one_note_that_grows() {
    let mut world = world();
    let first = run(&mut world, &[opened(0, true)]);
    assert_eq!(body(&first), Some("Doppler campaign Summer sale: opened"));
    assert!(matches!(first.actions[0].payload, Payload::CreateNote { .. }));
    assert_eq!(run(&mut world, &[opened(0, true)]).actions, [], "it is not repeated");
    let second = run(&mut world, &[opened(2, true)]);
    assert_eq!(
        body(&second),
        Some("Doppler campaign Summer sale: opened, followed a link 2 times")
    );
    assert!(matches!(second.actions[0].payload, Payload::UpdateNote { .. }));
    assert_eq!(run(&mut world, &[opened(2, true)]).actions, []);
}

#[test]
fn nothing_is_written_that_nobody_asked_for() {
    let mut before = world();
    assert_eq!(run(&mut before, &[opened(2, false)]).actions, [], "it was there before");
    let mut off = World::paired();
    assert_eq!(run(&mut off, &[opened(2, true)]).actions, []);
    let mut resting = world();
    resting.scope = Scope::Edits;
    assert_eq!(run(&mut resting, &[opened(2, true)]).actions, []);
    let mut paused = world();
    paused.settings = SyncSettings { paused_to_highlevel: true, ..SyncSettings::default() };
    assert_eq!(run(&mut paused, &[opened(2, true)]).actions, []);
    let mut absent = world();
    absent.highlevel = None;
    absent.gone.push(System::HighLevel);
    let plan = run(&mut absent, &[opened(2, true)]);
    assert!(plan.actions.iter().all(|action| action.kind != ActionKind::Note), "{plan:?}");
}

#[test]
fn a_note_that_may_have_been_written_is_looked_for() {
    let mut world = world();
    let asked = run(&mut world.clone(), &[opened(0, true)]);
    let action = &asked.actions[0];
    let pending = [PendingWrite {
        id: world.id(),
        contact: world.contact,
        system: System::HighLevel,
        action: ActionKind::Note,
        edit: None,
        fields: action.fields.iter().map(|planned| planned.field.clone()).collect(),
        body: serde_json::to_string(&action.payload).unwrap(),
        begun_at: world.now,
    }];
    let note = Note {
        id: "n1".to_owned(),
        body: Some("Doppler campaign Summer sale: opened".to_owned()),
        title: None,
        created_at: Some(world.now),
        author_id: None,
    };
    // Meanwhile a link was followed.
    let seen = [opened(1, true)];
    let with = |notes: Option<&[Note]>| {
        world.with_input(|input| {
            let extra = Extra {
                engagements: &seen,
                pending: &pending,
                notes: notes.map(Ok),
                ..input.extra
            };
            plan(&Input { extra, ..*input })
        })
    };
    let asks = with(None);
    assert_eq!((asks.needs, asks.actions), (vec![Need::Notes], Vec::new()));
    let found = with(Some(std::slice::from_ref(&note)));
    assert!(matches!(found.actions[0].payload, Payload::UpdateNote { .. }), "{found:?}");
    let lost = with(Some(&[]));
    assert!(matches!(lost.actions[0].payload, Payload::CreateNote { .. }), "{lost:?}");
}

#[test]
fn what_doppler_told_of_is_not_shown_there_as_the_last_note() {
    let mut world = world();
    world.mapping.notes.last_note_field = Some("NOTE".to_owned());
    world.settle_down();
    run(&mut world, &[opened(0, true)]);
    world.notes.push(Note {
        id: "n1".to_owned(),
        body: Some("Doppler campaign Summer sale: opened".to_owned()),
        title: None,
        created_at: Some(world.now),
        author_id: None,
    });
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().field("NOTE"), None);
}
