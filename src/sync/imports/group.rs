//! Which writes go into one import. Pure.
//!
//! A column that takes part is cleared where a row has no value, so all rows of an import have the same
//! columns; and it goes to one list, or to the account. Sets of columns that a large part of those in a
//! list share are an import of their own. All others are one together: what a row was not to write is filled
//! with what the subscriber was just seen to hold, which is no change. More would take turns, because a list
//! takes one import at a time.

use std::collections::{BTreeMap, BTreeSet};

use crate::unified::{Subscriber, SubscriberEdit, subscriber_key};

use super::pace::MOST_ROWS;
use super::rows::Row;
use crate::sync::poll::version;

/// The largest body of one import, in bytes as the values are counted here. Doppler states no limit; this
/// is sent within seconds.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A set of columns is an import of its own if one in so many of the list shares it.
const PARTS: u64 = 4;
/// What a value costs beside its name and itself.
const AROUND_VALUE: usize = 24;
/// What a row costs beside its values.
const AROUND_ROW: usize = 32;

/// What subscribers were just seen to hold, by their key; who is not among them is not there.
pub(super) type Held = BTreeMap<String, Kept>;

/// What is kept of a subscriber who was seen, in a third of the memory: there are thousands at a time.
#[derive(Debug)]
pub(super) struct Kept {
    /// The subscriber's [`version`].
    pub version: String,
    /// The values that are not empty by the fields' names in lower case, as JSON.
    values: Box<str>,
}

impl From<&Subscriber> for Kept {
    fn from(seen: &Subscriber) -> Self {
        let named = seen.fields.iter().map(|field| field.name.as_str());
        let values: BTreeMap<String, &str> =
            named.filter_map(|name| Some((name.to_lowercase(), seen.field(name)?))).collect();
        let values = serde_json::to_string(&values).unwrap_or_default().into_boxed_str();
        Self { version: version(seen), values }
    }
}

impl Kept {
    fn values(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.values).unwrap_or_default()
    }
}

/// What becomes of writes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sorted {
    /// One import each.
    pub imports: Vec<Vec<Row>>,
    /// Better written alone.
    pub singly: Vec<Row>,
}

/// Parts writes that may be worth an import from those that are not, before anybody is looked at: fewer
/// than `least` into a list are written alone; into the account there is no other way.
pub(super) fn worth(rows: Vec<Row>, least: usize) -> (Vec<Row>, Vec<Row>) {
    let mut counts: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for row in &rows {
        *counts.entry(row.list.clone()).or_default() += 1;
    }
    rows.into_iter().partition(|row| row.list.is_none() || counts[&row.list] >= least)
}

/// How many of so many in a list must share a set of columns for an import of their own.
pub(in crate::sync) fn of_their_own(in_list: u64, least: u64) -> u64 {
    least.max(in_list.div_ceil(PARTS))
}

/// Sorts writes into imports, in an order in which those of one list are far from each other. Fewer than
/// `least` in a list that share no import are written alone.
pub(super) fn sort(rows: Vec<Row>, least: usize, held: &Held) -> Sorted {
    let mut groups: BTreeMap<(Option<String>, Vec<String>), Vec<Row>> = BTreeMap::new();
    let mut sorted = Sorted::default();
    let mut seen = BTreeSet::new();
    for row in rows {
        let columns = columns(&row.edit);
        // Of two with one address nobody knows which would count.
        if seen.insert(subscriber_key(&row.edit.email)) {
            groups.entry((row.list.clone(), columns)).or_default().push(row);
        } else {
            sorted.singly.push(row);
        }
    }
    let mut in_list: BTreeMap<Option<String>, u64> = BTreeMap::new();
    for ((list, _), group) in &groups {
        *in_list.entry(list.clone()).or_default() += group.len() as u64;
    }
    let mut few: BTreeMap<Option<String>, Vec<Row>> = BTreeMap::new();
    let mut imports: BTreeMap<Option<String>, Vec<Vec<Row>>> = BTreeMap::new();
    for ((list, _), group) in groups {
        if (group.len() as u64) < of_their_own(in_list[&list], least as u64) {
            few.entry(list).or_default().extend(group);
        } else {
            imports.entry(list).or_default().extend(cut(alike(group, held)));
        }
    }
    for (list, group) in few {
        if list.is_some() && group.len() < least {
            sorted.singly.extend(group);
        } else {
            imports.entry(list).or_default().extend(cut(alike(group, held)));
        }
    }
    let turns = imports.into_values().flat_map(|of_a_list| (0_usize..).zip(of_a_list));
    let mut turns: Vec<(usize, Vec<Row>)> = turns.collect();
    turns.sort_by_key(|(turn, _)| *turn);
    sorted.imports.extend(turns.into_iter().map(|(_, import)| import));
    sorted
}

