//! Where journals and locks are kept.

use std::path::PathBuf;
use std::sync::Arc;

use bluegreen_core::transaction::{LocalStore, Store};

use crate::args::Global;
use crate::failure::Failure;

/// Opens the store that was asked for, or the user's own.
#[expect(clippy::unused_async, reason = "stores in a bucket must connect")]
pub(crate) async fn open(global: &Global) -> Result<Arc<dyn Store>, Failure> {
    let folder = match &global.store {
        Some(folder) => folder.clone(),
        None => state_folder()?.join("bluegreen"),
    };
    if let Some(url) = folder.to_str().filter(|text| text.contains("://")) {
        return Err(Failure::usage(format!("the store `{url}` is not a folder"))
            .with_hint("stores in a bucket are not there yet: give a local folder"));
    }
    Ok(Arc::new(LocalStore::new(folder)))
}

fn state_folder() -> Result<PathBuf, Failure> {
    user_folder("XDG_STATE_HOME", ".local/state").ok_or_else(|| {
        Failure::usage("there is no place for journals: neither XDG_STATE_HOME nor HOME is set")
            .with_hint("give one with `--store DIR`")
    })
}

/// Returns a folder of the user: what `variable` says, else `rest` of the home folder.
pub(crate) fn user_folder(variable: &str, rest: &str) -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set(variable).or_else(|| Some(set("HOME")?.join(rest)))
}
