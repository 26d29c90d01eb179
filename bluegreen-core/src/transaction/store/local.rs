mod lock;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Holder, Journal, Lock, LockState, Store, StoreError, StoreErrorKind, lines, name};
use crate::model::{EnvironmentName, RunId, Timestamp};
use lock::FileLock;

/// Journals and locks in a folder of this machine.
///
/// Every journal is a file of its own, readable by its owner only; a line is a
/// checksum and a record, and is on the disk before anything is done about it.
/// Locks are the operating system's, so they end with the process that took them,
/// and so is the right to write a journal: while a process that writes one lives,
/// nobody else can.
#[derive(Clone, Debug)]
pub struct LocalStore {
    folder: PathBuf,
}

impl LocalStore {
    /// Uses `folder`, which is made when it is first written to.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn journals(&self) -> PathBuf {
        self.folder.join("runs")
    }

    fn journal(&self, run: &RunId) -> PathBuf {
        self.journals().join(format!("{}.journal", name::encode(run.as_str())))
    }

    fn lock_file(&self, environment: &EnvironmentName) -> PathBuf {
        self.folder.join("locks").join(format!("{}.lock", name::encode(environment.as_str())))
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn create(&self, run: &RunId) -> Result<Box<dyn Journal>, StoreError> {
        let (path, folder, run) = (self.journal(run), self.journals(), run.clone());
        blocking(move || {
            make_folder(&folder)?;
            let file = private().create_new(true).append(true).open(&path).map_err(|error| {
                if error.kind() == io::ErrorKind::AlreadyExists {
                    StoreError::new(StoreErrorKind::Exists, &run)
                } else {
                    unusable(&path, error)
                }
            })?;
            // The name of the file must survive a crash as well as what is in it.
            File::open(&folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| unusable(&folder, error))?;
            claim(&file, &run, &path)?;
            Ok(FileJournal::boxed(file, path))
        })
        .await
    }

    async fn open(&self, run: &RunId) -> Result<(Vec<String>, Box<dyn Journal>), StoreError> {
        let (path, run) = (self.journal(run), run.clone());
        blocking(move || {
            let mut file = private()
                .read(true)
                .append(true)
                .open(&path)
                .map_err(|error| missing(&run, &path, error))?;
            claim(&file, &run, &path)?;
            let (lines, whole) = read_lines(&mut file, &path)?;
            file.set_len(whole)
                .and_then(|()| file.sync_all())
                .map_err(|error| unusable(&path, error))?;
            Ok((lines, FileJournal::boxed(file, path)))
        })
        .await
    }

    async fn read(&self, run: &RunId) -> Result<Vec<String>, StoreError> {
        let (path, run) = (self.journal(run), run.clone());
        blocking(move || {
            let mut file = File::open(&path).map_err(|error| missing(&run, &path, error))?;
            Ok(read_lines(&mut file, &path)?.0)
        })
        .await
    }

    async fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        let folder = self.journals();
        blocking(move || {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries.map_err(|error| unusable(&folder, error))?,
            };
            let mut runs = Vec::new();
            for entry in entries {
                let file = entry.map_err(|error| unusable(&folder, error))?.file_name();
                let file = file.to_str().and_then(|file| file.strip_suffix(".journal"));
                runs.extend(file.and_then(name::decode).map(RunId::new));
            }
            runs.sort();
            Ok(runs)
        })
        .await
    }

    async fn lock(
        &self,
        environment: &EnvironmentName,
        holder: &Holder,
        term: Duration,
    ) -> Result<Box<dyn Lock>, StoreError> {
        let path = self.lock_file(environment);
        FileLock::take(path, environment.clone(), holder.clone(), term).await
    }

    async fn lock_state(&self, environment: &EnvironmentName) -> Result<LockState, StoreError> {
        lock::state(self.lock_file(environment)).await
    }

    async fn break_lock(
        &self,
        environment: &EnvironmentName,
        by: &str,
        at: Timestamp,
    ) -> Result<Option<Holder>, StoreError> {
        lock::take_away(self.lock_file(environment), by.to_owned(), at).await
    }
}

#[derive(Debug)]
struct FileJournal {
    file: Arc<File>,
    path: PathBuf,
}

impl FileJournal {
    fn boxed(file: File, path: PathBuf) -> Box<dyn Journal> {
        Box::new(Self { file: Arc::new(file), path })
    }
}

#[async_trait]
impl Journal for FileJournal {
    async fn append(&mut self, lines: &[String]) -> Result<(), StoreError> {
        let text = lines::write(lines);
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        blocking(move || {
            (&*file)
                .write_all(text.as_bytes())
                .and_then(|()| file.sync_data())
                .map_err(|error| unusable(&path, error))
        })
        .await
    }

    async fn close(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Claims the sole right to write a journal; it ends with the process.
fn claim(file: &File, run: &RunId, path: &Path) -> Result<(), StoreError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::new(StoreErrorKind::Fenced, run)
            .with_source("it is still alive; stop it first"),
        TryLockError::Error(error) => unusable(path, error),
    })
}

/// Reads the whole lines of a journal, and how many bytes they take.
fn read_lines(file: &mut File, path: &Path) -> Result<(Vec<String>, u64), StoreError> {
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.read_to_end(&mut bytes))
        .map_err(|error| unusable(path, error))?;
    let (lines, whole) = lines::read(&bytes)
        .ok_or_else(|| StoreError::new(StoreErrorKind::Damaged, path.display()))?;
    Ok((lines, whole as u64))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn make_folder(folder: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| unusable(folder, error))
}

fn unusable(path: &Path, error: io::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Unusable, path.display()).with_source(error)
}

fn missing(run: &RunId, path: &Path, error: io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::NotFound {
        StoreError::new(StoreErrorKind::NotFound, run)
    } else {
        unusable(path, error)
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => {
            Err(StoreError::new(StoreErrorKind::Unusable, "the local store").with_source(error))
        }
    }
}
