use bluegreen_core::cloud::{Cloud, CloudErrorKind};
use bluegreen_core::model::{
    Capacity, ImageId, LaunchConfigurationName, LaunchEdit, LaunchSource, LaunchTemplateName,
    ScalingGroupName, TemplateSettings, TemplateVersion, tag_key,
};

use super::arrange::{self, refusal};
use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    versions_are_found_by_number_by_what_they_mean_and_by_mark,
    launch_sources_exist_or_not,
    images_exist_or_not,
    images_are_told_for_the_sources_that_exist,
    a_version_is_made_once_and_found_by_its_mark,
    a_version_that_is_absent_is_deleted_at_once,
    a_launch_configuration_is_made_as_an_edit_of_another,
    a_launch_configuration_in_use_cannot_be_deleted,
    a_launch_template_is_made_of_a_launch_configuration_and_goes_with_its_only_version,
    a_launch_template_of_somebody_else_is_neither_made_again_nor_deleted,
];

/// Returns the number that a version has, or that it means now; `None` if there is none.
pub async fn versions_are_found_by_number_by_what_they_mean_and_by_mark(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let latest = latest(cloud, fixture).await;
    assert_eq!(version(cloud, fixture, TemplateVersion::Number(latest)).await, Some(latest));
    let default = version(cloud, fixture, TemplateVersion::Default).await;
    assert!(default.is_some(), "a template has a default version");
    assert_eq!(version(cloud, fixture, TemplateVersion::Number(latest + 1000)).await, None);
    let marked = TemplateVersion::Marked(arrange::mark(fixture, "nobody"));
    assert_eq!(version(cloud, fixture, marked).await, None, "nobody carries this mark");
    let unknown = LaunchTemplateName::new("no-such-template");
    let found = cloud.template_version(&unknown, &TemplateVersion::Latest).await;
    assert_eq!(found.expect("an unknown template is no error"), None, "it has no versions");
}

/// Returns whether a launch source exists.
pub async fn launch_sources_exist_or_not(cloud: &dyn Cloud, fixture: &Fixture) {
    let latest = latest(cloud, fixture).await;
    let unknown = LaunchConfigurationName::new("no-such-configuration");
    let mut cases =
        vec![(numbered(fixture, latest), true), (numbered(fixture, latest + 1000), false)];
    if let Some(name) = &fixture.configuration {
        cases.push((LaunchSource::Configuration(name.clone()), true));
        cases.push((LaunchSource::Configuration(unknown), false));
    }
    for (source, exists) in cases {
        let found = cloud.launch_source_exists(&source).await;
        let found = found.expect("an unknown source is no error");
        assert_eq!(found, exists, "whether `{source}` exists");
    }
}

/// Returns whether an image exists and can be launched.
pub async fn images_exist_or_not(cloud: &dyn Cloud, fixture: &Fixture) {
    let unknown = ImageId::new("ami-0123456789abcdef0");
    for (image, exists) in [(&fixture.image, true), (&unknown, false)] {
        let found = cloud.image_exists(image).await.expect("an unknown image is no error");
        assert_eq!(found, exists, "whether `{image}` exists");
    }
}

/// Returns the image behind each source that exists and that names one.
pub async fn images_are_told_for_the_sources_that_exist(cloud: &dyn Cloud, fixture: &Fixture) {
    let latest = latest(cloud, fixture).await;
    let mut known = vec![numbered(fixture, latest)];
    known.extend(fixture.configuration.clone().map(LaunchSource::Configuration));
    let unknown = numbered(fixture, latest + 1000);
    let sources: Vec<_> = known.iter().cloned().chain([unknown]).collect();
    let found = cloud.images(&sources).await.expect("an unknown source is no error");
    for source in &known {
        let told = found.iter().filter(|(one, _)| one == source).count();
        assert_eq!(told, 1, "the image of `{source}` is told once");
    }
    assert_eq!(found.len(), known.len(), "only the sources that exist have an image");
}

