use serde::{Deserialize, Serialize};

use super::scaledown::drained;
use super::{
    CloudStage, Decision, Refusal, ScaledownFacts, Waits, check_free, check_kept_checked, checked,
    hold, live_color, side, side_key,
};
use crate::change::{CloudChange, Edit, ImageNote, MarkedVersion};
use crate::gate::CloudGate;
use crate::model::{
    Capacity, Color, Environment, ImageId, LaunchConfigurationName, LaunchEdit, LaunchSource,
    LaunchTemplateName, Mark, Process, RunId, ScalingGroup, Side, TemplateSettings,
    TemplateVersion, UserData, tag_key,
};
use crate::transaction::Stage;

/// What may be said about a deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeployOptions {
    /// What to deploy.
    pub source: DeploySource,
    /// The name of the launch template that is to be made of the launch configuration that would
    /// be launched otherwise; every later deploy makes a version of it.
    pub template: Option<LaunchTemplateName>,
    /// How many machines to start; by default as many as the live colour has.
    pub size: Option<u32>,
    /// How long to wait.
    pub waits: Waits,
}

impl DeployOptions {
    /// Deploys `source`.
    pub fn new(source: DeploySource) -> Self {
        Self { source, template: None, size: None, waits: Waits::default() }
    }

    /// Leaves launch configurations behind for a new launch template.
    #[must_use]
    pub fn with_template(mut self, template: LaunchTemplateName) -> Self {
        self.template = Some(template);
        self
    }

    /// Says how many machines to start.
    #[must_use]
    pub fn with_size(mut self, size: u32) -> Self {
        self.size = Some(size);
        self
    }

    /// Says how long to wait.
    #[must_use]
    pub fn with_waits(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }
}

/// What to deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeploySource {
    /// What the live colour launches, with another image, other user data, or both.
    Edit {
        /// Another image.
        image: Option<ImageId>,
        /// Other user data.
        user_data: Option<UserData>,
    },
    /// An existing version of the idle colour's launch template.
    TemplateVersion(u64),
    /// What a colour launches.
    From(Color),
}

/// What a deploy must know beyond the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployFacts {
    /// The run that it is planned for.
    pub run: RunId,
    /// What the live colour launches, with a floating version replaced by its number.
    pub live_launch: LaunchSource,
    /// The image that is to be launched in the end, if it could be told.
    pub image: Option<ImageId>,
    /// What must be known before the machines that the idle colour still has are stopped.
    pub drain: ScaledownFacts,
}

/// What must not be suspended for machines to come and to serve.
const NEEDED_TO_START: [(Process, &str); 2] = [
    (Process::Launch, "no machine would start"),
    (Process::AddToLoadBalancer, "no machine would be registered in its target groups"),
];

/// Plans to put a new version on the colour that does not serve.
pub fn deploy(
    environment: &Environment,
    options: &DeployOptions,
    facts: &DeployFacts,
) -> Result<Decision, Refusal> {
    let live = live_color(environment)?;
    let color = live.other();
    let (live, idle) = (side(environment, live)?, side(environment, color)?);
    check_free(&idle.group)?;
    check_running(&idle.group, &NEEDED_TO_START)?;
    check_kept_checked(environment, idle)?;
    let size = size(live.group.capacity, options.size)?;
    let (made, launch) = launch(environment, idle, options, facts)?;
    let group = &idle.group;
    let patience = options.waits.until_true();
    let mut stages = Vec::new();
    if !group.is_stopped() {
        stages.push(drained(environment, color, facts.drain, options.waits)?);
    }
    let held = hold(group).into_iter().collect();
    stages.push(Stage::changes(format!("hold {}", group.name), held));
    stages.extend(stop(idle, options.waits)?);
    stages.push(Stage::changes("make the new version", made.into_iter().collect()));
    stages.push(Stage::changes("point the idle colour at it", point(idle, &launch, facts)));
    let start = Edit::new(group.name.clone(), Capacity::ZERO, size);
    stages.push(Stage::changes("start it", vec![CloudChange::Capacity(start)]));
    stages.push(Stage::gate(
        "wait until it is healthy",
        CloudGate::Healthy { side: side_key(idle), than: None, patience },
    ));
    checked(stages)
}

/// Scales a colour to nothing and waits until it is gone.
pub(super) fn stop(side: &Side, waits: Waits) -> Result<Vec<CloudStage>, Refusal> {
    let group = &side.group;
    let mut stages = Vec::new();
    if !group.instances.is_empty() {
        check_running(group, &[(Process::Terminate, "its machines would not end")])?;
        check_unprotected(group)?;
    }
    if group.capacity != Capacity::ZERO {
        let stop = Edit::new(group.name.clone(), group.capacity, Capacity::ZERO);
        stages.push(Stage::changes(
            format!("stop {}", group.name),
            vec![CloudChange::Capacity(stop)],
        ));
    }
    if !group.is_stopped() {
        stages.push(Stage::gate(
            "wait until its machines are gone",
            CloudGate::Empty { group: group.name.clone(), patience: waits.until_true() },
        ));
    }
    Ok(stages)
}

