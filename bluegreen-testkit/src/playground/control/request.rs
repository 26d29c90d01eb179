//! Whose request it is: what a signature says, which nobody checks.

use super::Service;

/// The account of everybody whose access key names no other one.
pub(crate) const DEFAULT_ACCOUNT: &str = "123456789012";

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) service: Service,
}

/// Reads the scope of a signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
///
/// An access key that holds twelve digits in a row names its account by them.
pub(crate) fn scope(authorization: &str) -> Option<Scope> {
    let (_, credential) = authorization.split_once("Credential=")?;
    let credential = credential.split([',', ' ']).next()?;
    let mut parts = credential.split('/');
    let (key, _date, region, service) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let service = Service::named(service)?;
    Some(Scope { account: account(key), region: region.to_owned(), service })
}

fn account(key: &str) -> String {
    let digits = key.split(|one: char| !one.is_ascii_digit());
    let mut digits = digits.filter(|run| run.len() == 12);
    digits.next().unwrap_or(DEFAULT_ACCOUNT).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_says_which_account_region_and_service() {
        let header = "AWS4-HMAC-SHA256 Credential=AKIA999988887777/20260101/eu-west-1/ec2/aws4_request, \
                      SignedHeaders=host, Signature=0";
        let scope = scope(header).expect("it can be read");
        assert_eq!((scope.account.as_str(), scope.region.as_str()), ("999988887777", "eu-west-1"));
        assert_eq!(scope.service, Service::Compute);
        assert_eq!(account("test"), DEFAULT_ACCOUNT);
    }
}
