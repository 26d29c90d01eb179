//! The configuration: which environments there are, and in which accounts.

mod discover;
mod error;
mod health;
mod section;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bluegreen_core::model::{AccountId, EnvironmentName, PortRange, Quiet, ScalingGroupName};
use bluegreen_core::operation::EnvironmentSpec;

pub(crate) use error::ConfigError;
use section::{Section, Source};

use crate::duration;

/// What a configuration file says.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file, as it is shown.
    path: PathBuf,
    environments: BTreeMap<String, Environment>,
}

/// One environment, with what is said of its account.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    /// What the operations need to know.
    pub(crate) spec: EnvironmentSpec,
    /// Where it is.
    pub(crate) region: String,
    /// Its account.
    pub(crate) account: Account,
}

/// What is said of an account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// What the configuration calls it.
    pub(crate) alias: String,
    /// The profile that leads to it.
    pub(crate) profile: Option<String>,
    /// The role to be assumed in it.
    pub(crate) role: Option<String>,
    id: AccountId,
    protected: bool,
}

impl Config {
    /// Reads the configuration that was asked for, or finds one.
    pub(crate) fn load(asked: Option<&Path>) -> Result<Self, ConfigError> {
        let path = discover::find(asked)?;
        let text = std::fs::read_to_string(&path)
            .map_err(|error| ConfigError::Unreadable { path: path.clone(), source: error })?;
        Self::read(path, &text)
    }

    pub(crate) fn read(path: PathBuf, text: &str) -> Result<Self, ConfigError> {
        let source = Source::new(&path, text);
        let mut whole = source.parse()?;
        let mut accounts = BTreeMap::new();
        for (alias, section) in whole.sections("accounts")? {
            accounts.insert(alias.clone(), account(alias, section)?);
        }
        let mut environments = BTreeMap::new();
        for (name, section) in whole.sections("environments")? {
            let environment = environment(&name, section, &accounts)?;
            environments.insert(name, environment);
        }
        whole.finish()?;
        Ok(Self { path, environments })
    }

    /// Returns one environment.
    pub(crate) fn environment(&self, name: &str) -> Result<&Environment, ConfigError> {
        self.environments.get(name).ok_or_else(|| ConfigError::UnknownEnvironment {
            name: name.to_owned(),
            path: self.path.clone(),
            known: self.environments.keys().cloned().collect(),
        })
    }

    /// Returns the environments that are named, or all.
    pub(crate) fn environments(&self, names: &[String]) -> Result<Vec<&Environment>, ConfigError> {
        if names.is_empty() {
            return Ok(self.environments.values().collect());
        }
        names.iter().map(|name| self.environment(name)).collect()
    }

    /// Returns the file, as it is shown.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn account(alias: String, mut section: Section<'_>) -> Result<Account, ConfigError> {
    let id = section.string("id")?;
    if id.value.len() != 12 || !id.value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(id.wrong(format!("`{}` is not an account id of twelve digits", id.value)));
    }
    let account = Account {
        alias,
        profile: section.optional_string("profile")?.map(|found| found.value),
        role: section.optional_string("role")?.map(|found| found.value),
        protected: section.optional_bool("protected")?.unwrap_or(false),
        id: AccountId::new(id.value),
    };
    section.finish()?;
    Ok(account)
}

fn environment(
    name: &str,
    mut section: Section<'_>,
    accounts: &BTreeMap<String, Account>,
) -> Result<Environment, ConfigError> {
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/@+".contains(&byte)) {
        return Err(section.wrong("a name has letters, digits and any of `-._:/@+`"));
    }
    let alias = section.string("account")?;
    let account = accounts
        .get(&alias.value)
        .cloned()
        .ok_or_else(|| alias.wrong(format!("there is no section `[accounts.{}]`", alias.value)))?;
    let region = section.string("region")?.value;
    let group = ScalingGroupName::new(section.string("scaling_group")?.value);
    let ports = section.string("idle_ports")?;
    let ports: PortRange = ports.value.parse().map_err(|error| ports.wrong(error))?;
    let health = health::read(&mut section)?;
    let quiet = quiet(&mut section)?;
    let environment = EnvironmentName::new(name);
    let mut spec = EnvironmentSpec::new(environment, account.id.clone(), group, ports)
        .with_account_alias(account.alias.as_str())
        .with_protected(account.protected)
        .with_health(health)
        .with_quiet(quiet);
    if let Some(suffix) = section.optional_string("green_suffix")? {
        if !is_suffix(&suffix.value) {
            return Err(
                suffix.wrong("a suffix has letters, digits and `-`, and does not end in `-`")
            );
        }
        spec = spec.with_green_suffix(suffix.value);
    }
    section.finish()?;
    Ok(Environment { spec, region, account })
}

/// Reads what must be known of a colour's traffic before its machines are stopped.
fn quiet(section: &mut Section<'_>) -> Result<Quiet, ConfigError> {
    let mut quiet = Quiet::default();
    if let Some(text) = section.optional_string("no_requests_for")? {
        quiet.window = duration::parse_some(&text.value).map_err(|error| text.wrong(error))?;
    }
    if let Some(text) = section.optional_string("unmeasured")? {
        quiet.unmeasured = match text.value.as_str() {
            "traffic" => false,
            "quiet" => true,
            other => {
                return Err(text.wrong(format!("`{other}` is neither `traffic` nor `quiet`")));
            }
        };
    }
    Ok(quiet)
}

/// Returns whether every resource's name may end like that.
fn is_suffix(text: &str) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    letters && !text.is_empty() && !text.ends_with('-')
}

#[cfg(test)]
mod tests;
