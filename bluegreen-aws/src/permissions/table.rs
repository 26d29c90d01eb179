//! The table. Whoever adds a call of AWS adds its action here: a test compares the table with the
//! calls that operations make, and names what is missing and what nobody calls.

use super::Task::{Deploy, Doctor, Downgrade, Orphans, Scaledown, Switch, Upgrade};
use super::{Need, Only, Place, Task, Way};

/// Whoever does anything looks first.
const ALL: &[Task] = &Task::ALL;
/// Whoever changes anything.
const CHANGING: &[Task] = &[Upgrade, Deploy, Switch, Scaledown, Downgrade, Orphans];

const fn called(name: &'static str) -> Need {
    Need {
        name,
        actions: &[],
        by: &[],
        on: &[Place::Anything],
        only: Only::Always,
        way: Way::Called,
        health: None,
    }
}

/// The ways of keeping target groups checked, as a configuration names them.
const IDLE_LISTENER: Option<&str> = Some("idle-listener");
const WEIGHT_ZERO: Option<&str> = Some("weight-zero");
const TEST_RULE: Option<&str> = Some("test-rule");

/// Every action that is taken, by statement.
pub(super) const NEEDS: &[Need] = &[
    Need {
        // None of them knows resources.
        actions: &[
            "autoscaling:DescribeAutoScalingGroups",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "ec2:DescribeLaunchTemplateVersions",
            "autoscaling:DescribeLaunchConfigurations",
        ],
        by: ALL,
        ..called("Look")
    },
    Need {
        actions: &[
            "autoscaling:DescribeInstanceRefreshes",
            "autoscaling:DescribePolicies",
            "autoscaling:DescribeScheduledActions",
            "autoscaling:DescribeLifecycleHooks",
            "autoscaling:DescribeNotificationConfigurations",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:GetMetricData",
            "ec2:DescribeImages",
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeSecurityGroups",
            "elasticloadbalancing:DescribeAccountLimits",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
        ],
        by: &[Upgrade, Deploy, Switch, Scaledown, Downgrade, Orphans, Doctor],
        ..called("LookCloser")
    },
    Need {
        actions: &[
            "autoscaling:DescribeAccountLimits",
            "iam:ListAccountAliases",
            "iam:SimulatePrincipalPolicy",
        ],
        by: &[Doctor],
        ..called("Judge")
    },
    // Read where IAM simulates nothing.
    Need {
        actions: &[
            "iam:GetGroupPolicy",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:GetRolePolicy",
            "iam:GetUserPolicy",
            "iam:ListAttachedGroupPolicies",
            "iam:ListAttachedRolePolicies",
            "iam:ListAttachedUserPolicies",
            "iam:ListGroupPolicies",
            "iam:ListGroupsForUser",
            "iam:ListRolePolicies",
            "iam:ListUserPolicies",
        ],
        by: &[Doctor],
        way: Way::Checked,
        ..called("ReadPolicies")
    },
    // The ones that serve carry no tag of ours: what they are on is all that can be asked for.
    Need {
        actions: &["elasticloadbalancing:ModifyListener"],
        by: &[Switch],
        on: &[Place::Listener],
        ..called("SwitchListeners")
    },
    Need {
        actions: &["elasticloadbalancing:ModifyRule"],
        by: &[Switch],
        on: &[Place::Rule],
        ..called("SwitchRules")
    },
    Need {
        actions: &["elasticloadbalancing:CreateListener"],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::LoadBalancer],
        only: Only::TaggedByUs,
        health: IDLE_LISTENER,
        ..called("MakeIdleListeners")
    },
    Need {
        actions: &["elasticloadbalancing:DeleteListener"],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::Listener],
        only: Only::Ours,
        health: IDLE_LISTENER,
        ..called("DeleteIdleListeners")
    },
    Need {
        actions: &["elasticloadbalancing:CreateRule"],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::Listener],
        only: Only::TaggedByUs,
        health: TEST_RULE,
        ..called("MakeTestRules")
    },
    Need {
        actions: &["elasticloadbalancing:DeleteRule"],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::Rule],
        only: Only::Ours,
        health: TEST_RULE,
        ..called("DeleteTestRules")
    },
    Need {
        actions: &["elasticloadbalancing:ModifyListener"],
        by: &[Upgrade, Downgrade],
        on: &[Place::Listener],
        health: WEIGHT_ZERO,
        ..called("WeighListeners")
    },
    Need {
        actions: &["elasticloadbalancing:ModifyRule"],
        by: &[Upgrade, Downgrade],
        on: &[Place::Rule],
        health: WEIGHT_ZERO,
        ..called("WeighRules")
    },
    Need {
        actions: &["elasticloadbalancing:CreateTargetGroup"],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::GreenTargetGroup],
        only: Only::TaggedByUs,
        ..called("MakeTargetGroups")
    },
    Need {
        actions: &[
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            "elasticloadbalancing:DeleteTargetGroup",
        ],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::GreenTargetGroup],
        only: Only::Ours,
        ..called("OwnTargetGroups")
    },
    Need {
        actions: &["elasticloadbalancing:AddTags"],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::GreenTargetGroup, Place::Listener, Place::Rule],
        only: Only::AsMade(&["CreateTargetGroup", "CreateListener", "CreateRule"]),
        way: Way::Checked,
        ..called("TagWhatIsMade")
    },
    Need {
        actions: &["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"],
        by: &[Upgrade, Downgrade],
        on: &[Place::BlueTargetGroup],
        only: Only::OurKeys,
        ..called("TagTargetGroups")
    },
    Need {
        actions: &["elasticloadbalancing:ModifyLoadBalancerAttributes"],
        by: &[Upgrade, Downgrade],
        on: &[Place::LoadBalancer],
        ..called("ProtectLoadBalancers")
    },
    Need {
        actions: &["autoscaling:CreateAutoScalingGroup"],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::GreenGroup],
        only: Only::TaggedByUs,
        ..called("MakeScalingGroup")
    },
    Need {
        actions: &["autoscaling:DeleteAutoScalingGroup"],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::GreenGroup],
        only: Only::Ours,
        ..called("DeleteScalingGroup")
    },
    Need {
        actions: &["autoscaling:UpdateAutoScalingGroup"],
        by: &[Upgrade, Deploy, Scaledown, Downgrade],
        on: &[Place::Groups],
        ..called("ChangeScalingGroups")
    },
    Need {
        actions: &["autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags"],
        by: &[Upgrade, Deploy, Switch, Scaledown, Downgrade],
        on: &[Place::Groups],
        ..called("TagScalingGroups")
    },
    Need {
        actions: &["autoscaling:SuspendProcesses", "autoscaling:ResumeProcesses"],
        by: &[Upgrade, Deploy, Switch, Downgrade, Orphans],
        on: &[Place::Groups],
        ..called("HoldScaling")
    },
    Need {
        actions: &[
            "autoscaling:PutScalingPolicy",
            "autoscaling:DeletePolicy",
            "autoscaling:PutScheduledUpdateGroupAction",
            "autoscaling:DeleteScheduledAction",
        ],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::GreenGroup],
        ..called("CloneScaling")
    },
    // Taken only of groups that are fitted with something, which no emulator knows.
    Need {
        actions: &[
            "autoscaling:PutNotificationConfiguration",
            "autoscaling:DeleteNotificationConfiguration",
            "autoscaling:EnableMetricsCollection",
            "autoscaling:DisableMetricsCollection",
            "autoscaling:PutWarmPool",
            "autoscaling:DeleteWarmPool",
            "autoscaling:UpdateAutoScalingGroup",
        ],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::GreenGroup],
        way: Way::Checked,
        ..called("CloneFittings")
    },
    Need {
        actions: &["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
        by: &[Upgrade, Downgrade, Orphans],
        on: &[Place::GreenAlarm],
        ..called("CloneAlarms")
    },
    Need {
        actions: &["ec2:CreateLaunchTemplateVersion", "ec2:DeleteLaunchTemplateVersions"],
        by: &[Deploy],
        on: &[Place::LaunchTemplate],
        ..called("MakeVersions")
    },
    // A deploy may leave a launch configuration behind for a template of its own.
    Need {
        actions: &["ec2:CreateLaunchTemplate"],
        by: &[Deploy],
        on: &[Place::LaunchTemplate],
        only: Only::TaggedByUs,
        ..called("MakeLaunchTemplates")
    },
    Need {
        actions: &["ec2:DeleteLaunchTemplate"],
        by: &[Deploy],
        on: &[Place::LaunchTemplate],
        only: Only::Ours,
        ..called("DeleteLaunchTemplates")
    },
    Need {
        actions: &["ec2:CreateTags"],
        by: &[Deploy],
        on: &[Place::LaunchTemplate],
        only: Only::TemplateMade,
        way: Way::Checked,
        ..called("TagLaunchTemplates")
    },
    Need {
        actions: &[
            "autoscaling:CreateLaunchConfiguration",
            "autoscaling:DeleteLaunchConfiguration",
        ],
        by: &[Deploy],
        on: &[Place::LaunchConfiguration],
        ..called("MakeLaunchConfigurations")
    },
    // Who gives a group a launch template must be allowed to launch from it.
    // https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
    Need {
        actions: &["ec2:RunInstances", "ec2:CreateTags"],
        by: &[Upgrade, Deploy, Downgrade, Orphans],
        only: Only::FromTemplate,
        way: Way::Checked,
        ..called("LaunchFromTemplates")
    },
    Need {
        actions: &["iam:PassRole"],
        by: &[Upgrade, Deploy, Downgrade, Orphans],
        on: &[Place::InstanceRole],
        only: Only::ToMachines,
        way: Way::Checked,
        ..called("PassInstanceRoles")
    },
    Need { actions: &["s3:ListBucket"], by: ALL, on: &[Place::Bucket], ..called("FindRuns") },
    Need { actions: &["s3:GetObject"], by: ALL, on: &[Place::Objects], ..called("ReadRuns") },
    Need { actions: &["s3:PutObject"], by: CHANGING, on: &[Place::Objects], ..called("KeepRuns") },
];
