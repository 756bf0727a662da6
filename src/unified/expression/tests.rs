//! What expressions work out, and that hostile ones only fail.

use std::collections::BTreeSet;

use super::*;
use crate::unified::{ContactStatus, Kind};

fn facts() -> Facts {
    let mut facts = Facts::default();
    let text = |text: &str| Canonical::Text(text.to_owned());
    facts.set("firstName", Kind::Text, text("Ana"));
    facts.set("lastName", Kind::Text, Canonical::Null);
    facts.set("address.city", Kind::Text, text("Córdoba"));
    facts.set("country", Kind::Country, text("AR"));
    facts.set("seats", Kind::Number, text("41"));
    facts.set("active", Kind::Boolean, text("true"));
    facts.tags = vec!["vip".to_owned(), "expo".to_owned()];
    facts.status = Some(ContactStatus::Active);
    facts
}

fn names() -> BTreeSet<String> {
    ["firstName", "lastName", "address.city", "country", "seats", "active"]
        .map(str::to_owned)
        .into()
}

#[test]
fn it_works_values_out() {
    let text = |text: &str| Canonical::Text(text.to_owned());
    for (source, expected) in [
        ("firstName + ' from ' + address.city", text("Ana from Córdoba")),
        ("seats + 1", text("42")),
        ("seats / 2", text("20")),
        ("1.5 * 2.0", text("3")),
        ("active", text("true")),
        ("lastName == null ? 'unknown' : lastName", text("unknown")),
        ("lastName", Canonical::Null),
        ("tags.map(t, t.upperAscii()).join('|')", text("VIP|EXPO")),
        ("tags.filter(t, t != 'vip')", Canonical::Set(vec!["expo".to_owned()])),
        ("' a b '.trim().split(' ')", Canonical::Set(vec!["a".to_owned(), "b".to_owned()])),
        ("fields['country'].lowerAscii()", text("ar")),
        ("string(size(tags)) + status", text("2ACTIVE")),
        ("'a/b'.contains('/') ? firstName : 'x'", text("Ana")),
    ] {
        assert_eq!(value(source, &facts()), Ok(expected), "{source}");
        assert_eq!(check(source, &names()), [], "{source}");
    }
}

#[test]
fn conditions_are_true_or_false() {
    for (source, expected) in [
        ("'vip' in tags && country == 'AR'", true),
        ("tags.exists(t, t.startsWith('x'))", false),
        ("tags.all(t, size(t) > 2)", true),
        ("tags.exists_one(t, t == 'vip')", true),
        ("lastName", false),
    ] {
        assert_eq!(holds(source, &facts()), Ok(expected), "{source}");
    }
    assert!(holds("firstName", &facts()).is_err());
}

#[test]
fn what_fails_fails_without_a_persons_values() {
    for source in
        ["firstName + 1", "nobody", "fields['nothing']", "1 / 0", "tags[7]", "{}", "int('x')"]
    {
        let error = value(source, &facts()).unwrap_err().to_string();
        assert!(!error.contains("Ana") && !error.is_empty(), "{source}: {error}");
    }
}

#[test]
fn a_fault_says_where() {
    let positions = |source: &str| -> Vec<Option<(usize, usize)>> {
        check(source, &names()).into_iter().map(|fault| fault.position).collect()
    };
    assert_eq!(positions("firstName + surname"), [Some((1, 13))]);
    assert_eq!(positions("firstName +\n  nickname"), [Some((2, 3))]);
    assert_eq!(positions("lists.range(9)"), [Some((1, 7)), Some((1, 1))]);
    assert!(matches!(positions("firstName + ").as_slice(), [Some((1, _))]));
    let faults = check("address.town == 'x'", &names());
    assert!(faults[0].message.contains("address.town"), "{faults:?}");
    assert_eq!(check("tags.map(t, t)", &names()), []);
    assert_eq!(check("t", &names()).len(), 1, "a loop's name ends with the loop");
}

/// Each of these would hang, abort or fill the memory if nothing held it back.
#[test]
fn hostile_expressions_only_fail() {
    let nested = |depth: usize| {
        let range = "[0,1,2,3,4,5,6,7,8,9]";
        (0..depth).fold("true".to_owned(), |inner, n| format!("{range}.all(x{n}, {inner})"))
    };
    let many = format!("[{}]", ["0"; 400].join(","));
    let hostile = [
        format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000)),
        format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000)),
        "(".repeat(2_000),
        format!("{}1", "1+".repeat(10_000)),
        format!("{}1", "1+".repeat(1_000)),
        format!("{}true", "!".repeat(2_000)),
        format!("{}1", "-".repeat(2_000)),
        format!("{}1", "true?1:".repeat(280)),
        format!("firstName{}", ".a".repeat(1_000)),
        format!("tags{}", "[0]".repeat(600)),
        format!("['aaaaaaaaaa']{}", ".map(a,a+a)".repeat(150)),
        format!("['aaaaaaaaaa']{}", ".map(a,a+a)".repeat(20)),
        format!("[[0]]{}", ".map(a,a+a)".repeat(20)),
        format!("{many}.all(a,{many}.all(b,true))"),
        format!("{many}.map(a,{many})"),
        format!("{many}.map(a,{many}.map(b,'aaaaaaaaaa'))"),
        format!("{many}.exists(a,{many}.exists(b,1/0==1))"),
        nested(4),
        "lists.range(1000000000)".to_owned(),
        "'a'.replace('a', 'b')".to_owned(),
        "'%s'.format(['a'])".to_owned(),
        "b'a' + b'b'".to_owned(),
        "\"".to_owned(),
        "\0\u{202e}".to_owned(),
        String::new(),
    ];
    for source in hostile {
        let shown: String = source.chars().take(40).collect();
        assert!(value(&source, &facts()).is_err(), "{shown}");
    }
}

#[test]
fn what_is_large_and_not_hostile_passes() {
    let mut large = facts();
    large.tags = (0..200).map(|n| format!("tag {n}")).collect();
    assert_eq!(holds("tags.all(a, tags.exists(b, a == b))", &large), Err(Error::Exhausted));
    assert_eq!(holds("tags.all(t, t.startsWith('tag'))", &large), Ok(true));
    assert!(value("tags.map(t, t + '!').join(', ')", &large).is_ok());
    assert_eq!(holds(&format!("{}true", "true&&".repeat(330)), &large), Ok(true));
}
