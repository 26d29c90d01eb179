use std::collections::BTreeMap;

use super::WireError;

/// The parameters of a request: names such as `Tags.member.1.Key`, each with a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(BTreeMap<String, String>);

impl<'a> FromIterator<(&'a str, &'a str)> for Params {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pairs: T) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }
}

impl Params {
    /// Reads a form.
    pub(crate) fn read(form: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(form);
        Self(pairs.map(|(key, value)| (key.into_owned(), value.into_owned())).collect())
    }

    /// Returns a text, if there is one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns a text that must be there.
    pub(crate) fn need(&self, name: &str) -> Result<&str, WireError> {
        self.text(name).ok_or_else(|| {
            WireError::new("ValidationError", format!("The parameter {name} is required"))
        })
    }

    /// Returns a number, if there is one.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, WireError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            WireError::new(
                "ValidationError",
                format!("'{text}' is not a value that {name} can have"),
            )
        })
    }

    /// Returns a yes or no, if there is one.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, WireError> {
        self.number(name)
    }

    /// Returns whether anything is said under a name: the name itself, or a part of it.
    pub(crate) fn has(&self, name: &str) -> bool {
        let dotted = format!("{name}.");
        self.0.keys().any(|key| key == name || key.starts_with(&dotted))
    }

    /// Returns the texts of a list, in order: `name.member.N` or `name.N`.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let items = self.items(name).into_values();
        items.filter_map(|item| item.text("").map(str::to_owned)).collect()
    }

    /// Returns the parts of a list of structures, in order.
    pub(crate) fn structs(&self, name: &str) -> Vec<Self> {
        self.items(name).into_values().collect()
    }

    /// Returns the part under a name.
    pub(crate) fn part(&self, name: &str) -> Self {
        let dotted = format!("{name}.");
        let inside = self.0.iter().filter_map(|(key, value)| {
            Some((key.strip_prefix(&dotted)?.to_owned(), value.clone()))
        });
        Self(inside.collect())
    }

    /// Returns every name with its text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    fn items(&self, name: &str) -> BTreeMap<u32, Self> {
        let mut items: BTreeMap<u32, Self> = BTreeMap::new();
        for (key, value) in self.part(name).0 {
            let key = key.strip_prefix("member.").unwrap_or(&key);
            let (number, rest) = key.split_once('.').unwrap_or((key, ""));
            if let Ok(number) = number.parse() {
                items.entry(number).or_default().0.insert(rest.to_owned(), value);
            }
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_both_spellings_and_in_order() {
        let params = Params::read(
            b"A.member.2=y&A.member.10=z&A.member.1=x&Tag.1.Key=k&Tag.1.Value=a%26b&Filter.1.Value.1=v",
        );
        assert_eq!(params.list("A"), ["x", "y", "z"]);
        let tags = params.structs("Tag");
        assert_eq!((tags[0].text("Key"), tags[0].text("Value")), (Some("k"), Some("a&b")));
        assert_eq!(params.structs("Filter")[0].list("Value"), ["v"]);
        assert!(params.has("Tag") && !params.has("Ta"));
    }
}