/// Gives all rows the columns of all: what a row was not to write stays as it is held.
pub(super) fn alike(mut rows: Vec<Row>, held: &Held) -> Vec<Row> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (name, _) in rows.iter().flat_map(|row| &row.edit.fields) {
        names.entry(name.to_lowercase()).or_insert_with(|| name.clone());
    }
    for row in &mut rows {
        let mut own: BTreeMap<String, String> = std::mem::take(&mut row.edit.fields)
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        let mut before =
            held.get(&subscriber_key(&row.edit.email)).map(Kept::values).unwrap_or_default();
        let value = |(column, name): (&String, &String)| {
            let value = own.remove(column).or_else(|| before.remove(column)).unwrap_or_default();
            (name.clone(), value)
        };
        row.edit.fields = names.iter().map(value).collect();
    }
    rows
}

/// The columns in which a write takes part, by which it belongs to others.
pub(in crate::sync) fn columns(edit: &SubscriberEdit) -> Vec<String> {
    let mut columns: Vec<String> =
        edit.fields.iter().map(|(name, _)| name.to_lowercase()).collect();
    columns.sort_unstable();
    columns
}

/// Cuts a group so that each part is within what one import may hold.
fn cut(group: Vec<Row>) -> Vec<Vec<Row>> {
    let mut parts: Vec<Vec<Row>> = Vec::new();
    let mut bytes = 0;
    for row in group {
        let size = size(&row);
        match parts.last_mut() {
            Some(part) if part.len() < MOST_ROWS as usize && bytes + size <= MOST_BYTES => {
                part.push(row);
                bytes += size;
            }
            Some(_) | None => {
                parts.push(vec![row]);
                bytes = size;
            }
        }
    }
    parts
}

