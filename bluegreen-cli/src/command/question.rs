use std::io::{self, BufRead as _, IsTerminal as _};

use bluegreen_core::cloud::ReadIdentity;
use bluegreen_core::model::EnvironmentName;

use crate::args::Global;
use crate::config::Environment;
use crate::failure::Failure;
use crate::render;

/// What must be agreed to before something is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Nothing: it was agreed to on the command line, or there is nobody to ask.
    None,
    /// Whether to go on.
    GoOn,
    /// The name of the environment, since its account is protected.
    Name,
}

impl Question {
    /// Finds out what to ask; refuses where it must be asked and nobody is there.
    pub(super) fn about(global: &Global, environment: &Environment) -> Result<Self, Failure> {
        let (name, account) = (&environment.spec.name, &environment.spec.account);
        let is_attended = io::stdin().is_terminal() && io::stderr().is_terminal();
        match &global.confirm {
            Some(given) if given == name.as_str() => Ok(Self::None),
            Some(given) => Err(Failure::refused(format!(
                "`--confirm {given}` confirms another environment than `{name}`"
            ))),
            None if environment.spec.protected && is_attended => Ok(Self::Name),
            None if environment.spec.protected => Err(Failure::refused(format!(
                "account {account} ({}) is protected, and changing `{name}` was not confirmed",
                environment.account.alias
            ))
            .with_hint(format!("confirm it by name: `--confirm {name}`"))),
            None if global.yes || !is_attended => Ok(Self::None),
            None => Ok(Self::GoOn),
        }
    }

    /// Asks, and fails unless the answer is that it be done.
    ///
    /// The cloud says what people call the account, where it tells.
    pub(super) async fn ask(
        self,
        environment: &Environment,
        what: &str,
        cloud: &dyn ReadIdentity,
    ) -> Result<(), Failure> {
        let name = &environment.spec.name;
        let (prompt, wanted): (String, fn(&str, &EnvironmentName) -> bool) = match self {
            Self::None => return Ok(()),
            Self::GoOn => ("Go on? [y/N] ".to_owned(), |answer, _| {
                matches!(answer.to_lowercase().as_str(), "y" | "yes")
            }),
            Self::Name => {
                let (id, alias) = (&environment.spec.account, &environment.account.alias);
                // Its own name is one that nobody mistook in a configuration.
                let known = cloud.account_alias().await.ok().flatten();
                let known = known.filter(|known| known != alias);
                let known = known.map(|known| format!(", at AWS {known}")).unwrap_or_default();
                let text = format!(
                    "Account {id} ({alias}{known}) is protected; {what} is about to be done.\n\
                     Type the name of the environment to go on: "
                );
                (text, |answer, name| answer == name.as_str())
            }
        };
        render::problem(&prompt);
        let answer = tokio::task::spawn_blocking(read).await.unwrap_or_default();
        if wanted(answer.trim(), name) {
            Ok(())
        } else {
            Err(Failure::refused("not confirmed; nothing was changed"))
        }
    }
}

/// Reads one line; what cannot be read is no answer.
fn read() -> String {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(_) => line,
        Err(_) => String::new(),
    }
}
