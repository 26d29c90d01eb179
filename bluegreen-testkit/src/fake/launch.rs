use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadLaunch, WriteLaunch};
use bluegreen_core::model::{
    ImageId, LaunchConfigurationName, LaunchEdit, LaunchSource, LaunchTemplateName, Mark,
    TemplateSettings, TemplateVersion,
};

use super::FakeCloud;
use super::piece::Piece;
use super::refusal::{busy, joined, not_found, rejected};
use super::state::State;
use super::world::{LaunchData, TemplateState, VersionState};

#[async_trait]
impl ReadLaunch for FakeCloud {
    async fn images(
        &self,
        sources: &[LaunchSource],
    ) -> Result<Vec<(LaunchSource, ImageId)>, CloudError> {
        self.read("images", joined(sources), |state| {
            let image = |source| Some(state.world.launch_data(source)?.image.clone());
            let found = sources.iter().filter_map(|source| Some((source.clone(), image(source)?)));
            Ok(found.collect())
        })
        .await
    }

    async fn template_version(
        &self,
        template: &LaunchTemplateName,
        version: &TemplateVersion,
    ) -> Result<Option<u64>, CloudError> {
        self.read("template_version", format!("{template} version {version}"), |state| {
            Ok(state.world.templates.get(template).and_then(|found| found.number(version)))
        })
        .await
    }

    async fn launch_source_exists(&self, source: &LaunchSource) -> Result<bool, CloudError> {
        self.read("launch_source_exists", source.to_string(), |state| {
            Ok(state.world.launch_data(source).is_some())
        })
        .await
    }

    async fn image_exists(&self, image: &ImageId) -> Result<bool, CloudError> {
        self.read("image_exists", image.to_string(), |state| Ok(state.world.images.contains(image)))
            .await
    }
}

#[async_trait]
impl WriteLaunch for FakeCloud {
    async fn create_template_version(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
        edit: &LaunchEdit,
    ) -> Result<(), CloudError> {
        let (template, mark, edit) = (template.clone(), mark.clone(), edit.clone());
        let piece = Piece::Template(template.clone());
        self.write("create_template_version", piece, move |state| {
            state.create_template_version(&template, mark, &edit)
        })
        .await
    }

    async fn delete_template_version(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
    ) -> Result<(), CloudError> {
        let (template, mark) = (template.clone(), mark.clone());
        let piece = Piece::Template(template.clone());
        self.write("delete_template_version", piece, move |state| {
            state.delete_template_version(&template, mark)
        })
        .await
    }

    async fn create_launch_template(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
        settings: &TemplateSettings,
    ) -> Result<(), CloudError> {
        let (template, mark, settings) = (template.clone(), mark.clone(), settings.clone());
        let piece = Piece::Template(template.clone());
        self.write("create_launch_template", piece, move |state| {
            state.create_launch_template(template, mark, settings)
        })
        .await
    }

    async fn delete_launch_template(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
    ) -> Result<(), CloudError> {
        let (template, mark) = (template.clone(), mark.clone());
        let piece = Piece::Template(template.clone());
        self.write("delete_launch_template", piece, move |state| {
            state.delete_launch_template(&template, mark)
        })
        .await
    }

    async fn create_launch_configuration(
        &self,
        name: &LaunchConfigurationName,
        edit: &LaunchEdit,
    ) -> Result<(), CloudError> {
        let (name, edit) = (name.clone(), edit.clone());
        let piece = Piece::Configuration(name.clone());
        self.write("create_launch_configuration", piece, move |state| {
            state.create_launch_configuration(&name, &edit)
        })
        .await
    }

    async fn delete_launch_configuration(
        &self,
        name: &LaunchConfigurationName,
    ) -> Result<(), CloudError> {
        let name = name.clone();
        let piece = Piece::Configuration(name.clone());
        self.write("delete_launch_configuration", piece, move |state| {
            let source = LaunchSource::Configuration(name.clone());
            if state.world.scaling_groups.values().any(|group| group.launch == source) {
                let why = "a group launches from it";
                return Err(busy("delete_launch_configuration", &name, why));
            }
            state.world.configurations.remove(&name);
            Ok(())
        })
        .await
    }
}

