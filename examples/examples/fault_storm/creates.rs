//! The creates of all four services, what callers are told of them, and what there is in the end.

use std::collections::HashMap;
use std::time::Duration;

use cumulo_apig::app::{CreateAnAppV2, CreateAnAppV2Output, ListAppsV2};
use cumulo_localcloud::accounts;
use cumulo_smartag::enterprise_code::{CreateEnterpriseCode, ListEnterpriseCode};
use cumulo_smc::access_token::{CreateAccessToken, CreateAccessTokenOutput, ListAccessTokens};
use cumulo_smc::clock::{BoxFuture, Clock, SystemClock};
use cumulo_smc::credentials::{Environment, Static};
use cumulo_smc::ledger::Ledger;
use cumulo_smc::{Call, ClientToken, Error, Outcome, Response};
use cumulo_zstack::access_key::{CreateAccessKey, QueryAccessKey};

/// The operations, and whether the service knows a repeat.
pub(crate) const CREATES: [(&str, &str, bool); 4] = [
    ("smc", "CreateAccessToken", false),
    ("smartag", "CreateEnterpriseCode", true),
    ("apig", "CreateAnAppV2", false),
    ("zstack", "CreateAccessKey", true),
];

/// Waits take a fraction of their time, so that a storm of minutes passes in seconds. The default
/// policy is measured, not one made for the storm.
#[derive(Debug)]
struct Brisk(SystemClock);

const HASTE: u32 = 10;

impl Clock for Brisk {
    fn now(&self) -> std::time::SystemTime {
        self.0.now()
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed() * HASTE
    }
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration / HASTE)
    }
}

/// A client of each service.
#[derive(Clone)]
pub(crate) struct Clients {
    smc: cumulo_smc::Client,
    smartag: cumulo_smartag::Client,
    apig: cumulo_apig::Client,
    zstack: cumulo_zstack::Client,
}

/// One thing to be made: the number picks the service and the name.
#[derive(Clone, Copy)]
pub(crate) struct Thing(pub(crate) usize);

impl Thing {
    /// The place in [`CREATES`].
    pub(crate) fn kind(self) -> usize {
        self.0 % CREATES.len()
    }

    pub(crate) fn name(self) -> String {
        match self.kind() {
            1 => format!("{:05}", self.0 / CREATES.len()),
            _ => format!("storm-{}", self.0),
        }
    }

    /// Its name in the ledger, and what its token is derived from.
    pub(crate) fn key(self) -> String {
        format!("storm/{}", self.0)
    }
}

/// What a caller was told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The id of what was made, or how it failed.
    pub(crate) result: Result<String, Outcome>,
    pub(crate) attempts: usize,
    pub(crate) took: Duration,
    /// An unknown outcome that the error's text does not tell.
    pub(crate) unnamed: bool,
    /// The error's text.
    pub(crate) error: Option<String>,
}

impl Clients {
    /// Clients of the services at `endpoints`, in the order of [`CREATES`].
    pub(crate) fn new(
        endpoints: &[String],
        attempt: Duration,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let [smc, smartag, apig, zstack] = endpoints else {
            return Err("four endpoints are needed".into());
        };
        // Of the clock's time, which runs faster.
        let total = Duration::from_secs(60) * HASTE;
        macro_rules! shared {
            ($builder:expr, $endpoint:expr) => {
                $builder
                    .endpoint($endpoint)
                    .environment(Environment::empty())
                    .clock(Brisk(SystemClock::new()))
                    .attempt_timeout(attempt)
                    .timeout(total)
            };
        }
        let alibaba = || Static::keys(accounts::ALIBABA_KEY_ID, accounts::ALIBABA_SECRET);
        let huawei = Static::keys(accounts::HUAWEI_AK, accounts::HUAWEI_SK);
        let key = Static::keys(accounts::ZSTACK_KEY_ID, accounts::ZSTACK_KEY_SECRET);
        Ok(Self {
            smc: shared!(cumulo_smc::Client::builder(), smc)
                .region(accounts::ALIBABA_REGION)
                .credentials(alibaba())
                .build()?,
            smartag: shared!(cumulo_smartag::Client::builder(), smartag)
                .region(accounts::ALIBABA_REGION)
                .credentials(alibaba())
                .build()?,
            apig: shared!(cumulo_apig::Client::builder(), apig)
                .project_id(accounts::KEYSTONE_PROJECT_ID)
                .instance_id(accounts::INSTANCE_ID)
                .credentials(huawei)
                .build()?,
            zstack: shared!(cumulo_zstack::Client::builder(), zstack)
                .server_utc_offset(0)
                .credentials(key)
                .build()?,
        })
    }

