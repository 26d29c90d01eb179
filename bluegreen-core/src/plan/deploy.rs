use serde::{Deserialize, Serialize};

use super::scaledown::drained;
use super::{
    CloudStage, Decision, Refusal, ScaledownFacts, Waits, check_free, check_kept_checked, checked,
    hold, live_color, side, side_key,
};
use crate::change::{CloudChange, Edit, ImageNote, MarkedVersion};
use crate::gate::CloudGate;
use crate::model::{
    Capacity, Color, Environment, ImageId, LaunchConfigurationName, LaunchEdit, LaunchSource, Mark,
    RunId, Side, TemplateVersion, UserData, tag_key,
};
use crate::transaction::Stage;

/// What may be said about a deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeployOptions {
    /// What to deploy.
    pub source: DeploySource,
    /// How many machines to start; by default as many as the live colour has.
    pub size: Option<u32>,
    /// How long to wait.
    pub waits: Waits,
}

impl DeployOptions {
    /// Deploys `source`.
    pub fn new(source: DeploySource) -> Self {
        Self { source, size: None, waits: Waits::default() }
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
    stages.extend(stop(idle, options.waits));
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
pub(super) fn stop(side: &Side, waits: Waits) -> Vec<CloudStage> {
    let group = &side.group;
    let mut stages = Vec::new();
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
    stages
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
    let kind = |side: &Side| {
        let (group, launch) = (side.group.name.clone(), side.group.launch.clone());
        Refusal::LaunchKind { group, launch }
    };
    match &options.source {
        DeploySource::From(color) => {
            let from = side(environment, *color)?;
            let is_live = from.group.name != idle.group.name;
            let launch = if is_live { &facts.live_launch } else { &from.group.launch };
            if let LaunchSource::Unsupported(_) = launch {
                Err(kind(from))
            } else {
                Ok((None, launch.clone()))
            }
        }
        DeploySource::TemplateVersion(number) => match idle.group.launch.template() {
            Some(_) => {
                let version = TemplateVersion::Number(*number);
                Ok((None, idle.group.launch.with_version(version)))
            }
            None => Err(kind(idle)),
        },
        DeploySource::Edit { image, user_data } => {
            let edit = LaunchEdit {
                source: facts.live_launch.bare(),
                image: image.clone(),
                user_data: user_data.clone(),
            };
            edited(edit, &facts.live_launch, &facts.run).ok_or_else(|| kind(idle))
        }
    }
}

/// Plans to make what an edit of `live` describes.
fn edited(
    edit: LaunchEdit,
    live: &LaunchSource,
    run: &RunId,
) -> Option<(Option<CloudChange>, LaunchSource)> {
    match live {
        LaunchSource::Template { template, .. } | LaunchSource::Mixed { template, .. } => {
            let (template, mark) = (template.clone(), Mark::new(run, "launch"));
            let version = TemplateVersion::Marked(mark.clone());
            let of = MarkedVersion { template, mark };
            let made = CloudChange::TemplateVersion(Edit::create(of, edit));
            Some((Some(made), live.with_version(version)))
        }
        LaunchSource::Configuration(source) => {
            let name = LaunchConfigurationName::new(successor(source.as_str(), run));
            let made = CloudChange::LaunchConfiguration(Edit::create(name.clone(), edit));
            Some((Some(made), LaunchSource::Configuration(name)))
        }
        LaunchSource::Unsupported(_) => None,
    }
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
