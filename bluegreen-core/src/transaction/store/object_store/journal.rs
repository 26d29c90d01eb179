use async_trait::async_trait;

use super::super::{Condition, Journal, StoreError, StoreErrorKind};
use super::log::{Log, Place};
use super::page::{Kind, Page};
use super::patient::Settled;

/// How often to try to become the writer of a journal that others write at the same time.
const TRIES: usize = 8;

/// The right to write a journal, until somebody else takes it.
#[derive(Debug)]
pub(super) struct ObjectJournal {
    place: Place,
    log: Log,
    /// Why it cannot be written any more.
    over: Option<StoreErrorKind>,
}

impl ObjectJournal {
    /// Makes the journal of a new run.
    pub(super) async fn create(place: Place) -> Result<Self, StoreError> {
        let mut journal = Self { place, log: Log::default(), over: None };
        if journal.put(&Page::empty(Kind::Claim)).await? {
            Ok(journal)
        } else {
            Err(journal.place.error(StoreErrorKind::Exists))
        }
    }

    /// Goes on with a journal: nobody who wrote it before can any more.
    pub(super) async fn open(place: Place) -> Result<Self, StoreError> {
        for _ in 0..TRIES {
            let log = Log::read(&place).await?;
            let mut journal = Self { place: place.clone(), log, over: None };
            // Nothing is ever written behind an end.
            if journal.log.has_ended || journal.put(&Page::empty(Kind::Claim)).await? {
                return Ok(journal);
            }
        }
        Err(place.error(StoreErrorKind::Fenced))
    }

    pub(super) fn lines(&self) -> &[String] {
        &self.log.lines
    }

    /// Puts an object at the next number; says whether that was still free.
    async fn put(&mut self, page: &Page) -> Result<bool, StoreError> {
        let number = self.log.last + 1;
        let (key, body) = (self.place.key(number), page.write());
        let settled = self.place.objects.put(&key, &body, &Condition::Absent).await?;
        let is_ours = matches!(settled, Settled::Ours(_));
        if is_ours {
            self.log.last = number;
        }
        Ok(is_ours)
    }

    /// Fails if an earlier write did.
    fn check(&self) -> Result<(), StoreError> {
        match &self.over {
            None => Ok(()),
            Some(StoreErrorKind::Unusable) => {
                let error = self.place.error(StoreErrorKind::Unusable);
                Err(error.with_source("an earlier write of this journal failed"))
            }
            Some(kind) => Err(self.place.error(kind.clone())),
        }
    }

    fn fenced(&mut self) -> StoreError {
        self.over = Some(StoreErrorKind::Fenced);
        self.place.error(StoreErrorKind::Fenced)
    }

    /// Puts all the lines into one object, unless somebody has done so.
    async fn pack(&mut self) -> Result<(), StoreError> {
        let whole = Page { kind: Kind::Whole, lines: self.log.lines.clone() };
        let key = self.place.whole();
        // Whoever packed it before has packed the same lines: nothing follows an end.
        let (Settled::Ours(_) | Settled::Theirs(_)) =
            self.place.objects.put(&key, &whole.write(), &Condition::Absent).await?;
        self.log.is_packed = true;
        Ok(())
    }
}

#[async_trait]
impl Journal for ObjectJournal {
    async fn append(&mut self, lines: &[String]) -> Result<(), StoreError> {
        self.check()?;
        if self.log.has_ended {
            return Err(self.place.error(StoreErrorKind::Fenced).with_source("it was closed"));
        }
        if lines.is_empty() {
            return Ok(());
        }
        // Until it is known to be there: this may be dropped half way.
        self.over = Some(StoreErrorKind::Unusable);
        let page = Page { kind: Kind::Lines, lines: lines.to_vec() };
        if !self.put(&page).await? {
            return Err(self.fenced());
        }
        self.over = None;
        self.log.lines.extend(page.lines);
        Ok(())
    }

    async fn close(&mut self) -> Result<(), StoreError> {
        self.check()?;
        if !self.log.has_ended {
            self.over = Some(StoreErrorKind::Unusable);
            if !self.put(&Page::empty(Kind::End)).await? {
                return Err(self.fenced());
            }
            self.over = None;
            self.log.has_ended = true;
        }
        if !self.log.is_packed {
            self.pack().await?;
        }
        Ok(())
    }
}
