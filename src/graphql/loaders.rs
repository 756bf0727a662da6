//! Loaders: what a query asks of many people is asked of each system at once.
//!
//! Only relations with a way to ask for many are loaded so. The others (notes, …) go to the
//! shared cache one by one, which is faster than waiting for a batch that saves no call.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use async_trait::async_trait;

use crate::contacts::{ContactTasks, DopplerSide, HighLevelSide, Person, Reader};
use crate::unified::HighLevelId;

use super::context::PersonKey;
use super::loads::Loads;

/// Loads people's two sides, and tasks.
pub struct Sides(Reader);

/// The loader of one request.
pub type SidesLoader = DataLoader<Sides, HashMapCache>;

impl Sides {
    /// The loader of one request. It does not wait for more keys than one round of resolvers
    /// brings: whatever is asked for in the same round arrives together anyway.
    pub fn loader(reader: Reader, loads: &Loads) -> SidesLoader {
        let loads = loads.clone();
        let spawn = move |load| loads.leave(load);
        DataLoader::with_cache(Self(reader), spawn, HashMapCache::default()).delay(Duration::ZERO)
    }
}

/// Asks for a person's HighLevel side.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct HighLevelKey(pub PersonKey);

/// Asks for a person's Doppler side.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct DopplerKey(pub PersonKey);

#[async_trait]
impl Loader<HighLevelKey> for Sides {
    type Value = HighLevelSide;
    type Error = Infallible;

    async fn load(
        &self,
        keys: &[HighLevelKey],
    ) -> Result<HashMap<HighLevelKey, Self::Value>, Self::Error> {
        let people: Vec<Arc<Person>> = keys.iter().map(|key| Arc::clone(&key.0.0)).collect();
        let sides = self.0.highlevel_sides(&people).await;
        Ok(keys.iter().cloned().zip(sides).collect())
    }
}

#[async_trait]
impl Loader<DopplerKey> for Sides {
    type Value = DopplerSide;
    type Error = Infallible;

    async fn load(
        &self,
        keys: &[DopplerKey],
    ) -> Result<HashMap<DopplerKey, Self::Value>, Self::Error> {
        let people: Vec<Arc<Person>> = keys.iter().map(|key| Arc::clone(&key.0.0)).collect();
        let sides = self.0.doppler_sides(&people).await;
        Ok(keys.iter().cloned().zip(sides).collect())
    }
}

/// Asks for a HighLevel contact's tasks.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct TasksKey(pub HighLevelId);

#[async_trait]
impl Loader<TasksKey> for Sides {
    type Value = ContactTasks;
    type Error = Infallible;

    async fn load(&self, keys: &[TasksKey]) -> Result<HashMap<TasksKey, Self::Value>, Self::Error> {
        let ids: Vec<HighLevelId> = keys.iter().map(|key| key.0.clone()).collect();
        let tasks = self.0.tasks_of(&ids).await;
        Ok(keys.iter().cloned().zip(tasks).collect())
    }
}
