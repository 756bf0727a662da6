//! People as they change.

use std::sync::Arc;

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, stream};

use crate::contacts::{Error, Person, Watch};
use crate::graphql::context::{ContextExt, Scopes};
use crate::graphql::types::{Contact, ContactBy};

/// Everything that can be followed.
#[derive(Default)]
pub struct ContactNews;

/// Everything that can be followed.
#[Subscription]
impl ContactNews {
    /// The contact as it is after each change that Tandem makes or hears of; null when it is gone,
    /// and the stream then ends. Needs `contacts.readonly`.
    async fn contact_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How the person is named.")] by: ContactBy,
    ) -> Result<impl Stream<Item = Result<Option<Contact>>> + use<>> {
        // Watching begins before the look-up, so that no change falls between the two.
        let watch = context.reader()?.watch();
        let found = context.reader()?.find(by.try_into()?).await?;
        let person = found.ok_or_else(|| Error::invalid("by", "no such contact"))?;
        let scopes = Arc::clone(context.data::<Arc<Scopes>>()?);
        Ok(stream::unfold(Some((watch, person, scopes)), next))
    }
}

type State = Option<(Watch, Arc<Person>, Arc<Scopes>)>;

/// The contact after its next change.
async fn next(state: State) -> Option<(Result<Option<Contact>>, State)> {
    let (mut watch, person, scopes) = state?;
    watch.changed(person.id).await?;
    scopes.renew();
    let now = match scopes.reader() {
        Ok(reader) => reader.person(person.id).await,
        Err(error) => Err(error),
    };
    Some(match now {
        // After a merge the stream goes on with the survivor.
        Ok(Some(person)) => {
            let contact = Contact::new(Arc::clone(&person));
            (Ok(Some(contact)), Some((watch, person, scopes)))
        }
        Ok(None) => (Ok(None), None),
        Err(error) => (Err(error.into()), Some((watch, person, scopes))),
    })
}