impl State {
    fn create_template_version(
        &mut self,
        template: &LaunchTemplateName,
        mark: Mark,
        edit: &LaunchEdit,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "create_template_version";
        let Some(found) = self.world.templates.get(template) else {
            return Err(not_found(METHOD, template));
        };
        let marked = found.number(&TemplateVersion::Marked(mark.clone()));
        if !matches!(&edit.source, LaunchSource::Template { template: of, .. } if of == template) {
            return Err(rejected(METHOD, template, "the source is no version of the template"));
        }
        let data = self.edited(METHOD, edit)?;
        if let Some(number) = marked {
            return match found.versions.get(&number) {
                Some(version) if version.data == data => Ok(()),
                _ => Err(rejected(METHOD, template, "a version of this mark has other settings")),
            };
        }
        self.add_template_version(template, VersionState { data, mark: Some(mark) });
        Ok(())
    }

    /// Adds a version to a template that exists, by a number that none had before.
    pub(super) fn add_template_version(
        &mut self,
        template: &LaunchTemplateName,
        version: VersionState,
    ) -> Option<u64> {
        let found = self.world.templates.get_mut(template)?;
        let newest = found.versions.keys().next_back().copied().unwrap_or(0);
        let burned = self.burned.entry(template.clone()).or_default();
        *burned = newest.max(*burned) + 1;
        found.versions.insert(*burned, version);
        Some(*burned)
    }

    fn delete_template_version(
        &mut self,
        template: &LaunchTemplateName,
        mark: Mark,
    ) -> Result<(), CloudError> {
        let Some(found) = self.world.templates.get_mut(template) else { return Ok(()) };
        let Some(number) = found.number(&TemplateVersion::Marked(mark)) else { return Ok(()) };
        if number == found.default {
            let why = "the default version cannot be deleted";
            return Err(rejected("delete_template_version", template, why));
        }
        // Groups that are pinned to it can launch nothing from now on.
        found.versions.remove(&number);
        Ok(())
    }

    fn create_launch_template(
        &mut self,
        template: LaunchTemplateName,
        mark: Mark,
        settings: TemplateSettings,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "create_launch_template";
        let TemplateSettings { version: edit, tags } = settings;
        if !matches!(edit.source, LaunchSource::Configuration(_)) {
            return Err(rejected(METHOD, &template, "the source is no launch configuration"));
        }
        let version = VersionState { data: self.edited(METHOD, &edit)?, mark: Some(mark) };
        let made = TemplateState { versions: [(1, version)].into(), default: 1, tags };
        match self.world.templates.get(&template) {
            Some(found) if *found == made => return Ok(()),
            Some(_) => return Err(rejected(METHOD, &template, "another one has the name")),
            None => {}
        }
        self.world.templates.insert(template, made);
        Ok(())
    }

    fn delete_launch_template(
        &mut self,
        template: &LaunchTemplateName,
        mark: Mark,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "delete_launch_template";
        let Some(found) = self.world.templates.get(template) else { return Ok(()) };
        if found.number(&TemplateVersion::Marked(mark)).is_none() {
            return Ok(());
        }
        if found.versions.len() > 1 {
            return Err(rejected(METHOD, template, "it has versions that somebody added"));
        }
        // Groups that launch from it can launch nothing from now on.
        self.world.templates.remove(template);
        self.burned.remove(template);
        Ok(())
    }

    fn create_launch_configuration(
        &mut self,
        name: &LaunchConfigurationName,
        edit: &LaunchEdit,
    ) -> Result<(), CloudError> {
        const METHOD: &str = "create_launch_configuration";
        if !matches!(edit.source, LaunchSource::Configuration(_)) {
            return Err(rejected(METHOD, name, "the source is no launch configuration"));
        }
        let data = self.edited(METHOD, edit)?;
        match self.world.configurations.get(name) {
            Some(found) if *found == data => return Ok(()),
            Some(_) => return Err(rejected(METHOD, name, "one of the name has other settings")),
            None => {}
        }
        self.world.configurations.insert(name.clone(), data);
        Ok(())
    }

    /// Works out what an edit makes; whether its image exists is asked only at a launch.
    fn edited(&self, method: &str, edit: &LaunchEdit) -> Result<LaunchData, CloudError> {
        let source = self.world.launch_data(&edit.source);
        let mut data = source.ok_or_else(|| not_found(method, &edit.source))?.clone();
        if let Some(image) = &edit.image {
            data.image = image.clone();
        }
        if let Some(user_data) = &edit.user_data {
            if user_data.bytes().is_none() {
                return Err(rejected(method, &edit.source, "only the digest is left of user data"));
            }
            data.user_data = Some(user_data.sha256().to_owned());
        }
        Ok(data)
    }
}
