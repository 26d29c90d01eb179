//! What a clone names that is not the blue side's, and what is noted on it.

use bluegreen_core::model::{
    AlarmName, Dimension, DimensionValue, ScalingGroupName, TargetGroupName, tag_key,
};

use crate::stage::{Scene, Verb};

#[tokio::test(start_paused = true)]
async fn what_names_a_stranger_goes_on_naming_it() {
    let scene = Scene::example();
    let strangers = [
        DimensionValue::ScalingGroup(ScalingGroupName::new("other")),
        DimensionValue::TargetGroup(TargetGroupName::new("other-http")),
    ];
    let dimensions = strangers.map(|value| Dimension { name: "Other".to_owned(), value });
    scene.cloud.edit(|world| {
        let alarm = world.alarms.values_mut().next().expect("there is one");
        alarm.dimensions.extend(dimensions.clone());
    });
    scene.must(Verb::Upgrade).await;
    let clone = &scene.world().alarms[&AlarmName::new("nginx-live-busy-green")];
    assert_eq!(clone.dimensions[1..], dimensions);
    let green = DimensionValue::ScalingGroup(ScalingGroupName::new("nginx-live-green"));
    assert_eq!(clone.dimensions[0].value, green);
}

#[tokio::test(start_paused = true)]
async fn the_image_is_noted_on_both_colours() {
    let scene = Scene::before(Verb::Deploy).await;
    for name in ["nginx-live", "nginx-live-green"] {
        let group = &scene.world().scaling_groups[&ScalingGroupName::new(name)];
        assert_eq!(group.tags[tag_key::IMAGE].value, "1 ami-0a", "{name}");
    }
}
