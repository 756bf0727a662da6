//! Which fields lead where, and which upstream calls they stand for: the one table to keep in step
//! with the schema.
//!
//! **To add a field** that leads to an object, or that needs calls of its own, add a line to the
//! function of its parent. A scalar of a contact that is not named needs both of the contact's
//! sides, which is the careful reading; a field of any other type that is not named costs nothing.
//! A test walks the schema and fails for a field that returns an object and is not here.

/// What a selection set selects from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Query,
    Mutation,
    Subscription,
    /// What a mutation answers.
    Payload,
    /// The interface: any of the things with an id.
    Node,
    Contact,
    Doppler,
    HighLevel,
    CustomField,
    Note,
    Task,
    Appointment,
    Delivery,
    Tag,
    /// A person as they were last known: whatever is selected costs no call.
    Remembered,
    /// What leads to people as they were last known.
    Event,
    Hold,
    Failure,
    /// How sync stands, with the run that goes on.
    Status,
    Run,
    /// What a run would do.
    Preview,
    /// What a run would do about one person, who is shown as they were last known.
    Sample,
    /// How one person stands in sync.
    Standing,
    /// What a reconcile of one person, or another mapping, would do.
    Plan,
    /// A connection and its edges.
    Page(Item),
    Edge(Item),
    Introspection,
    /// Anything that leads nowhere.
    Leaf,
}

/// What a connection holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Item {
    Contact,
    Note,
    Task,
    Appointment,
    Delivery,
    Event,
    Hold,
    Failure,
    Run,
    Leaf,
}

/// What is read for a person, or once for the whole operation; a set of the constants below.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Needs(u16);

impl Needs {
    pub const NONE: Self = Self(0);
    /// The person's HighLevel contact.
    pub const HIGHLEVEL: Self = Self(1);
    /// The person's Doppler subscriber.
    pub const DOPPLER: Self = Self(1 << 1);
    pub const BOTH: Self = Self(Self::HIGHLEVEL.0 | Self::DOPPLER.0);
    /// HighLevel has no way to ask for these of several people at once, but for tasks. A person who
    /// is known from Doppler only has to be found in HighLevel first.
    pub const NOTES: Self = Self(1 << 2 | Self::HIGHLEVEL.0);
    pub const TASKS: Self = Self(1 << 3 | Self::HIGHLEVEL.0);
    pub const APPOINTMENTS: Self = Self(1 << 4 | Self::HIGHLEVEL.0 | Self::LOCATION.0);
    /// Doppler's, by e-mail address.
    pub const DELIVERIES: Self = Self(1 << 5 | Self::DOPPLER.0);
    /// Once: the location, for its time zone.
    pub const LOCATION: Self = Self(1 << 6);
    /// Once: HighLevel's and Doppler's field definitions.
    pub const DEFINITIONS: Self = Self(1 << 7);
    /// Once: Doppler's lists.
    pub const LISTS: Self = Self(1 << 8);
    /// Once: the location's tags.
    pub const TAGS: Self = Self(1 << 9);
    /// Tasks of people who are come to one by one, so that they are not asked for together.
    pub const TASKS_APART: Self = Self(1 << 10 | Self::HIGHLEVEL.0);

    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// How many there are of what a field leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Count {
    One,
    /// A connection: as many as `first` says. They count at its `nodes` and `edges`.
    Page,
    /// The members of the connection one level up.
    OfPage,
    /// A list without pages; see [`UNPAGED`].
    List,
    /// As many as the location has tags.
    Tags,
    /// As many as there are `ids`.
    Ids,
}

/// What a list without pages is taken to hold.
pub(super) const UNPAGED: u64 = 10;

/// A field that begins with people (or other things) of its own rather than with the person that
/// its parent is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Begins {
    /// `contact(by:)`
    Contact,
    /// `contacts`
    Contacts,
    /// `node`, `nodes`
    Nodes,
    /// The contacts of a tag: a page of HighLevel's listing.
    Tagged,
    /// A mutation: its own calls, and the contact of its payload.
    Write,
}

/// A field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rule {
    pub into: Kind,
    pub needs: Needs,
    pub count: Count,
    pub begins: Option<Begins>,
    /// One call for each different argument, such as `note(id:)`.
    pub each: bool,
}

const fn to(into: Kind) -> Rule {
    Rule { into, needs: Needs::NONE, count: Count::One, begins: None, each: false }
}

const fn needs(needs: Needs) -> Rule {
    Rule { needs, ..to(Kind::Leaf) }
}

impl Rule {
    const fn begins(self, begins: Begins) -> Self {
        Self { begins: Some(begins), ..self }
    }

