//! An appointment.

use async_graphql::{ID, Object};

use crate::contacts::Target;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::unified::{self, HighLevelId};

/// An appointment with a contact, kept in HighLevel.
pub struct Appointment {
    pub appointment: unified::Appointment,
    pub with: HighLevelId,
}

/// An appointment with a contact, kept in HighLevel.
#[Object]
impl Appointment {
    /// The appointment's global id.
    pub async fn id(&self) -> ID {
        let target = Target { contact: self.with.clone(), id: self.appointment.id.clone() };
        GlobalId::Appointment(target).encode()
    }

    /// For example `First call`.
    async fn title(&self) -> Option<&str> {
        self.appointment.title.as_deref()
    }

    /// HighLevel's status, for example `confirmed`.
    async fn status(&self) -> Option<&str> {
        self.appointment.status.as_deref()
    }

    /// When it begins. HighLevel tells it in the location's own time.
    async fn starts_at(&self) -> Option<DateTime> {
        self.appointment.starts_at.map(DateTime)
    }

    /// When it ends.
    async fn ends_at(&self) -> Option<DateTime> {
        self.appointment.ends_at.map(DateTime)
    }

    /// HighLevel's calendar.
    async fn calendar_id(&self) -> Option<&str> {
        self.appointment.calendar_id.as_deref()
    }

    /// Where it takes place.
    async fn address(&self) -> Option<&str> {
        self.appointment.address.as_deref()
    }
}
