//! What can be typed after `cumulo`?

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
pub(crate) use clap_complete::Shell;

use crate::pages::Part;
use crate::query::Query;
use crate::service::Service;
use crate::{get, job, list, wait};

/// Calls Alibaba Cloud SMC and Smart Access Gateway, OTC / Huawei Cloud API Gateway and ZStack.
///
/// Credentials come from the environment and the files that the vendors' own tools use; `cumulo
/// whoami SERVICE --explain` shows which. Exit status: 0 ok, 1 the service or the call failed,
/// 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "cumulo", version, disable_help_subcommand = true)]
pub(crate) struct Cumulo {
    #[command(flatten)]
    pub(crate) talk: Talk,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is told beside results.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Talk {
    /// Tells errors alone: no progress, no warnings.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Tells what is sent, each attempt and how long it took; twice: all that the library traces. No secrets.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// The form of what is told on standard error.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) log_format: LogFormat,
}

/// The form of what is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line, with level and message.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Calls one operation and prints its result.
    ///
    /// The result is one JSON object: {"ok":true,"output":{..},"request_id":"..","attempts":1}, or
    /// {"ok":false,"error":{..}}. Names are the service's own, as `cumulo describe` lists them.
    #[command(after_help = "Examples:
  cumulo call smc ListAccessTokens AccessTokenId=at-1
  cumulo call smc ListAccessTokens '{\"AccessTokenId\":[\"at-1\"]}'
  cumulo call smc DescribeSourceServers --all --output jsonl --query '{id: SourceId, state: State}'
  cumulo call zstack StartVmInstance '{\"uuid\":\"..\"}' --wait=10m
  cumulo call apig CreateAnAppV2 '{\"name\":\"shop\"}' --dry-run")]
    Call(Call),
    /// Calls many operations: one JSON object a line in, one result a line out, in the same order.
    ///
    /// A line is {"service":"smc","operation":"ListAccessTokens","input":{..}}; "input" and
    /// "client_token" may be left out. Empty lines are skipped. A bad line is answered with an error
    /// line. Exit status 1 when any line failed, 130 or 143 when it was interrupted: then calls under way
    /// may end for a while, and what has no result is printed with its client token.
    Batch(Batch),
    /// Lists all things of one kind, over all pages.
    #[command(after_help = list::EXAMPLES)]
    List(list::List),
    /// Reads one thing by its id.
    #[command(after_help = get::EXAMPLES)]
    Get(get::Get),
    /// Waits until a thing is ready, in some other state, or gone.
    ///
    /// It reads until then, less and less often. Exit status 1 when the thing is in a state from which it
    /// does not get there, when it vanished, and when time is up; the error says how it was seen last.
    #[command(after_help = wait::EXAMPLES)]
    Wait(wait::Wait),
    /// Asks after calls that a service works on.
    ///
    /// ZStack runs calls as jobs and has long jobs beside; API Gateway imports and exports as tasks. Others
    /// have none: their migrations and gateways are things to `cumulo wait` for.
    #[command(after_help = job::EXAMPLES)]
    Job(job::Job),
    /// Shows which credentials calls would use. Prints no secret.
    Whoami(Whoami),
    /// Lists operations.
    Ops(Ops),
    /// Lists the things that services keep, and the operations that are about each.
    ///
    /// Most rows come from a rule over the models (by rule), the others from a person (by hand). What belongs to no
    /// thing is listed at the end.
    Resources(Resources),
    /// Prints an operation's members, with their types and documented limits.
    Describe(Describe),
    /// Serves all four services on this machine until Ctrl-C, for tests in any language.
    ///
    /// It checks signatures, tokens and client tokens as the real services do.
    Local(Local),
    /// Explains a topic, a command, a service or an operation.
    ///
    /// Topics: credentials, environment, exit-status, local-cloud, output, pages, retries, secrets.
    Help(Help),
    /// Writes the manual pages: one for each command and topic to DIR, or that of cumulo itself to standard output.
    Man {
        /// The folder; it is made if need be.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// What may come next on a line that was typed so far; what completion scripts ask.
    #[command(hide = true)]
    Complete {
        /// The shell that asks.
        shell: Shell,
        /// The line up to the cursor.
        line: String,
    },
    /// Prints a completion script for a shell.
    ///
    /// In bash, zsh and fish it completes services, operations, members and their values too.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Call {
    /// The service.
    pub(crate) service: Service,
    /// The operation, such as ListAccessTokens.
    pub(crate) operation: String,
    /// The input: a JSON object, - for one from standard input, or words.
    ///
    /// `Name=value` sets a member, of the type that `cumulo describe` says: PageSize=10. Dots lead into objects and
    /// lists, whose elements are numbered from 1: Tag.1.Key=env; a list of plain values may be repeated: Id=a Id=b.
    /// `Name:=JSON` gives any JSON, `Name=@FILE` the text of a file (- for standard input), which keeps secrets off the
    /// command line; a value that itself begins with @ begins with @@. JSON and words add up.
    #[arg(value_name = "INPUT")]
    pub(crate) input: Vec<String>,
    /// Walks a list to its end, in the largest pages, and prints its items.
    #[arg(long, conflicts_with = "secrets_to")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) part: Part,
    /// Waits until what the call made or moved is ready; for as long as it takes, or for TIME.
    #[arg(long, value_name = "TIME", value_parser = patience, num_args = 0..=1, require_equals = true, default_missing_value = "forever")]
    pub(crate) wait: Option<Patience>,
    /// Prints the request as a curl line, secrets hidden, and sends nothing; credentials are fetched.
    #[arg(long, conflicts_with_all = ["all", "wait", "output", "query", "secrets_to", "show_secrets"])]
    pub(crate) dry_run: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
    /// The columns of the table, in this order: A,B. It means --output table.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// What of the output is printed, as a JMESPath expression: of each item by itself with --all and
    /// jsonl, of the whole list with --all and the other forms.
    #[arg(long, value_name = "JMESPATH", value_parser = Query::parse)]
    pub(crate) query: Option<Query>,
    /// The token by which the service recognises a repeat, from the error of an earlier call.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) client_token: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Batch {
    /// How many calls are under way at once.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) concurrency: u16,
    /// How long calls under way may go on after Ctrl-C, SIGTERM or a broken output.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub(crate) grace: Duration,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    /// The service.
    pub(crate) service: Service,
    /// Prints every source in order, and what each one said.
    #[arg(long)]
    pub(crate) explain: bool,
    /// How long the search may take: 90, 1.5, 250ms, 30s, 2m.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "2m")]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) options: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Ops {
    /// Only this service.
    pub(crate) service: Option<Service>,
    /// Only this group, such as access-token.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Resources {
    /// Only this service.
    pub(crate) service: Option<Service>,
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Help {
    /// A topic, a command, or a service and perhaps an operation of it.
    #[arg(value_name = "TOPIC")]
    pub(crate) topic: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// The service.
    pub(crate) service: Service,
    /// The operation.
    pub(crate) operation: String,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Local {
    /// The first of six ports in a row; free ports when left out.
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub(crate) port: u16,
    /// The address to listen on; behind any but loopback, everybody who reaches it may call and steer the cloud.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: std::net::IpAddr,
    /// Makes the things in a JSON file first: {"smc":{"source-server":[{"SourceId":"s-1"}]}}.
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Keeps what is made in a file, and goes on with what stands there; with it, a seed counts for a new file only.
    /// The file is written a second after a change, with much in it less often, and at the end: a kill may cost that.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// What is answered about things that nobody has made.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) samples: Samples,
    /// Refuses what exceeds a documented quota.
    #[arg(long)]
    pub(crate) quotas: bool,
    /// Serves HTTPS, and writes the authority that clients must trust for it into FILE, or a temporary one.
    #[arg(long, value_name = "FILE")]
    #[allow(
        clippy::option_option,
        reason = "how clap takes a flag with a value that may be left out"
    )]
    pub(crate) tls: Option<Option<PathBuf>>,
    /// Prints endpoints and identities as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints lines for a shell's `eval`, and lets its standard output go.
    #[arg(long, conflicts_with = "json")]
    pub(crate) env: bool,
}

/// What the local cloud answers about things that nobody has made.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Samples {
    /// Samples, until the first thing of the kind is made.
    #[default]
    UntilCreated,
    /// Samples for all kinds; then nothing is kept but by the families that are written by hand.
    Always,
    /// Nothing: the cloud begins empty.
    Never,
}

