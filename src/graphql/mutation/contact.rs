//! People: made, changed, deleted.

use std::collections::BTreeMap;

use async_graphql::{Context, ID, InputObject, Json, MaybeUndefined, Object, Result, SimpleObject};

use super::payload::{Outcome, SystemWrite, UserError, list_of, payload};
use crate::contacts::{Error, Upsert};
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::{CountryCode, Date, EmailAddress, PhoneNumber};
use crate::graphql::types::{Contact, ContactBy, SystemName};
use crate::unified::{Canonical, System};

/// The mutations of people.
#[derive(Default)]
pub struct ContactWrites;

/// A person to be made or changed. What is not given stays as it is; null clears.
///
/// With `contact`, that person is changed, and `email` gives them another address. Without it, the
/// person is looked for by `email`, then by `phone`, and made where nobody answers.
#[derive(InputObject)]
pub struct UpsertContactInput {
    /// Any text of up to 255 bytes that is the same for every retry: the change is made once, and
    /// retries within 24 hours answer alike.
    idempotency_key: Option<String>,
    /// Who is to be changed.
    contact: Option<ContactBy>,
    /// For example `ana.paz@example.com`.
    email: MaybeUndefined<EmailAddress>,
    /// For example `+541155550199`.
    phone: MaybeUndefined<PhoneNumber>,
    /// For example `Ana`.
    first_name: MaybeUndefined<String>,
    /// For example `Paz`.
    last_name: MaybeUndefined<String>,
    /// For example `Paz & Asociados`. HighLevel takes it for a new person only.
    company_name: MaybeUndefined<String>,
    /// For example `1990-09-25`.
    birthday: MaybeUndefined<Date>,
    /// For example `AR`.
    country: MaybeUndefined<CountryCode>,
    /// Null clears all of it.
    address: MaybeUndefined<AddressInput>,
    /// Tags to add; none is taken away.
    tags: Option<Vec<String>>,
    /// Custom fields by their keys.
    custom_fields: Option<Vec<CustomFieldInput>>,
    /// Doppler lists to join; none is left.
    lists: Option<Vec<ID>>,
    /// Where a new person may be made; where the mapping's rules allow it if not given.
    systems: Option<Vec<SystemName>>,
}

/// A postal address. What is not given stays as it is; null clears.
#[derive(InputObject)]
pub struct AddressInput {
    /// Street and number.
    line1: MaybeUndefined<String>,
    /// For example `Rosario`.
    city: MaybeUndefined<String>,
    /// For example `Santa Fe`.
    state: MaybeUndefined<String>,
    /// For example `S2000`.
    postal_code: MaybeUndefined<String>,
    /// For example `AR`; the same as the person's `country`.
    country: MaybeUndefined<CountryCode>,
}

/// A custom field's new value.
#[derive(InputObject)]
pub struct CustomFieldInput {
    /// The `key` of the field's definition, for example `contact.plan` or `PLAN`.
    key: String,
    /// A text, a number, a flag or a list of texts, as the field's type asks; null clears.
    value: Option<Json<serde_json::Value>>,
}

/// A person to be deleted.
#[derive(InputObject)]
pub struct DeleteContactInput {
    /// As in `UpsertContactInput`.
    idempotency_key: Option<String>,
    /// Who.
    contact: ContactBy,
    /// From which systems; both if not given. Doppler has no way to delete a subscriber: there it
    /// answers `SKIPPED`, and the person stays as they are.
    systems: Option<Vec<SystemName>>,
}

/// Somebody who is not to be mailed any more.
#[derive(InputObject)]
pub struct UnsubscribeInput {
    /// As in `UpsertContactInput`.
    idempotency_key: Option<String>,
    /// Who.
    contact: ContactBy,
    /// Why, for the history.
    reason: Option<String>,
}

payload!(UpsertContactPayload);
payload!(UnsubscribePayload);

/// What became of it.
#[derive(SimpleObject)]
pub struct DeleteContactPayload {
    /// The person, as far as a system still knows them.
    contact: Option<Contact>,
    /// What each system made of it.
    writes: Vec<SystemWrite>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
    /// The id of the contact that no system knows any more.
    deleted_contact_id: Option<ID>,
}

