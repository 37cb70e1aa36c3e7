//! How does the local cloud fare with much in it? It is filled in a process of its own, whose time on a
//! processor is what a call costs it.

#![expect(
    clippy::disallowed_methods,
    reason = "what a measure takes is real time"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cumulo_bench_driver::usage::memory;
use cumulo_core::record::Record;
use cumulo_core::{Call, Error, Json};
use cumulo_localcloud::{LocalCloud, accounts};
use serde_json::json;

use super::Failure;
use super::process::worked;

/// So long one kind of call is repeated.
const SPAN: Duration = Duration::from_millis(800);
/// What a page holds.
const PAGE: usize = 50;
const SERVICES: [&str; 3] = ["zstack", "apig", "smc"];

fn uuid(kind: u8, number: usize) -> String {
    format!("{kind:02x}0000000000400080000000{number:010x}")
}

/// Things for a cloud: `count` of one kind, and what they belong to.
fn seed(service: &str, count: usize) -> Json {
    let some = count.div_ceil(100);
    match service {
        "smc" => {
            let servers: Vec<Json> = (0..count)
                .map(|at| json!({"SourceId": format!("s-{at}"), "Name": format!("server-{at}"), "Platform": "CentOS"}))
                .collect();
            json!({"smc": {"source-server": servers}})
        }
        "apig" => {
            let group = |at: usize| uuid(1, at % some);
            let apis: Vec<Json> = (0..count)
                .map(|at| {
                    json!({
                        "id": uuid(2, at), "name": format!("api-{at}"), "group_id": group(at),
                        "publish_id": uuid(3, at), "run_env_id": "DEFAULT_ENVIRONMENT_RELEASE_ID",
                        "run_env_name": "RELEASE", "req_method": "GET", "req_uri": "/x",
                    })
                })
                .collect();
            let groups: Vec<Json> = (0..some)
                .map(|at| json!({"id": uuid(1, at), "name": format!("group-{at}")}))
                .collect();
            let bindings: Vec<Json> = (0..count / 10)
                .map(|at| {
                    json!({
                        "throttle_apply_id": uuid(5, at), "throttle_id": uuid(4, 0),
                        "publish_id": uuid(3, at), "api_id": uuid(2, at),
                    })
                })
                .collect();
            json!({"apig": {
                "api-group": groups, "api": apis,
                "throttle": [{"id": uuid(4, 0), "name": "limit"}],
                "throttle-binding": bindings,
            }})
        }
        _ => {
            let machines: Vec<Json> = (0..count)
                .map(|at| {
                    json!({
                        "uuid": uuid(1, at), "name": format!("vm-{at}"), "hostUuid": uuid(2, at % some),
                        "cpuNum": at % 8, "description": "one of many",
                    })
                })
                .collect();
            let hosts: Vec<Json> = (0..some)
                .map(|at| json!({"uuid": uuid(2, at), "name": format!("host-{at}"), "managementIp": "10.0.0.1"}))
                .collect();
            let volumes: Vec<Json> = (0..count / 10)
                .map(|at| json!({"uuid": uuid(3, at), "name": format!("volume-{at}"), "vmInstanceUuid": uuid(1, at)}))
                .collect();
            json!({"zstack": {"host": hosts, "vm-instance": machines, "volume": volumes}})
        }
    }
}

/// The cloud's own process: tells its endpoint and how it fared, and ends with its input.
pub(crate) fn serve(service: &str, count: usize) -> Result<(), Failure> {
    let cloud = LocalCloud::builder()
        .record_last(1000)
        .zstack_synchronous(true)
        .start_blocking()?;
    // Models and tables are read once in a process.
    LocalCloud::builder()
        .start_blocking()?
        .seed(&seed(service, 1).to_string())?;
    let things = seed(service, count).to_string();
    let empty = memory("VmRSS:");
    let from = Instant::now();
    cloud.seed(&things)?;
    let seeded = from.elapsed();
    drop(things);
    let full = memory("VmRSS:");
    let endpoint = match service {
        "smc" => cloud.smc_endpoint(),
        "apig" => format!("{} {}", cloud.apig_endpoint(), cloud.iam_endpoint()),
        _ => cloud.zstack_endpoint(),
    };
    println!("{endpoint}");
    println!(
        "{}",
        json!({"seed_ms": seeded.as_millis() as u64, "kib": full.saturating_sub(empty)})
    );
    for line in std::io::stdin().lines() {
        line?;
        let from = Instant::now();
        let length = cloud.snapshot().len();
        let took = from.elapsed();
        let snapshot = cloud.snapshot();
        let before = memory("VmHWM:");
        let from = Instant::now();
        cloud.restore(&snapshot)?;
        println!(
            "{}",
            json!({
                "snapshot_ms": took.as_millis() as u64, "bytes": length,
                "restore_ms": from.elapsed().as_millis() as u64, "peak_kib": before,
            })
        );
    }
    Ok(())
}

