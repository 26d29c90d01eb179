use std::str::FromStr;

/// Where a shared store is: `s3://BUCKET/PREFIX?region=REGION&profile=PROFILE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BucketUrl {
    pub(crate) bucket: String,
    /// What all keys begin with; may be empty.
    pub(crate) prefix: String,
    /// The region of the bucket, where it is not the one of everything else.
    pub(crate) region: Option<String>,
    /// The profile that may use it, where it is not the one of everything else.
    pub(crate) profile: Option<String>,
}

impl FromStr for BucketUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("s3://").ok_or("it does not begin with `s3://`")?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if !is_bucket_name(bucket) {
            return Err(format!("`{bucket}` is no name of a bucket"));
        }
        let (bucket, prefix) = (bucket.to_owned(), prefix.trim_matches('/').to_owned());
        let mut url = Self { bucket, prefix, ..Self::default() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = match name {
                "region" => &mut url.region,
                "profile" => &mut url.profile,
                _ => return Err(format!("`{name}` is neither `region` nor `profile`")),
            };
            if value.is_empty() {
                return Err(format!("`{name}` has no value"));
            }
            if known.replace(value.to_owned()).is_some() {
                return Err(format!("`{name}` is given twice"));
            }
        }
        Ok(url)
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn is_bucket_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| is_plain(byte) || byte == b'-' || byte == b'.')
        && name.bytes().next().is_some_and(is_plain)
        && name.bytes().last().is_some_and(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BucketUrl, String> {
        text.parse()
    }

    #[test]
    fn a_url_is_taken_apart() {
        let bare = BucketUrl { bucket: "team-state".to_owned(), ..BucketUrl::default() };
        for text in ["s3://team-state", "s3://team-state/", "s3://team-state?"] {
            assert_eq!(read(text), Ok(bare.clone()));
        }
        let full = BucketUrl {
            prefix: "blue/green".to_owned(),
            region: Some("eu-west-1".to_owned()),
            profile: Some("ops".to_owned()),
            ..bare
        };
        assert_eq!(read("s3://team-state/blue/green/?profile=ops&region=eu-west-1"), Ok(full));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_named() {
        for (text, problem) in [
            ("gs://team-state", "it does not begin with `s3://`"),
            ("s3://", "`` is no name of a bucket"),
            ("s3:///prefix", "`` is no name of a bucket"),
            ("s3://Team", "`Team` is no name of a bucket"),
            ("s3://-team", "`-team` is no name of a bucket"),
            ("s3://team_state/x", "`team_state` is no name of a bucket"),
            ("s3://team-state/x?zone=a", "`zone` is neither `region` nor `profile`"),
            ("s3://team-state/x?region", "`region` has no value"),
            ("s3://team-state/x?region=", "`region` has no value"),
            ("s3://team-state/x?region=a&region=b", "`region` is given twice"),
        ] {
            assert_eq!(read(text), Err(problem.to_owned()), "{text}");
        }
    }
}
