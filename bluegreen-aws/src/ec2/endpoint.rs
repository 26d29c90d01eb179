use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// Returns where EC2 answers in `region`.
///
/// The caller's own URL comes first, as with the SDK's clients: the one set in
/// code, then the one configured for EC2, then the one for all services.
pub(super) fn url(config: &SdkConfig, region: &str) -> String {
    if config.get_origin("endpoint_url").is_client_config()
        && let Some(url) = config.endpoint_url()
    {
        return url.to_owned();
    }
    configured_for_ec2(config).or_else(|| config.endpoint_url().map(str::to_owned)).unwrap_or_else(
        || {
            let fips = config.use_fips().unwrap_or(false);
            let dual_stack = config.use_dual_stack().unwrap_or(false);
            public(region, fips, dual_stack)
        },
    )
}

fn configured_for_ec2(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("EC2")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config()?.load_config(key)
}

/// <https://docs.aws.amazon.com/general/latest/gr/ec2-service.html>
fn public(region: &str, fips: bool, dual_stack: bool) -> String {
    // The plain endpoint of the GovCloud partition is the FIPS one.
    let host = if fips && !region.starts_with("us-gov-") { "ec2-fips" } else { "ec2" };
    let suffix = match (region, dual_stack) {
        (cn, true) if cn.starts_with("cn-") => "api.amazonwebservices.com.cn",
        (_, true) => "api.aws",
        (cn, false) if cn.starts_with("cn-") => "amazonaws.com.cn",
        (eu, false) if eu.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("https://{host}.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_suffix() {
        for (region, url) in [
            ("eu-west-1", "https://ec2.eu-west-1.amazonaws.com"),
            ("cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "https://ec2.us-gov-west-1.amazonaws.com"),
        ] {
            assert_eq!(public(region, false, false), url);
        }
        assert_eq!(public("us-east-1", true, false), "https://ec2-fips.us-east-1.amazonaws.com");
        assert_eq!(public("us-east-1", false, true), "https://ec2.us-east-1.api.aws");
    }

    #[test]
    fn the_callers_own_url_comes_first() {
        let config = SdkConfig::builder().endpoint_url("http://127.0.0.1:5000").build();
        assert_eq!(url(&config, "eu-west-1"), "http://127.0.0.1:5000");
    }
}
