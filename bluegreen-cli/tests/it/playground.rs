//! The playground as a person uses it, and every scenario that is shipped.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bluegreen_testkit::emulator;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::sandbox::Sandbox;

/// Nothing here takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(4);

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(sandbox: &Sandbox, args: &[&str]) -> Said {
    let mut command = Command::from(sandbox.command(args));
    command.kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{args:?} does not end"));
    let output = output.expect("the binary can be run");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

async fn play(name: &str) {
    if name.starts_with("nginx") {
        needs("/usr/sbin/nginx", "nginx-light");
    }
    if name == "nginx-upstream-resolved-once.toml" {
        let file = format!("/usr/lib/{}-linux-gnu/libnss_wrapper.so", std::env::consts::ARCH);
        needs(&file, "libnss-wrapper");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let file = file.display().to_string();
    let said = run(&Sandbox::new(), &["playground", "run", &file]).await;
    assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
    assert!(said.out.contains("PHASE"), "{}", said.out);
}

/// Fails with what to install if a program is missing.
fn needs(program: &str, package: &str) {
    let is_there = Path::new(program).exists();
    assert!(
        is_there,
        "{program} is missing: install it, on Debian with `apt-get install {package}`"
    );
}

macro_rules! scenarios {
    ($($test:ident: $file:literal,)*) => {
        $(#[tokio::test]
        async fn $test() {
            play($file).await;
        })*

        const PLAYED: &[&str] = &[$($file),*];
    };
}

scenarios! {
    a_switch_under_load_loses_no_request: "switch-under-load.toml",
    a_version_that_never_passes_a_check_is_not_switched_to: "idle-group-is-checked.toml",
    a_version_that_breaks_under_traffic_is_taken_back: "sick-version.toml",
    a_machine_that_dies_during_a_switch_turns_it_round: "machine-dies-during-switch.toml",
    a_zone_that_is_parted_during_a_deploy_hurts_nobody: "zone-parted-during-deploy.toml",
    an_outage_in_the_middle_of_a_switch_loses_no_request: "outage-during-switch.toml",
    an_operator_who_is_killed_is_cleaned_up_after: "operator-killed.toml",
    of_two_operators_one_goes_on: "two-operators.toml",
    http_and_https_change_their_colour_together: "http-and-https-together.toml",
    a_version_whose_configuration_nginx_refuses_is_taken_back: "nginx-broken-configuration.toml",
    a_reload_of_nginx_is_seen_to_mix_versions: "nginx-reload-keeps-old-workers.toml",
    an_upstream_that_nginx_looks_up_once_is_lost_when_it_moves: "nginx-upstream-resolved-once.toml",
}

#[test]
fn every_scenario_that_is_shipped_is_played() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let names = files.map(|file| file.expect("it can be listed").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|kind| kind == "toml"));
    names.sort();
    let mut played = PLAYED.to_vec();
    played.sort_unstable();
    assert_eq!(names, played);
}

/// A playground that stays until it is dropped.
struct Up {
    url: String,
    said: Vec<String>,
    /// Killed with it.
    process: Child,
}

async fn up(sandbox: &Sandbox, args: &[&str]) -> Up {
    let args = [&["playground", "up", "--port", "0"], args].concat();
    let mut command = Command::from(sandbox.command(&args));
    command.kill_on_drop(true).stdout(Stdio::piped());
    let mut process = command.spawn().expect("the binary can be run");
    let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
    let mut said = Vec::new();
    loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let line = line.expect("it starts").expect("it can be read").expect("it says where it is");
        let is_last = line.starts_with("Ctrl-C");
        said.push(line);
        if is_last {
            break;
        }
    }
    let url = said[0].rsplit(' ').next().unwrap_or_default().to_owned();
    Up { url, said, process }
}

