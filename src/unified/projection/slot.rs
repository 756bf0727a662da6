//! One field in one system: where it is and what it takes.

use super::{Misfit, doppler, highlevel};
use crate::unified::value::{EMAIL, Shape};
use crate::unified::{
    Canonical, Capability, CustomKind, FieldDefinition, HighLevelContact, Kind, Subscriber, System,
    Writable,
};

/// One field in one system.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    pub place: Place<'a>,
    pub capability: Capability,
}

/// Where a value is kept.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// Doppler's key, which a rename gives another value.
    Address,
    /// A field of a Doppler subscriber, with Doppler's type name.
    Doppler { name: &'a str, kind: &'a str },
    /// A member of every HighLevel contact.
    Member(Member),
    /// A custom field of HighLevel.
    Custom(&'a FieldDefinition),
}

/// A member of every HighLevel contact.
#[derive(Clone, Copy)]
pub struct Member(pub(super) &'static Shape);

impl std::fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Place<'_> {
    /// The system's own name of it.
    pub fn name(&self) -> &str {
        match self {
            Self::Address => "email",
            Self::Doppler { name, .. } => name,
            Self::Member(member) => member.0.name,
            Self::Custom(definition) => &definition.key,
        }
    }
}

impl<'a> Slot<'a> {
    /// Doppler's address.
    pub(super) const fn address() -> Self {
        let capability = Capability {
            writable: Writable::Always,
            clearable: false,
            max_characters: Some(100),
            reason: Some("Doppler knows a subscriber by the address, which cannot be taken away"),
        };
        Self { place: Place::Address, capability }
    }

    /// HighLevel's address.
    pub(super) fn email() -> Option<Self> {
        Self::member(&EMAIL)
    }

    pub(in crate::unified) fn member(shape: &'static Shape) -> Option<Self> {
        let capability = Capability::of_contact(shape.field)?;
        Some(Self { place: Place::Member(Member(shape)), capability })
    }

    /// The place of a field that has a definition.
    pub fn of(definition: &'a FieldDefinition) -> Self {
        Self::defined(definition)
    }

    pub(super) fn defined(definition: &'a FieldDefinition) -> Self {
        let place = match definition.system {
            System::Doppler => Place::Doppler { name: &definition.key, kind: &definition.kind },
            System::HighLevel => Place::Custom(definition),
        };
        Self { place, capability: Capability::of(definition) }
    }

    /// The kind of value that is at home there.
    pub fn kind(&self) -> Kind {
        match &self.place {
            Place::Address => Kind::Email,
            Place::Member(member) => member.0.kind,
            Place::Doppler { kind, .. } => doppler::kind_of(kind),
            Place::Custom(definition) => match CustomKind::of(&definition.kind) {
                CustomKind::Number => Kind::Number,
                CustomKind::Date => Kind::Date,
                CustomKind::Texts => Kind::Options,
                CustomKind::Text if definition.kind == "PHONE" => Kind::Phone,
                CustomKind::Text | CustomKind::Opaque => Kind::Text,
            },
        }
    }

    /// `p(v)`: what the system makes of a value.
    ///
    /// `exists`: whether the person is there already, so that only what can be updated is.
    pub fn project(
        &self,
        kind: Kind,
        value: &Canonical,
        exists: bool,
    ) -> Result<Canonical, Misfit> {
        self.takes(value, exists)?;
        match &self.place {
            Place::Address | Place::Doppler { .. } => Ok(kind.read(&self.in_doppler(kind, value)?)),
            Place::Member(member) => highlevel::project_member(*member, kind, value),
            Place::Custom(definition) => {
                let value = highlevel::to_custom(definition, value)?;
                Ok(value
                    .as_ref()
                    .map_or(Canonical::Null, |value| highlevel::canonical(kind, value)))
            }
        }
    }

    /// The value as Doppler is given it.
    pub(super) fn in_doppler(&self, kind: Kind, value: &Canonical) -> Result<String, Misfit> {
        match &self.place {
            Place::Doppler { kind: type_name, .. } => doppler::to_doppler(type_name, value),
            Place::Address => doppler::to_address(value),
            Place::Member(_) | Place::Custom(_) => {
                doppler::to_doppler(doppler::type_of(kind), value)
            }
        }
    }

    /// The value as the Doppler field is given it; an empty text clears.
    pub fn doppler_text(&self, value: &Canonical) -> Result<String, Misfit> {
        self.in_doppler(self.kind(), value)
    }

    /// Whether the capability lets the value be written at all.
    fn takes(&self, value: &Canonical, exists: bool) -> Result<(), Misfit> {
        let reason = self.capability.reason.unwrap_or("the field cannot be written");
        match self.capability.writable {
            Writable::Never => return Err(Misfit::Fixed(reason)),
            Writable::CreateOnly if exists => return Err(Misfit::Fixed(reason)),
            Writable::CreateOnly | Writable::Always => {}
        }
        if value.is_empty() && exists && !self.capability.clearable {
            return Err(Misfit::Fixed(reason));
        }
        Ok(())
    }

    /// Whether only a definition says that the field is there: the records show nothing of it, as they do once
    /// it was deleted.
    pub fn may_be_gone(
        &self,
        subscriber: Option<&Subscriber>,
        contact: Option<&HighLevelContact>,
    ) -> bool {
        match &self.place {
            Place::Address | Place::Member(_) => false,
            Place::Doppler { name, .. } => subscriber.is_none_or(|subscriber| {
                subscriber.fields.iter().all(|field| !field.name.eq_ignore_ascii_case(name))
            }),
            Place::Custom(definition) => contact.is_none_or(|contact| {
                contact.custom_fields.iter().all(|held| Some(&held.id) != definition.id.as_ref())
            }),
        }
    }

    /// What a subscriber holds.
    pub fn of_subscriber(&self, kind: Kind, subscriber: &Subscriber) -> Canonical {
        match &self.place {
            Place::Address => kind.read(&subscriber.email),
            Place::Doppler { name, .. } => kind.read(subscriber.field(name).unwrap_or_default()),
            Place::Member(_) | Place::Custom(_) => Canonical::Null,
        }
    }

    /// What a contact holds; `None` when the row left it out, so that it is not known.
    pub fn of_contact(&self, kind: Kind, contact: &HighLevelContact) -> Option<Canonical> {
        match &self.place {
            Place::Member(member) if member.0.kind == Kind::Date && !contact.complete => None,
            Place::Member(member) => {
                Some(kind.read(&(member.0.highlevel)(contact).unwrap_or_default()))
            }
            Place::Custom(definition) => Some(highlevel::read(definition, kind, contact)),
            Place::Address | Place::Doppler { .. } => None,
        }
    }
}
