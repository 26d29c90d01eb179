//! Two processes that want the same at the same time: one has the lock, the other says whose it is.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use bluegreen_testkit::emulator::{Emulator, make_bucket};
use tokio::time::{Instant, sleep};

use crate::sandbox::{Said, Sandbox};

const ROUNDS: usize = 200;
/// Long enough for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the endpoint says in the end, so that the winner has nothing more to do.
const DENIED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                      <Message>the race is over</Message></Error></ErrorResponse>";

/// Two processes, and the endpoint that the winner asks.
struct Race {
    sandbox: Sandbox,
    endpoint: TcpListener,
    /// Where journals and locks are, as it is said to the program.
    store: String,
    /// Where buckets are, if that is not with the cloud.
    buckets: Option<String>,
}

impl Race {
    fn new(sandbox: Sandbox, store: &str) -> Self {
        let endpoint = TcpListener::bind("127.0.0.1:0").expect("a loopback port can be bound");
        endpoint.set_nonblocking(true).expect("a socket can be asked without waiting");
        Self { sandbox, endpoint, store: store.to_owned(), buckets: None }
    }

    fn with_buckets(self, url: String) -> Self {
        Self { buckets: Some(url), ..self }
    }

    /// Runs one round: the process that gets to the endpoint has the lock, and keeps it until the
    /// other one has given up.
    async fn round(&self) {
        let mut racers = [self.start(), self.start()];
        let mut held: Option<TcpStream> = None;
        let begin = Instant::now();
        let loser = loop {
            if let Ok((stream, _)) = self.endpoint.accept() {
                assert!(held.replace(stream).is_none(), "both of them went on");
            }
            let ended = |child: &mut Child| child.try_wait().expect("one's own child").is_some();
            if let Some(loser) = racers.iter_mut().position(ended) {
                break loser;
            }
            assert!(begin.elapsed() < PATIENCE, "neither of them gave up");
            sleep(Duration::from_millis(1)).await;
        };
        let [first, second] = racers;
        let (winner, loser) = if loser == 0 { (second, first) } else { (first, second) };
        let process = winner.id();
        let loser = self.said(loser);
        assert_eq!(loser.status, 3, "{loser:?}");
        assert!(
            loser.stderr.starts_with("error: another run of `D-WEB` is under way\n\n  held by  ")
        );
        assert!(
            loser.stderr.contains(&format!("alice@{} (process {process})\n", host())),
            "{loser:?}"
        );
        assert!(loser.stderr.contains("\n  doing    upgrade, run "), "{loser:?}");

        let stream = match held {
            Some(stream) => stream,
            None => self.accept(begin).await,
        };
        deny(stream);
        let winner = self.said(winner);
        assert_eq!(winner.status, 3, "{winner:?}");
        assert!(winner.stderr.contains("the race is over"), "{winner:?}");
        assert!(self.endpoint.accept().is_err(), "nobody else went on");
    }

    async fn accept(&self, begin: Instant) -> TcpStream {
        loop {
            if let Ok((stream, _)) = self.endpoint.accept() {
                return stream;
            }
            assert!(begin.elapsed() < PATIENCE, "the winner does not go on");
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn start(&self) -> Child {
        let url = format!("http://{}", self.endpoint.local_addr().expect("it is bound"));
        let args = ["upgrade", "D-WEB", "--store", &self.store, "--endpoint-url", &url];
        let mut command = self.sandbox.command(&args);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        if let Some(url) = &self.buckets {
            command.env("AWS_ENDPOINT_URL_S3", url);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary can be started")
    }

    fn said(&self, child: Child) -> Said {
        Said::of(&child.wait_with_output().expect("one's own child"), &self.sandbox)
    }
}

/// Answers the one request of a connection.
fn deny(mut stream: TcpStream) {
    stream.set_nonblocking(false).expect("a socket can be waited for");
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut some = [0; 4096];
        let count = stream.read(&mut some).expect("the winner asks");
        assert!(count > 0, "the winner asks");
        head.extend_from_slice(&some[..count]);
    }
    let length = DENIED.len();
    let reply = format!(
        "HTTP/1.1 403 Forbidden\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{DENIED}"
    );
    stream.write_all(reply.as_bytes()).expect("the winner listens");
    // What is closed before all of it was read is cut off, and the answer with it.
    stream.shutdown(std::net::Shutdown::Write).expect("the winner listens");
    stream.read_to_end(&mut head).expect("the winner has said all");
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[tokio::test]
async fn of_two_that_start_the_same_at_the_same_time_one_proceeds_200_times() {
    let race = Race::new(Sandbox::new(), "store");
    for _ in 0..ROUNDS {
        race.round().await;
    }
    // Whoever lost wrote nothing, and whoever won had not begun anything.
    assert!(!race.sandbox.path("work/store/runs").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_share_a_bucket_one_proceeds_200_times() {
    let emulator = Emulator::start().await;
    make_bucket(&emulator.url(), "team-state").await.expect("the bucket is made");
    let race = Race::new(Sandbox::new(), "s3://team-state/race?region=us-east-1");
    let race = race.with_buckets(emulator.url());
    for _ in 0..ROUNDS {
        race.round().await;
    }
    assert!(!race.sandbox.path("home/.local").exists(), "nothing is kept on this machine");
}
