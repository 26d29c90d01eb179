//! Where journals and locks are kept.

mod bucket_url;

use std::path::PathBuf;
use std::sync::Arc;

use bluegreen_core::transaction::{LocalStore, ObjectStore, Store};

pub(crate) use bucket_url::BucketUrl;

use crate::args::Global;
use crate::connect;
use crate::failure::Failure;

/// Opens the store that was asked for, or the user's own.
pub(crate) async fn open(global: &Global) -> Result<Arc<dyn Store>, Failure> {
    let Some(asked) = &global.store else {
        return Ok(Arc::new(LocalStore::new(state_folder()?.join("bluegreen"))));
    };
    match asked.to_str().filter(|text| text.contains("://")) {
        Some(text) => shared(global, text).await,
        None => Ok(Arc::new(LocalStore::new(asked))),
    }
}

/// Returns the bucket that was asked for, if it is one.
pub(crate) fn bucket(global: &Global) -> Result<Option<BucketUrl>, Failure> {
    let asked = global.store.as_ref().and_then(|asked| asked.to_str());
    asked.filter(|text| text.contains("://")).map(parse).transpose()
}

fn parse(text: &str) -> Result<BucketUrl, Failure> {
    text.parse().map_err(|problem| {
        Failure::usage(format!("the store `{text}` is neither a folder nor a bucket: {problem}"))
            .with_hint("write it as `s3://BUCKET/PREFIX`, `?region=` and `?profile=` may follow")
    })
}

/// Opens a store in a bucket.
async fn shared(global: &Global, text: &str) -> Result<Arc<dyn Store>, Failure> {
    let url = parse(text)?;
    let objects = connect::bucket(global, &url).await.map_err(|error| {
        Failure::usage(format!("the store `{text}` cannot be used: {error}"))
            .with_hint("set `AWS_REGION`, or give the region as in `s3://BUCKET?region=eu-west-1`")
    })?;
    Ok(Arc::new(ObjectStore::new(objects, &url.prefix)))
}

fn state_folder() -> Result<PathBuf, Failure> {
    user_folder("XDG_STATE_HOME", ".local/state").ok_or_else(|| {
        Failure::usage("there is no place for journals: neither XDG_STATE_HOME nor HOME is set")
            .with_hint("give one with `--store`")
    })
}

/// Returns a folder of the user: what `variable` says, else `rest` of the home folder.
pub(crate) fn user_folder(variable: &str, rest: &str) -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set(variable).or_else(|| Some(set("HOME")?.join(rest)))
}