    /// Makes a thing, with a ledger or without one.
    pub(crate) async fn make(&self, thing: Thing, ledger: Option<&Ledger>) -> Told {
        let clock = SystemClock::new();
        let (name, key) = (thing.name(), thing.key());
        let mut told = match thing.kind() {
            0 => {
                let call = CreateAccessToken::new().name(name.as_str()).send(&self.smc);
                let call = once(call, ledger, &key);
                let smc = self.smc.clone();
                let look = move || async move { activation_code(&smc, &name).await };
                let call = if ledger.is_some() {
                    call.reconcile(look)
                } else {
                    call
                };
                tell(call.await, |made| made.access_token_id)
            }
            1 => {
                let call = CreateEnterpriseCode::new(name.as_str()).send(&self.smartag);
                let call = derived(once(call, ledger, &key), ledger, &key);
                tell(call.await, |_| Some(name))
            }
            2 => {
                let call = CreateAnAppV2::new(name.as_str()).send(&self.apig);
                let call = once(call, ledger, &key);
                let apig = self.apig.clone();
                let look = move || async move { app(&apig, &name).await };
                let call = if ledger.is_some() {
                    call.reconcile(look)
                } else {
                    call
                };
                tell(call.await, |made| made.id)
            }
            _ => {
                let (account, user) = (accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID);
                let create = CreateAccessKey::new(account, user).description(name);
                let call = derived(once(create.send(&self.zstack), ledger, &key), ledger, &key);
                tell(call.await, |made| made.inventory.and_then(|key| key.uuid))
            }
        };
        told.took = clock.elapsed();
        told
    }

    /// What there is of each kind: the ids by name.
    pub(crate) async fn existing(&self) -> Result<[HashMap<String, Vec<String>>; 4], Error> {
        let mut all: [HashMap<String, Vec<String>>; 4] = Default::default();
        let mut add = |kind: usize, name: Option<String>, id: Option<String>| {
            let ids = all[kind].entry(name.unwrap_or_default()).or_default();
            ids.push(id.unwrap_or_default());
        };
        let codes = ListAccessTokens::new().send(&self.smc).await?;
        for code in codes.output.access_tokens {
            add(0, code.name, code.access_token_id);
        }
        let codes = ListEnterpriseCode::new()
            .max_results(100)
            .items(&self.smartag);
        for code in codes.collect().await? {
            add(1, code.enterprise_code.clone(), code.enterprise_code);
        }
        for app in ListAppsV2::new()
            .limit(500)
            .items(&self.apig)
            .collect()
            .await?
        {
            add(2, app.name, app.id);
        }
        for key in QueryAccessKey::new().items(&self.zstack).collect().await? {
            add(3, key.description, key.uuid);
        }
        Ok(all)
    }
}

fn once<O>(call: Call<O>, ledger: Option<&Ledger>, key: &str) -> Call<O> {
    match ledger {
        Some(ledger) => call.once(ledger, key),
        None => call,
    }
}

/// With a ledger, half of the keyed calls bring a token of their own.
fn derived<O>(call: Call<O>, ledger: Option<&Ledger>, key: &str) -> Call<O> {
    if ledger.is_some() && key.len().is_multiple_of(2) {
        call.client_token(ClientToken::derived(key))
    } else {
        call
    }
}

async fn activation_code(
    smc: &cumulo_smc::Client,
    name: &str,
) -> Result<Option<CreateAccessTokenOutput>, Error> {
    let listed = ListAccessTokens::new().name(name).send(smc).await?;
    let found = listed.output.access_tokens.into_iter().next();
    Ok(found.map(|found| {
        let mut output = CreateAccessTokenOutput::default();
        output.access_token_id = found.access_token_id;
        output
    }))
}

async fn app(apig: &cumulo_apig::Client, name: &str) -> Result<Option<CreateAnAppV2Output>, Error> {
    let listed = ListAppsV2::new().name(name).items(apig).collect().await?;
    let found = listed
        .into_iter()
        .find(|app| app.name.as_deref() == Some(name));
    Ok(found.map(|found| {
        let mut output = CreateAnAppV2Output::default();
        output.id = found.id;
        output
    }))
}

fn tell<O>(result: Result<Response<O>, Error>, id: impl FnOnce(O) -> Option<String>) -> Told {
    let mut told = Told {
        result: Err(Outcome::NotSent),
        attempts: 0,
        took: Duration::ZERO,
        unnamed: false,
        error: None,
    };
    match result {
        Ok(response) => {
            told.attempts = response.attempts().len();
            told.result = Ok(id(response.output).unwrap_or_default());
        }
        Err(error) => {
            told.attempts = error.attempts().len();
            told.result = Err(error.outcome());
            let text = error.to_string();
            let names = text.contains("it may have been executed");
            told.unnamed = error.outcome() == Outcome::Unknown && !names;
            told.error = Some(text);
        }
    }
    told
}
