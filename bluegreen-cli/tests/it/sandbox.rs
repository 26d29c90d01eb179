//! A folder of its own for each test, and the binary run in it with an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A configuration with an environment in an account that is not protected, and one in one that
/// is.
pub(crate) const CONFIG: &str = r#"
[accounts.dev]
id = "123456789012"

[accounts.live]
id = "444455556666"
protected = true

[environments.D-WEB]
account = "dev"
region = "eu-west-1"
scaling_group = "web"
idle_ports = "18080-18099"

[environments.IE-L-NGINX]
account = "live"
region = "eu-west-1"
scaling_group = "nginx-live"
idle_ports = "18080-18099"
"#;

/// A folder with the user's home in it, and the binary that runs there.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// What the binary said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    /// Makes an empty one.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let sandbox = Self { folder };
        std::fs::create_dir_all(sandbox.path("work")).expect("a folder can be made");
        sandbox
    }

    /// Makes one with a configuration.
    pub(crate) fn new() -> Self {
        let sandbox = Self::empty();
        sandbox.write("work/bluegreen.toml", CONFIG);
        sandbox
    }

    /// Returns a path below the folder.
    pub(crate) fn path(&self, rest: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(rest)
    }

    /// Writes a file below the folder.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).expect("a folder can be made");
        }
        std::fs::write(path, text).expect("a file can be written");
    }

    /// Returns the binary with these arguments, ready to be run in `work`.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bluegreen"));
        command
            .args(args)
            .current_dir(self.path("work"))
            .env_clear()
            .env("HOME", self.path("home"))
            .env("USER", "alice")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary with these arguments.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::of(&self.command(args).output().expect("the binary can be run"), self)
    }
}

impl Said {
    /// Takes what a process said; the sandbox's folder is written `[..]`.
    pub(crate) fn of(output: &Output, sandbox: &Sandbox) -> Self {
        let folder = sandbox.folder.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "[..]");
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Asserts that all was well and nothing was said on stderr, and returns stdout.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "{self:?}");
        self.stdout
    }

    /// Asserts an exit status and all of stderr, with nothing on stdout.
    #[track_caller]
    pub(crate) fn fails(self, status: i32, stderr: &str) {
        assert_eq!(self, Self { status, stdout: String::new(), stderr: stderr.to_owned() });
    }
}
