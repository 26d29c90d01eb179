//! Everything that an account on the emulator is configured to be, for a
//! comparison field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::query;

const ELB: &str = "elasticloadbalancing";
const SCALING: &str = "autoscaling";

/// What moves by itself, or what moto alone gets wrong: machines, and which load balancers a
/// target group is on, which moto only adds to and sometimes twice.
const PASSING: [&str; 4] =
    ["/Instances/", "/LoadBalancerArns/", "/ResponseMetadata/", "/requestId"];

/// The fields of an account, by the call that told them; sorted, each as path and value.
pub type Account = BTreeMap<String, BTreeSet<String>>;

/// Reads the configuration of everything that a deployment touches.
///
/// # Errors
///
/// If the emulator cannot be asked.
pub async fn account(url: &str) -> io::Result<Account> {
    let mut reader = Reader { url, account: Account::new() };
    reader.load_balancers().await?;
    reader.target_groups().await?;
    reader.scaling_groups().await?;
    for (service, action) in [
        (SCALING, "DescribePolicies"),
        (SCALING, "DescribeScheduledActions"),
        (SCALING, "DescribeLaunchConfigurations"),
        ("monitoring", "DescribeAlarms"),
    ] {
        reader.ask(service, action, None).await?;
    }
    for template in
        reader.ask("ec2", "DescribeLaunchTemplates", None).await?.all("launchTemplateName")
    {
        let of = ("LaunchTemplateName", template.as_str());
        reader.ask("ec2", "DescribeLaunchTemplateVersions", Some(of)).await?;
    }
    Ok(reader.account)
}

struct Reader<'a> {
    url: &'a str,
    account: Account,
}

impl Reader<'_> {
    async fn load_balancers(&mut self) -> io::Result<()> {
        let found = self.ask(ELB, "DescribeLoadBalancers", None).await?;
        for arn in found.all("LoadBalancerArn") {
            let of = Some(("LoadBalancerArn", arn.as_str()));
            self.ask(ELB, "DescribeLoadBalancerAttributes", of).await?;
            self.tags(&arn).await?;
            for listener in self.ask(ELB, "DescribeListeners", of).await?.all("ListenerArn") {
                self.ask(ELB, "DescribeRules", Some(("ListenerArn", &listener))).await?;
                self.tags(&listener).await?;
            }
        }
        Ok(())
    }

    async fn target_groups(&mut self) -> io::Result<()> {
        for arn in self.ask(ELB, "DescribeTargetGroups", None).await?.all("TargetGroupArn") {
            let of = Some(("TargetGroupArn", arn.as_str()));
            self.ask(ELB, "DescribeTargetGroupAttributes", of).await?;
            self.tags(&arn).await?;
        }
        Ok(())
    }

    async fn scaling_groups(&mut self) -> io::Result<()> {
        let found = self.ask(SCALING, "DescribeAutoScalingGroups", None).await?;
        for group in found.all("AutoScalingGroupName") {
            let of = Some(("AutoScalingGroupName", group.as_str()));
            self.ask(SCALING, "DescribeLifecycleHooks", of).await?;
        }
        Ok(())
    }

    async fn tags(&mut self, arn: &str) -> io::Result<()> {
        self.ask(ELB, "DescribeTags", Some(("ResourceArns.member.1", arn))).await.map(drop)
    }

    /// Asks, and keeps every field of the answer.
    async fn ask(
        &mut self,
        service: &str,
        action: &str,
        of: Option<(&str, &str)>,
    ) -> io::Result<Leaves> {
        let reply = query(self.url, service, action, of.as_slice()).await?;
        if reply.status != 200 {
            return Err(io::Error::other(format!("{action} answered {}", reply.body)));
        }
        let leaves = Leaves::of(&reply.body);
        let kept =
            leaves.0.iter().filter(|(path, _)| !PASSING.iter().any(|one| path.contains(one)));
        let fields = kept.map(|(path, value)| format!("{path} = {value}")).collect();
        self.account.insert(format!("{action} {}", of.map_or("", |(_, value)| value)), fields);
        Ok(leaves)
    }
}

/// The texts of a document, each with the names of the elements around it.
struct Leaves(Vec<(String, String)>);

impl Leaves {
    /// Takes plain XML apart: no attribute and no entity is looked into.
    fn of(xml: &str) -> Self {
        let (mut path, mut leaves) = (Vec::new(), Vec::new());
        for piece in xml.split('<').skip(1) {
            let Some((tag, text)) = piece.split_once('>') else { continue };
            if tag.starts_with('/') {
                path.pop();
            } else if !tag.starts_with(['?', '!']) && !tag.ends_with('/') {
                path.push(tag.split_whitespace().next().unwrap_or(tag));
                if !text.trim().is_empty() {
                    leaves.push((path.join("/"), text.trim().to_owned()));
                }
            }
        }
        Self(leaves)
    }

    /// Returns the texts of the elements of a name, each once.
    fn all(&self, element: &str) -> BTreeSet<String> {
        let end = format!("/{element}");
        let named = self.0.iter().filter(|(path, _)| path.ends_with(&end));
        named.map(|(_, text)| text.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_taken_apart_into_paths_and_texts() {
        let leaves = Leaves::of("<?xml?><a><b x='1'>one</b><c/><b> two </b><d><e>3</e></d></a>");
        let texts: Vec<_> = leaves.0.iter().map(|(path, text)| format!("{path}={text}")).collect();
        assert_eq!(texts, ["a/b=one", "a/b=two", "a/d/e=3"]);
        assert_eq!(leaves.all("b").len(), 2);
    }
}
