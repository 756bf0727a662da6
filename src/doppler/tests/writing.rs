//! Subscribers, lists, fields and imports written to the fake.

use chrono::{DateTime, Duration, Utc};

use crate::unified::{
    FieldDraft, ImportCounts, ImportState, ImportTask, List, Subscriber, SubscriberEdit,
};
use crate::upstream::{Call, Error, Retry};

use super::*;

fn edit(email: &str, fields: &[(&str, &str)]) -> SubscriberEdit {
    let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    SubscriberEdit { email: email.to_owned(), fields: fields.iter().map(own).collect() }
}

fn rejected(fields: &[&str]) -> Kind {
    Kind::Rejected { fields: fields.iter().map(|&field| field.to_owned()).collect() }
}

async fn read(client: &Client, email: &str) -> Subscriber {
    client.subscriber(&call(), email).await.unwrap().unwrap()
}

/// A fake with its own clock, and a client of it with a list of its own.
struct Lab {
    tasks: Tasks,
    sandbox: Sandbox,
    clock: Clock,
    client: Client,
    list: List,
}

impl Lab {
    async fn start() -> Self {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + Duration::days(20_000));
        let (tasks, sandbox) = sandbox_by(clock.clone()).await;
        let client = client(&sandbox.doppler_url(), |_| {});
        let list = client.create_list(&call(), "Tandem").await.unwrap();
        Self { tasks, sandbox, clock, client, list }
    }

    fn list(&self) -> String {
        self.list.id.to_string()
    }

    async fn put(&self, edit: &SubscriberEdit) -> Result<(), Error> {
        self.client.put_subscriber(&call(), &self.list(), edit).await
    }

    fn fault(&self, fault: Value) {
        self.sandbox.shared().faults.add(serde_json::from_value(fault).unwrap());
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

#[tokio::test]
async fn a_subscriber_is_made_changed_and_cleared_field_by_field() {
    let lab = Lab::start().await;
    lab.put(&edit("ana@new.example.com", &[("FIRSTNAME", "Ana"), ("LASTNAME", "Paz")]))
        .await
        .unwrap();
    let made = read(&lab.client, "ana@new.example.com").await;
    assert_eq!((made.field("FIRSTNAME"), made.field("LASTNAME")), (Some("Ana"), Some("Paz")));
    assert_eq!((made.lists, made.status), (vec![lab.list()], SubscriberStatus::Active));
    lab.put(&edit("ANA@new.example.com", &[("FIRSTNAME", "")])).await.unwrap();
    let changed = read(&lab.client, "ana@new.example.com").await;
    assert_eq!((changed.field("FIRSTNAME"), changed.field("LASTNAME")), (None, Some("Paz")));
    assert_eq!(changed.email, "ana@new.example.com", "the address is as first written");
    let page = lab.client.list_subscribers(&call(), &lab.list(), NonZeroU32::MIN).await.unwrap();
    assert_eq!((page.total, page.items), (1, vec![changed]));
}

#[tokio::test]
async fn each_type_of_field_takes_its_own_form_only() {
    let lab = Lab::start().await;
    let long = "ñ".repeat(401);
    let fits = "ñ".repeat(400);
    for (kind, good, bad) in [
        ("string", fits.as_str(), long.as_str()),
        ("number", "-12.50", "1,5"),
        ("boolean", "true", "True"),
        ("date", "1983-09-28", "28/09/1983"),
        ("gender", "F", "female"),
        ("country", "AR", "ar"),
        ("phone", "+54 9 11 5555-0101", "1155550101"),
        ("permission", "none", "yes"),
        ("consent", "False", "no"),
    ] {
        let name = format!("X{kind}");
        let draft = FieldDraft { name: name.clone(), kind: kind.to_owned(), private: true };
        lab.client.create_field(&call(), &draft).await.unwrap();
        let write =
            |value: &str| edit("ana@new.example.com", &[("FIRSTNAME", "Ana"), (&name, value)]);
        lab.put(&write(good)).await.unwrap();
        assert_eq!(read(&lab.client, "ana@new.example.com").await.field(&name), Some(good));
        let refused = lab.put(&write(bad)).await.unwrap_err();
        assert_eq!((&refused.kind, refused.in_doubt()), (&rejected(&[&name]), false));
        lab.put(&write("")).await.unwrap();
        assert_eq!(read(&lab.client, "ana@new.example.com").await.field(&name), None);
    }
    let fields = lab.client.fields(&call()).await.unwrap();
    let made = fields.iter().find(|field| field.key == "Xdate").unwrap();
    assert!(made.kind == "date" && !made.predefined && !made.read_only);
    for (name, value) in [("NOSUCH", "x"), ("firstname", "x"), ("EMAIL", "b@b.co")] {
        let refused = lab.put(&edit("ana@new.example.com", &[(name, value)])).await.unwrap_err();
        assert_eq!(refused.kind, rejected(&[name]));
    }
    let refused = lab.put(&edit("nobody", &[])).await.unwrap_err();
    assert_eq!(refused.kind, rejected(&["email"]));
    let draft = |name: &str, kind: &str| FieldDraft {
        name: name.to_owned(),
        kind: kind.to_owned(),
        private: false,
    };
    for (draft, field) in [
        (draft("XDATE", "date"), "name"),
        (draft("with space", "date"), "name"),
        (draft("New", "colour"), "type"),
    ] {
        let refused = lab.client.create_field(&call(), &draft).await.unwrap_err();
        assert_eq!(refused.kind, rejected(&[field]), "{draft:?}");
    }
}

#[tokio::test]
async fn who_opted_out_stays_out_and_is_found_by_when() {
    let lab = Lab::start().await;
    let email = "ana@new.example.com";
    lab.put(&edit(email, &[])).await.unwrap();
    let before = lab.clock.now();
    lab.client.unsubscribe(&call(), email).await.unwrap();
    lab.client.unsubscribe(&call(), email).await.unwrap();
    lab.client.unsubscribe(&call(), "stranger@new.example.com").await.unwrap();
    let out = read(&lab.client, email).await;
    assert_eq!((out.status, out.lists), (SubscriberStatus::Unsubscribed, vec![]));
    let refused = lab.put(&edit(email, &[("FIRSTNAME", "Ana")])).await.unwrap_err();
    assert_eq!((&refused.kind, refused.in_doubt()), (&Kind::OptedOut { own_will: true }, false));
    assert_eq!(lab.client.status().last_error, None, "the system is well");

    let page = |from: DateTime<Utc>, to: DateTime<Utc>| {
        let client = &lab.client;
        async move {
            let page = client.unsubscribed(&call(), from, to, NonZeroU32::MIN).await.unwrap();
            page.items.into_iter().map(|item| item.email).collect::<Vec<_>>()
        }
    };
    let later = before + Duration::seconds(1);
    assert_eq!(page(before, later).await, [email, "stranger@new.example.com"]);
    assert!(page(later, later + Duration::days(1)).await.is_empty());
    assert!(page(before - Duration::seconds(1), before).await.is_empty(), "the end is excluded");
    for (.., status) in journal(&lab.sandbox) {
        assert!(matches!(status, Some(200 | 201 | 400)), "{status:?}");
    }
}

#[tokio::test]
async fn who_bounced_is_told_apart_from_who_left() {
    let lab = Lab::start().await;
    let bounced =
        |subscriber: &Subscriber| subscriber.unsubscription_type.as_deref() == Some("hardBounce");
    let mut number = NonZeroU32::MIN;
    let email = loop {
        let page = lab.client.subscribers(&call(), number, None).await.unwrap();
        if let Some(found) = page.items.iter().find(|subscriber| bounced(subscriber)) {
            break found.email.clone();
        }
        assert!(number.get() < page.pages, "nobody bounced");
        number = number.checked_add(1).unwrap();
    };
    let refused = lab.put(&edit(&email, &[])).await.unwrap_err();
    assert_eq!(refused.kind, Kind::OptedOut { own_will: false });
}

#[tokio::test]
async fn lists_are_made_left_and_missed() {
    let lab = Lab::start().await;
    let (client, email) = (&lab.client, "ana@new.example.com");
    assert!(client.lists(&call()).await.unwrap().contains(&lab.list));
    let twice = client.create_list(&call(), "TANDEM").await.unwrap_err();
    assert_eq!(twice.kind, Kind::Duplicate { id: None, field: Some("name".to_owned()) });
    let nameless = client.create_list(&call(), " ").await.unwrap_err();
    assert_eq!(nameless.kind, rejected(&["name"]));
    let full = serde_json::from_value(json!({"maxLists": 1})).unwrap();
    lab.sandbox.shared().switches.change(full);
    assert_eq!(client.create_list(&call(), "One more").await.unwrap_err().kind, Kind::Full);

    lab.put(&edit(email, &[])).await.unwrap();
    client.remove_from_list(&call(), &lab.list(), email).await.unwrap();
    assert_eq!(read(client, email).await.lists, Vec::<String>::new());
    client.remove_from_list(&call(), &lab.list(), email).await.unwrap();
    client.remove_from_list(&call(), &lab.list(), "stranger@example.com").await.unwrap();

    journal(&lab.sandbox);
    for gone in ["77", "../fields", ""] {
        let person = edit(email, &[]);
        let outcomes = [
            client.put_subscriber(&call(), gone, &person).await,
            client.remove_from_list(&call(), gone, email).await,
            client.list_subscribers(&call(), gone, NonZeroU32::MIN).await.map(drop),
            client.import(&call(), Some(gone), &[person], None).await.map(drop),
        ];
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!((&error.kind, error.in_doubt()), (&Kind::ListGone, false), "{gone}");
        }
    }
    let called = journal(&lab.sandbox);
    assert_eq!(called.len(), 4, "what is no id is not asked for: {called:?}");
}

