//! `cumulo local`: the four services on this machine, for programs in any language.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cumulo_core::Json;
use cumulo_localcloud::{LocalCloud, accounts};
use serde_json::json;
use tokio::time::Instant;

use crate::args::{Local, Samples};
use crate::result::FAILED;
use crate::term;

/// How soon what was made stands in the file; later where writing takes long.
const SAVING: Duration = Duration::from_secs(1);
/// So many times as long as the file took to write, nothing is written.
const REST: u32 = 10;

/// How many requests it can tell of; it may run for weeks.
const RECORD: usize = 10_000;

pub(crate) fn run(args: &Local) -> io::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (cloud, _lock) = match start(args).await {
            Ok(started) => started,
            Err(error) => {
                term::say(format_args!("error: {error}"));
                return Ok(FAILED);
            }
        };
        if !args.host.is_loopback() {
            term::say(format_args!(
                "note: listening on {}: everybody who reaches it may call and steer this cloud",
                args.host
            ));
        }
        let ended = ended()?;
        tokio::pin!(ended);
        let authority = match Authority::write(args, &cloud) {
            Ok(authority) => authority,
            Err(error) => {
                term::say(format_args!("error: {error}"));
                return Ok(FAILED);
            }
        };
        let endpoints = Endpoints::of(&cloud, authority.as_ref());
        let text = if args.json {
            format!("{}\n", endpoints.json())
        } else if args.env {
            endpoints.exports("") + &format!("export CUMULO_LOCAL_PID='{}'\n", std::process::id())
        } else {
            endpoints.text()
        };
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        if args.env {
            let_go()?;
        }
        let mut saved = None;
        let mut pause = SAVING;
        loop {
            tokio::select! {
                () = &mut ended => break,
                () = tokio::time::sleep(pause), if args.state.is_some() => {}
            }
            let from = Instant::now();
            save(args, &cloud, &mut saved)?;
            pause = SAVING.max(from.elapsed() * REST);
        }
        // States have moved by reads alone, perhaps.
        save(args, &cloud, &mut None)?;
        Ok(0)
    })
}

fn named(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
}