#[Object]
impl ContactWrites {
    /// Makes or changes a person in both systems. Needs `contacts.write`.
    async fn upsert_contact(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The person and what is to be true of them.")] input: UpsertContactInput,
    ) -> Result<UpsertContactPayload> {
        let writer = context.writer()?;
        let key = input.idempotency_key.clone();
        let written = writer.upsert(key.as_deref(), input.try_into()?).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Deletes a person, in HighLevel. Needs `contacts.write`.
    async fn delete_contact(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and where.")] input: DeleteContactInput,
    ) -> Result<DeleteContactPayload> {
        let writer = context.writer()?;
        let systems = input.systems.map_or(System::ALL.to_vec(), systems_of);
        let (key, by) = (input.idempotency_key, input.contact.try_into()?);
        let written = writer.delete(key.as_deref(), by, systems).await?;
        let gone = written.contact.filter(|_| written.deleted);
        let deleted_contact_id = gone.map(|id| GlobalId::Contact(id).encode());
        let Outcome { contact, writes, user_errors, .. } = Outcome::of(context, written).await?;
        Ok(DeleteContactPayload { contact, writes, user_errors, deleted_contact_id })
    }

    /// Sees to it that nobody mails this person any more: opts them out in Doppler and sets
    /// HighLevel's do-not-disturb for e-mail alone. Calls and text messages are left as they are.
    /// It cannot be undone from here. Needs `contacts.write`.
    async fn unsubscribe(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and why.")] input: UnsubscribeInput,
    ) -> Result<UnsubscribePayload> {
        let writer = context.writer()?;
        let (key, by) = (input.idempotency_key, input.contact.try_into()?);
        let written = writer.unsubscribe(key.as_deref(), by, input.reason).await?;
        Ok(Outcome::of(context, written).await?.into())
    }
}

fn systems_of(systems: Vec<SystemName>) -> Vec<System> {
    systems.into_iter().map(System::from).collect()
}

impl TryFrom<UpsertContactInput> for Upsert {
    type Error = Error;

    fn try_from(input: UpsertContactInput) -> Result<Self, Error> {
        let mut fields = Fields::default();
        fields.text("email", input.email.map_value(|email| email.0));
        fields.text("phone", input.phone.map_value(|phone| phone.0));
        fields.text("firstName", input.first_name);
        fields.text("lastName", input.last_name);
        fields.text("companyName", input.company_name);
        fields.text("birthday", input.birthday.map_value(|day| day.0.to_string()));
        fields.text("country", input.country.map_value(|country| country.0));
        fields.address(input.address);
        let custom = input.custom_fields.unwrap_or_default().into_iter();
        let custom = custom
            .map(|field| (field.key, field.value.map_or(serde_json::Value::Null, |json| json.0)));
        let lists = input.lists.unwrap_or_default();
        Ok(Self {
            by: input.contact.map(TryInto::try_into).transpose()?,
            fields: fields.0,
            custom: custom.collect(),
            tags: input.tags.unwrap_or_default(),
            lists: lists.iter().map(|id| list_of(id, "lists")).collect::<Result<_, _>>()?,
            create_in: input.systems.map(systems_of),
        })
    }
}

/// Fields by the mapping's names.
#[derive(Default)]
struct Fields(BTreeMap<String, Canonical>);

impl Fields {
    fn text(&mut self, field: &str, value: MaybeUndefined<String>) {
        let value = match value {
            MaybeUndefined::Undefined => return,
            MaybeUndefined::Null => Canonical::Null,
            MaybeUndefined::Value(text) if text.trim().is_empty() => Canonical::Null,
            MaybeUndefined::Value(text) => Canonical::Text(text),
        };
        self.0.insert(field.to_owned(), value);
    }

    fn address(&mut self, address: MaybeUndefined<AddressInput>) {
        let address = match address {
            MaybeUndefined::Undefined => return,
            MaybeUndefined::Null => AddressInput {
                line1: MaybeUndefined::Null,
                city: MaybeUndefined::Null,
                state: MaybeUndefined::Null,
                postal_code: MaybeUndefined::Null,
                country: MaybeUndefined::Undefined,
            },
            MaybeUndefined::Value(address) => address,
        };
        self.text("address.line1", address.line1);
        self.text("address.city", address.city);
        self.text("address.state", address.state);
        self.text("address.postalCode", address.postal_code);
        self.text("country", address.country.map_value(|country| country.0));
    }
}
