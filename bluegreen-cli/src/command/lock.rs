use std::sync::Arc;

use bluegreen_core::model::EnvironmentName;
use bluegreen_core::operation::{Bluegreen, OperationError};
use bluegreen_core::transaction::{Clock as _, Holder, LockState, Store, SystemClock};

use super::Session;
use crate::args::{Lock, LockBreak, LockStatus};
use crate::config::Environment;
use crate::connect::Connector;
use crate::failure::Failure;
use crate::render::{self, LockReport};
use crate::{actor, exit};

/// Tells who holds locks, or takes one away. Needs no cloud.
pub(super) async fn run(session: &Session, options: &Lock) -> Result<u8, Failure> {
    match options {
        Lock::Status(options) => status(session, options).await,
        Lock::Break(options) => take_away(session, options).await,
    }
}

async fn status(session: &Session, options: &LockStatus) -> Result<u8, Failure> {
    let config = session.config()?;
    let store = session.store().await?;
    let environments = config.environments(&options.environments)?;
    let mut reports = Vec::new();
    for environment in &environments {
        let name = &environment.spec.name;
        reports.push(LockReport::new(name.as_str(), state(&*store, name).await?));
    }
    let out = session.out;
    match reports.as_slice() {
        [report] if out.is_json() && options.environments.len() == 1 => out.json(report),
        reports if out.is_json() => out.json(&reports),
        reports => {
            let (now, width) = (SystemClock.now(), render::width());
            for report in reports {
                out.text(&render::lock(report, now, width));
            }
        }
    }
    Ok(exit::DONE)
}

async fn take_away(session: &Session, options: &LockBreak) -> Result<u8, Failure> {
    let config = session.config()?;
    let environment = config.environment(&options.environment)?;
    let name = &environment.spec.name;
    let store = session.store().await?;
    let Some(held) = state(&*store, name).await?.held else {
        return report(session, &*store, name, None).await;
    };
    if session.global.confirm.as_deref() != Some(name.as_str()) {
        return Err(unconfirmed(session, name).with_held(held));
    }
    check_account(session, environment, &store).await?;
    if session.global.dry_run {
        let text = render::lock_held(&held, SystemClock.now(), render::width());
        session.out.text(&format!("the lock of {name} would be taken from its holder\n{text}"));
        return Ok(exit::DONE);
    }
    let by = actor::name().to_string();
    let broken = store.break_lock(name, &by, SystemClock.now()).await;
    let holder = broken.map_err(OperationError::from)?;
    report(session, &*store, name, holder.as_ref()).await
}

/// Refuses credentials of another account: who works there by mistake breaks no locks here.
///
/// Where nobody can say whose they are, the lock can be broken all the same: the cloud is not
/// touched, and may be what does not answer.
async fn check_account(
    session: &Session,
    environment: &Environment,
    store: &Arc<dyn Store>,
) -> Result<(), Failure> {
    let Ok(cloud) = Connector::new(&session.global).connect(environment).await else {
        return Ok(());
    };
    Ok(Bluegreen::of(cloud, Arc::clone(store)).check_account(&environment.spec).await?)
}

/// Says whose lock was taken, and what to do next.
async fn report(
    session: &Session,
    store: &dyn Store,
    name: &EnvironmentName,
    holder: Option<&Holder>,
) -> Result<u8, Failure> {
    let out = session.out;
    if out.is_json() {
        out.json(&LockReport::new(name.as_str(), state(store, name).await?));
    } else if let Some(holder) = holder {
        // A process that was still asking has not begun anything.
        let is_begun = store.runs().await.map_err(OperationError::from)?.contains(&holder.run);
        out.text(&render::lock_broken(
            name.as_str(),
            holder,
            is_begun,
            SystemClock.now(),
            render::width(),
        ));
    } else {
        out.text(&format!("nothing to break: nobody holds the lock of {name}\n"));
    }
    Ok(exit::DONE)
}

fn unconfirmed(session: &Session, name: &EnvironmentName) -> Failure {
    let given = match &session.global.confirm {
        Some(given) => format!("`--confirm {given}` is another environment than `{name}`"),
        None => format!("breaking the lock of `{name}` was not confirmed"),
    };
    let meaning = "whoever holds it changes nothing any more, and their run stays open until \
                   somebody recovers it";
    Failure::usage(format!("{given}: {meaning}")).with_hint(format!(
        "if they are gone for good, `bluegreen lock break {name} --confirm {name}`"
    ))
}

async fn state(store: &dyn Store, name: &EnvironmentName) -> Result<LockState, Failure> {
    Ok(store.lock_state(name).await.map_err(OperationError::from)?)
}
