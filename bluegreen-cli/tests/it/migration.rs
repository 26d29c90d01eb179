//! From a launch configuration to a launch template, by one option of `deploy`.

use bluegreen_testkit::emulator::query;

use crate::stand::{ENV, Stand};

/// A service that launches from the launch configuration `web-1`, with its second colour.
async fn stand() -> Stand {
    let stand = Stand::new().await;
    let url = stand.emulator.url();
    let made = [
        ("LaunchConfigurationName", "web-1"),
        ("ImageId", &*stand.stack.image),
        ("InstanceType", "t3.micro"),
        ("SecurityGroups.member.1", &stand.stack.security_group),
        ("UserData", "IyEvYmluL3NoCg=="),
    ];
    let used = [("AutoScalingGroupName", "web"), ("LaunchConfigurationName", "web-1")];
    for (action, params) in
        [("CreateLaunchConfiguration", &made[..]), ("UpdateAutoScalingGroup", &used)]
    {
        let reply = query(&url, "autoscaling", action, params).await.expect("an answer");
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    stand.json(&["upgrade", ENV]).await;
    stand
}

/// Returns what EC2 says of the versions of the new template.
async fn versions(stand: &Stand) -> String {
    let params = [("LaunchTemplateName", "web-live")];
    let url = stand.emulator.url();
    let reply = query(&url, "ec2", "DescribeLaunchTemplateVersions", &params).await;
    reply.expect("an answer").body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_leaves_the_launch_configuration_behind_and_an_undo_goes_back_to_it() {
    let stand = stand().await;
    let image = stand.stack.other_image.clone();
    let deploy = ["deploy", ENV, "--image", &image, "--to-template", "web-live", "--poll", "100ms"];
    let plan = stand.run(&[&deploy[..], &["--dry-run"]].concat()).await.well();
    let plan = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    let made = format!("create launch template web-live from web-1 with image {image} point");
    assert!(plan.contains(&made), "{plan}");
    assert!(
        plan.contains("launch source of web-green: web-1 → web-live, the new version"),
        "{plan}"
    );
    assert!(!versions(&stand).await.contains(&image), "a dry run makes nothing");

    let before = stand.json(&["status", ENV]).await;
    let done = stand.json(&deploy).await;
    let status = stand.json(&["status", ENV]).await;
    assert_eq!(
        (&status["colors"]["green"]["version"], &status["live"]),
        (&"1".into(), &"blue".into())
    );
    assert_eq!(status["colors"]["blue"], before["colors"]["blue"], "what serves is as it was");
    let shown = versions(&stand).await;
    for part in [&*image, "t3.micro", &stand.stack.security_group, "IyEvYmluL3NoCg=="] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }

    let run = done["run"].as_str().expect("a run").to_owned();
    stand.json(&["undo", &run, "--poll", "100ms"]).await;
    let status = stand.json(&["status", ENV]).await;
    assert_eq!(status["colors"]["green"]["version"], "web-1");
    assert!(!versions(&stand).await.contains(&image), "the template is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_and_a_template_that_is_one_already_are_refused() {
    let stand = Stand::new().await;
    stand.json(&["upgrade", ENV]).await;
    let said = stand.run(&["deploy", ENV, "--to-template", "web-live"]).await;
    assert_eq!(said.status, 3, "{said:?}");
    assert!(said.stderr.contains("is of launch template `web` already"), "{said:?}");
    let said = stand.run(&["deploy", ENV, "--to-template", "web"]).await;
    assert_eq!(said.status, 3, "{said:?}");
    assert!(said.stderr.contains("launch template `web` exists"), "{said:?}");
    let said = stand.run(&["deploy", ENV, "--to-template", "x", "--from", "blue"]).await;
    assert_eq!(said.status, 2, "{said:?}");
}