/// Makes a version of a template, found again by its mark; a repeat makes no second one; deletes
/// the version that carries the mark.
pub async fn a_version_is_made_once_and_found_by_its_mark(cloud: &dyn Cloud, fixture: &Fixture) {
    let before = latest(cloud, fixture).await;
    let mark = arrange::mark(fixture, "version");
    let edit = LaunchEdit {
        source: numbered(fixture, before),
        image: Some(fixture.image.clone()),
        user_data: None,
    };
    let marked = TemplateVersion::Marked(mark.clone());
    for _ in 0..2 {
        let made = cloud.create_template_version(&fixture.template, &mark, &edit).await;
        made.expect("a version can be made and made again");
        let made = version(cloud, fixture, marked.clone()).await;
        assert_eq!(made, Some(latest(cloud, fixture).await), "there is one new version");
    }
    let number = version(cloud, fixture, marked.clone()).await.expect("the version was made");
    assert!(number > before, "numbers are not used again");
    let source = numbered(fixture, number);
    let images = cloud.images(std::slice::from_ref(&source)).await.expect("images can be read");
    assert_eq!(images, [(source, fixture.image.clone())], "the version has the image of the edit");
    let deleted = cloud.delete_template_version(&fixture.template, &mark).await;
    deleted.expect("a version can be deleted");
    assert_eq!(version(cloud, fixture, marked).await, None, "the version is gone");
    assert_eq!(latest(cloud, fixture).await, before, "the newest version is what it was");
}

/// A delete of what is absent succeeds.
pub async fn a_version_that_is_absent_is_deleted_at_once(cloud: &dyn Cloud, fixture: &Fixture) {
    let mark = arrange::mark(fixture, "nobody");
    let deleted = cloud.delete_template_version(&fixture.template, &mark).await;
    deleted.expect("deleting what is absent succeeds");
}

/// Makes a launch configuration as an edit of another one; a repeat is harmless.
pub async fn a_launch_configuration_is_made_as_an_edit_of_another(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let Some((name, edit)) = configuration(fixture, "edit") else { return };
    for _ in 0..2 {
        let made = cloud.create_launch_configuration(&name, &edit).await;
        made.expect("a launch configuration can be made and made again");
        let source = LaunchSource::Configuration(name.clone());
        let images = cloud.images(std::slice::from_ref(&source)).await;
        let images = images.expect("images can be read");
        assert_eq!(images, [(source, fixture.image.clone())], "it has the image of the edit");
    }
    for _ in 0..2 {
        let deleted = cloud.delete_launch_configuration(&name).await;
        deleted.expect("a launch configuration can be deleted, present or absent");
    }
    let exists = cloud.launch_source_exists(&LaunchSource::Configuration(name)).await;
    assert!(!exists.expect("an unknown source is no error"), "the configuration is gone");
}

/// `Busy` while a group launches from it.
pub async fn a_launch_configuration_in_use_cannot_be_deleted(cloud: &dyn Cloud, fixture: &Fixture) {
    let Some((name, edit)) = configuration(fixture, "used").filter(|_| fixture.strict) else {
        return;
    };
    let made = cloud.create_launch_configuration(&name, &edit).await;
    made.expect("a launch configuration can be made");
    let group = ScalingGroupName::new(format!("{}-used", fixture.prefix));
    let mut settings = arrange::like_scaling_group(cloud, fixture).await;
    settings.launch = LaunchSource::Configuration(name.clone());
    settings.capacity = Capacity::ZERO;
    let made = cloud.create_scaling_group(&group, &settings).await;
    made.expect("a group can launch from a launch configuration");
    let deleted = cloud.delete_launch_configuration(&name).await;
    let kind = refusal(deleted, "deleting a launch configuration in use");
    assert_eq!(kind, CloudErrorKind::Busy, "a group launches from it");
    arrange::delete_scaling_group(cloud, fixture, &group).await;
    let deleted = cloud.delete_launch_configuration(&name).await;
    deleted.expect("a launch configuration that nobody uses can be deleted");
}