/// Refuses a group whose machines somebody keeps from starting, serving or ending.
fn check_running(
    group: &ScalingGroup,
    processes: &[(Process, &'static str)],
) -> Result<(), Refusal> {
    match processes.iter().find(|(process, _)| group.suspended.contains(process)) {
        Some((process, effect)) => {
            Err(Refusal::Suspended { group: group.name.clone(), process: *process, effect })
        }
        None => Ok(()),
    }
}

/// Refuses a group that would keep machines though it is to have none.
fn check_unprotected(group: &ScalingGroup) -> Result<(), Refusal> {
    let protected = group.instances.iter().filter(|one| one.protected);
    let protected: Vec<String> = protected.map(|one| one.id.to_string()).collect();
    if protected.is_empty() {
        return Ok(());
    }
    Err(Refusal::Protected { group: group.name.clone(), protected })
}

fn size(live: Capacity, asked: Option<u32>) -> Result<Capacity, Refusal> {
    match asked {
        Some(0) => Err(Refusal::NoSize),
        Some(size) => Ok(Capacity::new(live.min.min(size), size, live.max.max(size))),
        None if live.desired == 0 => Err(Refusal::NoSize),
        None => Ok(live),
    }
}

/// Returns what must be made before, if anything, and what the idle colour is to launch.
fn launch(
    environment: &Environment,
    idle: &Side,
    options: &DeployOptions,
    facts: &DeployFacts,
) -> Result<(Option<CloudChange>, LaunchSource), Refusal> {
    let base = match &options.source {
        DeploySource::Edit { .. } => facts.live_launch.clone(),
        DeploySource::From(color) => {
            let group = &side(environment, *color)?.group;
            if let LaunchSource::Unsupported(_) = group.launch {
                return Err(Refusal::launch_kind(group));
            }
            let is_live = group.name != idle.group.name;
            if is_live { facts.live_launch.clone() } else { group.launch.clone() }
        }
        DeploySource::TemplateVersion(number) => match idle.group.launch.template() {
            Some(_) => idle.group.launch.with_version(TemplateVersion::Number(*number)),
            None => return Err(Refusal::launch_kind(&idle.group)),
        },
    };
    if let LaunchSource::Unsupported(_) = base {
        return Err(Refusal::launch_kind(&idle.group));
    }
    let (image, user_data) = match &options.source {
        DeploySource::Edit { image, user_data } => (image.clone(), user_data.clone()),
        _ => (None, None),
    };
    let is_edited = matches!(options.source, DeploySource::Edit { .. });
    let edit = LaunchEdit { source: base.bare(), image, user_data };
    let (made, launch) = match &options.template {
        Some(template) => migrated(environment, template, edit, &facts.run)?,
        None if is_edited => edited(edit, &base, &facts.run),
        None => return Ok((None, base)),
    };
    Ok((Some(made), launch))
}

/// Plans to make what an edit of `base` describes.
fn edited(edit: LaunchEdit, base: &LaunchSource, run: &RunId) -> (CloudChange, LaunchSource) {
    if let Some((template, _)) = base.template() {
        let (of, version) = marked(template, run);
        return (CloudChange::TemplateVersion(Edit::create(of, edit)), base.with_version(version));
    }
    let name = LaunchConfigurationName::new(successor(&base.to_string(), run));
    let made = CloudChange::LaunchConfiguration(Edit::create(name.clone(), edit));
    (made, LaunchSource::Configuration(name))
}

/// Plans to make a launch template of what an edit of a launch configuration describes.
fn migrated(
    environment: &Environment,
    template: &LaunchTemplateName,
    edit: LaunchEdit,
    run: &RunId,
) -> Result<(CloudChange, LaunchSource), Refusal> {
    if let Some((template, _)) = edit.source.template() {
        return Err(Refusal::IsTemplate(template.clone()));
    }
    let tags = [
        (tag_key::ENVIRONMENT.to_owned(), environment.name.to_string()),
        (tag_key::RUN.to_owned(), run.to_string()),
    ];
    let settings = TemplateSettings { version: edit, tags: tags.into() };
    let (of, version) = marked(template, run);
    let made = CloudChange::LaunchTemplate(Edit::create(of, settings));
    Ok((made, LaunchSource::Template { template: template.clone(), version }))
}

/// Names the version that a run makes.
fn marked(template: &LaunchTemplateName, run: &RunId) -> (MarkedVersion, TemplateVersion) {
    let mark = Mark::new(run, "launch");
    (
        MarkedVersion { template: template.clone(), mark: mark.clone() },
        TemplateVersion::Marked(mark),
    )
}

/// Names the next launch configuration after the last one, replacing the run in its name.
fn successor(name: &str, run: &RunId) -> String {
    let is_run = |text: &str| text.len() == run.as_str().len() && text.starts_with("01");
    let stem = match name.rsplit_once('-') {
        Some((stem, last)) if is_run(last) => stem,
        _ => name,
    };
    format!("{stem}-{run}")
}

fn point(idle: &Side, launch: &LaunchSource, facts: &DeployFacts) -> Vec<CloudChange> {
    let group = &idle.group;
    let mut changes = Vec::new();
    if *launch != group.launch {
        let edit = Edit::new(group.name.clone(), group.launch.clone(), launch.clone());
        changes.push(CloudChange::Launch(edit));
    }
    let before = group.tag(tag_key::IMAGE).map(|text| ImageNote::Text(text.to_owned()));
    let after = facts.image.clone().map(|image| ImageNote::Of { launch: launch.clone(), image });
    let is_noted = match (&before, &facts.image) {
        (Some(ImageNote::Text(text)), image) => ImageNote::read(text, launch) == *image,
        _ => after.is_none(),
    };
    if !is_noted {
        changes.push(CloudChange::Image(Edit::new(group.name.clone(), before, after)));
    }
    changes
}
