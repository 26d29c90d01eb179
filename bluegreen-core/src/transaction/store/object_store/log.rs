use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::super::{StoreError, StoreErrorKind};
use super::damaged;
use super::page::{Kind, Page};
use super::patient::Patient;
use crate::model::RunId;

/// How many objects are read at once.
const AT_ONCE: usize = 16;

/// Where the journal of a run is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) objects: Patient,
    pub(super) folder: String,
    pub(super) run: RunId,
}

impl Place {
    /// Returns the key of a number.
    pub(super) fn key(&self, number: u64) -> String {
        format!("{}{number:08}", self.folder)
    }

    /// Returns the key of all the lines of a journal that has ended.
    pub(super) fn whole(&self) -> String {
        format!("{}whole", self.folder)
    }

    fn number(&self, key: &str) -> Option<u64> {
        key.strip_prefix(&self.folder)?.parse().ok()
    }

    async fn page(&self, key: &str) -> Result<Option<Page>, StoreError> {
        let Some(object) = self.objects.get(key).await? else { return Ok(None) };
        Page::read(&object.body).map(Some).map_err(|why| damaged(key, why))
    }

    pub(super) fn error(&self, kind: StoreErrorKind) -> StoreError {
        StoreError::new(kind, &self.run)
    }
}

/// A journal as it was found.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) lines: Vec<String>,
    /// The last number that is taken.
    pub(super) last: u64,
    /// Whether it was closed.
    pub(super) has_ended: bool,
    /// Whether all its lines are in one object.
    pub(super) is_packed: bool,
}

impl Log {
    /// Reads a journal.
    pub(super) async fn read(place: &Place) -> Result<Self, StoreError> {
        match Self::packed(place).await? {
            Some(log) => Ok(log),
            None => Self::scattered(place).await,
        }
    }

    /// Reads the one object that has all the lines, if it is there.
    async fn packed(place: &Place) -> Result<Option<Self>, StoreError> {
        let Some(page) = place.page(&place.whole()).await? else { return Ok(None) };
        Ok(Some(Self { lines: page.lines, has_ended: true, is_packed: true, ..Self::default() }))
    }

    /// Reads object after object.
    async fn scattered(place: &Place) -> Result<Self, StoreError> {
        let keys = place.objects.list(&place.folder).await?;
        let numbers: Vec<u64> = keys.iter().filter_map(|key| place.number(key)).collect();
        if numbers.is_empty() {
            return Err(place.error(StoreErrorKind::NotFound));
        }
        if let Some((gap, _)) = (1..).zip(&numbers).find(|(number, found)| number != *found) {
            return Err(missing(place.key(gap)));
        }
        let pages = stream::iter(numbers.clone())
            .map(|number| async move { place.page(&place.key(number)).await })
            .buffered(AT_ONCE);
        let pages: Vec<Option<Page>> = pages.try_collect().await?;
        let mut log = Self::default();
        for (number, page) in numbers.into_iter().zip(pages) {
            let page = page.ok_or_else(|| missing(place.key(number)))?;
            log.add(number, page).map_err(|why| damaged(place.key(number), why))?;
        }
        Ok(log)
    }

    fn add(&mut self, number: u64, page: Page) -> Result<(), &'static str> {
        if self.has_ended {
            return Err("it comes after the end of its journal");
        }
        match page.kind {
            Kind::Claim => {}
            Kind::Lines => self.lines.extend(page.lines),
            Kind::End => self.has_ended = true,
            Kind::Whole => return Err("it has the lines of a whole journal"),
        }
        self.last = number;
        Ok(())
    }
}

fn missing(key: String) -> StoreError {
    damaged(key, "it is missing, and later ones are there")
}