#[tokio::test]
async fn an_import_reaches_who_is_in_no_list() {
    let lab = Lab::start().await;
    let (client, email) = (&lab.client, "ana@new.example.com");
    lab.put(&edit(email, &[("FIRSTNAME", "Ana"), ("LASTNAME", "Paz")])).await.unwrap();
    client.remove_from_list(&call(), &lab.list(), email).await.unwrap();
    let edits = [
        edit(email, &[("FIRSTNAME", "Anna"), ("COUNTRY", "")]),
        edit("no address", &[("FIRSTNAME", "x"), ("COUNTRY", "AR")]),
    ];
    let callback = Some("http://127.0.0.1:1/hint");
    let task = client.import(&call(), None, &edits, callback).await.unwrap();
    assert_eq!(task.state, ImportState::Running);
    let look = |task: &ImportTask| {
        let id = task.id.clone();
        async move { client.import_task(&call(), &id).await.unwrap().state }
    };
    assert_eq!(look(&task).await, ImportState::Running);
    assert_eq!(read(client, email).await.field("FIRSTNAME"), Some("Ana"));
    lab.clock.advance(std::time::Duration::from_secs(5));
    let counts = ImportCounts { processed: 2, updated: 1, invalid_emails: 1, ..Default::default() };
    assert_eq!(look(&task).await, ImportState::Completed(counts));
    let after = read(client, email).await;
    assert_eq!((after.field("FIRSTNAME"), after.field("LASTNAME")), (Some("Anna"), Some("Paz")));
    assert!(after.lists.is_empty());
    let unknown = client.import_task(&call(), "import-1").await.unwrap_err();
    assert_eq!(unknown.kind, Kind::NotFound);
}

