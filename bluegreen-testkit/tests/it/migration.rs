//! Leaving a launch configuration behind for a launch template, within a deploy.

use bluegreen_core::model::{
    Color, ImageId, LaunchConfigurationName, LaunchSource, LaunchTemplateName, ScalingGroupName,
    tag_key,
};
use bluegreen_core::operation::{Done, Operation, OperationError, OperationErrorKind, compare};
use bluegreen_core::plan::{DeployOptions, DeploySource};
use bluegreen_core::transaction::Ending;
use bluegreen_testkit::fake::{VersionState, template};
use bluegreen_testkit::{FakeCloud, World};

use crate::stage::{Scene, Verb, calm, image, live};

const GREEN: &str = "nginx-live-green";

/// The example, launched from a launch configuration.
fn world() -> World {
    let mut world = World::example().with_launch_configuration("nginx-1", "ami-0a");
    let blue = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live")).expect("blue");
    blue.launch = LaunchSource::Configuration(LaunchConfigurationName::new("nginx-1"));
    world
}

async fn upgraded() -> Scene {
    let scene = Scene::new(FakeCloud::new(world()));
    scene.must(Verb::Upgrade).await;
    scene
}

fn migrating() -> DeployOptions {
    image("ami-0b").with_template(LaunchTemplateName::new("web"))
}

async fn deploy(scene: &Scene, options: DeployOptions) -> Result<Done, OperationError> {
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    scene.bluegreen().run(&scene.spec, &Operation::Deploy(options)).await
}

fn committed(end: &Result<Done, OperationError>) -> bool {
    matches!(end, Ok(Done::Ran(outcome)) if outcome.ending == Ending::Committed)
}

fn launches(scene: &Scene, group: &str) -> LaunchSource {
    scene.world().scaling_groups[&ScalingGroupName::new(group)].launch.clone()
}

#[tokio::test(start_paused = true)]
async fn a_deploy_makes_a_template_of_what_a_launch_configuration_says() {
    let scene = upgraded().await;
    let before = scene.world();
    let end = deploy(&scene, migrating()).await;
    assert!(committed(&end), "{end:?}");
    assert_eq!(launches(&scene, GREEN), template("web", 1));
    assert_eq!(
        launches(&scene, "nginx-live"),
        before.scaling_groups[&ScalingGroupName::new("nginx-live")].launch
    );
    let made = &scene.world().templates[&LaunchTemplateName::new("web")];
    let mut expected = before.configurations[&LaunchConfigurationName::new("nginx-1")].clone();
    expected.image = ImageId::new("ami-0b");
    assert_eq!(made.versions[&1].data, expected);
    assert_eq!(made.tags[tag_key::ENVIRONMENT], "IE-L-NGINX");
    assert!(made.tags.contains_key(tag_key::RUN));
    let parity = compare(&scene.cloud, &scene.spec, &scene.environment().await).await.unwrap();
    let unintended: Vec<_> = parity.iter().filter(|one| one.intended.is_none()).collect();
    assert!(unintended.is_empty(), "{unintended:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_next_deploys_make_versions_of_it_on_both_colours() {
    let scene = upgraded().await;
    assert!(committed(&deploy(&scene, migrating()).await));
    scene.must(Verb::Switch).await;
    assert!(committed(&deploy(&scene, image("ami-0a")).await));
    assert_eq!(launches(&scene, "nginx-live"), template("web", 2));
    scene.must(Verb::Switch).await;
    assert_eq!(scene.live().await, live(Color::Blue));
    assert!(committed(&deploy(&scene, image("ami-0b")).await));
    assert_eq!(launches(&scene, GREEN), template("web", 3));
}

#[tokio::test(start_paused = true)]
async fn what_the_other_colour_launches_can_be_made_a_template_too() {
    let scene = upgraded().await;
    let from = DeployOptions::new(DeploySource::From(Color::Blue));
    let end = deploy(&scene, from.with_template(LaunchTemplateName::new("web"))).await;
    assert!(committed(&end), "{end:?}");
    assert_eq!(launches(&scene, GREEN), template("web", 1));
    let made = &scene.world().templates[&LaunchTemplateName::new("web")].versions[&1];
    assert_eq!(made.data.image, ImageId::new("ami-0a"));
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_fails_leaves_no_template() {
    let scene = upgraded().await;
    let before = scene.world();
    scene.cloud.break_image(&ImageId::new("ami-0b"));
    let end = deploy(&scene, migrating()).await;
    assert_eq!(end.expect_err("the image is broken").kind(), OperationErrorKind::RolledBack);
    calm().await;
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn an_undone_migration_launches_from_the_configuration_again_and_leaves_no_template() {
    let scene = upgraded().await;
    let before = scene.world();
    assert!(committed(&deploy(&scene, migrating()).await));
    let end = scene.undo_last().await;
    assert!(committed(&end), "{end:?}");
    calm().await;
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn a_template_that_somebody_made_versions_of_is_not_deleted_with_them() {
    let scene = upgraded().await;
    assert!(committed(&deploy(&scene, migrating()).await));
    let after = scene.world();
    scene.cloud.edit(|world| {
        let made = world.templates.get_mut(&LaunchTemplateName::new("web")).expect("it is there");
        let theirs = made.versions[&1].clone();
        made.versions.insert(2, VersionState { mark: None, ..theirs });
    });
    let end = scene.undo_last().await.expect_err("their version would go with it");
    assert_ne!(end.kind(), OperationErrorKind::NotStarted);
    let said = format!("{end:?}");
    assert!(said.contains("versions that somebody added"), "{said}");
    calm().await;
    let left = &scene.world().templates[&LaunchTemplateName::new("web")];
    assert_eq!(
        left.versions.len(),
        after.templates[&LaunchTemplateName::new("web")].versions.len() + 1
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_added_to_a_template_of_somebody_else() {
    let scene = upgraded().await;
    let before = scene.world();
    let taken = image("ami-0b").with_template(LaunchTemplateName::new("nginx"));
    let end = deploy(&scene, taken).await.expect_err("the name is taken");
    assert_eq!(end.kind(), OperationErrorKind::NotStarted);
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn a_template_is_not_made_of_a_template() {
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    for source in [image("ami-0b").source, DeploySource::TemplateVersion(1)] {
        let options = DeployOptions::new(source).with_template(LaunchTemplateName::new("web"));
        let end = deploy(&scene, options).await.expect_err("there is nothing to migrate");
        assert!(
            end.to_string().contains("nginx") || format!("{end:?}").contains("IsTemplate"),
            "{end:?}"
        );
        assert_eq!(end.kind(), OperationErrorKind::NotStarted);
    }
    assert_eq!(scene.world(), before);
}
