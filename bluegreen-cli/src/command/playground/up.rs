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
    let mut text = format!(
        "AWS on loopback: {url}\n\
         \n\
         That is the endpoint for AWS's tools, and a page to look at:\n\
         \n\
         \x20 export AWS_ENDPOINT_URL={url} AWS_REGION={REGION}\n\
         \x20 export AWS_ACCESS_KEY_ID=playground AWS_SECRET_ACCESS_KEY=playground\n",
        url = playground.url()
    );
    if !options.empty && playground.is_empty() {
        let stack = playground.front_end(ACCOUNT, REGION, NAME).map_err(failed)?;
        let images = stack.images.join(", ");
        text.push_str(&format!(
            "\nA service `{NAME}` runs {image}; {images} wait to be deployed. A bluegreen.toml for it:\n\n",
            image = stack.image
        ));
        text.extend(stage::configuration(&stack).lines().map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("  {line}\n"),
        }));
    }
    // Sockets are opened as soon as the listeners are seen.
    playground.wait_for_listeners().await;
    for (route, address) in playground.addresses() {
        text.push_str(&format!("\n  {route} listens on {address}"));
    }
    text.push_str("\n\nCtrl-C ends it.\n");
    out.text(&text);
    signals.asked().await;
    playground.save().map_err(|error| Failure::refused(error.to_string()))?;
    Ok(exit::DONE)
}
