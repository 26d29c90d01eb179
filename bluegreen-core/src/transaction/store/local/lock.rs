use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{blocking, make_folder, private, unusable};
use crate::model::{EnvironmentName, Timestamp};
use crate::transaction::store::{Break, Held, Holder, Lock, LockState, StoreError, StoreErrorKind};

/// How often a lock that is held by nobody known is tried for: somebody is looking who holds it, or
/// has just taken it and not written who they are.
const TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// A lock of the operating system, given back when the file is closed.
///
/// To take it away from a process that lives, its file is replaced: the lock is worth what the file
/// of that name is worth.
#[derive(Debug)]
pub(super) struct FileLock {
    file: Arc<File>,
    path: PathBuf,
    environment: EnvironmentName,
    holder: Holder,
    /// Whether it was given back: a renewal that was under way then must not write any more.
    released: Arc<Mutex<bool>>,
}

impl FileLock {
    /// Takes the lock of an environment.
    pub(super) async fn take(
        path: PathBuf,
        environment: EnvironmentName,
        holder: Holder,
        term: Duration,
    ) -> Result<Box<dyn Lock>, StoreError> {
        let held = Held { deadline: holder.since.plus(term), holder: holder.clone() };
        for _ in 0..TRIES {
            let (at, name, held) = (path.clone(), environment.clone(), held.clone());
            if let Some(file) = blocking(move || try_take(&at, &name, &held)).await? {
                let (file, released) = (Arc::new(file), Arc::default());
                return Ok(Box::new(Self { file, path, environment, holder, released }));
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        Err(StoreError::new(StoreErrorKind::Held(None), &environment))
    }
}

#[async_trait]
impl Lock for FileLock {
    async fn check(&self) -> Result<(), StoreError> {
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        let environment = self.environment.clone();
        blocking(move || {
            if is_named(&file, &path)? {
                return Ok(());
            }
            let now = read_state(&path)?.map(|held| Box::new(held.holder));
            Err(StoreError::new(StoreErrorKind::Lost(now), &environment))
        })
        .await
    }

    async fn renew(&self, deadline: Timestamp) -> Result<(), StoreError> {
        self.check().await?;
        let held = Held { holder: self.holder.clone(), deadline };
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        let released = Arc::clone(&self.released);
        blocking(move || {
            let released = released.lock().unwrap_or_else(PoisonError::into_inner);
            if *released { Ok(()) } else { write(&file, &path, &held) }
        })
        .await
    }

    async fn release(&self) -> Result<(), StoreError> {
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        let released = Arc::clone(&self.released);
        blocking(move || {
            *released.lock().unwrap_or_else(PoisonError::into_inner) = true;
            file.set_len(0).and_then(|()| file.unlock()).map_err(|error| unusable(&path, error))
        })
        .await
    }
}

/// Tells who holds a lock. Takes it for an instant, to see whether its holder lives.
pub(super) async fn state(path: PathBuf) -> Result<LockState, StoreError> {
    blocking(move || Ok(LockState { held: read_state(&path)?, broken: last_break(&path)? })).await
}

/// Takes a lock away from its holder, and notes that.
pub(super) async fn take_away(
    path: PathBuf,
    by: String,
    at: Timestamp,
) -> Result<Option<Holder>, StoreError> {
    blocking(move || {
        let Some(held) = read_state(&path)? else { return Ok(None) };
        let broken = Break { by, at, holder: held.holder };
        let line = serde_json::to_string(&broken).expect("a break is plain text");
        let breaks = breaks(&path);
        // Noted first: a lock that is gone and nobody knows why is worse than the reverse.
        private()
            .create(true)
            .append(true)
            .open(&breaks)
            .and_then(|mut file| {
                file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_data())
            })
            .map_err(|error| unusable(&breaks, error))?;
        fs::remove_file(&path).map_err(|error| unusable(&path, error))?;
        Ok(Some(broken.holder))
    })
    .await
}

/// Returns the locked file; `None` if the lock could not be told to be free or held.
fn try_take(
    path: &Path,
    environment: &EnvironmentName,
    held: &Held,
) -> Result<Option<File>, StoreError> {
    make_folder(path.parent().unwrap_or(path))?;
    let file = private()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| unusable(path, error))?;
    lock(file, path, environment, held)
}

