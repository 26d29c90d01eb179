//! Says with a launch template what a launch configuration says.

use aws_sdk_autoscaling::types as sdk;

use crate::query::filled;

/// What EC2 calls the one network interface that says more than a security group can.
const INTERFACE: &str = "NetworkInterface.1";

/// Returns the parameters of a launch template that launches what a launch configuration launches.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchConfiguration.html>
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html>
pub(crate) fn template_data(
    from: &sdk::LaunchConfiguration,
) -> Result<Vec<(String, String)>, &'static str> {
    if filled(from.classic_link_vpc_id()).is_some() {
        return Err("it links machines to a VPC by ClassicLink, which no launch template can");
    }
    let mut data = Parameters::default();
    data.put("ImageId", filled(from.image_id()));
    data.put("InstanceType", filled(from.instance_type()));
    data.put("KeyName", filled(from.key_name()));
    data.put("KernelId", filled(from.kernel_id()));
    data.put("RamDiskId", filled(from.ramdisk_id()));
    data.put("UserData", filled(from.user_data()));
    data.put("EbsOptimized", from.ebs_optimized());
    data.put("Placement.Tenancy", filled(from.placement_tenancy()));
    profile(&mut data, filled(from.iam_instance_profile()));
    // A launch configuration monitors in detail unless it says otherwise, a template if it says so.
    let monitored = from.instance_monitoring().and_then(sdk::InstanceMonitoring::enabled);
    data.put("Monitoring.Enabled", Some(monitored.unwrap_or(true)));
    if let Some(price) = filled(from.spot_price()) {
        data.put("InstanceMarketOptions.MarketType", Some("spot"));
        data.put("InstanceMarketOptions.SpotOptions.MaxPrice", Some(price));
    }
    network(&mut data, from)?;
    metadata(&mut data, from);
    for (index, mapping) in (1..).zip(from.block_device_mappings()) {
        block_device(&mut data, index, mapping);
    }
    Ok(data.0)
}

/// Parameters by name, as they go over the wire.
#[derive(Default)]
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn put(&mut self, name: impl Into<String>, value: Option<impl ToString>) {
        self.0.extend(value.map(|value| (name.into(), value.to_string())));
    }
}

fn profile(data: &mut Parameters, profile: Option<&str>) {
    let is_arn = profile.is_some_and(|one| one.starts_with("arn:"));
    let name = if is_arn { "IamInstanceProfile.Arn" } else { "IamInstanceProfile.Name" };
    data.put(name, profile);
}

/// A template says of an address what an interface says, and then its security groups, too.
fn network(data: &mut Parameters, from: &sdk::LaunchConfiguration) -> Result<(), &'static str> {
    let groups = from.security_groups();
    let named = groups.iter().any(|group| !group.starts_with("sg-"));
    let address = from.associate_public_ip_address();
    if address.is_some() && named {
        return Err("it says whether machines get a public address, and names security groups \
                    without their ids, which no launch template can");
    }
    let list = match address {
        Some(_) => format!("{INTERFACE}.SecurityGroupId"),
        None if named => "SecurityGroup".to_owned(),
        None => "SecurityGroupId".to_owned(),
    };
    data.put(format!("{INTERFACE}.DeviceIndex"), address.map(|_| 0));
    data.put(format!("{INTERFACE}.AssociatePublicIpAddress"), address);
    for (index, group) in (1..).zip(groups) {
        data.put(format!("{list}.{index}"), Some(group));
    }
    Ok(())
}

fn metadata(data: &mut Parameters, from: &sdk::LaunchConfiguration) {
    let Some(options) = from.metadata_options() else { return };
    data.put(
        "MetadataOptions.HttpTokens",
        options.http_tokens().map(sdk::InstanceMetadataHttpTokensState::as_str),
    );
    data.put("MetadataOptions.HttpPutResponseHopLimit", options.http_put_response_hop_limit());
    data.put(
        "MetadataOptions.HttpEndpoint",
        options.http_endpoint().map(sdk::InstanceMetadataEndpointState::as_str),
    );
}

