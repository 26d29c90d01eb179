//! Deploying where groups launch from launch configurations, each of which is made once.

use std::collections::BTreeSet;

use bluegreen_core::model::{LaunchConfigurationName, LaunchSource, ScalingGroupName};
use bluegreen_testkit::{FakeCloud, World};

use crate::stage::{Scene, Verb};

/// Returns the names of the launch configurations after some releases, without the first one.
async fn made_from(first: &str, releases: usize) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut world = World::example().with_launch_configuration(first, "ami-0a");
    let blue = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live")).expect("blue");
    blue.launch = LaunchSource::Configuration(LaunchConfigurationName::new(first));
    let scene = Scene::new(FakeCloud::new(world));
    scene.must(Verb::Upgrade).await;
    let mut runs = BTreeSet::new();
    for _ in 0..releases {
        runs.insert(scene.ran(Verb::Deploy).await.run.to_string());
        scene.must(Verb::Switch).await;
    }
    let all = scene.world().configurations;
    let made = all.keys().map(ToString::to_string).filter(|name| name != first);
    (made.collect(), runs)
}

#[tokio::test(start_paused = true)]
async fn a_launch_configuration_is_named_after_the_first_one_and_the_run_that_made_it() {
    let (same_length, same_start) = (format!("web-{}", "z".repeat(26)), "web-01".to_owned());
    for first in ["web".to_owned(), "web-1".to_owned(), same_start, same_length] {
        let (made, runs) = made_from(&first, 3).await;
        let wanted: BTreeSet<_> = runs.iter().map(|run| format!("{first}-{run}")).collect();
        assert_eq!(made, wanted);
    }
}
