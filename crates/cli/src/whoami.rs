//! `cumulo whoami`: as whom would calls be made, and why as them?

use std::io::{self, Write};
use std::sync::Arc;
use std::time::SystemTime;

use cumulo_core::alibaba::credentials as alibaba;
use cumulo_core::clock::{SystemClock, SystemEntropy, unix_seconds};
use cumulo_core::credentials::{
    Context, Environment, Finding, Provider, ProviderReport, explain_within,
};
use cumulo_core::huawei::credentials as huawei;
use cumulo_core::service::Settled;
use cumulo_core::sign::time::iso8601;
use cumulo_core::transport::{HttpOptions, HttpTransport};
use cumulo_core::zstack::credentials as zstack;

use crate::args::{Connection, Whoami};
use crate::in_flight::InFlight;
use crate::result::FAILED;
use crate::service::{Service, endpoint_for};
use crate::{progress, term, wording};

pub(crate) fn run(args: &Whoami) -> io::Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let chain = chain(args.service, &args.options);
    let context = context(args)?;
    let asking = explain_within(&*chain, &context, args.timeout);
    let tried = runtime.block_on(progress::watch("credentials", &InFlight::default(), asking));
    // A provider's process or name lookup may still be running on another thread.
    runtime.shutdown_background();
    let won = tried.iter().find_map(winner);
    let mut text = String::new();
    if args.explain {
        for (index, answer) in tried.iter().enumerate() {
            text += &format!(
                "{}. {}\n",
                index + 1,
                term::clean(&wording::plain(&answer.to_string()))
            );
        }
    } else if let Some(facts) = &won {
        for (name, value) in facts {
            text += &format!("{name:<10}{}\n", term::clean(value));
        }
    }
    if won.is_some() || args.explain {
        text += &settled(args);
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    if won.is_some() {
        return Ok(0);
    }
    term::say(format_args!(
        "error: no credentials for {}",
        args.service.name()
    ));
    if !args.explain {
        for answer in tried
            .iter()
            .filter(|tried| tried.finding != Finding::NotAsked)
        {
            term::say(format_args!("  {answer}"));
        }
    }
    Ok(FAILED)
}

/// Where calls would go, and what says so.
fn settled(args: &Whoami) -> String {
    let client = match args.service.connect(&args.options) {
        Ok(client) => client,
        Err(error) => {
            term::note(format_args!("warning: {}", error.message()));
            return String::new();
        }
    };
    let options = &args.options;
    let mut text = String::new();
    for known in client.settled() {
        let origin = match (known.name, known.origin.as_str()) {
            ("region", Settled::PROGRAM) if options.region.is_some() => "--region",
            ("region", Settled::PROGRAM) => "--profile",
            ("endpoint", Settled::PROGRAM) => "--endpoint-url",
            ("instance_id", Settled::PROGRAM) => "--instance-id",
            ("project_id", Settled::PROGRAM) if options.project_id.is_some() => "--project-id",
            (_, origin) => origin,
        };
        let name = known.name.trim_end_matches("_id");
        let value = term::clean(&known.value);
        text += &format!("{name:<10}{value} ({})\n", term::clean(origin));
    }
    text
}

/// What is known about the credentials that won.
fn winner(tried: &ProviderReport) -> Option<Vec<(&'static str, String)>> {
    let Finding::Found {
        source,
        key_id,
        expires_at,
        scope,
    } = &tried.finding
    else {
        return None;
    };
    let written = |at: &SystemTime| iso8601(unix_seconds(*at));
    let facts = [
        ("provider", Some(tried.provider.to_owned())),
        ("source", Some(source.clone())),
        ("key", key_id.clone()),
        ("account", scope.account.clone()),
        ("user", scope.user.clone()),
        ("project", scope.project_id.clone()),
        ("expires", expires_at.as_ref().map(written)),
    ];
    Some(
        facts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
    )
}

/// The chain that a client of `service` asks.
fn chain(service: Service, options: &Connection) -> Box<dyn Provider> {
    match service {
        Service::Smc | Service::Smartag => match options.cli_profile() {
            Some(profile) => Box::new(profile),
            None => Box::new(alibaba::DefaultChain::new()),
        },
        Service::Apig => Box::new(huawei::DefaultChain::new(huawei::LoginSettings {
            region: options.region.clone(),
            iam_endpoint: options.iam_endpoint.clone(),
            project_id: options.project_id.clone(),
            allow_http: options.allow_http,
            ..huawei::LoginSettings::default()
        })),
        Service::Zstack => Box::new(zstack::DefaultChain::new(zstack::LoginSettings {
            endpoint: endpoint_for(service, &options.endpoint_url).map(str::to_owned),
            allow_http: options.allow_http || Environment::process().flag("ZSTACK_ALLOW_HTTP"),
        })),
    }
}

fn context(args: &Whoami) -> io::Result<Context> {
    let http = args
        .options
        .http_for(args.service)
        .map_err(|error| io::Error::other(error.message().to_owned()))?;
    let direct = HttpOptions {
        no_proxy: true,
        ..HttpOptions::default()
    };
    Ok(Context {
        transport: Arc::new(HttpTransport::new(&http).map_err(io::Error::other)?),
        direct: Arc::new(HttpTransport::new(&direct).map_err(io::Error::other)?),
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SystemEntropy::default()),
        environment: args.options.environment(),
    })
}
