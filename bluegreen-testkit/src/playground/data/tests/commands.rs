use std::time::Duration;

use super::stage::{Plan, Stage, moment};
use crate::playground::fault::{Ailment, Machines};

/// Says what it was told and in which process, and stays.
const COMMAND: &str = "echo \"$$ $ADDRESS $PORT $PORTS $VERSION $COLOR $INSTANCE | {port} {address} \
                       {version} {instance} {unknown}\"; trap 'echo bye; exit' TERM; \
                       while :; do sleep 0.05; done";

async fn said(stage: &Stage) -> String {
    let machine = stage.machines("blue").remove(0);
    for _ in 0..100 {
        let log = stage.playground.log_of_machine(&machine);
        let text = log.map(|log| std::fs::read_to_string(log).unwrap()).unwrap_or_default();
        if text.contains('\n') {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the command says nothing: {:?}", stage.playground.troubles());
}

/// Returns the state of a process as the kernel names it, unless there is none.
fn state(process: &str) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next().filter(|state| *state != 'Z')
}

#[tokio::test]
async fn a_command_is_told_its_machine_and_ends_with_it() {
    let plan = Plan::new().with_command(COMMAND).with_color("blue", 1).to("blue");
    let stage = plan.start().await;
    let text = said(&stage).await;
    let machine = stage.machines("blue").remove(0);
    let (port, address) = (stage.serve, stage.site.address_of_machine(&machine));
    let told = format!(
        " {address} {port} {port} ami-blue blue {machine} | {port} {address} ami-blue {machine} {{unknown}}\n"
    );
    assert!(text.ends_with(&told), "{text}");
    let process = text.split(' ').next().unwrap().to_owned();
    assert!(state(&process).is_some());

    let log = stage.playground.log_of_machine(&machine).unwrap();
    let group = bluegreen_core::model::ScalingGroupName::new("blue");
    stage.site.cloud().edit(|world| {
        world.scaling_groups.get_mut(&group).unwrap().capacity.desired = 0;
    });
    for _ in 0..100 {
        if state(&process).is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(state(&process), None);
    assert!(std::fs::read_to_string(log).unwrap().ends_with("bye\n"), "it is asked to end");
}

#[tokio::test]
async fn a_command_hangs_and_crashes_as_it_is_told() {
    let plan = Plan::new().with_command(COMMAND).with_color("blue", 1).to("blue");
    let stage = plan.start().await;
    let text = said(&stage).await;
    let process = text.split(' ').next().unwrap().to_owned();
    let hang = stage.ail(Machines::default(), Ailment::Hang);
    moment().await;
    assert_eq!(state(&process), Some('T'));
    stage.playground.faults().lift(hang);
    moment().await;
    assert_ne!(state(&process), Some('T'));

    let crash = stage.ail(Machines::default(), Ailment::Crash);
    moment().await;
    assert_eq!(state(&process), None);
    stage.playground.faults().lift(crash);
    moment().await;
    assert_eq!(said(&stage).await.lines().count(), 2, "it is run again");
    assert_eq!(stage.playground.troubles(), Vec::<String>::new());
}

#[tokio::test]
async fn no_process_outlives_the_playground() {
    let plan = Plan::new().with_command(COMMAND).with_color("blue", 1).to("blue");
    let stage = plan.start().await;
    let process = said(&stage).await.split(' ').next().unwrap().to_owned();
    drop(stage);
    moment().await;
    assert_eq!(state(&process), None);
}

#[tokio::test]
async fn a_command_that_ends_by_itself_is_a_trouble() {
    let plan = Plan::new().with_command("exit 3").with_color("blue", 1).to("blue");
    let stage = plan.start().await;
    moment().await;
    moment().await;
    let troubles = stage.playground.troubles();
    assert!(troubles[0].contains("exit status: 3"), "{troubles:?}");
}