#[tokio::test]
async fn one_import_into_a_list_at_a_time() {
    let lab = Lab::start().await;
    let (client, list) = (&lab.client, lab.list());
    let person = [edit("ana@new.example.com", &[("FIRSTNAME", "Ana")])];
    client.import(&call(), Some(&list), &person, None).await.unwrap();
    let busy = client.import(&call(), Some(&list), &person, None).await.unwrap_err();
    assert_eq!((&busy.kind, busy.in_doubt()), (&Kind::Busy, false));
    assert!(matches!(busy.retry(), Retry::After(_)));
    lab.clock.advance(std::time::Duration::from_secs(5));
    client.import(&call(), Some(&list), &person, None).await.unwrap();
    assert_eq!(read(client, "ana@new.example.com").await.lists, [list.as_str()]);
    journal(&lab.sandbox);
    let uneven = [edit("a@b.co", &[("FIRSTNAME", "")]), edit("c@b.co", &[("LASTNAME", "")])];
    let refused = client.import(&call(), Some(&list), &uneven, None).await.unwrap_err();
    assert_eq!(refused.kind, rejected(&["FIRSTNAME", "LASTNAME"]));
    assert!(journal(&lab.sandbox).is_empty());
    let unknown = [edit("a@b.co", &[("FIRSTNAME", ""), ("NOSUCH", "")])];
    let refused = client.import(&call(), None, &unknown, None).await.unwrap_err();
    assert_eq!(refused.kind, rejected(&["NOSUCH"]));
}

