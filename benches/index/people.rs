//! A store full of people: links and last known copies, as reads of both systems leave them.
//!
//! Statements of the program's own tables: what they are called is in its migrations.

use anyhow::Context;
use serde_json::{Value, json};
use sqlx::sqlite::SqlitePool;
use tandem::sandbox::credentials::{DOPPLER_ACCOUNT, HIGHLEVEL_LOCATION};

/// How many people one statement takes.
const AT_ONCE: usize = 5_000;
const FIRST: [&str; 10] =
    ["Ana", "Bruno", "Carla", "Diego", "Elena", "Félix", "Gina", "Hugo", "Inés", "Zoe"];
const ENDS: [&str; 12] =
    ["az", "el", "ini", "oso", "uñez", "era", "ado", "illa", "ero", "ante", "ique", "ova"];
const STARTS: [&str; 20] = [
    "Al", "Bar", "Cam", "Dom", "Esp", "Fer", "Gal", "Her", "Ib", "Jim", "Lag", "Mar", "Nav", "Ort",
    "Par", "Quin", "Riv", "Sal", "Tor", "Vel",
];

const CONTACTS: &str = "INSERT INTO contact (workspace, id) SELECT (SELECT min(id) FROM workspace), \
    value ->> 0 FROM json_each($1)";
const LINKS: &str = "INSERT INTO link (workspace, system, key, contact, email, seen_at) SELECT \
    (SELECT min(id) FROM workspace), value ->> 0, value ->> 1, value ->> 2, value ->> 3, 0 \
    FROM json_each($1)";
const COPIES: &str = "INSERT INTO copy (workspace, system, kind, key, body, fetched_at) SELECT \
    (SELECT min(id) FROM workspace), value ->> 0, value ->> 1, value ->> 2, value ->> 3, 0 \
    FROM json_each($1)";
/// The gateway makes the index when it starts.
const EMPTY: &str = "UPDATE index_basis SET reached = '', filled = 0";

/// A store that a gateway has made and is not at.
pub enum Store {
    Sqlite(SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
}

impl Store {
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        #[cfg(feature = "postgres")]
        if url.starts_with("postgres") {
            return Ok(Self::Postgres(sqlx::PgPool::connect(url).await?));
        }
        Ok(Self::Sqlite(SqlitePool::connect(url).await.context("no such store")?))
    }

    /// Puts so many people in.
    pub async fn fill(&self, people: usize) -> anyhow::Result<()> {
        let mut number = 0;
        while number < people {
            let (mut contacts, mut links, mut copies) = (Vec::new(), Vec::new(), Vec::new());
            for number in number..people.min(number + AT_ONCE) {
                let person = Person::numbered(number);
                contacts.push(json!([person.id]));
                person.leave(&mut links, &mut copies);
            }
            for (sql, rows) in [(CONTACTS, contacts), (LINKS, links), (COPIES, copies)] {
                self.run(sql, Some(Value::Array(rows).to_string())).await?;
            }
            number += AT_ONCE;
        }
        self.run(EMPTY, None).await
    }

    /// PostgreSQL looks at its tables, as it does by itself after a while.
    pub async fn settle(&self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => self.run("VACUUM ANALYZE", None).await,
        }
    }

    async fn run(&self, sql: &'static str, rows: Option<String>) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(pool) => {
                rows.iter().fold(sqlx::query(sql), sqlx::query::Query::bind).execute(pool).await?;
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => {
                rows.iter().fold(sqlx::query(sql), sqlx::query::Query::bind).execute(pool).await?;
            }
        }
        Ok(())
    }

    pub async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Seven in ten are in both systems, two in HighLevel only, one in Doppler only, half of whom have no name. One in fifty
/// has an address that says nothing of the name.
struct Person {
    number: usize,
    id: String,
    email: String,
    first: &'static str,
    last: String,
    tags: Vec<String>,
}

impl Person {
    fn numbered(number: usize) -> Self {
        // Neighbours are nowhere near each other in any order.
        let mixed = number.wrapping_mul(0x9E37_79B9) ^ (number >> 7);
        let first = FIRST[mixed % FIRST.len()];
        let last = format!("{}{}", STARTS[mixed / 16 % 20], ENDS[mixed / 512 % 12]);
        let email = match number % 50 {
            7 => format!("contact.{number}@example.com"),
            _ => format!("{first}.{last}.{number}@example.com").to_lowercase(),
        };
        let mut tags = vec![format!("tag {}", mixed % 40)];
        if mixed.is_multiple_of(3) {
            tags.push("customer".to_owned());
        }
        if mixed.is_multiple_of(1_000) {
            tags.push("rare".to_owned());
        }
        Self { number, id: format!("01{number:030x}"), email, first, last, tags }
    }

    fn leave(&self, links: &mut Vec<Value>, copies: &mut Vec<Value>) {
        let Self { number, id, email, first, last, tags } = self;
        if number % 10 < 9 {
            let key = format!("h{number}");
            let at = |shift: usize| {
                let minute = number.wrapping_mul(shift) % 500_000;
                let at = chrono::DateTime::from_timestamp(1_750_000_000 + minute as i64 * 60, 0);
                at.unwrap_or_default().to_rfc3339()
            };
            let body = json!({"id": key, "location_id": HIGHLEVEL_LOCATION, "email": email,
                "name": format!("{first} {last}"), "first_name": first, "last_name": last,
                "address": {}, "dnd": number % 25 == 0, "bounced": number % 100 == 1,
                "unsubscribed": false, "tags": tags, "custom_fields": [], "complete": true,
                "date_added": at(7), "date_updated": at(7_919)});
            let at = format!("{HIGHLEVEL_LOCATION}/{key}");
            copies.push(json!(["HIGHLEVEL", "contact", at, body.to_string()]));
            links.push(json!(["HIGHLEVEL", key, id, email]));
        }
        if number % 10 < 7 || number % 10 == 9 {
            let status = if number % 50 == 3 { "Pending" } else { "Active" };
            let field = |name: &str, value: &str| {
                json!({"name": name, "value": value, "kind": "string", "predefined": true,
                    "read_only": false})
            };
            let fields = match number % 20 {
                19 => Vec::new(),
                _ => vec![field("FIRSTNAME", first), field("LASTNAME", last)],
            };
            let body = json!({"email": email, "status": status, "lists": ["1"], "fields": fields});
            let at = format!("{DOPPLER_ACCOUNT}/{email}");
            copies.push(json!(["DOPPLER", "subscriber", at, body.to_string()]));
            links.push(json!(["DOPPLER", email, id, email]));
        }
    }
}
