//! Filters of describing requests.

use super::{Params, WireError, invalid};

/// The filters of a request: something is described if each of them admits it.
pub(super) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Reads the filters of a request.
    pub(super) fn read(params: &Params) -> Self {
        let filters = params.structs("Filter").into_iter();
        let filters = filters.filter_map(|one| {
            let name = one.text("Name")?.to_owned();
            Some((name, one.list("Value")))
        });
        Self(filters.collect())
    }

    /// Returns whether a thing is admitted; `values` says what it has under a name, and nothing
    /// for a name that no filter of the request can have.
    pub(super) fn admit(
        &self,
        values: impl Fn(&str) -> Option<Vec<String>>,
    ) -> Result<bool, WireError> {
        for (name, wanted) in &self.0 {
            let found =
                values(name).ok_or_else(|| invalid(format!("The filter '{name}' is invalid")))?;
            let admits = |pattern: &String| found.iter().any(|one| matches(pattern, one));
            if !wanted.iter().any(admits) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Returns what tags have under the name of a filter: `tag:KEY`, `tag-key`.
pub(super) fn of_tags<'a>(
    name: &str,
    tags: impl Iterator<Item = (&'a String, &'a String)>,
) -> Option<Vec<String>> {
    if name == "tag-key" {
        return Some(tags.map(|(key, _)| key.clone()).collect());
    }
    let wanted = name.strip_prefix("tag:")?;
    Some(tags.filter(|(key, _)| *key == wanted).map(|(_, value)| value.clone()).collect())
}

/// Returns whether a text is as a pattern says: `*` is any text, `?` any letter.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| matches(rest, &text[at..]))
        }
        Some(wanted) => {
            let mut letters = text.chars();
            let found = letters.next();
            let fits = found.is_some_and(|found| wanted == '?' || wanted == found);
            fits && matches(&pattern[wanted.len_utf8()..], letters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_admits_what_has_one_of_its_values() {
        let filters = Filters::read(&Params::read(
            b"Filter.1.Name=name&Filter.1.Value.1=web-*&Filter.1.Value.2=a?c",
        ));
        let admits = |name: &str| {
            let name = name.to_owned();
            filters.admit(|field| (field == "name").then(|| vec![name.clone()]))
        };
        for name in ["web-1", "web-", "abc"] {
            assert_eq!(admits(name), Ok(true), "{name}");
        }
        assert_eq!(admits("web"), Ok(false));
        assert!(filters.admit(|_| None).is_err());
    }
}
