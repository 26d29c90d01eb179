//! Every changing call of every operation refused, once each, by a real endpoint: the account is
//! as it was, field by field, and the exit code says so.

use bluegreen_testkit::emulator::{Fault, Trigger};

use crate::stand::Stand;

/// Refuses each changing call of an operation in turn, and then lets it through.
async fn sweep(operation: &'static str) -> usize {
    let stand = Stand::before(operation).await;
    let args = stand.args(operation);
    let before = stand.account().await;
    for nth in 0.. {
        stand.proxy.heal();
        stand.proxy.clear();
        let refuse = Fault::refuse(400, "ValidationError", "refused by the test");
        stand.proxy.fail(Trigger::mutation(nth).with_retries(), refuse);
        let said = stand.run(&args).await;
        if said.status == 0 {
            // There was no such call any more: this was the whole operation.
            return nth;
        }
        let calls = stand.proxy.calls();
        let refused = calls.iter().find(|call| call.emulator_status.is_none());
        let refused = refused.map_or("nothing", |call| &*call.action);
        assert_eq!(said.status, 1, "{args:?}, {refused} refused: {said:?}");
        assert!(said.stderr.contains("as it was before"), "{said:?}");
        let what = format!("{args:?}, {refused} refused");
        if operation == "downgrade" {
            stand.is_like(&before, &what).await;
        } else {
            stand.is_as(&before, &what).await;
        }
    }
    unreachable!("an operation has an end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_an_upgrade_leaves_the_account_as_it_was() {
    assert!(sweep("upgrade").await >= 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_deploy_leaves_the_account_as_it_was() {
    assert!(sweep("deploy").await >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_switch_leaves_the_account_as_it_was() {
    assert!(sweep("switch").await >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_downgrade_leaves_the_account_as_it_was() {
    assert!(sweep("downgrade").await >= 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_scaledown_leaves_the_account_as_it_was() {
    assert!(sweep("scaledown").await >= 2);
}
