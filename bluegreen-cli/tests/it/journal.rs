//! Journals written by hand into a sandbox's store.

use std::time::Duration;

use bluegreen_core::change::{CloudChange, Edit, MarkedVersion};
use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::{
    Capacity, EnvironmentName, ImageId, LaunchEdit, LaunchSource, LaunchTemplateName, Mark, RunId,
    ScalingGroupName, TemplateVersion, Timestamp, UserData,
};
use bluegreen_core::plan::CloudPlan;
use bluegreen_core::transaction::{
    Change as _, Difference, Entry, Header, LocalStore, Patience, Record, Stage, StepId,
    Store as _, encode,
};

use crate::sandbox::Sandbox;

/// What no output may hold, in clear or sealed.
pub(crate) const SECRET: &str = "hunter2";

type CloudRecord = Record<CloudChange, CloudGate>;

/// A run of three steps, as it is journaled: a version is made, a group is started from it, and it
/// is waited for its machines.
#[derive(Debug)]
pub(crate) struct Draft {
    header: Header<CloudChange, CloudGate>,
    entries: Vec<(u64, CloudRecord)>,
}

impl Draft {
    /// Begins a deploy that nothing has been done of.
    pub(crate) fn deploy(run: &str, environment: &str) -> Self {
        let run = RunId::new(run);
        let plan = plan(&run);
        let environment = EnvironmentName::new(environment);
        Self {
            header: Header::new(run, "deploy", environment, "alice@desk", plan),
            entries: vec![],
        }
    }

    /// Says which run this one takes back.
    pub(crate) fn undoing(mut self, run: &str) -> Self {
        self.header.undoes = Some(RunId::new(run));
        self
    }

    /// Adds a record, so many milliseconds after the beginning.
    pub(crate) fn at(mut self, millis: u64, record: CloudRecord) -> Self {
        self.entries.push((millis, record));
        self
    }

    /// Begins a change.
    pub(crate) fn intended(self, millis: u64, step: u32) -> Self {
        let mut changes = self.header.plan.changes();
        let change = changes.find(|(id, _)| id.0 == step).expect("the plan has it").1.redacted();
        let inverse = change.inverse();
        drop(changes);
        self.at(millis, Record::Intended { step: StepId(step), change, inverse })
    }

    /// Makes a change.
    pub(crate) fn applied(self, millis: u64, step: u32) -> Self {
        self.intended(millis, step).at(millis + 250, Record::Applied { step: StepId(step) })
    }

    /// Turns round.
    pub(crate) fn turned(self, millis: u64) -> Self {
        let cause = "web-green has too many instances".to_owned();
        self.at(millis, Record::Unwinding { cause, asked: false })
    }

    /// Fails to take the start of the group back.
    pub(crate) fn stuck(self, millis: u64) -> Self {
        let difference = Difference {
            field: "max".to_owned(),
            wanted: Some("0".to_owned()),
            found: Some("9".to_owned()),
        };
        let reason = "somebody else changed it; it is left as it is".to_owned();
        self.at(millis, Record::Stuck { step: StepId(2), reason, differences: vec![difference] })
    }

    /// Writes the journal. Everything in it began on the first day of 2026, at noon.
    pub(crate) fn write(self, sandbox: &Sandbox) {
        let begun = Record::Begun(Box::new(self.header.clone()));
        let entries = std::iter::once((0, begun)).chain(self.entries);
        let line = |(millis, record)| {
            encode(&Entry { at: Timestamp::from_millis(1_767_268_800_000 + millis), record })
        };
        let lines: Vec<String> = entries.map(line).collect();
        let store = store(sandbox);
        wait(async {
            let mut journal = store.create(&self.header.run).await.expect("there is none yet");
            journal.append(&lines).await.expect("the store can be written");
        });
    }
}

/// The store of a sandbox that is given none.
pub(crate) fn store(sandbox: &Sandbox) -> LocalStore {
    LocalStore::new(sandbox.path("home/.local/state/bluegreen"))
}

/// Does something that only files are needed for.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime can be made").block_on(work)
}

fn plan(run: &RunId) -> CloudPlan {
    let (template, mark) = (LaunchTemplateName::new("web"), Mark::new(run, "version"));
    let version = TemplateVersion::Number(1);
    let edit = LaunchEdit {
        source: LaunchSource::Template { template: template.clone(), version },
        image: Some(ImageId::new("ami-2")),
        user_data: Some(UserData::new(SECRET.as_bytes().to_vec())),
    };
    let group = ScalingGroupName::new("web-green");
    let (make, start) = (
        CloudChange::TemplateVersion(Edit::create(MarkedVersion { template, mark }, edit)),
        CloudChange::Capacity(Edit::new(group.clone(), Capacity::ZERO, Capacity::new(1, 2, 4))),
    );
    let patience =
        Patience { timeout: Duration::from_mins(15), poll: Duration::from_secs(5), readings: 2 };
    CloudPlan::new(vec![
        Stage::changes("make the new version", vec![make]),
        Stage::changes("start it", vec![start]),
        Stage::gate("wait until it is gone", CloudGate::Empty { group, patience }),
    ])
    .expect("the stages make a plan")
}