/// Locks a file that was opened, and may have been replaced since.
fn lock(
    file: File,
    path: &Path,
    environment: &EnvironmentName,
    held: &Held,
) -> Result<Option<File>, StoreError> {
    match file.try_lock() {
        Ok(()) if !is_named(&file, path)? => Ok(None),
        Ok(()) => write(&file, path, held).map(|()| Some(file)),
        Err(TryLockError::WouldBlock) => match read(&file, path)? {
            Some(other) => {
                let held = StoreErrorKind::Held(Some(Box::new(other)));
                Err(StoreError::new(held, environment))
            }
            None => Ok(None),
        },
        Err(TryLockError::Error(error)) => Err(unusable(path, error)),
    }
}

/// Returns whether the file is the one of that name; one that cannot be looked for is not.
fn is_named(file: &File, path: &Path) -> Result<bool, StoreError> {
    let ours = file.metadata().map_err(|error| unusable(path, error))?;
    let is_ours = |named: Metadata| (named.dev(), named.ino()) == (ours.dev(), ours.ino());
    Ok(fs::metadata(path).is_ok_and(is_ours))
}

fn write(mut file: &File, path: &Path, held: &Held) -> Result<(), StoreError> {
    let text = serde_json::to_string(held).expect("a holder is plain text");
    // The length stays the same from one renewal to the next, so that nobody reads half of it.
    file.rewind()
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.set_len(text.len() as u64))
        .and_then(|()| file.sync_data())
        .map_err(|error| unusable(path, error))
}

/// Reads who wrote a lock; `None` if nobody did, or not all of it.
fn read(mut file: &File, path: &Path) -> Result<Option<Held>, StoreError> {
    let mut text = String::new();
    file.rewind()
        .and_then(|()| file.read_to_string(&mut text))
        .map_err(|error| unusable(path, error))?;
    Ok(serde_json::from_str(&text).ok())
}

/// Returns who holds the lock of that name, if anybody does.
fn read_state(path: &Path) -> Result<Option<Held>, StoreError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| unusable(path, error))?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => read(&file, path),
        Err(TryLockError::Error(error)) => Err(unusable(path, error)),
    }
}

fn breaks(path: &Path) -> PathBuf {
    path.with_extension("breaks")
}

fn last_break(path: &Path) -> Result<Option<Break>, StoreError> {
    let breaks = breaks(path);
    match fs::read_to_string(&breaks) {
        Ok(text) => Ok(text.lines().rev().find_map(|line| serde_json::from_str(line).ok())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(&breaks, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;

    fn held() -> Held {
        let since = Timestamp::from_millis(0);
        let (owner, host) = ("ann".to_owned(), "ci-1".to_owned());
        let (operation, run) = ("deploy".to_owned(), RunId::new("01a"));
        Held { holder: Holder { owner, host, process: 7, operation, run, since }, deadline: since }
    }

    #[test]
    fn a_file_that_was_replaced_before_it_was_locked_is_no_lock() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("web.lock");
        let environment = EnvironmentName::new("web");
        let lock = |file| lock(file, &path, &environment, &held()).expect("it can be locked");
        let replaced = File::create(&path).expect("a file can be made");
        fs::remove_file(&path).expect("it is there");
        assert!(lock(replaced).is_none(), "nothing is of that name");
        let replaced = File::create(&path).expect("a file can be made");
        fs::rename(&path, folder.path().join("aside")).expect("it is there");
        let file = File::create(&path).expect("a file can be made");
        assert!(lock(replaced).is_none(), "another file is of that name");
        assert!(lock(file).is_some(), "it is the one of that name");
    }
}
