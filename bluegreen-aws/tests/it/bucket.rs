//! A shared store in a bucket of the emulator: the contract, and answers that are lost on the wire.

use std::time::Duration;

use bluegreen_aws::S3Objects;
use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{Condition, Holder, ObjectStore, Objects as _, Put, Store as _};
use bluegreen_testkit::conformance::store::{self, Fixture, LockEnd, Opening};
use bluegreen_testkit::emulator::{Emulator, Fault, Proxy, make_bucket};
use futures_util::future::join_all;

use crate::world::config;

const BUCKET: &str = "team-state";

async fn emulator() -> Emulator {
    let emulator = Emulator::start().await;
    make_bucket(&emulator.url(), BUCKET).await.expect("the bucket is made");
    emulator
}

async fn objects(url: &str) -> S3Objects {
    S3Objects::new(&config(url).await, BUCKET).expect("a region is set")
}

#[tokio::test]
async fn a_bucket_keeps_every_clause_of_the_contract() {
    let emulator = emulator().await;
    let store = ObjectStore::new(objects(&emulator.url()).await, "blue/green");
    let fixture = Fixture {
        prefix: "conforms".to_owned(),
        term: Duration::from_secs(3),
        // Times are told in whole seconds, and the doubt is the holder's.
        slack: Duration::from_millis(2100),
        lock_end: LockEnd::AfterItsTerm,
        opening: Opening::TakesOver,
    };
    let names = store::all(&store, &fixture).await;
    assert!(names.len() > 20, "{names:?}");
}

#[tokio::test]
async fn of_many_who_put_on_one_condition_one_succeeds() {
    let emulator = emulator().await;
    let objects = objects(&emulator.url()).await;
    let mut condition = Condition::Absent;
    for round in 0..3 {
        let puts = (0..12)
            .map(|who| objects.put("key", format!("{round} {who}").into_bytes(), &condition));
        let mut versions = Vec::new();
        for put in join_all(puts).await {
            if let Put::Done(version) = put.expect("the emulator answers") {
                versions.push(version);
            }
        }
        let [version] = versions.as_slice() else { panic!("{versions:?} in round {round}") };
        let found = objects.get("key").await.expect("the emulator answers").expect("it is there");
        assert_eq!(&found.version, version, "the version is what is read");
        condition = Condition::Version(version.clone());
    }
}

/// A journal and a lock from their beginning to their end: nine puts.
async fn session(store: &ObjectStore) {
    let (run, term) = (RunId::new("01run"), Duration::from_secs(30));
    let environment = EnvironmentName::new("WEB");
    let holder = Holder {
        owner: "ann".to_owned(),
        host: "laptop".to_owned(),
        process: 7,
        operation: "switch".to_owned(),
        run: run.clone(),
        since: Timestamp::from_millis(0),
    };
    let lock = store.lock(&environment, &holder, term).await.expect("it is free");
    let mut journal = store.create(&run).await.expect("it is new");
    for line in ["1", "2"] {
        journal.append(&[line.to_owned()]).await.expect("it can be written");
        lock.renew(Timestamp::from_millis(1)).await.expect("it is held");
        lock.check().await.expect("it is held");
    }
    journal.close().await.expect("it can be closed");
    lock.release().await.expect("it is held");
    assert_eq!(store.read(&run).await.expect("it can be read"), ["1", "2"]);
    assert_eq!(store.lock_state(&environment).await.expect("it can be read").held, None);
}

#[tokio::test]
async fn a_put_that_goes_wrong_on_the_wire_is_settled_by_a_look() {
    let emulator = emulator().await;
    let conflict = Fault::refuse(409, "ConditionalRequestConflict", "somebody else was there");
    let faults = [Fault::LoseReply, Fault::error_after(), Fault::Drop, Fault::Throttle, conflict];
    let proxies = join_all(faults.iter().flat_map(|fault| {
        let emulator = &emulator;
        (0..9).map(move |put| async move {
            let proxy = emulator.proxy().await;
            proxy.fail_mutation(put, fault.clone());
            proxy
        })
    }))
    .await;
    let sessions = proxies.iter().enumerate().map(|(number, proxy)| async move {
        let objects = objects(&proxy.url()).await;
        session(&ObjectStore::new(objects, &number.to_string())).await;
    });
    join_all(sessions).await;
    let puts = |proxy: &Proxy| proxy.calls().iter().filter(|call| call.mutating).count();
    assert!(proxies.iter().all(|proxy| puts(proxy) >= 9), "every fault struck");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_says_so() {
    let emulator = Emulator::start().await;
    let store = ObjectStore::new(objects(&emulator.url()).await, "");
    let error = store.runs().await.expect_err("there is no bucket");
    assert_eq!(error.what(), "s3://team-state/runs/");
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(cause.starts_with("there is no such bucket; make it, or give another"), "{cause}");
}
