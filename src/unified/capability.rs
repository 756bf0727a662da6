//! What can be done to a field, so that a plan leaves out what a system would refuse and says why.
//!
//! Agreement between the systems is defined modulo this: a difference that cannot be mended is shown
//! with its reason. To add a field of HighLevel's: a row in [`Capability::of_contact`].

use super::tags::DOPPLER_FIELD_CHARACTERS;
use super::{CustomKind, FieldDefinition, System};

/// When a field takes a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Writable {
    Always,
    /// Only together with the person.
    CreateOnly,
    Never,
}

/// What a system lets be done to one of its fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Capability {
    pub writable: Writable,
    /// Whether a value can be taken away again.
    pub clearable: bool,
    /// The longest text it holds, in characters, where there is a limit.
    pub max_characters: Option<usize>,
    /// Why it is not all that one could wish, in words for a person.
    pub reason: Option<&'static str>,
}

const FREE: Capability =
    Capability { writable: Writable::Always, clearable: true, max_characters: None, reason: None };

impl Capability {
    /// Of a field with a definition: all of Doppler's, and HighLevel's custom ones.
    pub fn of(definition: &FieldDefinition) -> Self {
        match definition.system {
            System::Doppler => Self::of_doppler(&definition.kind, definition.read_only),
            System::HighLevel => custom(&definition.kind),
        }
    }

    /// Of a Doppler field with such a type.
    pub fn of_doppler(kind: &str, read_only: bool) -> Self {
        match kind {
            "email" => never("Doppler cannot change an e-mail address"),
            // What a person agreed to is never made up out of another system's field.
            "permission" | "consent" => {
                never("a permission in Doppler is given by the person alone")
            }
            _ if read_only => never("Doppler calls the field read-only"),
            _ => Self { max_characters: Some(DOPPLER_FIELD_CHARACTERS), ..FREE },
        }
    }

    /// Of a field that every HighLevel contact has, by its unified name; `None` if it has no such.
    ///
    /// By `CreateContactDto` and `UpdateContactDto` of the official contacts.json: what the update
    /// does not name is refused (`property X should not exist`), and what is not nullable there
    /// cannot be cleared.
    pub fn of_contact(field: &str) -> Option<Self> {
        let reason = match field {
            "email" | "phone" | "firstName" | "lastName" | "birthday" | "address.line1"
            | "address.city" | "address.state" | "source" | "assignedTo" => return Some(FREE),
            "companyName" => {
                return Some(create_only("HighLevel cannot update companyName"));
            }
            "gender" => return Some(create_only("HighLevel cannot update gender")),
            "address.postalCode" => "HighLevel cannot clear the postal code",
            "country" => "HighLevel cannot clear the country",
            _ => return None,
        };
        Some(Self { clearable: false, reason: Some(reason), ..FREE })
    }
}

const fn create_only(reason: &'static str) -> Capability {
    Capability {
        writable: Writable::CreateOnly,
        clearable: false,
        reason: Some(reason),
        max_characters: None,
    }
}

const fn never(reason: &'static str) -> Capability {
    Capability {
        writable: Writable::Never,
        clearable: false,
        reason: Some(reason),
        max_characters: None,
    }
}

fn custom(data_type: &str) -> Capability {
    match (CustomKind::of(data_type), data_type) {
        (CustomKind::Text | CustomKind::Number | CustomKind::Date | CustomKind::Texts, _) => FREE,
        (CustomKind::Opaque, "FILE_UPLOAD") => never("files are not synchronised"),
        (CustomKind::Opaque, "SIGNATURE") => never("a signature cannot be written"),
        (CustomKind::Opaque, "TEXTBOX_LIST") => {
            never("HighLevel does not document how a list of text boxes is written")
        }
        (CustomKind::Opaque, _) => never("the field's type is not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(system: System, kind: &str, read_only: bool) -> FieldDefinition {
        FieldDefinition {
            system,
            key: "x".to_owned(),
            id: None,
            name: "x".to_owned(),
            kind: kind.to_owned(),
            options: Vec::new(),
            read_only,
            predefined: false,
        }
    }

    #[test]
    fn dopplers_fields_take_400_characters_and_what_is_the_persons_own_none() {
        let of = |kind, read_only| Capability::of(&definition(System::Doppler, kind, read_only));
        for kind in ["string", "number", "date", "unheard-of"] {
            let can = of(kind, false);
            assert_eq!(can, Capability { max_characters: Some(400), ..FREE }, "{kind}");
        }
        let own = ["email", "permission", "consent"].map(|kind| of(kind, false));
        for never in own.into_iter().chain([of("email", true), of("string", true)]) {
            assert_eq!((never.writable, never.clearable), (Writable::Never, false));
            assert!(never.reason.is_some());
        }
    }

    #[test]
    fn what_highlevel_cannot_do_is_said_with_its_reason() {
        let of = |field| Capability::of_contact(field).unwrap();
        for field in ["companyName", "gender"] {
            assert_eq!(of(field).writable, Writable::CreateOnly, "{field}");
        }
        for field in ["address.postalCode", "country"] {
            assert_eq!(
                (of(field).writable, of(field).clearable),
                (Writable::Always, false),
                "{field}"
            );
        }
        for field in ["companyName", "gender", "address.postalCode", "country"] {
            assert!(of(field).reason.is_some_and(|reason| reason.starts_with("HighLevel")));
        }
        for field in ["email", "phone", "firstName", "birthday", "address.city"] {
            assert_eq!(of(field), FREE, "{field}");
        }
        assert_eq!(Capability::of_contact("shoeSize"), None);
        let custom = |kind| Capability::of(&definition(System::HighLevel, kind, false));
        assert_eq!(custom("DATE"), FREE);
        for kind in ["FILE_UPLOAD", "SIGNATURE", "TEXTBOX_LIST", "SOMETHING_NEW"] {
            assert_eq!(custom(kind).writable, Writable::Never, "{kind}");
        }
    }

    #[test]
    fn every_field_that_can_be_mapped_is_in_the_table() {
        for shape in crate::unified::value::SHAPES {
            let can = Capability::of_contact(shape.field).expect(shape.field);
            let updatable = can.writable == Writable::Always;
            assert_eq!(updatable, shape.highlevel_fixed.is_none(), "{}", shape.field);
        }
    }
}
