use std::time::Duration;

use bluegreen_core::transaction::{Condition, Object, Objects as _, Put};

use super::S3Objects;
use crate::canned::{Answer, Wire};

const DATE: (&str, &str) = ("date", "Wed, 25 Nov 2026 12:00:40 GMT");
const MODIFIED: (&str, &str) = ("last-modified", "Wed, 25 Nov 2026 12:00:00 GMT");
const TAG: (&str, &str) = ("etag", "\"0a1b\"");

fn objects(answers: impl IntoIterator<Item = Answer>) -> (Wire, S3Objects) {
    let wire = Wire::new(answers);
    let objects = S3Objects::new(&wire.config().build(), "team-state").unwrap();
    (wire, objects)
}

fn error(code: &str) -> &'static str {
    format!("<Error><Code>{code}</Code><Message>no</Message></Error>").leak()
}

/// Returns what is said of one failed put and everything that caused it.
async fn said(answer: Answer) -> String {
    let (_, objects) = objects([answer]);
    let error = objects.put("runs/1/00000001", vec![1], &Condition::Absent).await.unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

#[tokio::test]
async fn an_object_is_as_old_as_the_bucket_says_or_younger() {
    let (wire, objects) = objects([Answer::Headed(200, &[DATE, MODIFIED, TAG], "body")]);
    let found = objects.get("locks/WEB").await.unwrap();
    let age = Duration::from_secs(39);
    assert_eq!(found, Some(Object { body: b"body".into(), version: "\"0a1b\"".to_owned(), age }));
    let uri = &wire.requests()[0].uri;
    assert!(uri.starts_with("https://team-state.s3.eu-west-1.amazonaws.com/locks/WEB"), "{uri}");
}

#[tokio::test]
async fn what_has_no_date_never_gets_old() {
    for headers in [&[DATE, TAG][..], &[MODIFIED, TAG]] {
        let (_, objects) = objects([Answer::Headed(200, headers, "body")]);
        assert_eq!(objects.get("locks/WEB").await.unwrap().unwrap().age, Duration::ZERO);
    }
}

#[tokio::test]
async fn what_is_not_there_is_none_and_a_bucket_that_is_not_an_error() {
    let (_, objects) =
        objects([Answer::Http(404, error("NoSuchKey")), Answer::Http(404, error("NoSuchBucket"))]);
    assert_eq!(objects.get("locks/WEB").await.unwrap(), None);
    objects.get("locks/WEB").await.unwrap_err();
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_a_refusal_and_a_conflict_is_not() {
    for answer in [
        Answer::Http(412, error("PreconditionFailed")),
        Answer::Http(412, ""),
        Answer::Http(404, error("NoSuchKey")),
    ] {
        let (_, objects) = objects([answer]);
        let put = objects.put("locks/WEB", vec![1], &Condition::Version("\"0a\"".to_owned())).await;
        assert_eq!(put.unwrap(), Put::Refused);
    }
    assert_eq!(
        said(Answer::Http(409, error("ConditionalRequestConflict"))).await,
        "the store `s3://team-state/runs/1/00000001` cannot be used: \
         somebody else put it just then (ConditionalRequestConflict: no)"
    );
}

#[tokio::test]
async fn an_error_says_where_and_what_to_do() {
    let store = "the store `s3://team-state/runs/1/00000001` cannot be used: ";
    for (answer, text) in [
        (
            Answer::Http(404, error("NoSuchBucket")),
            "there is no such bucket; make it, or give another (NoSuchBucket: no)",
        ),
        (Answer::Http(403, error("AccessDenied")), "ask for `s3:PutObject` (AccessDenied: no)"),
        (
            Answer::Http(403, error("InvalidAccessKeyId")),
            "sign in again, or check the profile (InvalidAccessKeyId: no)",
        ),
        (
            Answer::Http(400, error("ExpiredToken")),
            "sign in again, or check the profile (ExpiredToken: no)",
        ),
        (
            Answer::Headed(
                301,
                &[("x-amz-bucket-region", "eu-central-1")],
                error("PermanentRedirect"),
            ),
            "the bucket is in region `eu-central-1`; give that region (PermanentRedirect: no)",
        ),
        (
            Answer::Http(400, error("AuthorizationHeaderMalformed")),
            "the bucket is in another region; give its region (AuthorizationHeaderMalformed: no)",
        ),
        (Answer::Http(400, error("KeyTooLongError")), "KeyTooLongError: no"),
    ] {
        assert_eq!(said(answer).await, format!("{store}{text}"));
    }
}

#[tokio::test]
async fn a_list_has_all_pages() {
    const FIRST: &str = "<ListBucketResult><IsTruncated>true</IsTruncated>\
        <NextContinuationToken>t</NextContinuationToken>\
        <Contents><Key>runs/1/00000001</Key></Contents>\
        <CommonPrefixes><Prefix>runs/1/</Prefix></CommonPrefixes></ListBucketResult>";
    const LAST: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
        <Contents><Key>runs/2/00000001</Key></Contents>\
        <CommonPrefixes><Prefix>runs/2/</Prefix></CommonPrefixes></ListBucketResult>";
    let pages = || [Answer::Http(200, FIRST), Answer::Http(200, LAST)];
    let (wire, objects) = objects(pages().into_iter().chain(pages()));
    assert_eq!(objects.list("runs/").await.unwrap(), ["runs/1/00000001", "runs/2/00000001"]);
    assert_eq!(objects.folders("runs/").await.unwrap(), ["runs/1/", "runs/2/"]);
    let uris: Vec<String> = wire.requests().into_iter().map(|request| request.uri).collect();
    assert!(uris[1].contains("continuation-token=t"), "{uris:?}");
    assert!(!uris[0].contains("delimiter") && uris[2].contains("delimiter=%2F"), "{uris:?}");
}

#[tokio::test]
async fn an_endpoint_of_ones_own_has_the_bucket_in_the_path() {
    let wire = Wire::new([Answer::Http(404, error("NoSuchKey"))]);
    let config = wire.config().endpoint_url("http://127.0.0.1:9000").build();
    let objects = S3Objects::new(&config, "team-state").unwrap();
    assert_eq!(objects.get("locks/WEB").await.unwrap(), None);
    let uri = &wire.requests()[0].uri;
    assert!(uri.starts_with("http://127.0.0.1:9000/team-state/locks/WEB"), "{uri}");
}
