//! A bucket of S3, for a store that several machines share.

mod age;
mod error;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use bluegreen_core::transaction::{Condition, Object, Objects, Put, StoreError};
use tokio::time::timeout;

use crate::InvalidConfig;
use crate::aws_cloud::bounded;
use crate::error::Failure;
use age::DateHeader;
use error::{Call, failed, incomplete};

/// How long the content of an object may take to arrive once its answer has begun.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// The objects of a bucket of S3, for [`ObjectStore`](bluegreen_core::transaction::ObjectStore).
///
/// Puts are conditional, always. The age of an object is told by S3's clock alone.
#[derive(Clone)]
pub struct S3Objects {
    client: Client,
    bucket: String,
}

impl fmt::Debug for S3Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Objects").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

impl S3Objects {
    /// Uses a bucket with the region and the credentials of `config`.
    ///
    /// Reads nothing from the environment or from profiles, and makes no call: what `config` has is
    /// what counts. With an endpoint of its own, the bucket is addressed in the path. Attempts
    /// without a time limit get one of 15 seconds.
    pub fn new(config: &SdkConfig, bucket: impl Into<String>) -> Result<Self, InvalidConfig> {
        if config.region().is_none() {
            return Err(InvalidConfig::NoRegion);
        }
        if config.credentials_provider().is_none() {
            return Err(InvalidConfig::NoCredentials);
        }
        let has_endpoint =
            config.endpoint_url().is_some() || Self::endpoint_of_its_own(config).is_some();
        let config = aws_sdk_s3::config::Builder::from(&bounded(config))
            .force_path_style(has_endpoint)
            // Every line has a checksum of ours, and not every endpoint knows S3's newer ones.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        Ok(Self { client: Client::from_conf(config), bucket: bucket.into() })
    }

    /// Returns the endpoint that `config` was loaded with for S3 and for no other service, as from
    /// `AWS_ENDPOINT_URL_S3`.
    pub fn endpoint_of_its_own(config: &SdkConfig) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id("S3")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok()?;
        config.service_config()?.load_config(key)
    }

    fn failed(&self, call: Call, key: &str, error: impl Failure) -> StoreError {
        failed(call, &self.bucket, key, error)
    }

    /// Lists keys, or the folders below `prefix`.
    async fn all(&self, prefix: &str, delimiter: Option<&str>) -> Result<Vec<String>, StoreError> {
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_delimiter(delimiter.map(str::to_owned))
            .into_paginator()
            .send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed(Call::List, prefix, error))?;
            if delimiter.is_some() {
                let folders = page.common_prefixes().iter();
                all.extend(folders.filter_map(|folder| folder.prefix().map(str::to_owned)));
            } else {
                all.extend(page.contents().iter().filter_map(|one| one.key().map(str::to_owned)));
            }
        }
        Ok(all)
    }
}

#[async_trait]
impl Objects for S3Objects {
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        let date = DateHeader::default();
        let call = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = match call.customize().interceptor(date.clone()).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(self.failed(Call::Get, key, error)),
        };
        let broken = |why| incomplete(&self.bucket, key, why);
        let version = answer.e_tag().ok_or_else(|| broken("the answer has no `ETag`"))?.to_owned();
        let age = date.age_of(answer.last_modified());
        let body = match timeout(BODY_TIMEOUT, answer.body.collect()).await {
            Ok(Ok(body)) => body.into_bytes().to_vec(),
            Ok(Err(_)) | Err(_) => return Err(broken("the answer was cut short")),
        };
        Ok(Some(Object { body, version, age }))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.all(prefix, None).await
    }

    async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.all(prefix, Some("/")).await
    }

    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        condition: &Condition,
    ) -> Result<Put, StoreError> {
        let call = self.client.put_object().bucket(&self.bucket).key(key);
        let call = match condition {
            Condition::Absent => call.if_none_match("*"),
            Condition::Version(version) => call.if_match(version),
        };
        let call = call.content_type("text/plain; charset=utf-8").body(ByteStream::from(body));
        match call.send().await {
            Ok(answer) => {
                let version = answer.e_tag().map(str::to_owned);
                version
                    .map(Put::Done)
                    .ok_or_else(|| incomplete(&self.bucket, key, "the answer has no `ETag`"))
            }
            Err(error) if is_refused(&error) => Ok(Put::Refused),
            Err(error) => Err(self.failed(Call::Put, key, error)),
        }
    }
}

/// Returns whether the condition of a put did not hold.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
fn is_refused(error: &impl Failure) -> bool {
    // Of an object that is gone no version is there.
    error.status() == Some(412) || error.code() == Some("NoSuchKey")
}
