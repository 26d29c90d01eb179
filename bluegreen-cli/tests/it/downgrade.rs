//! Back to one colour, on a real endpoint: the account is as it was before the upgrade.

use crate::stand::{ENV, Stand};

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_and_a_downgrade_leave_the_account_as_it_was() {
    let stand = Stand::new().await;
    let before = stand.account().await;
    stand.run(&["upgrade", ENV, "--yes", "--quiet"]).await.well();
    let plan = stand.run(&["downgrade", ENV, "--dry-run"]).await.well();
    assert!(plan.contains("delete scaling group web-green"), "{plan}");
    assert!(plan.contains("leave blue as it was"), "{plan}");
    stand.run(&["downgrade", ENV, "--yes", "--quiet", "--poll", "100ms"]).await.well();
    stand.is_as(&before, "upgraded and downgraded").await;
    let status = stand.json(&["status", ENV]).await;
    assert_eq!(status["upgraded"], false);
    let again = stand.run(&["downgrade", ENV, "--yes"]).await.well();
    assert!(again.contains("one colour only"), "{again}");
}