fn block_device(data: &mut Parameters, index: i32, mapping: &sdk::BlockDeviceMapping) {
    let name = |rest: &str| format!("BlockDeviceMapping.{index}.{rest}");
    data.put(name("DeviceName"), filled(mapping.device_name()));
    data.put(name("VirtualName"), filled(mapping.virtual_name()));
    // An empty text is how a template leaves a device of the image out.
    data.put(name("NoDevice"), mapping.no_device().filter(|is_left_out| *is_left_out).map(|_| ""));
    let Some(volume) = mapping.ebs() else { return };
    data.put(name("Ebs.SnapshotId"), filled(volume.snapshot_id()));
    data.put(name("Ebs.VolumeSize"), volume.volume_size());
    data.put(name("Ebs.VolumeType"), filled(volume.volume_type()));
    data.put(name("Ebs.DeleteOnTermination"), volume.delete_on_termination());
    data.put(name("Ebs.Iops"), volume.iops());
    data.put(name("Ebs.Encrypted"), volume.encrypted());
    data.put(name("Ebs.Throughput"), volume.throughput());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration() -> aws_sdk_autoscaling::types::builders::LaunchConfigurationBuilder {
        sdk::LaunchConfiguration::builder()
            .launch_configuration_name("web-1")
            .image_id("ami-0a")
            .instance_type("m5.large")
            .key_name("")
    }

    fn data(from: &sdk::LaunchConfiguration) -> Vec<String> {
        let data = template_data(from).unwrap();
        data.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn detailed_monitoring_is_what_a_launch_configuration_does_unless_it_says_otherwise() {
        let from = configuration().build();
        assert_eq!(
            data(&from),
            ["ImageId=ami-0a", "InstanceType=m5.large", "Monitoring.Enabled=true"]
        );
        let off = sdk::InstanceMonitoring::builder().enabled(false).build();
        let from = configuration().instance_monitoring(off).build();
        assert!(data(&from).contains(&"Monitoring.Enabled=false".to_owned()));
    }

    #[test]
    fn who_says_something_of_the_public_address_says_the_security_groups_there() {
        let from = configuration().security_groups("sg-1").security_groups("sg-2");
        let said = data(&from.clone().build());
        assert!(
            said.ends_with(&["SecurityGroupId.1=sg-1".into(), "SecurityGroupId.2=sg-2".into()])
        );
        let said = data(&from.associate_public_ip_address(false).build());
        assert!(said.ends_with(&[
            "NetworkInterface.1.DeviceIndex=0".into(),
            "NetworkInterface.1.AssociatePublicIpAddress=false".into(),
            "NetworkInterface.1.SecurityGroupId.1=sg-1".into(),
            "NetworkInterface.1.SecurityGroupId.2=sg-2".into(),
        ]));
    }

    #[test]
    fn disks_market_profile_and_metadata_are_carried() {
        let root = sdk::Ebs::builder()
            .volume_size(20)
            .volume_type("gp3")
            .iops(3000)
            .throughput(125)
            .encrypted(true)
            .delete_on_termination(true)
            .build();
        let root = sdk::BlockDeviceMapping::builder().device_name("/dev/xvda").ebs(root).build();
        let none =
            sdk::BlockDeviceMapping::builder().device_name("/dev/sdb").no_device(true).build();
        let options = sdk::InstanceMetadataOptions::builder()
            .http_tokens(sdk::InstanceMetadataHttpTokensState::Required)
            .http_put_response_hop_limit(2)
            .build();
        let from = configuration()
            .spot_price("0.05")
            .iam_instance_profile("arn:aws:iam::123456789012:instance-profile/web")
            .placement_tenancy("dedicated")
            .ebs_optimized(true)
            .user_data("IyEvYmluL3NoCg==")
            .block_device_mappings(root)
            .block_device_mappings(none)
            .metadata_options(options)
            .build();
        assert_eq!(
            data(&from)[2..],
            [
                "UserData=IyEvYmluL3NoCg==",
                "EbsOptimized=true",
                "Placement.Tenancy=dedicated",
                "IamInstanceProfile.Arn=arn:aws:iam::123456789012:instance-profile/web",
                "Monitoring.Enabled=true",
                "InstanceMarketOptions.MarketType=spot",
                "InstanceMarketOptions.SpotOptions.MaxPrice=0.05",
                "MetadataOptions.HttpTokens=required",
                "MetadataOptions.HttpPutResponseHopLimit=2",
                "BlockDeviceMapping.1.DeviceName=/dev/xvda",
                "BlockDeviceMapping.1.Ebs.VolumeSize=20",
                "BlockDeviceMapping.1.Ebs.VolumeType=gp3",
                "BlockDeviceMapping.1.Ebs.DeleteOnTermination=true",
                "BlockDeviceMapping.1.Ebs.Iops=3000",
                "BlockDeviceMapping.1.Ebs.Encrypted=true",
                "BlockDeviceMapping.1.Ebs.Throughput=125",
                "BlockDeviceMapping.2.DeviceName=/dev/sdb",
                "BlockDeviceMapping.2.NoDevice=",
            ]
        );
    }

    #[test]
    fn what_no_template_can_say_is_refused_by_name() {
        let classic = configuration().classic_link_vpc_id("vpc-1").build();
        assert!(template_data(&classic).unwrap_err().contains("ClassicLink"));
        let named = configuration().security_groups("web").associate_public_ip_address(true);
        assert!(template_data(&named.build()).unwrap_err().contains("security groups"));
    }
}
