//! Announcing that a credential will end, while there is time to give another.
//!
//! Only what no program can renew is announced: a refresh token that nobody used for most of a year, a
//! token or key whose end somebody told. Each end is announced a few times, by one of all gateways.

use chrono::{DateTime, TimeDelta, Utc};

use crate::telemetry::names;
use crate::unified::{EventDraft, EventKind, System};

use super::Error;
use super::core::Core;

/// How many days ahead it is announced; 0: it has ended.
const STEPS: [u32; 4] = [0, 1, 7, 30];

/// What was announced last by this process: the end and the step.
pub(super) type Announced = Option<(DateTime<Utc>, u32)>;

/// The step that an end has reached; `None`: it is far off.
fn step(ends_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<u32> {
    STEPS.into_iter().find(|days| ends_at - now <= TimeDelta::days((*days).into()))
}

fn in_words(system: System, ends_at: DateTime<Utc>, days: u32) -> String {
    let (name, day) = (system.name(), ends_at.format("%Y-%m-%d %H:%M UTC"));
    match days {
        0 => format!("The credential of {name} ended at {day}: connect anew"),
        _ => format!("The credential of {name} ends at {day} and cannot be renewed: connect anew"),
    }
}

impl Core {
    /// Announces the end of a system's credential, once for each step.
    pub(super) async fn announce_end(
        &self,
        system: System,
        ends_at: Option<DateTime<Utc>>,
        announced: &mut Announced,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let label = system.as_str();
        let Some(ends_at) = ends_at else { return Ok(()) };
        #[expect(clippy::cast_precision_loss, reason = "seconds up to centuries are exact")]
        metrics::gauge!(
            names::CREDENTIAL_ENDS,
            names::SYSTEM => label,
            names::WORKSPACE => self.workspace.id.to_string()
        )
        .set((ends_at - now).num_seconds() as f64);
        let Some(days) = step(ends_at, now) else { return Ok(()) };
        if *announced == Some((ends_at, days)) {
            return Ok(());
        }
        let message = in_words(system, ends_at, days);
        let draft = EventDraft::new(EventKind::CredentialExpiring, message);
        let event = EventDraft { system: Some(system), ..draft };
        let workspace = &self.workspace.id;
        let told = self.store.announce(workspace, system, (ends_at, days), (&event, now)).await?;
        *announced = Some((ends_at, days));
        if let Some(cursor) = told {
            tracing::warn!(system = label, %ends_at, days, "the credential ends and cannot be renewed");
            self.publish(workspace, crate::bus::What::Events(cursor));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_reached_in_its_turn() {
        let ends = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let before = |time: TimeDelta| step(ends, ends - time);
        assert_eq!(before(TimeDelta::days(31)), None);
        assert_eq!(before(TimeDelta::days(30)), Some(30));
        assert_eq!(before(TimeDelta::days(7) + TimeDelta::seconds(1)), Some(30));
        assert_eq!(before(TimeDelta::days(7)), Some(7));
        assert_eq!(before(TimeDelta::hours(25)), Some(7));
        assert_eq!(before(TimeDelta::hours(24)), Some(1));
        assert_eq!(before(TimeDelta::seconds(1)), Some(1));
        assert_eq!(before(TimeDelta::zero()), Some(0));
        assert_eq!(before(TimeDelta::days(-400)), Some(0));
    }
}
