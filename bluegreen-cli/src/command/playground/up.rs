use std::time::Duration;

use bluegreen_testkit::playground::{Options, Playground};

use super::stage;
use crate::args::PlaygroundUp;
use crate::command::Session;
use crate::exit;
use crate::failure::Failure;
use crate::signals::Signals;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";
const NAME: &str = "jobs";

/// So much is lost at most if the process is killed.
const SAVED_EVERY: Duration = Duration::from_secs(5);

/// Starts a playground and keeps it until somebody asks to stop.
pub(super) async fn run(session: &Session, options: &PlaygroundUp) -> Result<u8, Failure> {
    let failed = |error| Failure::refused(format!("no playground can be started: {error}"));
    let mut signals = Signals::new()?;
    let mut wanted = Options::default();
    wanted.port = options.port;
    wanted.boot = options.machines.boot;
    wanted.instance_command.clone_from(&options.machines.instance_command);
    wanted.limits = !options.no_limits;
    wanted.state.clone_from(&options.state);
    // Runs of this store are shown on the page.
    wanted.store = Some(session.store().await?);
    let playground = Playground::start(wanted).await.map_err(failed)?;
    let out = session.out;
    let url = playground.url();
    let mut lines = vec![
        format!("AWS on loopback: {url}"),
        String::new(),
        "That is the endpoint for AWS's tools, and a page to look at:".to_owned(),
        String::new(),
        format!("  export AWS_ENDPOINT_URL={url} AWS_REGION={REGION}"),
        "  export AWS_ACCESS_KEY_ID=playground AWS_SECRET_ACCESS_KEY=playground".to_owned(),
        String::new(),
    ];
    if !options.empty && playground.is_empty() {
        let stack = playground.front_end(ACCOUNT, REGION, NAME).map_err(failed)?;
        lines.push(format!("A service `{NAME}` runs {}; to be deployed wait", stack.image));
        lines.push(stack.images.join(", "));
        lines.extend([String::new(), "A bluegreen.toml for it:".to_owned(), String::new()]);
        let indented = |line: &str| format!("  {line}").trim_end().to_owned();
        lines.extend(stage::configuration(&stack).lines().map(indented));
        lines.push(String::new());
    }
    // Sockets are opened as soon as the listeners are seen.
    playground.wait_for_listeners().await;
    let addresses = playground.addresses().into_iter();
    lines.extend(addresses.map(|(route, address)| format!("{route} listens on {address}")));
    lines.extend(playground.troubles());
    lines.extend([String::new(), "Ctrl-C ends it.".to_owned(), String::new()]);
    let text = lines.join("\n");
    out.text(&text);
    loop {
        let ends = tokio::select! {
            () = signals.asked() => true,
            () = tokio::time::sleep(SAVED_EVERY) => false,
        };
        playground.save().map_err(|error| Failure::refused(error.to_string()))?;
        if ends {
            return Ok(exit::DONE);
        }
    }
}
