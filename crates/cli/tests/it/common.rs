//! Runs the command with an environment that holds nothing but what a test puts there.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

use cumulo_core::Json;
use cumulo_localcloud::{LocalCloud, accounts};

/// A local cloud.
pub(crate) fn cloud() -> LocalCloud {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(LocalCloud::start())
}

/// The command, with no credentials to be found anywhere.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cumulo"));
    command
        .env_clear()
        .env("HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/no-home"))
        // The metadata service of another machine is no business of a test.
        .env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The command with the local Alibaba account.
pub(crate) fn alibaba() -> Command {
    let mut command = bare();
    command
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", accounts::ALIBABA_KEY_ID)
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accounts::ALIBABA_SECRET)
        .env("ALIBABA_CLOUD_REGION_ID", accounts::ALIBABA_REGION);
    command
}

/// `call smc OPERATION INPUT` against `cloud`.
pub(crate) fn call_smc(cloud: &LocalCloud, operation: &str, input: &str) -> Command {
    let mut command = alibaba();
    command.args([
        "call",
        "smc",
        operation,
        input,
        "--endpoint-url",
        &cloud.smc_endpoint(),
    ]);
    command
}

/// How the command ended.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            status: output.status.code().expect("it ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output as one JSON line.
    pub(crate) fn json(&self) -> Json {
        assert_eq!(
            self.stdout.matches('\n').count(),
            1,
            "{}{}",
            self.stdout,
            self.stderr
        );
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Standard output as JSON lines.
    pub(crate) fn lines(&self) -> Vec<Json> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Everything that it printed.
    pub(crate) fn printed(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs the command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    Ended::of(command.output().unwrap())
}

/// Runs the command with `input` on its standard input.
pub(crate) fn run_with(command: &mut Command, input: &[u8]) -> Ended {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Written beside, since the command may answer before it has read everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ended::of(output)
}

/// Ends the process with its owner.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