enum Client {
    Smc(cumulo_smc::Client),
    Apig(cumulo_apig::Client),
    Zstack(cumulo_zstack::Client),
}

impl Client {
    fn new(service: &str, endpoints: &str) -> Result<Self, Failure> {
        let mut endpoints = endpoints.split(' ');
        let first = endpoints.next().unwrap_or_default();
        Ok(match service {
            "smc" => {
                let keys = cumulo_smc::credentials::Static::keys(
                    accounts::ALIBABA_KEY_ID,
                    accounts::ALIBABA_SECRET,
                );
                let builder = cumulo_smc::Client::builder()
                    .endpoint(first)
                    .region(accounts::ALIBABA_REGION);
                Self::Smc(builder.credentials(keys).build()?)
            }
            "apig" => {
                let keys = cumulo_apig::credentials::Static::keys(
                    accounts::HUAWEI_AK,
                    accounts::HUAWEI_SK,
                );
                let builder = cumulo_apig::Client::builder()
                    .endpoint(first)
                    .iam_endpoint(endpoints.next().unwrap_or_default())
                    .project_id(accounts::KEYSTONE_PROJECT_ID)
                    .instance_id(accounts::INSTANCE_ID);
                Self::Apig(builder.credentials(keys).build()?)
            }
            _ => {
                let keys = cumulo_zstack::credentials::AccessKey::new(
                    accounts::ZSTACK_KEY_ID,
                    accounts::ZSTACK_KEY_SECRET,
                );
                let builder = cumulo_zstack::Client::builder()
                    .endpoint(first)
                    .allow_http(true);
                Self::Zstack(builder.credentials(keys).build()?)
            }
        })
    }

    fn call(&self, name: &str, input: &Json) -> Result<Call<Box<dyn Record>>, Error> {
        match self {
            Self::Smc(client) => client.call(name, input),
            Self::Apig(client) => client.call(name, input),
            Self::Zstack(client) => client.call(name, input),
        }
    }
}

/// A kind of call: its name in the table, the operation, and its input for a number.
type Case = (&'static str, &'static str, Box<dyn Fn(usize) -> Json>);

