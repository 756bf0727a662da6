//! Appointments, which only a person in HighLevel books, changes and deletes here: the API of
//! calendars is not part of the fake.

use serde_json::{Value, json};

use super::HighLevel;
use super::event;
use super::model::{Appointment, Id};
use super::when::{self, Millis};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// What an appointment is to be; what is absent stays, or has a default in a new one.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub title: Option<&'a str>,
    pub status: Option<&'a str>,
    pub start: Option<Millis>,
    pub end: Option<Millis>,
}

/// A time as an edit gives it.
pub fn time(text: &str) -> Result<Millis, String> {
    when::instant(text).ok_or_else(|| "times are in RFC 3339".to_owned())
}

impl Wanted<'_> {
    fn apply(self, held: &mut Appointment) {
        if let Some(title) = self.title {
            title.clone_into(&mut held.title);
        }
        if let Some(status) = self.status {
            status.clone_into(&mut held.status);
        }
        let length = held.end.0 - held.start.0;
        held.start = self.start.unwrap_or(held.start);
        held.end = self.end.unwrap_or(Millis(held.start.0 + length));
    }
}

impl HighLevel {
    /// Books one; tomorrow and for an hour where no time is given.
    pub(super) fn book(&self, id: &Id, wanted: Wanted<'_>) -> Result<Value, String> {
        let now = self.now();
        let start = Millis(now.0 + 24 * HOUR_MS);
        let mut appointment = Appointment {
            id: self.shared.ids.alphanumeric().into(),
            contact_id: id.clone(),
            calendar_id: super::seed::CALENDAR.to_owned(),
            title: "Appointment".to_owned(),
            status: "confirmed".to_owned(),
            assigned_user_id: None,
            notes: None,
            address: None,
            start,
            end: Millis(start.0 + HOUR_MS),
            date_added: now,
            date_updated: now,
        };
        wanted.apply(&mut appointment);
        let mut directory = self.write();
        let entry = directory.get_mut(id).ok_or("no such contact")?;
        entry.appointments.push(appointment.clone());
        self.webhooks.fire(&self.shared, event::appointment("AppointmentCreate", &appointment));
        Ok(shown(&appointment))
    }

    /// Changes one.
    pub(super) fn rebook(
        &self,
        id: &Id,
        appointment: &str,
        wanted: Wanted<'_>,
    ) -> Result<Value, String> {
        let mut directory = self.write();
        let entry = directory.get_mut(id).ok_or("no such contact")?;
        let held = entry.appointments.iter_mut().find(|held| *held.id == *appointment);
        let held = held.ok_or("no such appointment")?;
        wanted.apply(held);
        held.date_updated = self.now();
        self.webhooks.fire(&self.shared, event::appointment("AppointmentUpdate", held));
        Ok(shown(held))
    }

    /// Deletes one.
    pub(super) fn cancel(&self, id: &Id, appointment: &str) -> Result<Value, String> {
        let mut directory = self.write();
        let entry = directory.get_mut(id).ok_or("no such contact")?;
        let place = entry.appointments.iter().position(|held| *held.id == *appointment);
        let gone = entry.appointments.remove(place.ok_or("no such appointment")?);
        self.webhooks.fire(&self.shared, event::appointment("AppointmentDelete", &gone));
        let mut answer = shown(&gone);
        answer["deleted"] = true.into();
        Ok(answer)
    }
}

fn shown(appointment: &Appointment) -> Value {
    json!({"contactId": &*appointment.contact_id, "appointmentId": &*appointment.id})
}
