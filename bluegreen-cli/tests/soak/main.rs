//! A service that is deployed and switched, again and again, under load, while machines of the
//! colour that does not serve crash, slow down and flap.
//!
//! No request may be lost or go astray: what serves is never touched. Over the whole life neither
//! memory nor open files become more and more.
//!
//! `SOAK_MINUTES=30` goes on for so long, `SOAK_SEED=7` does the same as a run before that told
//! this seed, `SOAK_RATE=800` asks so many times a second.

#![expect(clippy::print_stdout, reason = "a soak is read by people")]

mod dice;
mod footprint;
mod service;

use std::time::Duration;

use bluegreen_testkit::playground::fault::Ailment;
use dice::Dice;
use footprint::Footprint;
use service::Service;
use tokio::time::Instant;

/// How much more memory the end may take than the third part of the way, in KiB.
const MORE_MEMORY: u64 = 48 * 1024;

/// How many more files may be open: there may be twice the machines, with connections to each.
const MORE_FILES: usize = 100;

/// What has been done.
#[derive(Debug, Default)]
struct Tally {
    cycles: u32,
    deployed: u32,
    rolled_back: u32,
    switched: u32,
    scaled_down: u32,
}

fn wanted(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().expect("it is a number"))
}

fn ailment(dice: &mut Dice) -> Ailment {
    match dice.below(3) {
        0 => Ailment::Crash,
        1 => Ailment::Slow { ms: 500 + 500 * dice.below(6) },
        _ => Ailment::Flaps { ms: 300 + 100 * dice.below(10) },
    }
}

/// Deploys and switches once, with trouble on the colour that is deployed to.
async fn cycle(service: &Service, dice: &mut Dice, tally: &mut Tally) {
    tally.cycles += 1;
    let idle = service.idle_color();
    let images = service.images_to_deploy();
    let image = *dice.one_of(&images);
    let ailment = ailment(dice);
    println!("{:>4}: {image} to {idle}, {ailment:?}", tally.cycles);
    let args = ["deploy", "--image", image, "--poll", "1s", "--timeout", "12s"];
    let deploy = service.begin(&args);
    tokio::time::sleep(Duration::from_millis(500 * dice.below(5))).await;
    service.ail(&idle, ailment, 1 + dice.below(16));
    let ended = service.end(deploy).await;
    service.lift();
    match ended {
        0 => tally.deployed += 1,
        1 => {
            // Taken back whole: there is nothing new to switch to.
            tally.rolled_back += 1;
            return;
        }
        code => panic!("the deploy ended with {code}: {}", service.said()),
    }
    service.wait_until_ready(&idle).await;
    service.run(&["switch", "--poll", "1s"]).await;
    tally.switched += 1;
    if dice.below(3) == 0 {
        service.run(&["scaledown", "--poll", "1s"]).await;
        tally.scaled_down += 1;
    }
}

/// Ends the load, and takes the measure of what is left: the load's own connections, a thousand
/// that come and go, would hide what is lost a few at a time.
async fn rest(service: &Service) -> Footprint {
    println!("{}", service.tell().await);
    tokio::time::sleep(Duration::from_secs(2)).await;
    Footprint::take().expect("Linux tells")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_deployed_and_switched_for_long_and_loses_nothing() {
    let time = Duration::from_mins(wanted("SOAK_MINUTES").unwrap_or(1));
    let seed = wanted("SOAK_SEED").unwrap_or_else(dice::chance);
    println!("{time:?}, SOAK_SEED={seed}");
    let (mut dice, mut tally) = (Dice::new(seed), Tally::default());
    let rate = wanted("SOAK_RATE").unwrap_or(200);
    let service = Service::start(rate).await;
    let began = Instant::now();
    let mut early = None;
    while began.elapsed() < time {
        cycle(&service, &mut dice, &mut tally).await;
        service.assert_nothing_was_lost(&format!("cycle {}, SOAK_SEED={seed}", tally.cycles)).await;
        if early.is_none() && began.elapsed() >= time / 3 {
            early = Some(rest(&service).await);
            service.assert_nothing_was_lost(&format!("a third, SOAK_SEED={seed}")).await;
            service.ask(rate).await;
        }
    }
    let late = rest(&service).await;
    service.assert_nothing_was_lost(&format!("the end, SOAK_SEED={seed}")).await;
    let early = early.expect("a third comes before the end");
    println!("{tally:?}\nat a third {early}, at the end {late}");
    assert!(tally.switched > 0, "nothing was ever switched: {tally:?}");
    assert!(late.resident_kib <= early.resident_kib + MORE_MEMORY, "memory grows");
    assert!(late.files <= early.files + MORE_FILES, "files stay open");
}