/// How calls are made.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How long one call may take with its repeats: 90, 1.5, 250ms, 30s, 2m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Prints secrets in clear instead of a placeholder.
    #[arg(long)]
    pub(crate) show_secrets: bool,
    /// Writes the secrets of answers to a new file that only you can read, before the result is printed.
    ///
    /// One JSON object a line: {"service":"..","operation":"..","request_id":"..","secrets":{"MEMBER":".."}}.
    /// `batch` goes on with a file of an earlier one.
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets_to: Option<PathBuf>,
}

/// Where calls go, and as whom.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Connection {
    /// smc, smartag: this profile of the aliyun command line, and its region.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// apig: this cloud of clouds.yaml, in place of what OS_CLOUD says.
    #[arg(long, value_name = "NAME")]
    pub(crate) os_cloud: Option<String>,
    /// The address to call. For one service of a batch: SERVICE=URL; may be repeated.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Vec<String>,
    /// The region; ZStack has none.
    #[arg(long, value_name = "R")]
    pub(crate) region: Option<String>,
    /// apig: the project, where the credentials do not tell it.
    #[arg(long, value_name = "ID")]
    pub(crate) project_id: Option<String>,
    /// apig: the gateway that operations mean when their input names none.
    #[arg(long, value_name = "ID")]
    pub(crate) instance_id: Option<String>,
    /// apig: the address of IAM, such as `https://iam.eu-de.otc.t-systems.com/v3`.
    #[arg(long, value_name = "URL")]
    pub(crate) iam_endpoint: Option<String>,
    /// Allows plain HTTP to machines other than this one.
    #[arg(long)]
    pub(crate) allow_http: bool,
    /// Trusts the certificate authority in this PEM file too.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<String>,
    /// The proxy for all requests but those to this machine, instead of what HTTPS_PROXY and
    /// NO_PROXY say: `http://host:port`.
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Trusts servers with any certificate: anyone on the way can read and change everything.
    #[arg(long)]
    pub(crate) insecure: bool,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// One JSON object; on several lines when it goes to a terminal.
    #[default]
    Json,
    /// JSON, one line for each item of a list.
    Jsonl,
    /// A table as wide as the terminal, whole in a pipe or file.
    Table,
    /// One line for each item, its values with tabs between.
    Text,
}

/// How long something is waited for; for ever where nothing is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience(pub(crate) Option<Duration>);

fn patience(text: &str) -> Result<Patience, String> {
    match text {
        "forever" => Ok(Patience(None)),
        text => duration(text).map(|limit| Patience(Some(limit))),
    }
}

/// Seconds, or a number with `ms`, `s` or `m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err("write seconds, or a number with ms, s or m".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "this is no number".to_owned())?;
    match Duration::try_from_secs_f64(number * scale) {
        Ok(duration) if !duration.is_zero() && number * scale <= 86_400.0 => Ok(duration),
        _ => Err("it must be more than nothing and at most a day".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Cumulo::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in [
            "",
            "0",
            "-1",
            "soon",
            "5h",
            "1e3s",
            "999999999999",
            "NaN",
            "inf",
            "ms",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
