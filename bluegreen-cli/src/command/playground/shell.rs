use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Command;

use super::stage::{Ended, Stage, ended};
use crate::failure::Failure;

/// What a command of a scenario left running; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct LeftBehind(Option<Pid>);

impl Drop for LeftBehind {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a command of a scenario to its end, with the playground in its environment.
pub(super) async fn run(stage: &Stage, text: &str) -> Result<(Ended, LeftBehind), Failure> {
    let mut command = Command::new("sh");
    stage.surround(&mut command);
    command.arg("-c").arg(text).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.process_group(0).kill_on_drop(true).spawn();
    let child = child.map_err(|error| Failure::refused(format!("no process: {error}")))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut left = LeftBehind(group);
    let ended = ended(child).await?;
    // The number of a group that is gone may become somebody else's.
    left.0 = left.0.filter(|group| test_kill_process_group(*group).is_ok());
    Ok((ended, left))
}
