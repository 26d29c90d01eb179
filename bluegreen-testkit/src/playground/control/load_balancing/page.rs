//! How much one answer holds, and how much one call may ask for.

use super::super::{Params, WireError};
use super::refusal::invalid;

/// The most things on a page.
const LONGEST_PAGE: usize = 400;
/// The most things that one call describes by name or ARN.
const MOST_NAMED: usize = 20;

/// A page of an answer, with the marker of the next one.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// Cuts out the page that a call asks for; every item has a key of its own, which is its order.
pub(super) fn cut<T>(params: &Params, mut items: Vec<(String, T)>) -> Result<Page<T>, WireError> {
    let size = params.number::<usize>("PageSize")?.unwrap_or(LONGEST_PAGE);
    if size == 0 || size > LONGEST_PAGE {
        return Err(invalid(format!("Page size '{size}' must be between 1 and 400")));
    }
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    if let Some(marker) = params.text("Marker").filter(|marker| !marker.is_empty()) {
        // Whatever was deleted meanwhile, the rest comes after what was last shown.
        items.retain(|(key, _)| key.as_str() > marker);
    }
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|(key, _)| key.clone());
    Ok(Page { items: items.into_iter().map(|(_, item)| item).collect(), next })
}

/// Refuses to describe too much at a time.
pub(super) fn at_most(asked: &[String], what: &str) -> Result<(), WireError> {
    if asked.len() > MOST_NAMED {
        let message = format!("You cannot describe more than '{MOST_NAMED}' {what} at a time");
        return Err(invalid(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_everything_once() {
        let all = || (0..5).map(|one: u32| (format!("{one:05}"), one)).collect::<Vec<_>>();
        let mut seen = vec![];
        let mut marker = String::new();
        loop {
            let form = format!("PageSize=2&Marker={marker}");
            let page = cut(&Params::read(form.as_bytes()), all()).unwrap();
            assert!(page.items.len() <= 2);
            seen.extend(page.items);
            let Some(next) = page.next else { break };
            marker = next;
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        assert_eq!(cut(&Params::read(b"PageSize=401"), all()).unwrap_err().code, "ValidationError");
    }
}