fn size(row: &Row) -> usize {
    let values = row.edit.fields.iter();
    let values = values.map(|(name, value)| name.len() + value.len() + AROUND_VALUE);
    row.edit.email.len() + AROUND_ROW + values.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::unified::{SubscriberEdit, fixture};

    fn row(number: u128, list: Option<&str>, fields: &[(&str, &str)]) -> Row {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Row {
            id: Uuid::from_u128(number),
            list: list.map(str::to_owned),
            edit: SubscriberEdit { email: format!("{number}@b.co"), fields: fields.collect() },
            planned: None,
        }
    }

    fn numbers(rows: &[Row]) -> Vec<u128> {
        rows.iter().map(|row| row.id.as_u128()).collect()
    }

    #[test]
    fn rows_of_an_import_share_list_and_fields_and_few_go_alone() {
        let rows = vec![
            row(1, Some("7"), &[("CITY", "Salta"), ("ZIP", "1")]),
            row(2, Some("7"), &[("ZIP", "2"), ("city", "Jujuy")]),
            row(3, Some("7"), &[("CITY", "Salta")]),
            row(4, Some("8"), &[("CITY", "Salta"), ("ZIP", "1")]),
            row(5, None, &[("CITY", "Salta")]),
        ];
        let sorted = sort(rows, 2, &Held::new());
        let imports: Vec<_> = sorted.imports.iter().map(|rows| numbers(rows)).collect();
        assert_eq!(imports, [vec![5], vec![1, 2]]);
        assert_eq!(numbers(&sorted.singly), [3, 4]);
    }

    #[test]
    fn the_few_of_a_list_are_one_import_that_changes_nothing_else() {
        let rows = vec![
            row(1, Some("7"), &[("CITY", "Salta")]),
            row(2, Some("7"), &[("ZIP", "2")]),
            row(3, Some("7"), &[("city", "Jujuy"), ("ZIP", "")]),
        ];
        let held =
            |fields| Subscriber { email: "1@b.co".to_owned(), ..fixture::subscriber(fields) };
        let held = Held::from([(
            "1@b.co".to_owned(),
            Kept::from(&held(&[("zip", "A4400"), ("CITY", "x")])),
        )]);
        let (worth, not) = worth(rows, 3);
        assert_eq!((worth.len(), not.len()), (3, 0));
        let sorted = sort(worth, 3, &held);
        assert_eq!((sorted.imports.len(), sorted.singly.len()), (1, 0));
        let values: Vec<Vec<(&str, &str)>> = sorted.imports[0]
            .iter()
            .map(|row| row.edit.fields.iter().map(|(name, value)| (&**name, &**value)).collect())
            .collect();
        let wanted = [
            [("CITY", "Salta"), ("ZIP", "A4400")],
            [("CITY", ""), ("ZIP", "2")],
            [("CITY", "Jujuy"), ("ZIP", "")],
        ];
        let mut values = values;
        values.sort();
        let mut wanted = wanted.map(Vec::from);
        wanted.sort();
        assert_eq!(values, wanted, "who is not there yet has nothing to lose");
    }

    #[test]
    fn a_list_has_few_imports_that_are_far_from_each_other() {
        let fields = ["A", "A", "A", "A", "A", "B", "B", "C", "C"];
        let of = |list: &'static str, first: u128| {
            (first..)
                .zip(fields)
                .map(move |(number, field)| row(number, Some(list), &[(field, "x")]))
        };
        let rows: Vec<Row> = of("7", 0).chain(of("8", 10)).collect();
        let sorted = sort(rows, 2, &Held::new());
        let imports: Vec<_> = sorted.imports.iter().map(|rows| numbers(rows)).collect();
        let [own, others] = [vec![0, 1, 2, 3, 4], vec![5, 6, 7, 8]];
        let after = |numbers: &[u128]| numbers.iter().map(|number| number + 10).collect::<Vec<_>>();
        assert_eq!(imports, [own.clone(), after(&own), others.clone(), after(&others)]);
    }

    #[test]
    fn few_of_a_list_are_not_looked_at() {
        let rows = vec![
            row(1, Some("7"), &[]),
            row(2, None, &[]),
            row(3, Some("8"), &[]),
            row(4, Some("8"), &[]),
        ];
        let (worth, not) = worth(rows, 2);
        assert_eq!((numbers(&worth), numbers(&not)), (vec![2, 3, 4], vec![1]));
    }

    #[test]
    fn one_address_is_once_in_an_import() {
        let twin = Row { id: Uuid::from_u128(2), ..row(1, None, &[]) };
        let sorted = sort(vec![row(1, None, &[]), twin], 1, &Held::new());
        assert_eq!((sorted.imports.len(), numbers(&sorted.singly)), (1, vec![2]));
    }

    #[test]
    fn what_is_too_large_is_cut() {
        let long = "x".repeat(400);
        let wide: Vec<(&str, &str)> = vec![("A", &long); 20];
        let wide: Vec<Row> = (0..1000).map(|number| row(number, None, &wide)).collect();
        let parts = cut(wide);
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 1000);
        let bytes = |part: &Vec<Row>| part.iter().map(size).sum::<usize>();
        assert!(parts.len() > 1 && parts.iter().all(|part| bytes(part) <= MOST_BYTES));
        let many: Vec<Row> = (0..10_001).map(|number| row(number, None, &[])).collect();
        assert_eq!(cut(many).iter().map(Vec::len).collect::<Vec<_>>(), [10_000, 1]);
    }

    proptest! {
        #[test]
        fn everybody_is_somewhere_once_and_nothing_is_cleared(
            people in prop::collection::vec((0u8..3, 0u8..8), 0..80), least in 0usize..12
        ) {
            let names = [("A", "1"), ("B", "2"), ("C", "3")];
            let rows: Vec<Row> = (0u128..).zip(&people).map(|(number, (list, fields))| {
                let fields: Vec<_> = (0..3).filter(|bit| fields & (1 << bit) != 0)
                    .map(|bit| names[bit]).collect();
                row(number, [None, Some("7"), Some("8")][usize::from(*list)], &fields)
            }).collect();
            // Everybody even is there already.
            let before = |name: &&str| fixture::subscriber(&[(*name, "held")]);
            let held: Held = rows.iter().filter(|row| row.id.as_u128() % 2 == 0)
                .map(|row| (row.edit.email.clone(), Kept::from(&before(&"B")))).collect();
            let sorted = sort(rows.clone(), least, &held);
            let mut seen: Vec<u128> = sorted.imports.iter().flat_map(|rows| numbers(rows)).collect();
            seen.extend(numbers(&sorted.singly));
            seen.sort_unstable();
            prop_assert_eq!(seen, numbers(&rows));
            for import in &sorted.imports {
                let columns = |row: &Row| {
                    row.edit.fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
                };
                prop_assert!(import.iter().all(|row| columns(row) == columns(&import[0])));
                prop_assert!(import.iter().all(|row| row.list == import[0].list));
                prop_assert!(import[0].list.is_none() || import.len() >= least);
                for row in import {
                    let planned = &rows[usize::try_from(row.id.as_u128()).unwrap()].edit.fields;
                    for (name, value) in &row.edit.fields {
                        let planned = planned.iter().find(|(one, _)| one == name);
                        let before = held.get(&row.edit.email)
                            .map(Kept::values).and_then(|mut held| held.remove(&name.to_lowercase()));
                        let wanted = planned.map_or(before.unwrap_or_default(), |(_, value)| value.clone());
                        prop_assert_eq!(value, &wanted);
                    }
                }
            }
        }
    }
}
