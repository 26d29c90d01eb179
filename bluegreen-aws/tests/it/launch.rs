//! Launch template versions, launch configurations, images.

use bluegreen_core::cloud::{CloudErrorKind, ReadLaunch, WriteLaunch};
use bluegreen_core::model::{
    ImageId, LaunchConfigurationName, LaunchEdit, LaunchSource, LaunchTemplateName, Mark, RunId,
    TemplateVersion, UserData,
};
use bluegreen_testkit::emulator::query;

use crate::world::World;

fn web() -> LaunchTemplateName {
    LaunchTemplateName::new("web")
}

fn source(version: TemplateVersion) -> LaunchSource {
    LaunchSource::Template { template: web(), version }
}

fn mark() -> Mark {
    Mark::new(&RunId::new("01j0"), "deploy/1")
}

fn edit(image: &str) -> LaunchEdit {
    LaunchEdit {
        source: source(TemplateVersion::Number(1)),
        image: Some(ImageId::new(image)),
        user_data: Some(UserData::new(b"#!/bin/true\n".to_vec())),
    }
}

#[tokio::test]
async fn a_version_is_made_once_and_found_by_its_mark() {
    let world = World::new().await;
    let (cloud, image) = (&world.cloud, &world.stack.other_image);
    let marked = TemplateVersion::Marked(mark());
    assert_eq!(cloud.template_version(&web(), &marked).await.unwrap(), None);
    for _ in 0..2 {
        cloud.create_template_version(&web(), &mark(), &edit(image)).await.unwrap();
    }
    assert_eq!(cloud.template_version(&web(), &marked).await.unwrap(), Some(2));
    assert_eq!(cloud.template_version(&web(), &TemplateVersion::Latest).await.unwrap(), Some(2));
    assert_eq!(cloud.template_version(&web(), &TemplateVersion::Default).await.unwrap(), Some(1));
    assert_eq!(cloud.template_version(&web(), &TemplateVersion::Number(3)).await.unwrap(), None);
    assert!(cloud.launch_source_exists(&source(marked.clone())).await.unwrap());

    cloud.delete_template_version(&web(), &mark()).await.unwrap();
    cloud.delete_template_version(&web(), &mark()).await.unwrap();
    assert_eq!(cloud.template_version(&web(), &marked).await.unwrap(), None);
    assert_eq!(cloud.template_version(&web(), &TemplateVersion::Latest).await.unwrap(), Some(1));
}

#[tokio::test]
async fn images_are_read_with_one_call_for_a_template() {
    let world = World::new().await;
    let (cloud, stack) = (&world.cloud, &world.stack);
    cloud.create_template_version(&web(), &mark(), &edit(&stack.other_image)).await.unwrap();
    let sources = [
        source(TemplateVersion::Number(1)),
        source(TemplateVersion::Latest),
        LaunchSource::Template {
            template: LaunchTemplateName::new("nobody"),
            version: TemplateVersion::Latest,
        },
    ];
    world.calls();
    let mut images = cloud.images(&sources[..2]).await.unwrap();
    assert_eq!(world.calls(), ["DescribeLaunchTemplateVersions"]);
    images.sort_by_key(|(source, _)| source.to_string());
    let found: Vec<_> = images.iter().map(|(_, image)| image.as_str()).collect();
    assert_eq!(found, [&stack.other_image, &stack.image]);
    assert_eq!(cloud.images(&sources).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_image_exists_or_not() {
    let world = World::new().await;
    assert!(world.cloud.image_exists(&ImageId::new(&world.stack.image)).await.unwrap());
    for image in ["ami-00000000", "resolve:ssm:/image", "nonsense"] {
        assert!(!world.cloud.image_exists(&ImageId::new(image)).await.unwrap(), "{image}");
    }
}

#[tokio::test]
async fn a_launch_configuration_is_copied() {
    let world = World::new().await;
    let (cloud, stack) = (&world.cloud, &world.stack);
    let params = [
        ("LaunchConfigurationName", "web-1"),
        ("ImageId", &*stack.image),
        ("InstanceType", "t3.micro"),
        ("SecurityGroups.member.1", &stack.security_group),
        ("UserData", "IyEvYmluL2ZhbHNlCg=="),
        ("InstanceMonitoring.Enabled", "false"),
    ];
    let made = query(&world.proxy.url(), "autoscaling", "CreateLaunchConfiguration", &params).await;
    assert_eq!(made.unwrap().status, 200);

    let (old, new) = (LaunchConfigurationName::new("web-1"), LaunchConfigurationName::new("web-2"));
    let edit = LaunchEdit {
        source: LaunchSource::Configuration(old.clone()),
        image: Some(ImageId::new(&stack.other_image)),
        user_data: None,
    };
    for _ in 0..2 {
        cloud.create_launch_configuration(&new, &edit).await.unwrap();
    }
    let sources =
        [LaunchSource::Configuration(old.clone()), LaunchSource::Configuration(new.clone())];
    let mut images = cloud.images(&sources).await.unwrap();
    images.sort_by_key(|(source, _)| source.to_string());
    let found: Vec<_> = images.iter().map(|(_, image)| image.as_str()).collect();
    assert_eq!(found, [&stack.image, &stack.other_image]);

    let other = LaunchEdit { image: None, ..edit };
    let error = cloud.create_launch_configuration(&new, &other).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Rejected);
    cloud.delete_launch_configuration(&new).await.unwrap();
    cloud.delete_launch_configuration(&new).await.unwrap();
    assert!(!cloud.launch_source_exists(&sources[1]).await.unwrap());
}