#[tokio::test]
async fn what_it_prints_is_a_configuration_that_works() {
    let sandbox = Sandbox::new();
    let up = up(&sandbox, &[]).await;
    let from = up.said.iter().position(|line| line.contains("[accounts.")).expect("it is printed");
    let lines = up.said[from..].iter().take_while(|line| !line.contains("listens on"));
    let lines: Vec<&str> = lines.map(|line| line.trim_start()).collect();
    let text = lines.join("\n");
    let file = sandbox.path("work/play.toml");
    std::fs::write(&file, text).expect("it can be written");
    let file = file.display().to_string();
    let status =
        ["status", "PLAY", "--config", &file, "--endpoint-url", &up.url, "--output", "json"];
    let mut command = Command::from(sandbox.command(&status));
    command.env("AWS_ACCESS_KEY_ID", "playground").env("AWS_SECRET_ACCESS_KEY", "playground");
    let output = command.output().await.expect("the binary can be run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let status: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert!(status.to_string().contains("jobs"), "{status}");
}

#[tokio::test]
async fn faults_are_made_listed_and_lifted_from_the_command_line() {
    let sandbox = Sandbox::new();
    let up = up(&sandbox, &["--empty"]).await;
    let at = ["--url", &up.url];
    let fault = |args: &[&'static str]| [&["playground", "fault"], args, &at].concat();
    let said =
        run(&sandbox, &fault(&["instance", "fails", "--status", "503", "--of", "green"])).await;
    assert_eq!((said.code, said.out.contains("fault 1")), (Some(0), true), "{}", said.err);
    let said = run(&sandbox, &fault(&["list"])).await;
    assert!(said.out.contains("color green") && said.out.contains("status 503"), "{}", said.out);
    let said = run(&sandbox, &fault(&["instance", "explodes"])).await;
    assert_eq!(said.code, Some(2), "{}", said.err);
    let said = run(&sandbox, &fault(&["lift", "1"])).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let said = run(&sandbox, &fault(&["lift", "1"])).await;
    assert_eq!(said.code, Some(3), "{}", said.err);
    let said = run(&sandbox, &fault(&["list"])).await;
    assert_eq!(said.out, "nothing goes wrong\n");
}

#[tokio::test]
async fn a_load_is_asked_for_and_told() {
    let sandbox = Sandbox::new();
    let up = up(&sandbox, &[]).await;
    let report: PathBuf = sandbox.path("work/report.html");
    let file = report.display().to_string();
    // The machines need a moment until they answer.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let args = ["playground", "load", "--rate", "200", "--for", "2s", "--url", &up.url];
    let args = [&args[..], &["--output", "json", "--report", &file]].concat();
    let said = run(&sandbox, &args).await;
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let card: Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert!(card["requests"].as_u64().is_some_and(|requests| requests > 200), "{card}");
    let page = std::fs::read_to_string(report).expect("it is written");
    assert!(page.contains("<svg") && page.contains("jobs:80"), "{page}");
}

#[tokio::test]
async fn nobody_there_is_said_with_what_to_do() {
    let said = run(&Sandbox::new(), &["playground", "load", "--url", "http://127.0.0.1:9"]).await;
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("no playground answers at http://127.0.0.1:9"), "{}", said.err);
    assert!(said.err.contains("bluegreen playground up"), "{}", said.err);
}

#[tokio::test]
async fn a_script_that_leaves_half_of_the_routes_is_graded_so() {
    let said = run(
        &Sandbox::new(),
        &[
            "playground",
            "score",
            "--rate",
            "100",
            "--after",
            "upgrade",
            "--output",
            "json",
            "--",
            "false",
        ],
    )
    .await;
    assert_eq!(said.code, Some(1), "{}", said.err);
    let graded: Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!(graded["grade"], "C");
    assert_eq!(graded["marks"][0]["good"], false);
}

#[tokio::test]
async fn a_switch_in_boto3_that_moves_every_route_is_graded_best() {
    let python = emulator::python().await.expect("boto3 is installed").display().to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/switch.py");
    let script = script.display().to_string();
    let score = ["playground", "score", "--rate", "100", "--after", "deploy", "--", &python];
    let said = run(&Sandbox::new(), &[&score[..], &[&script]].concat()).await;
    assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
    for line in ["jobs:80 is switched", "jobs:443 is switched", "rule 10 is switched"] {
        assert!(said.out.contains(line), "{}", said.out);
    }
    assert!(said.out.contains("grade: A (6 of 6)"), "{}", said.out);
}

#[tokio::test]
async fn the_command_line_of_aws_reads_and_changes_a_playground() {
    let python = emulator::python().await.expect("it is installed");
    let (aws, sandbox) = (python.with_file_name("aws"), Sandbox::new());
    let up = up(&sandbox, &[]).await;
    let said = aws_says(&aws, &up.url, "elbv2 describe-load-balancers").await;
    assert_eq!(said["LoadBalancers"][0]["LoadBalancerName"], "jobs", "{said}");
    let tags = "autoscaling create-or-update-tags --tags \
                ResourceId=jobs,ResourceType=auto-scaling-group,Key=team,Value=a,PropagateAtLaunch=false";
    aws_says(&aws, &up.url, tags).await;
    let said = aws_says(&aws, &up.url, "autoscaling describe-auto-scaling-groups").await;
    let group = &said["AutoScalingGroups"][0];
    assert_eq!(group["Instances"].as_array().map(Vec::len), Some(3), "{said}");
    assert!(group["Tags"].to_string().contains("team"), "{said}");
}

/// Runs AWS's command line against a playground, and returns what it prints.
async fn aws_says(aws: &Path, url: &str, args: &str) -> Value {
    let mut command = Command::new(aws);
    command
        .args(args.split_whitespace())
        .args(["--output", "json"])
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", "playground")
        .env("AWS_SECRET_ACCESS_KEY", "playground")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env_remove("AWS_PROFILE")
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{args} does not end"));
    let output = output.expect("it can be run");
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[tokio::test]
async fn what_a_playground_holds_survives_a_restart() {
    let sandbox = Sandbox::new();
    let state = sandbox.path("work/state.json").display().to_string();
    let first = up(&sandbox, &["--state", &state]).await;
    let pid = first.process.id().expect("it runs");
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).expect("it is a process");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it can be asked");
    let mut process = first.process;
    let status = tokio::time::timeout(PATIENCE, process.wait()).await.expect("it ends");
    assert!(status.expect("it can be waited for").success());
    let second = up(&sandbox, &["--state", &state, "--empty"]).await;
    assert!(
        second.said.iter().any(|line| line.contains("jobs:443 listens on")),
        "{:?}",
        second.said
    );
}

/// Returns what a browser makes of the page, once it shows a topology; it reaches nothing else.
async fn looked_at(sandbox: &Sandbox, url: &str) -> String {
    needs("/usr/bin/chromium", "chromium");
    let profile = format!("--user-data-dir={}", sandbox.path("home/chromium").display());
    let mut page = String::new();
    // A browser on a busy machine may be too late for its own budget of time.
    for _ in 0..3 {
        let mut command = Command::new("/usr/bin/chromium");
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", &profile])
            .args(["--virtual-time-budget=5000", "--dump-dom", url])
            .env("HOME", sandbox.path("home"))
            .kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.expect("the browser ends").expect("the browser can be run");
        page = String::from_utf8_lossy(&output.stdout).into_owned();
        if page.contains("jobs:80") {
            return page;
        }
    }
    panic!("the page shows no topology: {page}");
}

/// Returns the controls of a page that nothing names: no label around them, none of their own.
fn nameless(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for opening in ["<button", "<input", "<select"] {
        for (at, _) in page.match_indices(opening) {
            let (before, from) = page.split_at(at);
            let (tag, rest) = from.split_once('>').expect("a tag ends");
            let label = before.rfind("<label").and_then(|at| before[at..].split_once('>'));
            let is_labelled = label.is_some_and(|(_, text)| {
                !text.contains("</label") && text.starts_with(char::is_alphanumeric)
            });
            let says = opening == "<button" && !rest.trim_start().starts_with('<');
            if !is_labelled && !says && !tag.contains("aria-label=\"") {
                found.push(tag);
            }
        }
    }
    found
}

#[tokio::test]
async fn the_page_shows_what_there_is_to_everybody_and_asks_nobody_else() {
    let sandbox = Sandbox::new();
    let up = up(&sandbox, &[]).await;
    let remote = bluegreen_testkit::playground::remote::Remote::new(&up.url);
    let fault = serde_json::json!({"on": "network", "is": "delay", "ms": 1});
    remote.post("/api/faults", &fault).await.expect("it is a fault");
    let is_healthy = async {
        while !remote.page("/api/state").await.expect("it answers").contains("\"healthy\"") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, is_healthy).await.expect("machines become healthy");
    let page = looked_at(&sandbox, &up.url).await;
    for shown in ["jobs:80", "jobs:443", "jobs-http", "healthy", ">i-", "Lift fault 1"] {
        assert!(page.contains(shown), "`{shown}` is missing: {page}");
    }
    assert!(page.matches("<button").count() >= 4, "{page}");
    assert_eq!(nameless(&page), Vec::<&str>::new());
    let bare = "<label>a <input></label><input id=\"b\"><button><svg></svg></button>";
    assert_eq!(nameless(bare), ["<button", "<input id=\"b\""], "it sees those that have none");
    let mut texts = vec![page];
    for path in ["/style.css", "/plot.js", "/page.js"] {
        texts.push(remote.page(path).await.expect("it is there"));
    }
    for text in texts {
        // The name of SVG is no place that anybody goes to.
        let text = text.replace(&up.url, "").replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
    }
}