/// The cloud with what its files hold, and what keeps others from them; errors name the file.
async fn start(args: &Local) -> io::Result<(LocalCloud, Option<fs::File>)> {
    let lock = args.state.as_deref().map(lock).transpose()?;
    let cloud = LocalCloud::builder()
        .port(args.port)
        .host(args.host)
        .samples(match args.samples {
            Samples::UntilCreated => cumulo_localcloud::Samples::UntilCreated,
            Samples::Always => cumulo_localcloud::Samples::Always,
            Samples::Never => cumulo_localcloud::Samples::Never,
        })
        .quotas(args.quotas)
        .tls(args.tls.is_some())
        .record_last(RECORD)
        .start()
        .await?;
    if let Some(file) = &args.state {
        match fs::read_to_string(file) {
            Ok(state) => {
                let restored = cloud.restore(&state);
                restored.map_err(|error| named(file, &error))?;
                return Ok((cloud, lock));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(named(file, &error)),
        }
    }
    if let Some(file) = &args.seed {
        fs::read_to_string(file)
            .and_then(|seed| cloud.seed(&seed))
            .map_err(|error| named(file, &error))?;
    }
    Ok((cloud, lock))
}

/// Keeps other processes from the state file as long as it is open: each would write what it knows
/// over what the other made. A place where nothing can be written is found before anybody relies on it.
fn lock(state: &Path) -> io::Result<fs::File> {
    if fs::metadata(state).is_ok_and(|state| !state.is_file()) {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
        return Err(named(state, &error));
    }
    let mut beside = state.to_path_buf().into_os_string();
    beside.push(".lock");
    let lock = fs::File::create(Path::new(&beside)).map_err(|error| named(state, &error))?;
    lock.try_lock().map_err(|error| match error {
        fs::TryLockError::WouldBlock => {
            let error = io::Error::new(
                io::ErrorKind::WouldBlock,
                "another local cloud keeps its state there",
            );
            named(state, &error)
        }
        fs::TryLockError::Error(error) => named(state, &error),
    })?;
    Ok(lock)
}

/// The file with the authority that clients must trust; a temporary one goes with the program.
struct Authority {
    file: PathBuf,
    temporary: bool,
}

impl Authority {
    fn write(args: &Local, cloud: &LocalCloud) -> io::Result<Option<Self>> {
        let (Some(place), Some(pem)) = (&args.tls, cloud.authority()) else {
            return Ok(None);
        };
        let name = format!("cumulo-local-{}.pem", std::process::id());
        let authority = match place {
            Some(file) => Self {
                file: std::path::absolute(file)?,
                temporary: false,
            },
            None => Self {
                file: std::env::temp_dir().join(name),
                temporary: true,
            },
        };
        let mut options = fs::OpenOptions::new();
        options.write(true);
        if authority.temporary {
            // Others can write there too: whatever waits under this name is not ours.
            options.create_new(true);
        } else {
            options.create(true).truncate(true);
        }
        let mut file = options
            .open(&authority.file)
            .map_err(|error| named(&authority.file, &error))?;
        file.write_all(pem.as_bytes())?;
        Ok(Some(authority))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        if self.temporary {
            // What stays is a certificate whose key is gone.
            let _ = fs::remove_file(&self.file);
        }
    }
}

/// Writes the state file whole, beside it first, so that it is never there in part.
fn save(args: &Local, cloud: &LocalCloud, saved: &mut Option<u64>) -> io::Result<()> {
    let Some(file) = &args.state else {
        return Ok(());
    };
    let changes = cloud.changes();
    if *saved == Some(changes) {
        return Ok(());
    }
    let mut beside = file.clone().into_os_string();
    beside.push(".new");
    let beside = Path::new(&beside);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(beside).and_then(|mut new| {
        new.write_all(cloud.snapshot().as_bytes())?;
        new.sync_all()?;
        fs::rename(beside, file)
    });
    written.map_err(|error| named(file, &error))?;
    *saved = Some(changes);
    Ok(())
}

/// Until somebody ends the program in good order; signals count from now on.
#[cfg(unix)]
fn ended() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn ended() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without the signal there is nothing to wait for.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Whoever reads the output to its end, as `eval` does, waits no longer.
#[cfg(unix)]
fn let_go() -> io::Result<()> {
    let nowhere = fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(nowhere)?;
    Ok(())
}

#[cfg(not(unix))]
fn let_go() -> io::Result<()> {
    Ok(())
}

struct Endpoints {
    smc: String,
    smartag: String,
    apig: String,
    iam: String,
    zstack: String,
    /// The file with the authority to trust, where they are reached by HTTPS.
    authority: Option<String>,
}

/// By which variables programs are told of another authority: OpenStack's and ours, Python's requests,
/// what uses OpenSSL, curl, Node.
const TRUST: [&str; 6] = [
    "OS_CACERT",
    "ZSTACK_CA_FILE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
];

impl Endpoints {
    fn of(cloud: &LocalCloud, authority: Option<&Authority>) -> Self {
        Self {
            authority: authority.map(|authority| authority.file.display().to_string()),
            smc: cloud.smc_endpoint(),
            smartag: cloud.smartag_endpoint(),
            apig: cloud.apig_endpoint(),
            iam: cloud.iam_endpoint(),
            zstack: cloud.zstack_endpoint(),
        }
    }

    /// Variables that this client's default credential chains read.
    fn variables(&self) -> Vec<(&'static str, &str)> {
        let mut variables = vec![
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", accounts::ALIBABA_KEY_ID),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accounts::ALIBABA_SECRET),
            ("ALIBABA_CLOUD_REGION_ID", accounts::ALIBABA_REGION),
            ("OS_AUTH_URL", &self.iam),
            ("OS_USERNAME", accounts::KEYSTONE_USER),
            ("OS_PASSWORD", accounts::KEYSTONE_PASSWORD),
            ("OS_USER_DOMAIN_NAME", accounts::KEYSTONE_DOMAIN),
            ("OS_PROJECT_NAME", accounts::KEYSTONE_PROJECT_NAME),
            ("OS_PROJECT_DOMAIN_NAME", accounts::KEYSTONE_DOMAIN),
            ("OS_IDENTITY_API_VERSION", "3"),
            ("OS_REGION_NAME", accounts::KEYSTONE_REGION),
            ("APIG_INSTANCE_ID", accounts::INSTANCE_ID),
            ("SMC_ENDPOINT", &self.smc),
            ("SMARTAG_ENDPOINT", &self.smartag),
            ("ZSTACK_ENDPOINT", &self.zstack),
            ("ZSTACK_ACCOUNT_NAME", accounts::ZSTACK_ACCOUNT),
            ("ZSTACK_ACCOUNT_PASSWORD", accounts::ZSTACK_PASSWORD),
        ];
        if let Some(file) = &self.authority {
            variables.extend(TRUST.map(|name| (name, file.as_str())));
        }
        variables
    }

    fn json(&self) -> Json {
        let environment: serde_json::Map<String, Json> = self
            .variables()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let mut json = json!({
            "endpoints": {
                "smc": self.smc,
                "smartag": self.smartag,
                "apig": self.apig,
                "iam": self.iam,
                "zstack": self.zstack,
            },
            "accounts": {
                "alibaba": {
                    "access_key_id": accounts::ALIBABA_KEY_ID,
                    "access_key_secret": accounts::ALIBABA_SECRET,
                    "region": accounts::ALIBABA_REGION,
                },
                "huawei": {
                    "ak": accounts::HUAWEI_AK,
                    "sk": accounts::HUAWEI_SK,
                    "project_id": accounts::KEYSTONE_PROJECT_ID,
                    "instance_id": accounts::INSTANCE_ID,
                    "region": accounts::KEYSTONE_REGION,
                },
                "keystone": {
                    "user": accounts::KEYSTONE_USER,
                    "password": accounts::KEYSTONE_PASSWORD,
                    "domain": accounts::KEYSTONE_DOMAIN,
                    "project": accounts::KEYSTONE_PROJECT_NAME,
                },
                "zstack": {
                    "account": accounts::ZSTACK_ACCOUNT,
                    "password": accounts::ZSTACK_PASSWORD,
                    "access_key_id": accounts::ZSTACK_KEY_ID,
                    "access_key_secret": accounts::ZSTACK_KEY_SECRET,
                },
            },
            "environment": environment,
        });
        if let Some(file) = &self.authority {
            json["ca_file"] = file.as_str().into();
        }
        json
    }

    /// The variables as a shell sets them.
    fn exports(&self, indent: &str) -> String {
        let variables = self.variables().into_iter();
        let lines = variables.map(|(name, value)| {
            let value = value.replace('\'', "'\\''");
            format!("{indent}export {name}='{value}'\n")
        });
        lines.collect::<Vec<_>>().concat()
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "The local cloud is up until Ctrl-C. Nothing here is valid anywhere else.\n\n",
        );
        for (name, address) in [
            ("smc", &self.smc),
            ("smartag", &self.smartag),
            ("apig", &self.apig),
            ("iam", &self.iam),
            ("zstack", &self.zstack),
        ] {
            text += &format!("{name:<9}{address}\n");
        }
        if let Some(file) = &self.authority {
            text += &format!("\nClients must trust the authority in {file}\n");
        }
        text += "\nWith this command and the Rust clients, in a shell:\n\n";
        text += &self.exports("  ");
        text += &format!(
            "  cumulo call smc ListAccessTokens
  cumulo call smartag ListEnterpriseCode
  cumulo call apig ListAppsV2
  cumulo call zstack QueryAccessKey

In Rust, for each of the four: Client::from_env().await?
APIG's address comes from the service catalog, the others' from the variables above.

With Alibaba Cloud's Python SDK (alibabacloud_smc20190601; alibabacloud_smartag20180313 alike):

  from alibabacloud_tea_openapi.models import Config
  from alibabacloud_smc20190601.client import Client
  from alibabacloud_smc20190601.models import ListAccessTokensRequest
  client = Client(Config(access_key_id='{key}', access_key_secret='{secret}',
                         region_id='{region}', endpoint='{smc_host}', protocol='{scheme}'))
  print(client.list_access_tokens(ListAccessTokensRequest()))
  # smartag: endpoint='{smartag_host}'

With Huawei Cloud's Python SDK (huaweicloudsdkapig):

  from huaweicloudsdkcore.auth.credentials import BasicCredentials
  from huaweicloudsdkapig.v2 import ApigClient, ListAppsV2Request
  client = (ApigClient.new_builder()
            .with_credentials(BasicCredentials('{ak}', '{sk}', '{project}'))
            .with_endpoint('{apig}').build())
  print(client.list_apps_v2(ListAppsV2Request(instance_id='{instance}')))

With curl (Keystone's answer has the token in X-Subject-Token; ZStack wants the password's SHA-512):

  curl -i {iam}/auth/tokens -H 'Content-Type: application/json' -d '{keystone}'
  curl {zstack}/v1/accounts/login -X PUT -d \"{{\\\"logInByAccount\\\":{{\\\"accountName\\\":\\\"{account}\\\",\\\"password\\\":\\\"$(printf %s '{password}' | sha512sum | cut -d' ' -f1)\\\"}}}}\"
",
            apig = self.apig,
            iam = self.iam,
            zstack = self.zstack,
            smc_host = host(&self.smc),
            scheme = if self.authority.is_some() { "https" } else { "http" },
            smartag_host = host(&self.smartag),
            instance = accounts::INSTANCE_ID,
            key = accounts::ALIBABA_KEY_ID,
            secret = accounts::ALIBABA_SECRET,
            region = accounts::ALIBABA_REGION,
            ak = accounts::HUAWEI_AK,
            sk = accounts::HUAWEI_SK,
            project = accounts::KEYSTONE_PROJECT_ID,
            account = accounts::ZSTACK_ACCOUNT,
            password = accounts::ZSTACK_PASSWORD,
            keystone = keystone_login(),
        );
        text
    }
}

/// The address without its scheme, as Alibaba Cloud's SDKs take it.
fn host(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, host)| host)
}

fn keystone_login() -> Json {
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": accounts::KEYSTONE_USER,
            "domain": {"name": accounts::KEYSTONE_DOMAIN},
            "password": accounts::KEYSTONE_PASSWORD,
        }}},
        "scope": {"project": {
            "name": accounts::KEYSTONE_PROJECT_NAME,
            "domain": {"name": accounts::KEYSTONE_DOMAIN},
        }},
    }})
}
