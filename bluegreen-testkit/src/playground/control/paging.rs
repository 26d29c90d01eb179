//! Long answers in pages.

/// What a page begins with says where it begins, and nothing else.
const PREFIX: &str = "playground-page-";

/// A token that was never given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownToken;

/// Cuts the page out of a list that a token asks for; returns the token of the next one with it.
pub(crate) fn page<T>(
    items: Vec<T>,
    size: usize,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), UnknownToken> {
    let start = match token.filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => {
            let number = token.strip_prefix(PREFIX).and_then(|text| text.parse().ok());
            number.ok_or(UnknownToken)?
        }
    };
    let size = size.max(1);
    let end = start + size;
    let next = (end < items.len()).then(|| format!("{PREFIX}{end}"));
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_put_together_are_the_list() {
        let mut token = None;
        let mut all = vec![];
        loop {
            let (some, next) = page((0..7).collect(), 3, token.as_deref()).expect("it is known");
            all.extend(some);
            let Some(next) = next else { break };
            token = Some(next);
        }
        assert_eq!(all, (0..7).collect::<Vec<_>>());
        assert_eq!(page(vec![1], 1, Some("nonsense")), Err(UnknownToken));
    }
}
