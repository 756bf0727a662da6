//! A gateway that dies at any step of carrying out an edit, and the one that comes after it.
//!
//! For every kind of edit and every step: a process of its own accepts the edit over HTTP and dies
//! there; another gateway starts on its store when its leases have run out. Then both systems hold
//! what was asked for, once, and whoever asks again with the same key is told so.
//!
//! A first run of a few hundred people is killed three times on its way: see [`runs`]; a bulk import at
//! each of its steps: see [`imports`].
//!
//! To add a step: a `fault::point` in the engine and its name in [`STEPS`]. To add a kind of edit: a
//! function in [`cases`] and its name in the list below.
#![expect(
    clippy::disallowed_methods,
    reason = "the parent is a client of the gateway and of the sandbox, and starts programs"
)]

mod cases;
mod ground;
mod imports;
mod runs;
mod victim;

use crate::store::conformance::Place;
use cases::Case;
use ground::Ground;
use victim::Victim;

/// Where a run can die, in order, and whether that is passed once for each system that is written to.
const STEPS: [(&str, bool); 8] = [
    ("accepted", false),
    ("claimed", false),
    ("read", false),
    ("planned", false),
    ("intended", true),
    ("called", true),
    ("acted", false),
    ("recorded", false),
];

/// Dies at each step in turn, each time with another person.
async fn survives(place: &impl Place, case: &Case) {
    let ground = Ground::new(place.url()).await;
    for (step, in_each_system) in STEPS {
        let times = if in_each_system { case.systems_written } else { 1 };
        for time in 1..=times {
            dies_at(&ground, case, &format!("{step}:{time}")).await;
        }
    }
    ground.end();
}

async fn dies_at(ground: &Ground, case: &Case, step: &str) {
    let email = format!("{}@example.com", step.replace(':', "."));
    let person = ground.person(&email);
    if case.is_known {
        person.is_in_both().await;
    }
    let before = person.seen().await;
    ground.forget_calls();

    let victim = Victim::start(&ground.order(), step).await;
    let told = person.ask(victim.address(), case).await;
    assert!(told.is_err(), "{step}: it was answered: {told:?}");
    victim.dies_by_itself().await;

    let app = ground.go_on().await;
    ground.is_finished(&app, &person).await;
    let seen = person.seen().await;
    (case.holds)(step, &before, &seen);
    ground.nothing_was_written_twice(step);

    ground.forget_calls();
    let again = person.ask(app.addr(), case).await.unwrap();
    case.told_again(step, &again);
    person.is_in_step(app.addr(), case.state, step).await;
    assert_eq!(ground.writes().len(), 0, "{step}: {:#?}", ground.writes());
    assert_eq!(person.seen().await, seen, "{step}");
    app.shutdown().await;
}

/// Makes a test of every kind of edit; the argument is an expression for an empty [`Place`], or
/// `None` where there is no such database to test with.
macro_rules! killed {
    ($place:expr) => {
        killed! {
            $place;
            a_new_person, a_change, tags, a_note, a_task, an_opt_out, a_deletion
        }
    };
    (imports $place:expr; $($step:ident),+) => {
        mod an_import_dies_once_it_is {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $step() {
                let Some(place) = $place else { return };
                super::super::imports::survives(&place, stringify!($step)).await;
                crate::store::conformance::Place::remove(place).await;
            })+
        }
    };
    ($place:expr; $($case:ident),+) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let Some(place) = $place else { return };
            super::survives(&place, &super::cases::$case()).await;
            crate::store::conformance::Place::remove(place).await;
        })+

        #[tokio::test(flavor = "multi_thread")]
        async fn a_first_run() {
            let Some(place) = $place else { return };
            super::runs::survives(&place).await;
            crate::store::conformance::Place::remove(place).await;
        }

        killed! { imports $place; bound, sent, asked }
    };
}

mod on_sqlite {
    killed!(Some(crate::store::sqlite::tests::Folder::new()));
}

#[cfg(feature = "postgres")]
mod on_postgresql {
    killed!(crate::store::postgres::tests::Schema::new().await);
}
