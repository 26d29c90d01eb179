use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::Service;

/// Returns where the service answers in `region`.
///
/// The caller's own URL comes first, as with the SDK's clients: the one set in
/// code, then the one configured for the service, then the one for all services.
pub(super) fn url(config: &SdkConfig, service: Service, region: &str) -> String {
    if config.get_origin("endpoint_url").is_client_config()
        && let Some(url) = config.endpoint_url()
    {
        return url.to_owned();
    }
    configured(config, service).or_else(|| config.endpoint_url().map(str::to_owned)).unwrap_or_else(
        || {
            let fips = config.use_fips().unwrap_or(false);
            let dual_stack = config.use_dual_stack().unwrap_or(false);
            if service.global {
                return format!("https://{}", global(service.prefix, region).0);
            }
            public(service.prefix, region, fips, dual_stack)
        },
    )
}

fn configured(config: &SdkConfig, service: Service) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service.id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config()?.load_config(key)
}

/// Returns where a service answers that has one endpoint for all regions of a partition, and the
/// region that its calls are signed for.
///
/// <https://docs.aws.amazon.com/general/latest/gr/iam-service.html>
pub(super) fn global(prefix: &str, region: &str) -> (String, &'static str) {
    match region {
        cn if cn.starts_with("cn-") => {
            (format!("{prefix}.cn-north-1.amazonaws.com.cn"), "cn-north-1")
        }
        gov if gov.starts_with("us-gov-") => {
            (format!("{prefix}.us-gov.amazonaws.com"), "us-gov-west-1")
        }
        _ => (format!("{prefix}.amazonaws.com"), "us-east-1"),
    }
}

/// <https://docs.aws.amazon.com/general/latest/gr/ec2-service.html>,
/// <https://docs.aws.amazon.com/general/latest/gr/cw_region.html>
fn public(prefix: &str, region: &str, fips: bool, dual_stack: bool) -> String {
    // The plain endpoint of the GovCloud partition is the FIPS one.
    let fips = if fips && !region.starts_with("us-gov-") { "-fips" } else { "" };
    let suffix = match (region, dual_stack) {
        (cn, true) if cn.starts_with("cn-") => "api.amazonwebservices.com.cn",
        (_, true) => "api.aws",
        (cn, false) if cn.starts_with("cn-") => "amazonaws.com.cn",
        (eu, false) if eu.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("https://{prefix}{fips}.{region}.{suffix}")
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
            assert_eq!(public("ec2", region, false, false), url);
        }
        assert_eq!(
            public("ec2", "us-east-1", true, false),
            "https://ec2-fips.us-east-1.amazonaws.com"
        );
        assert_eq!(public("ec2", "us-east-1", false, true), "https://ec2.us-east-1.api.aws");
    }

    #[test]
    fn a_global_service_has_one_endpoint_for_a_partition() {
        for (region, host, signed) in [
            ("eu-west-1", "iam.amazonaws.com", "us-east-1"),
            ("cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
        ] {
            assert_eq!(global("iam", region), (host.to_owned(), signed));
        }
    }

    #[test]
    fn the_callers_own_url_comes_first() {
        let config = SdkConfig::builder().endpoint_url("http://127.0.0.1:5000").build();
        assert_eq!(url(&config, crate::ec2::SERVICE, "eu-west-1"), "http://127.0.0.1:5000");
    }
}
