//! Every changing call of every operation refused, once each, by a real endpoint: the account is
//! as it was, field by field, and the exit code says so.

use bluegreen_testkit::emulator::{Fault, Trigger};
use futures_util::future::join_all;

use crate::stand::Stand;

/// Refuses each changing call of an operation, on so many stands at the same time. Returns how many
/// there are.
async fn sweep(operation: &'static str, stands: usize) -> usize {
    join_all((0..stands).map(|first| part(operation, first, stands))).await.into_iter().sum()
}

/// Refuses every `step`-th changing call from the `first` on, and then lets the operation through.
async fn part(operation: &'static str, first: usize, step: usize) -> usize {
    let stand = Stand::before(operation).await;
    let args = stand.args(operation);
    let before = stand.account().await;
    for refused in 0.. {
        let nth = first + refused * step;
        stand.proxy.heal();
        stand.proxy.clear();
        let refuse = Fault::refuse(400, "ValidationError", "refused by the test");
        stand.proxy.fail(Trigger::mutation(nth).with_retries(), refuse);
        let said = stand.run(&args).await;
        if said.status == 0 {
            // There was no such call any more: this was the whole operation.
            return refused;
        }
        let calls = stand.proxy.calls();
        let call = calls.iter().find(|call| call.emulator_status.is_none());
        let what = format!("{args:?}, {} refused", call.map_or("nothing", |call| &*call.action));
        assert_eq!(said.status, 1, "{what}: {said:?}");
        assert!(said.stderr.contains("as it was before"), "{what}: {said:?}");
        stand.is_back(operation, &before, &what).await;
    }
    unreachable!("an operation has an end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_an_upgrade_leaves_the_account_as_it_was() {
    assert!(sweep("upgrade", 4).await >= 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_deploy_leaves_the_account_as_it_was() {
    assert!(sweep("deploy", 1).await >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_switch_leaves_the_account_as_it_was() {
    assert!(sweep("switch", 1).await >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_downgrade_leaves_the_account_as_it_was() {
    assert!(sweep("downgrade", 2).await >= 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_scaledown_leaves_the_account_as_it_was() {
    assert!(sweep("scaledown", 1).await >= 2);
}
