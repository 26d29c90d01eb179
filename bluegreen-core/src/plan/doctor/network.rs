use super::{Examination, Finding};
use crate::model::{Color, Environment};

/// Finds idle listeners that the outside can reach, and target groups that nothing keeps checked.
pub(super) fn ports(found: &Examination, environment: &Environment) -> Vec<Finding> {
    const CHECK: &str = "idle ports";
    let mut findings = Vec::new();
    let mut count = 0;
    for color in Color::BOTH {
        let members = environment.side(color).map(|side| side.members.as_slice());
        for member in members.unwrap_or_default() {
            let group = &member.target_group.name;
            let Some(listener) = &member.idle_listener else {
                let is_kept = environment.kept_checked_by(member).is_some();
                if environment.is_upgraded() && !is_kept {
                    findings.push(Finding::problem(
                        CHECK,
                        format!("nothing but the live routes keeps {group} ({color}) checked"),
                        "nothing checks it while it is idle, and no switch to it can begin",
                    ));
                }
                continue;
            };
            count += 1;
            let open = found.open_ports.get(&listener.load_balancer);
            if let Some(opening) = open.and_then(|open| open.get(&listener.port)) {
                findings.push(
                    Finding::problem(
                        CHECK,
                        format!("{listener} of {group} ({color}) can be reached: {opening}"),
                        "whoever finds the port is served by the version that is not live",
                    )
                    .mended_by(format!(
                        "close port {} in the security groups of {}",
                        listener.port, listener.load_balancer
                    )),
                );
            }
        }
    }
    // Before an upgrade it is enough to know that there are some.
    if findings.is_empty() && environment.is_upgraded() {
        findings.push(if count == 0 {
            Finding::ok(
                CHECK,
                format!("there are none: it is kept checked by {}", environment.health),
            )
        } else {
            Finding::ok(CHECK, format!("none of {count} can be reached from outside"))
        });
    }
    findings
}

/// Finds load balancers that anybody may delete.
pub(super) fn protection(found: &Examination) -> Vec<Finding> {
    const CHECK: &str = "deletion protection";
    let bare: Vec<Finding> = found
        .load_balancers
        .iter()
        .filter(|one| !one.deletion_protection)
        .map(|one| {
            let mend = match &found.observed {
                Ok(environment) if !environment.is_upgraded() => {
                    format!("bluegreen upgrade {}", found.environment)
                }
                _ => "aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN \
                      --attributes Key=deletion_protection.enabled,Value=true"
                    .to_owned(),
            };
            Finding::warning(
                CHECK,
                format!("load balancer {} can be deleted", one.name),
                "one wrong click takes the service, and its address does not come back",
            )
            .mended_by(mend)
        })
        .collect();
    if bare.is_empty() && !found.load_balancers.is_empty() {
        return vec![Finding::ok(CHECK, "every load balancer is protected")];
    }
    bare
}
