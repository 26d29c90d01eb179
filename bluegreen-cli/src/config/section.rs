use std::fmt::Display;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;

/// The text of a configuration, to say where something is wrong with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text }
    }

    /// Reads the text as one section without a name.
    pub(super) fn parse(self) -> Result<Section<'a>, ConfigError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.wrong(at, None, error.message().replace('\n', ", "))
        })?;
        let at = table.span().start;
        Ok(Section::new(self, None, at, table.into_inner()))
    }

    fn wrong(self, at: usize, key: Option<&str>, problem: impl Display) -> ConfigError {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        let (key, problem) = (key.map(plain), plain(&problem.to_string()));
        ConfigError::Wrong { path: self.path.to_owned(), line, key, problem }
    }
}

/// Writes what would end a line, or command a terminal, as it could stand in the file.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            plain.extend(letter.escape_default());
        } else {
            plain.push(letter);
        }
    }
    plain
}

/// One table of a configuration; what is taken from it is known, and all else is wrong.
#[derive(Debug)]
pub(super) struct Section<'a> {
    source: Source<'a>,
    /// The names of the tables that it is in, and its own.
    name: Option<String>,
    at: usize,
    left: Vec<Entry<'a>>,
    known: Vec<&'static str>,
}

#[derive(Debug)]
struct Entry<'a> {
    key: String,
    at: usize,
    value: DeValue<'a>,
}

/// A value, and where it stands.
#[derive(Debug)]
pub(super) struct Found<'a, T> {
    pub(super) value: T,
    source: Source<'a>,
    key: String,
    at: usize,
}

impl<T> Found<'_, T> {
    /// Says what is wrong with the value.
    pub(super) fn wrong(&self, problem: impl Display) -> ConfigError {
        self.source.wrong(self.at, Some(&self.key), problem)
    }
}

impl<'a> Section<'a> {
    fn new(source: Source<'a>, name: Option<String>, at: usize, table: DeTable<'a>) -> Self {
        let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'a>>)| {
            let at = key.span().start;
            let key: std::borrow::Cow<'_, str> = key.into_inner();
            Entry { key: key.into_owned(), at, value: value.into_inner() }
        };
        let mut left: Vec<Entry<'a>> = table.into_iter().map(entry).collect();
        left.sort_by_key(|entry| entry.at);
        Self { source, name, at, left, known: Vec::new() }
    }

    /// Takes a table of tables, in the order of the file.
    pub(super) fn sections(
        &mut self,
        key: &'static str,
    ) -> Result<Vec<(String, Section<'a>)>, ConfigError> {
        let Some(entry) = self.take(key) else { return Ok(Vec::new()) };
        let outer = self.table(entry)?;
        outer
            .left
            .into_iter()
            .map(|entry| {
                let name = entry.key.clone();
                let full = format!("{key}.{}", quoted(&name));
                let section = Self { name: Some(full), ..self.table(entry)? };
                Ok((name, section))
            })
            .collect()
    }

    /// Takes a string that must be there.
    pub(super) fn string(&mut self, key: &'static str) -> Result<Found<'a, String>, ConfigError> {
        self.optional_string(key)?
            .ok_or_else(|| self.source.wrong(self.at, Some(&self.path(key)), "it is missing"))
    }

    /// Takes a string that may be there.
    pub(super) fn optional_string(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Found<'a, String>>, ConfigError> {
        let Some(entry) = self.take(key) else { return Ok(None) };
        match entry.value {
            DeValue::String(text) => Ok(Some(Found {
                value: text.into_owned(),
                source: self.source,
                key: self.path(key),
                at: entry.at,
            })),
            other => Err(self.mistyped(&entry.key, entry.at, "a string in quotes", &other)),
        }
    }

    /// Takes a list of strings that may be there.
    pub(super) fn optional_strings(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Found<'a, Vec<String>>>, ConfigError> {
        let Some(entry) = self.take(key) else { return Ok(None) };
        let wanted = "a list of strings in quotes";
        let DeValue::Array(list) = entry.value else {
            return Err(self.mistyped(&entry.key, entry.at, wanted, &entry.value));
        };
        let mut value = Vec::new();
        for one in list {
            match one.into_inner() {
                DeValue::String(text) => value.push(text.into_owned()),
                other => return Err(self.mistyped(&entry.key, entry.at, wanted, &other)),
            }
        }
        Ok(Some(Found { value, source: self.source, key: self.path(key), at: entry.at }))
    }

    /// Takes a truth value that may be there, with where it stands.
    pub(super) fn found_bool(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Found<'a, bool>>, ConfigError> {
        let at = self.left.iter().find(|entry| entry.key == key).map(|entry| entry.at);
        let value = self.optional_bool(key)?;
        let found = |(value, at)| Found { value, source: self.source, key: self.path(key), at };
        Ok(value.zip(at).map(found))
    }

    /// Takes a truth value that may be there.
    pub(super) fn optional_bool(&mut self, key: &'static str) -> Result<Option<bool>, ConfigError> {
        let Some(entry) = self.take(key) else { return Ok(None) };
        match entry.value {
            DeValue::Boolean(value) => Ok(Some(value)),
            other => Err(self.mistyped(&entry.key, entry.at, "`true` or `false`", &other)),
        }
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        let Some(entry) = self.left.first() else { return Ok(()) };
        let known = self.known.join(", ");
        let problem = format!("there is no such key; there is {known}");
        Err(self.source.wrong(entry.at, Some(&self.path(&entry.key)), problem))
    }

    /// Says what is wrong with the section.
    pub(super) fn wrong(&self, problem: impl Display) -> ConfigError {
        self.source.wrong(self.at, self.name.as_deref(), problem)
    }

    fn take(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.known.push(key);
        let at = self.left.iter().position(|entry| entry.key == key)?;
        Some(self.left.remove(at))
    }

    fn table(&self, entry: Entry<'a>) -> Result<Self, ConfigError> {
        match entry.value {
            DeValue::Table(table) => {
                Ok(Self::new(self.source, Some(self.path(&entry.key)), entry.at, table))
            }
            other => Err(self.mistyped(&entry.key, entry.at, "a table", &other)),
        }
    }

    fn mistyped(&self, key: &str, at: usize, wanted: &str, found: &DeValue<'_>) -> ConfigError {
        let found = match found {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a truth value",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let problem = format!("it must be {wanted}, and is {found}");
        self.source.wrong(at, Some(&self.path(key)), problem)
    }

    fn path(&self, key: &str) -> String {
        match &self.name {
            Some(name) => format!("{name}.{}", quoted(key)),
            None => quoted(key),
        }
    }
}

/// Writes a key as it stands in the file.
fn quoted(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { key.to_owned() } else { format!("\"{key}\"") }
}
