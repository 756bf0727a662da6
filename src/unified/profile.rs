//! The person as both systems together describe them.

use chrono::{DateTime, NaiveDate, Utc};

use super::email::normalize_email;
use super::value::{self, Kind};
use super::{
    Address, FieldMapping, HighLevelContact, List, Mapping, Subscriber, System, doppler_tags,
    merge_tags,
};

/// The unified fields. Custom fields are not unified: each system's are shown as they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Profile {
    /// Normalised where it is an address, else as the system has it.
    pub email: Option<String>,
    /// E.164 where the number says its country, else as the system has it.
    pub phone: Option<String>,
    /// HighLevel's full name; without one, first and last name together.
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    pub birthday: Option<NaiveDate>,
    /// ISO 3166-1 alpha-2 where it is a code, else as the system has it.
    pub country: Option<String>,
    pub address: Address,
    pub tags: Vec<String>,
    /// HighLevel's; Doppler dates neither the creation nor the change of a subscriber.
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
}

/// The profile of a person; `None` for a side means that the system does not know the person or
/// could not be read.
///
/// Of each mapped field the owner's value is taken, and the other side's where the owner has none.
/// An incomplete HighLevel row (`complete == false`) has no birthday, so Doppler's would be taken:
/// read the contact singly before the birthday is shown. `lists` are the account's lists, needed
/// only where tags are lists.
pub fn unify(
    subscriber: Option<&Subscriber>,
    contact: Option<&HighLevelContact>,
    mapping: &Mapping,
    lists: &[List],
) -> Profile {
    let sides = Sides { subscriber, contact, mapping };
    Profile {
        email: sides.email(),
        phone: sides.phone(),
        name: sides.name(),
        first_name: sides.first_name(),
        last_name: sides.last_name(),
        company_name: sides.company_name(),
        birthday: sides.birthday(),
        country: sides.country(),
        address: sides.address(),
        tags: merge_tags(
            contact
                .map(|contact| contact.tags.clone())
                .into_iter()
                .chain(subscriber.map(|s| doppler_tags(s, &mapping.tags, lists)))
                .flatten()
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str),
        ),
        created_at: contact.and_then(|contact| contact.date_added),
        updated_at: contact.and_then(|contact| contact.date_updated),
    }
}

/// The address in the form in which it is compared, or trimmed if it is none.
pub(super) fn shown_email(raw: &str) -> Option<String> {
    normalize_email(raw).or_else(|| Kind::Text.shown(raw))
}

fn join_names(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let names: Vec<&str> = [first, last].into_iter().flatten().collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// What both sides say of one field at a time: each method is the member of [`Profile`] of its name.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    pub subscriber: Option<&'a Subscriber>,
    pub contact: Option<&'a HighLevelContact>,
    pub mapping: &'a Mapping,
}

