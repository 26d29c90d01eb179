//! A playground in a file, so that it survives a restart.
//!
//! What is configured is kept, and what AWS knows beside it. Machines are not: those that come back
//! are new ones, as after a power cut.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::{Playground, Shared};
use crate::fake::World;

/// How the file is written; another number means another format.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    format: u32,
    sites: Vec<SavedSite>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedSite {
    account: String,
    region: String,
    world: World,
    facts: Facts,
}

impl Playground {
    /// Writes everything to the file that the options name, if they name one: whole or not at all.
    pub fn save(&self) -> io::Result<()> {
        let Some(file) = &self.shared.options.state else { return Ok(()) };
        let sites = self.shared.all_sites();
        let sites = sites.iter().map(|site| SavedSite {
            account: site.account.clone(),
            region: site.region.clone(),
            world: site.cloud().world(),
            facts: site.facts().clone(),
        });
        let saved = Saved { format: FORMAT, sites: sites.collect() };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        // The file is readable by nobody else: user data may be in it.
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut new, &saved)?;
        new.persist(file).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Reads what a file holds, if there is one.
pub(super) fn load(shared: &Shared) -> io::Result<()> {
    let Some(file) = &shared.options.state else { return Ok(()) };
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(named(file, &error)),
    };
    let saved: Saved = serde_json::from_slice(&text).map_err(|error| named(file, &error))?;
    if saved.format != FORMAT {
        return Err(named(file, &format!("it is of format {}, not {FORMAT}", saved.format)));
    }
    for one in saved.sites {
        let site = shared.site(&one.account, &one.region);
        *site.facts() = one.facts;
        // They begin to count again, and these are others.
        site.facts().instances.clear();
        site.cloud().edit(|world| *world = one.world);
    }
    Ok(())
}

fn named(file: &Path, problem: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("`{}` holds no playground: {problem}", file.display()))
}
