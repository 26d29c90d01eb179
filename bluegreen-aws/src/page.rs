//! Goes through paginated answers, but not for ever.

use std::collections::HashSet;
use std::error::Error;

use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::budget::{Budget, Call};

/// More pages than any account can fill: 3,000 target groups are 8 pages.
const MAX_PAGES: usize = 500;

/// Notices pages that never end.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    seen: HashSet<String>,
}

/// Says that an endpoint gives one page after the other without end.
#[derive(Debug, thiserror::Error)]
#[error("the pages of the answer do not end: stopped after {0}")]
pub(crate) struct EndlessPages(usize);

impl Pages {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Notes that the page that `token` names comes next.
    pub(crate) fn turn(&mut self, token: &str) -> Result<(), EndlessPages> {
        if self.seen.len() < MAX_PAGES && self.seen.insert(token.to_owned()) {
            Ok(())
        } else {
            Err(EndlessPages(self.seen.len() + 1))
        }
    }
}

/// Collects the pages of an answer; the first one is paid for.
pub(crate) async fn collect<O, E: Error + 'static>(
    mut stream: PaginationStream<Result<O, SdkError<E, HttpResponse>>>,
    next: impl Fn(&O) -> Option<&str>,
    budget: (&Budget, Call),
) -> Result<Vec<O>, SdkError<E, HttpResponse>> {
    let mut pages = Vec::new();
    let mut guard = Pages::new();
    while let Some(page) = stream.next().await {
        let page = page?;
        let token = next(&page).filter(|token| !token.is_empty()).map(str::to_owned);
        pages.push(page);
        let Some(token) = token else { break };
        guard.turn(&token).map_err(SdkError::construction_failure)?;
        budget.0.take(budget.1).await;
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_comes_twice_ends_the_reading() {
        let mut pages = Pages::new();
        assert!(pages.turn("a").is_ok() && pages.turn("b").is_ok());
        assert!(pages.turn("a").is_err());
    }

    #[test]
    fn pages_that_do_not_end_are_given_up() {
        let mut pages = Pages::new();
        let turned = (0..9999).take_while(|page| pages.turn(&page.to_string()).is_ok()).count();
        assert_eq!(turned, MAX_PAGES);
    }
}
