//! What polls need not show again of what was written.

use super::World;
use super::model::set_field;
use crate::sync::poll::shown;
use crate::sync::{Outcome, Reread, settle};
use crate::unified::{EditChange, Subscriber, System};

/// Nothing is left to be done in a system whose record counts as seen. Called after every reconcile of the
/// model.
pub fn hides_nothing(world: &World) {
    let left = world.plan().actions;
    for (system, seen) in &world.seen {
        let mut hidden = left.iter().filter(|one| one.system == *system && one.is_write());
        assert!(hidden.next().is_none(), "{seen:?} hides {left:#?}");
        if *system == System::Doppler {
            assert!(shown(world.subscriber().unwrap()).contains(seen));
        }
    }
}

fn systems(world: &World) -> Vec<System> {
    world.seen.iter().map(|(system, _)| *system).collect()
}

#[test]
fn what_was_written_is_not_to_be_looked_at_again() {
    let mut world = World::paired();
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    assert!(world.reconcile());
    assert_eq!(systems(&world), [System::Doppler]);
    set_field(world.subscriber_mut(), "CITY", "Salta");
    assert!(world.reconcile());
    assert_eq!(systems(&world), [System::HighLevel]);
    assert!(!world.reconcile());
    assert_eq!(systems(&world), [], "nothing was written");
    world.ask(EditChange::AddTags(vec!["vip".to_owned()]));
    assert!(world.reconcile());
    assert!(!systems(&world).contains(&System::HighLevel), "a tag's answer does not say when");
}

#[test]
fn what_somebody_changed_meanwhile_is_looked_at_again() {
    let mut world = World::paired();
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    let plan = world.plan();
    let mut after = world.subscriber().unwrap().clone();
    set_field(&mut after, "FIRSTNAME", "Ana");
    let seen = |side: Option<Subscriber>| {
        let done = |_| Outcome::Done { side: Some(Reread::Doppler(side.clone())), result: None };
        let outcomes: Vec<Outcome> = plan.actions.iter().map(done).collect();
        world.with_input(|input| settle(input, &plan, &outcomes)).seen
    };
    assert_eq!(seen(Some(after.clone())).len(), 1);
    set_field(&mut after, "CITY", "Salta");
    assert_eq!(seen(Some(after)), []);
    assert_eq!(seen(None), []);
}

#[test]
fn what_is_to_be_told_in_the_other_system_is_looked_at_again() {
    let mut world = World::paired();
    world.mapping.notes.note_from_field = Some("PLAN".to_owned());
    world.mapping.fields.retain(|row| row.field != "plan");
    set_field(world.subscriber_mut(), "PLAN", "basic");
    world.settle_down();
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    let plan = world.plan();
    let mut after = world.subscriber().unwrap().clone();
    set_field(&mut after, "FIRSTNAME", "Ana");
    let seen = |side: &Subscriber| {
        let done =
            |_| Outcome::Done { side: Some(Reread::Doppler(Some(side.clone()))), result: None };
        let outcomes: Vec<Outcome> = plan.actions.iter().map(done).collect();
        world.with_input(|input| settle(input, &plan, &outcomes)).seen
    };
    assert_eq!(seen(&after).len(), 1);
    set_field(&mut after, "PLAN", "premium");
    assert_eq!(seen(&after), [], "a note about it is still to be written");
}
