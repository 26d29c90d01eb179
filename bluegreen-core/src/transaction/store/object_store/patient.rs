use std::sync::Arc;
use std::time::Duration;

use super::super::{Condition, Object, Objects, Put, StoreError, StoreErrorKind};

/// How long to wait before the next try; after the last one it is given up.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900)];

/// Objects that are asked again if no answer comes, and whose answers are certain.
#[derive(Clone, Debug)]
pub(super) struct Patient {
    objects: Arc<dyn Objects>,
}

/// Whose an object is after one has tried to put it.
#[derive(Debug)]
pub(super) enum Settled {
    /// Ours, and this is its version.
    Ours(String),
    /// Somebody else's, or nobody's.
    Theirs(Option<Object>),
}

impl Patient {
    pub(super) fn new(objects: Arc<dyn Objects>) -> Self {
        Self { objects }
    }

    /// Returns an object, if there is one of that key.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        for pause in PAUSES {
            if let Ok(found) = self.objects.get(key).await {
                return Ok(found);
            }
            tokio::time::sleep(pause).await;
        }
        self.objects.get(key).await
    }

    /// Returns the keys that begin with `prefix`, in order.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        for pause in PAUSES {
            if let Ok(found) = self.objects.list(prefix).await {
                return Ok(found);
            }
            tokio::time::sleep(pause).await;
        }
        self.objects.list(prefix).await
    }

    /// Returns the folders directly below `prefix`, in order.
    pub(super) async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        for pause in PAUSES {
            if let Ok(found) = self.objects.folders(prefix).await {
                return Ok(found);
            }
            tokio::time::sleep(pause).await;
        }
        self.objects.folders(prefix).await
    }

    /// Puts an object if the condition holds, and finds out whose it is then.
    ///
    /// The body must be like no other, or it could not be told whose it is. After an error it may
    /// be there or not.
    pub(super) async fn put(
        &self,
        key: &str,
        body: &[u8],
        condition: &Condition,
    ) -> Result<Settled, StoreError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let error = match self.objects.put(key, body.to_vec(), condition).await {
                Ok(Put::Done(version)) => return Ok(Settled::Ours(version)),
                Ok(Put::Refused) => StoreError::new(StoreErrorKind::Unusable, key)
                    .with_source("it refuses a condition that holds"),
                Err(error) => error,
            };
            // The answer may be to a try of ours that was made before, or be lost: only a look
            // tells.
            let Ok(found) = self.get(key).await else { return Err(error) };
            match found {
                Some(object) if object.body == body => return Ok(Settled::Ours(object.version)),
                found if !holds(condition, found.as_ref()) => return Ok(Settled::Theirs(found)),
                _ => {}
            }
            let Some(pause) = pauses.next() else { return Err(error) };
            tokio::time::sleep(pause).await;
        }
    }
}

fn holds(condition: &Condition, found: Option<&Object>) -> bool {
    match condition {
        Condition::Absent => found.is_none(),
        Condition::Version(version) => found.is_some_and(|object| object.version == *version),
    }
}