fn cases(service: &str, count: usize) -> Vec<Case> {
    fn case(
        name: &'static str,
        operation: &'static str,
        input: impl Fn(usize) -> Json + 'static,
    ) -> Case {
        (name, operation, Box::new(input))
    }
    let any = move |at: usize| at * 7919 % count;
    let last = count / PAGE;
    match service {
        "smc" => vec![
            case(
                "list, first page",
                "DescribeSourceServers",
                |_| json!({"PageSize": PAGE}),
            ),
            case(
                "list, last page",
                "DescribeSourceServers",
                move |_| json!({"PageNumber": last, "PageSize": PAGE}),
            ),
            case(
                "list, by ids",
                "DescribeSourceServers",
                move |at| json!({"SourceId": [format!("s-{}", any(at)), format!("s-{}", any(at + 1))]}),
            ),
            case(
                "list, by name",
                "DescribeSourceServers",
                move |at| json!({"Name": format!("server-{}", any(at))}),
            ),
            case(
                "create",
                "CreateReplicationJob",
                move |at| json!({"SourceId": format!("s-{}", any(at)), "Name": format!("job-{at}"), "TargetType": "Image"}),
            ),
            case(
                "change",
                "ModifySourceServerAttribute",
                move |at| json!({"SourceId": format!("s-{}", any(at)), "Description": "changed"}),
            ),
            case(
                "remove",
                "DeleteSourceServer",
                |at| json!({"SourceId": format!("s-{at}")}),
            ),
        ],
        "apig" => vec![
            case(
                "read by id",
                "ShowDetailsOfApiV2",
                move |at| json!({"api_id": uuid(2, any(at))}),
            ),
            case("list, first page", "ListApisV2", |_| json!({"limit": PAGE})),
            case(
                "list, last page",
                "ListApisV2",
                move |_| json!({"limit": PAGE, "offset": count - PAGE}),
            ),
            case(
                "list, by name",
                "ListApisV2",
                move |at| json!({"name": format!("api-{}", any(at)), "precise_search": "name"}),
            ),
            case(
                "list, of a group",
                "ListApisV2",
                move |_| json!({"group_id": uuid(1, 0), "limit": PAGE}),
            ),
            case(
                "bound to a policy",
                "ListApisBindedToRequestThrottlingPolicyV2",
                |_| json!({"throttle_id": uuid(4, 0), "limit": PAGE}),
            ),
            case(
                "not bound to it",
                "ListApisUnbindedToRequestThrottlingPolicyV2",
                |_| json!({"throttle_id": uuid(4, 0), "limit": PAGE}),
            ),
            case("count", "ListApiQuantitiesV2", |_| json!({})),
            case(
                "create",
                "CreateApiGroupV2",
                |at| json!({"name": format!("made-{at}")}),
            ),
            case("remove", "DeleteApiV2", |at| json!({"api_id": uuid(2, at)})),
        ],
        _ => {
            fn query(condition: &str) -> Json {
                json!({"q": [condition], "limit": PAGE})
            }
            vec![
                case("read by id", "QueryVmInstance", move |at| {
                    query(&format!("uuid={}", uuid(1, any(at))))
                }),
                case(
                    "query, first page",
                    "QueryVmInstance",
                    |_| json!({"limit": PAGE, "replyWithCount": true}),
                ),
                case(
                    "query, last page",
                    "QueryVmInstance",
                    move |_| json!({"limit": PAGE, "start": count - PAGE}),
                ),
                case("query, by name", "QueryVmInstance", move |at| {
                    query(&format!("name=vm-{}", any(at)))
                }),
                case(
                    "query, two conditions",
                    "QueryVmInstance",
                    |_| json!({"q": ["name~=vm-1%", "cpuNum>4"], "limit": PAGE}),
                ),
                case("query, by what is made up", "QueryVmInstance", |_| {
                    query("platform=Linux")
                }),
                case(
                    "query, sorted",
                    "QueryVmInstance",
                    |_| json!({"sort": "-name", "limit": PAGE}),
                ),
                case("query, joined", "QueryVmInstance", |_| {
                    query("host.name=host-0")
                }),
                case("query, joined backwards", "QueryHost", |_| {
                    query("vmInstance.name=vm-0")
                }),
                case("query, joined to many", "QueryVmInstance", |_| {
                    query("volume.name=volume-0")
                }),
                case(
                    "ZQL",
                    "ZQLQuery",
                    |_| json!({"zql": "query vminstance where name='vm-1' limit 50"}),
                ),
                case("create", "CreateVmInstance", |at| {
                    json!({
                        "name": format!("made-{at}"), "instanceOfferingUuid": uuid(8, 0),
                        "imageUuid": uuid(9, 0), "l3NetworkUuids": [uuid(10, 0)],
                    })
                }),
                case(
                    "change",
                    "UpdateVmInstance",
                    move |at| json!({"uuid": uuid(1, any(at)), "description": "changed"}),
                ),
                case(
                    "remove",
                    "DestroyVmInstance",
                    |at| json!({"uuid": uuid(1, at)}),
                ),
            ]
        }
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn measure(service: &str, count: usize) -> Result<(), Failure> {
    let mut child = Running(
        Command::new(std::env::current_exe()?)
            .args(["serve", service, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let process = child.0.id();
    let mut input = child.0.stdin.take().ok_or("no input")?;
    let mut lines = BufReader::new(child.0.stdout.take().ok_or("no output")?).lines();
    let mut line = || -> Result<String, Failure> { Ok(lines.next().ok_or("the cloud ended")??) };
    let client = Client::new(service, &line()?)?;
    let filled: Json = serde_json::from_str(&line()?)?;
    let each = filled["kib"].as_f64().unwrap_or_default() * 1024.0 / count as f64;
    println!(
        "{service:7} {count:7}  seeded in {} ms, {each:.0} bytes each",
        filled["seed_ms"]
    );
    for (name, operation, given) in cases(service, count) {
        // Connections, logins and tables are made by the first call.
        client.call(operation, &given(0))?.await?;
        let before = worked(process)?;
        let from = Instant::now();
        let mut calls = 0;
        while calls < 3 || (from.elapsed() < SPAN && calls < 300) {
            calls += 1;
            client.call(operation, &given(calls))?.await?;
        }
        let wall = from.elapsed().as_secs_f64() * 1e6 / calls as f64;
        let cpu = (worked(process)? - before) / calls as f64;
        println!("{service:7} {count:7}  {name:28} {cpu:10.0} us of the cloud {wall:10.0} us");
    }
    writeln!(input, "snapshot")?;
    println!("{service:7} {count:7}  {}", line()?);
    Ok(())
}

/// The table of the services and numbers of things that are named; of all when none are.
pub(crate) async fn table(named: &[&str]) -> Result<(), Failure> {
    let mut sizes: Vec<usize> = Vec::new();
    let mut services: Vec<&str> = Vec::new();
    for name in named {
        match name.parse() {
            Ok(size) if size >= PAGE => sizes.push(size),
            Ok(_) => return Err(format!("fewer than a page, {PAGE} things").into()),
            Err(_) if SERVICES.contains(name) => services.push(name),
            Err(_) => return Err(format!("neither a service nor a number: {name}").into()),
        }
    }
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 100_000];
    }
    if services.is_empty() {
        services = SERVICES.to_vec();
    }
    for service in services {
        for size in &sizes {
            measure(service, *size).await?;
        }
    }
    Ok(())
}