#[tokio::test]
async fn what_may_be_repeated_is_and_the_rest_says_that_it_is_in_doubt() {
    let lab = Lab::start().await;
    let (client, call) = (&lab.client, &call() as &Call);
    let person = edit("ana@new.example.com", &[("FIRSTNAME", "Ana")]);
    lab.put(&person).await.unwrap();
    journal(&lab.sandbox);
    let cut = || lab.fault(json!({"system": "DOPPLER", "kind": "drop", "times": 1}));
    cut();
    lab.put(&person).await.unwrap();
    cut();
    client.remove_from_list(call, &lab.list(), &person.email).await.unwrap();
    cut();
    client.unsubscribe(call, &person.email).await.unwrap();
    assert_eq!(journal(&lab.sandbox).len(), 6, "each once more");
    cut();
    let error = client.create_list(call, "Lost").await.unwrap_err();
    assert_eq!((&error.kind, error.in_doubt()), (&Kind::Unavailable, true));
    cut();
    let error = client.import(call, None, &[person], None).await.unwrap_err();
    assert_eq!((&error.kind, error.in_doubt()), (&Kind::Unavailable, true));
    assert_eq!(journal(&lab.sandbox).len(), 2, "neither again");
    assert!(client.lists(call).await.unwrap().iter().any(|list| list.name == "Lost"));
}

#[tokio::test]
async fn only_what_is_given_is_sent() {
    let message = || Line::json(200, json!({"message": "ok", "_links": []}).to_string());
    let made = |id: Value| Line::json(201, json!({"createdResourceId": id}).to_string());
    let script = Script::start([
        message(),
        message(),
        message(),
        made(json!("import-7")),
        made(json!(1_462_409)),
        made(json!("PLAN")),
        made(json!("no number")),
    ])
    .await;
    let client = client(script.url.as_str(), |_| {});
    let person = edit("ana+1@b.co", &[("FIRSTNAME", "Ana"), ("COUNTRY", "")]);
    client.put_subscriber(&call(), "7", &person).await.unwrap();
    client.remove_from_list(&call(), "7", "ana+1@b.co").await.unwrap();
    client.unsubscribe(&call(), "ana+1@b.co").await.unwrap();
    let task = client.import(&call(), None, &[person], Some("https://x.co/t")).await.unwrap();
    assert_eq!(task, ImportTask { id: "import-7".to_owned(), state: ImportState::Running });
    let list = client.create_list(&call(), "News").await.unwrap();
    assert_eq!((list.id, list.name.as_str()), (1_462_409, "News"));
    let plan = FieldDraft { name: "PLAN".to_owned(), kind: "string".to_owned(), private: true };
    client.create_field(&call(), &plan).await.unwrap();
    let seen: Vec<_> = script
        .seen()
        .into_iter()
        .map(|seen| {
            let target = seen.target.trim_start_matches("/base/accounts/sandbox%40tandem.test");
            format!("{} {target} {}", seen.method, String::from_utf8(seen.body.to_vec()).unwrap())
        })
        .collect();
    insta::assert_snapshot!(seen.join("\n"), @r#"
    POST /lists/7/subscribers {"email":"ana+1@b.co","fields":[{"name":"FIRSTNAME","value":"Ana"},{"name":"COUNTRY","value":""}]}
    DELETE /lists/7/subscribers/ana%2B1%40b.co 
    POST /unsubscribed {"email":"ana+1@b.co"}
    POST /subscribers/import {"items":[{"email":"ana+1@b.co","fields":[{"name":"FIRSTNAME","value":"Ana"},{"name":"COUNTRY","value":""}]}],"fields":["FIRSTNAME","COUNTRY"],"callback":"https://x.co/t"}
    POST /lists {"name":"News"}
    POST /fields {"name":"PLAN","type":"string","private":true}
    "#);
    let error = client.create_list(&call(), "Odd").await.unwrap_err();
    assert_eq!((&error.kind, error.in_doubt()), (&Kind::Malformed, true));
}