impl Sides<'_> {
    pub fn email(&self) -> Option<String> {
        self.contact
            .and_then(|contact| shown_email(contact.email.as_deref()?))
            .or_else(|| shown_email(&self.subscriber?.email))
    }

    pub fn phone(&self) -> Option<String> {
        self.value("phone")
    }

    pub fn name(&self) -> Option<String> {
        let whole = self.contact.and_then(|contact| Kind::Text.shown(contact.name.as_deref()?));
        let joined = || join_names(self.first_name().as_deref(), self.last_name().as_deref());
        whole.or_else(joined)
    }

    pub fn first_name(&self) -> Option<String> {
        self.value("firstName")
    }

    pub fn last_name(&self) -> Option<String> {
        self.value("lastName")
    }

    pub fn company_name(&self) -> Option<String> {
        self.value("companyName")
    }

    pub fn birthday(&self) -> Option<NaiveDate> {
        self.values("birthday").into_iter().flatten().find_map(|value| value::parse_date(&value))
    }

    pub fn country(&self) -> Option<String> {
        self.value("country")
    }

    pub fn address(&self) -> Address {
        Address {
            line1: self.value("address.line1"),
            city: self.value("address.city"),
            state: self.value("address.state"),
            postal_code: self.value("address.postalCode"),
            country: self.country(),
        }
    }

    fn value(&self, field: &str) -> Option<String> {
        let [first, second] = self.values(field);
        first.or(second)
    }

    /// Both values, the owner's first.
    fn values(&self, field: &str) -> [Option<String>; 2] {
        let (doppler, highlevel) = (self.doppler(field), self.highlevel(field));
        match self.mapping.field(field).map(FieldMapping::owner) {
            Some(System::Doppler) => [doppler, highlevel],
            Some(System::HighLevel) | None => [highlevel, doppler],
        }
    }

    pub(super) fn doppler(&self, field: &str) -> Option<String> {
        let kind = value::shape(field)?.kind;
        kind.shown(self.subscriber?.field(self.mapping.doppler_field(field)?)?)
    }

    pub(super) fn highlevel(&self, field: &str) -> Option<String> {
        let shape = value::shape(field)?;
        shape.kind.shown(&(shape.highlevel)(self.contact?)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::unified::TagRepresentation;
    use crate::unified::fixture::{contact, subscriber};

    #[test]
    fn the_owner_speaks_first_and_the_other_side_fills_the_gaps() {
        let doppler = subscriber(&[
            ("FIRSTNAME", "Anita"),
            ("LASTNAME", "Díaz"),
            ("BIRTHDAY", "1990-09-25"),
            ("COUNTRY", "ar"),
            ("PHONE", "+54 11 5555-1234"),
            ("TAGS", "VIP, expo"),
        ]);
        let mut highlevel = contact();
        highlevel.first_name = Some("Ana".to_owned());
        highlevel.tags = vec!["vip".to_owned(), "lead".to_owned()];
        let mapping = Mapping::default();
        let profile = unify(Some(&doppler), Some(&highlevel), &mapping, &[]);
        assert_eq!(profile.first_name.as_deref(), Some("Ana"));
        assert_eq!(profile.last_name.as_deref(), Some("Díaz"));
        assert_eq!(profile.name.as_deref(), Some("Ana Díaz"));
        assert_eq!(profile.phone.as_deref(), Some("+541155551234"));
        assert_eq!(profile.birthday, NaiveDate::from_ymd_opt(1990, 9, 25));
        assert_eq!(profile.country.as_deref(), Some("AR"));
        assert_eq!(profile.address.country.as_deref(), Some("AR"));
        assert_eq!(profile.tags, ["vip", "lead", "expo"]);
        assert_eq!(profile.email.as_deref(), Some("ana@example.com"));

        let owned = vec![
            FieldMapping::new("firstName", "FIRSTNAME", "firstName").owned_by(System::Doppler),
        ];
        let mapping = Mapping { fields: owned, tags: TagRepresentation::Off, ..Mapping::default() };
        let profile = unify(Some(&doppler), Some(&highlevel), &mapping, &[]);
        assert_eq!(profile.first_name.as_deref(), Some("Anita"));
        assert_eq!(profile.last_name, None, "an unmapped field is HighLevel's alone");
        assert_eq!(profile.tags, ["vip", "lead"]);
    }

    #[test]
    fn a_tag_may_be_a_list() {
        let mut doppler = subscriber(&[]);
        doppler.lists = vec!["7".to_owned(), "8".to_owned()];
        let list = |id, name: &str| List { id, name: name.to_owned(), subscribers_count: None };
        let lists = [list(7, "TAG-vip"), list(8, "Newsletter")];
        let tags = TagRepresentation::Lists { prefix: "TAG-".to_owned() };
        let mapping = Mapping { tags, ..Mapping::default() };
        assert_eq!(unify(Some(&doppler), None, &mapping, &lists).tags, ["vip"]);
    }

    #[test]
    fn one_side_alone_is_enough_and_none_is_empty() {
        let doppler = subscriber(&[("FIRSTNAME", "Ana"), ("LASTNAME", " ")]);
        let mapping = Mapping::default();
        let profile = unify(Some(&doppler), None, &mapping, &[]);
        assert_eq!(profile.name.as_deref(), Some("Ana"));
        assert_eq!(profile.email.as_deref(), Some("ana@example.com"));
        assert_eq!(unify(None, None, &mapping, &[]), Profile::default());
    }

    #[test]
    fn a_birthday_that_is_no_date_gives_way() {
        let doppler = subscriber(&[("BIRTHDAY", "soon")]);
        let mut highlevel = contact();
        highlevel.birthday = NaiveDate::from_ymd_opt(1990, 9, 25);
        let owned = vec![
            FieldMapping::new("birthday", "BIRTHDAY", "dateOfBirth").owned_by(System::Doppler),
        ];
        let mapping = Mapping { fields: owned, ..Mapping::default() };
        let profile = unify(Some(&doppler), Some(&highlevel), &mapping, &[]);
        assert_eq!(profile.birthday, highlevel.birthday);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it_and_none_is_shown_empty(values in prop::collection::vec("\\PC*|[\u{590}-\u{6ff}\u{300}-\u{36f} ]{0,600}", 10)) {
            let mapping = Mapping::default();
            let fields: Vec<_> = mapping.fields.iter().zip(&values).map(|(rule, value)| (rule.doppler.as_deref().unwrap(), value.as_str())).collect();
            let mut highlevel = contact();
            highlevel.name = Some(values[0].clone());
            highlevel.phone = Some(values[1].clone());
            highlevel.tags.clone_from(&values);
            let profile = unify(Some(&subscriber(&fields)), Some(&highlevel), &mapping, &[]);
            let texts = [&profile.name, &profile.phone, &profile.first_name, &profile.country, &profile.address.city];
            prop_assert!(texts.into_iter().flatten().all(|text| !text.trim().is_empty()));
        }
    }
}