    const fn needing(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    const fn many(self, count: Count) -> Self {
        Self { count, ..self }
    }

    const fn each(self) -> Self {
        Self { each: true, ..self }
    }
}

/// What a field of `parent` leads to and needs.
pub(super) fn rule(parent: Kind, field: &str) -> Rule {
    match parent {
        Kind::Query => query(field),
        Kind::Mutation => to(Kind::Payload).begins(Begins::Write),
        Kind::Subscription => match field {
            "contactChanged" => to(Kind::Contact).begins(Begins::Contact),
            "syncEvents" => to(Kind::Event),
            "syncStatus" => to(Kind::Status),
            "syncRun" => to(Kind::Run),
            _ => to(Kind::Leaf),
        },
        Kind::Payload => payload(field),
        Kind::Contact => contact(field),
        Kind::Remembered => Rule { needs: Needs::NONE, each: false, ..contact(field) },
        Kind::Event | Kind::Failure | Kind::Sample if field == "contact" => to(Kind::Remembered),
        Kind::Event if field == "run" => to(Kind::Run),
        Kind::Status => match field {
            "currentRun" => to(Kind::Run),
            "upstreams" => to(Kind::Leaf).many(Count::List),
            _ => to(Kind::Leaf),
        },
        Kind::Run if field == "preview" => to(Kind::Preview),
        Kind::Preview => match field {
            "samples" => to(Kind::Sample).many(Count::List),
            "counts" | "holds" => to(Kind::Leaf).many(Count::List),
            _ => to(Kind::Leaf),
        },
        Kind::Hold => hold(field),
        Kind::Standing => match field {
            "history" => to(Kind::Page(Item::Event)).many(Count::Page),
            "hold" => to(Kind::Hold),
            "failure" => to(Kind::Failure),
            _ => to(Kind::Leaf),
        },
        Kind::Sample => match field {
            "actions" | "fields" => to(Kind::Leaf).many(Count::List),
            _ => to(Kind::Leaf),
        },
        Kind::Plan => match field {
            "contact" => to(Kind::Contact),
            "actions" | "fields" | "problems" => to(Kind::Leaf).many(Count::List),
            _ => to(Kind::Leaf),
        },
        Kind::Doppler => match field {
            "lists" => needs(Needs::LISTS).many(Count::List),
            "fields" => to(Kind::Leaf).many(Count::List),
            _ => to(Kind::Leaf),
        },
        Kind::HighLevel => match field {
            "customFields" => to(Kind::CustomField).needing(Needs::DEFINITIONS).many(Count::List),
            _ => to(Kind::Leaf),
        },
        Kind::CustomField if field == "definition" => needs(Needs::DEFINITIONS),
        // The person whose note or task it is: the same one, so nothing is added.
        Kind::Note | Kind::Task if field == "contact" => to(Kind::Contact),
        Kind::Tag if field == "contacts" => {
            to(Kind::Page(Item::Contact)).begins(Begins::Tagged).many(Count::Page)
        }
        Kind::Page(item) => match field {
            "nodes" => to(item.kind()).many(Count::OfPage),
            "edges" => to(Kind::Edge(item)).many(Count::OfPage),
            _ => to(Kind::Leaf),
        },
        Kind::Edge(item) if field == "node" => to(item.kind()),
        Kind::Introspection => to(Kind::Introspection),
        Kind::CustomField
        | Kind::Note
        | Kind::Task
        | Kind::Tag
        | Kind::Edge(_)
        | Kind::Node
        | Kind::Event
        | Kind::Failure
        | Kind::Run
        | Kind::Appointment
        | Kind::Delivery
        | Kind::Leaf => to(Kind::Leaf),
    }
}

fn hold(field: &str) -> Rule {
    match field {
        "contact" => to(Kind::Remembered),
        "contacts" => to(Kind::Remembered).many(Count::List),
        "run" => to(Kind::Run),
        "candidates" | "resolutions" => to(Kind::Leaf).many(Count::List),
        _ => to(Kind::Leaf),
    }
}

fn query(field: &str) -> Rule {
    match field {
        "contact" => to(Kind::Contact).begins(Begins::Contact),
        "contacts" => to(Kind::Page(Item::Contact)).begins(Begins::Contacts).many(Count::Page),
        "node" => to(Kind::Node).begins(Begins::Nodes),
        "nodes" => to(Kind::Node).begins(Begins::Nodes).many(Count::Ids),
        "tags" => to(Kind::Tag).needing(Needs::TAGS).many(Count::Tags),
        "lists" => needs(Needs::LISTS).many(Count::List),
        "customFields" => needs(Needs::DEFINITIONS).many(Count::List),
        "upstreams" | "heldInstalls" => to(Kind::Leaf).many(Count::List),
        "syncStatus" => to(Kind::Status),
        "workspaces" => to(Kind::Page(Item::Leaf)).many(Count::Page),
        "syncRuns" => to(Kind::Page(Item::Run)).many(Count::Page),
        "syncEvents" => to(Kind::Page(Item::Event)).many(Count::Page),
        "holds" => to(Kind::Page(Item::Hold)).many(Count::Page),
        "failures" => to(Kind::Page(Item::Failure)).many(Count::Page),
        // Both sides are read whatever is at hand, and what plans need to know of the systems.
        "syncPlan" | "mappingPreview" => to(Kind::Plan)
            .begins(Begins::Contact)
            .needing(Needs::BOTH.and(Needs::DEFINITIONS).and(Needs::LISTS)),
        "__schema" | "__type" => to(Kind::Introspection),
        _ => to(Kind::Leaf),
    }
}

fn payload(field: &str) -> Rule {
    match field {
        "contact" => to(Kind::Contact),
        "note" => to(Kind::Note),
        "task" => to(Kind::Task),
        "hold" => to(Kind::Hold),
        "run" => to(Kind::Run),
        "status" => to(Kind::Status),
        "failure" => to(Kind::Failure),
        "writes" | "userErrors" => to(Kind::Leaf).many(Count::List),
        _ => to(Kind::Leaf),
    }
}

fn contact(field: &str) -> Rule {
    match field {
        "id" | "__typename" => to(Kind::Leaf),
        "sync" => to(Kind::Standing),
        "createdAt" | "updatedAt" => needs(Needs::HIGHLEVEL),
        "highlevel" => to(Kind::HighLevel).needing(Needs::HIGHLEVEL),
        "doppler" => to(Kind::Doppler).needing(Needs::DOPPLER),
        "lists" => needs(Needs::DOPPLER.and(Needs::LISTS)).many(Count::List),
        // Doppler may keep tags as lists.
        "tags" => needs(Needs::BOTH.and(Needs::LISTS)),
        "differences" => needs(Needs::BOTH.and(Needs::LISTS)).many(Count::List),
        "customFields" => {
            to(Kind::CustomField).needing(Needs::BOTH.and(Needs::DEFINITIONS)).many(Count::List)
        }
        "notes" => to(Kind::Page(Item::Note)).needing(Needs::NOTES).many(Count::Page),
        "tasks" => to(Kind::Page(Item::Task)).needing(Needs::TASKS).many(Count::Page),
        "appointments" => {
            to(Kind::Page(Item::Appointment)).needing(Needs::APPOINTMENTS).many(Count::Page)
        }
        "deliveries" => to(Kind::Page(Item::Delivery)).needing(Needs::DELIVERIES).many(Count::Page),
        "note" => to(Kind::Note).needing(Needs::HIGHLEVEL).each(),
        "task" => to(Kind::Task).needing(Needs::HIGHLEVEL).each(),
        // A unified field is the owner's value, and the other side's where the owner has none.
        _ => needs(Needs::BOTH),
    }
}

impl Item {
    fn kind(self) -> Kind {
        match self {
            Self::Contact => Kind::Contact,
            Self::Note => Kind::Note,
            Self::Task => Kind::Task,
            Self::Appointment => Kind::Appointment,
            Self::Delivery => Kind::Delivery,
            Self::Event => Kind::Event,
            Self::Hold => Kind::Hold,
            Self::Failure => Kind::Failure,
            Self::Run => Kind::Run,
            Self::Leaf => Kind::Leaf,
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "Contact" => Self::Contact,
            "Note" => Self::Note,
            "Task" => Self::Task,
            "Appointment" => Self::Appointment,
            "Delivery" => Self::Delivery,
            "SyncEvent" => Self::Event,
            "Hold" => Self::Hold,
            "Failure" => Self::Failure,
            "SyncRun" => Self::Run,
            _ => Self::Leaf,
        }
    }
}

/// What a fragment `on` this type selects from, where `inside` is what is around it.
pub(super) fn narrowed(inside: Kind, on: &str) -> Kind {
    match on {
        // Every object with an id is a `Node`, so this does not say anything new.
        "Node" => inside,
        "Contact" if inside == Kind::Remembered => inside,
        "ContactSync" => Kind::Standing,
        "SyncPlan" if inside == Kind::Sample => inside,
        "SyncPlan" | "MappingPreview" => Kind::Plan,
        "SyncStatus" => Kind::Status,
        "SyncPreview" => Kind::Preview,
        "Query" => Kind::Query,
        "Mutation" => Kind::Mutation,
        "Subscription" => Kind::Subscription,
        "DopplerSubscriber" => Kind::Doppler,
        "HighLevelContact" => Kind::HighLevel,
        "CustomField" => Kind::CustomField,
        "Tag" => Kind::Tag,
        _ if on.starts_with("__") => Kind::Introspection,
        _ => {
            if let Some(item) = on.strip_suffix("Connection") {
                Kind::Page(Item::named(item))
            } else if let Some(item) = on.strip_suffix("Edge") {
                Kind::Edge(Item::named(item))
            } else if on.ends_with("Payload") {
                Kind::Payload
            } else {
                Item::named(on).kind()
            }
        }
    }
}