/// Makes a template whose first version carries the mark; a repeat is harmless; deletes the template
/// that was made with the mark, unless somebody has added versions.
pub async fn a_launch_template_is_made_of_a_launch_configuration_and_goes_with_its_only_version(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let Some((template, settings)) = template(fixture, "made") else { return };
    let mark = arrange::mark(fixture, "template");
    let marked = TemplateVersion::Marked(mark.clone());
    for _ in 0..2 {
        let made = cloud.create_launch_template(&template, &mark, &settings).await;
        made.expect("a template can be made and made again");
        let found = cloud.template_version(&template, &marked).await;
        assert_eq!(found.expect("it can be read"), Some(1), "its first version carries the mark");
    }
    let source = |number| LaunchSource::Template {
        template: template.clone(),
        version: TemplateVersion::Number(number),
    };
    let images = cloud.images(&[source(1)]).await.expect("images can be read");
    assert_eq!(images, [(source(1), fixture.image.clone())], "it has the image of the edit");
    let second = arrange::mark(fixture, "second");
    let edit =
        LaunchEdit { source: source(1), image: Some(fixture.image.clone()), user_data: None };
    let made = cloud.create_template_version(&template, &second, &edit).await;
    made.expect("versions of it can be made");
    let deleted = cloud.delete_launch_template(&template, &mark).await;
    let kind = refusal(deleted, "deleting a template that has other versions");
    assert_eq!(kind, CloudErrorKind::Rejected, "they would go with it");
    let deleted = cloud.delete_template_version(&template, &second).await;
    deleted.expect("a version can be deleted");
    for _ in 0..2 {
        let deleted = cloud.delete_launch_template(&template, &mark).await;
        deleted.expect("a template can be deleted, present or absent");
    }
    let found = cloud.template_version(&template, &TemplateVersion::Latest).await;
    assert_eq!(found.expect("an unknown template is no error"), None, "the template is gone");
}

/// `Rejected` if another template has the name; a delete leaves it alone.
pub async fn a_launch_template_of_somebody_else_is_neither_made_again_nor_deleted(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let Some((_, settings)) = template(fixture, "other") else { return };
    let before = latest(cloud, fixture).await;
    let mark = arrange::mark(fixture, "nobody");
    let made = cloud.create_launch_template(&fixture.template, &mark, &settings).await;
    let kind = refusal(made, "making a template of a name that is taken");
    assert_eq!(kind, CloudErrorKind::Rejected, "the name is taken");
    let deleted = cloud.delete_launch_template(&fixture.template, &mark).await;
    deleted.expect("there is none of this mark to delete");
    assert_eq!(latest(cloud, fixture).await, before, "it is as it was");
}

fn template(fixture: &Fixture, suffix: &str) -> Option<(LaunchTemplateName, TemplateSettings)> {
    let (_, version) = configuration(fixture, suffix)?;
    let name = LaunchTemplateName::new(format!("{}-{suffix}", fixture.prefix));
    let tags = [(tag_key::ENVIRONMENT.to_owned(), "D-WEB".to_owned())];
    Some((name, TemplateSettings { version, tags: tags.into() }))
}

fn configuration(fixture: &Fixture, suffix: &str) -> Option<(LaunchConfigurationName, LaunchEdit)> {
    let source = LaunchSource::Configuration(fixture.configuration.clone()?);
    let name = LaunchConfigurationName::new(format!("{}-{suffix}", fixture.prefix));
    Some((name, LaunchEdit { source, image: Some(fixture.image.clone()), user_data: None }))
}

fn numbered(fixture: &Fixture, number: u64) -> LaunchSource {
    let version = TemplateVersion::Number(number);
    LaunchSource::Template { template: fixture.template.clone(), version }
}

async fn version(cloud: &dyn Cloud, fixture: &Fixture, version: TemplateVersion) -> Option<u64> {
    let found = cloud.template_version(&fixture.template, &version).await;
    found.expect("an unknown version is no error")
}

async fn latest(cloud: &dyn Cloud, fixture: &Fixture) -> u64 {
    let latest = version(cloud, fixture, TemplateVersion::Latest).await;
    latest.expect("the fixture's template has a version")
}
