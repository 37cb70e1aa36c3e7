//! Do the things that are made here behave as things do? Parents, names, relations, filters, pages,
//! conditions and states, and 100,000 of them.

use std::time::Duration;

use crate::alibaba::{code, smartag, smc};
use crate::common::{Answer, Request};
use crate::zstack::{done, request, with_key};
use crate::{huawei, zstack};
use cumulo_localcloud::accounts::{INSTANCE_ID, KEYSTONE_PROJECT_ID};
use cumulo_localcloud::{LocalCloud, Moves, Samples, Service, Transition};
use serde_json::{Value, json};

const REGION: (&str, &str) = ("RegionId", "cn-shanghai");

fn apig(cloud: &LocalCloud, method: &str, rest: &str) -> Request {
    let target = format!("/v2/{KEYSTONE_PROJECT_ID}/apigw/instances/{INSTANCE_ID}{rest}");
    Request::new(&cloud.apig_endpoint(), method, &target)
}

async fn gateway(request: Request) -> Answer {
    huawei::signed(request).send().await
}

/// Calls ZStack and waits for the job, if there is one.
async fn node(cloud: &LocalCloud, method: &str, path: &str, body: Value) -> Answer {
    let request = request(cloud, method, path);
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    let answer = with_key(request).send().await;
    if answer.status == 202 {
        done(cloud, &answer).await
    } else {
        answer
    }
}

async fn made(cloud: &LocalCloud, path: &str, params: Value) -> String {
    let answer = node(cloud, "POST", path, json!({ "params": params })).await;
    let uuid = answer.json()["inventory"]["uuid"].clone();
    uuid.as_str()
        .unwrap_or_else(|| panic!("{}", answer.text()))
        .to_owned()
}

#[tokio::test]
async fn a_parent_must_be_there_once_one_of_its_kind_was_made() {
    let cloud = LocalCloud::start().await;
    let zone = made(&cloud, "/zones", json!({"name": "z"})).await;
    let cluster = json!({"name": "c", "zoneUuid": zone, "hypervisorType": "KVM"});
    made(&cloud, "/clusters", cluster).await;
    let lost =
        json!({"params": {"name": "c", "zoneUuid": "0".repeat(32), "hypervisorType": "KVM"}});
    let refused = node(&cloud, "POST", "/clusters", lost).await;
    assert_eq!(zstack::code(&refused), "SYS.1003", "{}", refused.text());

    // What belonged to it goes with it.
    let acs = smartag(&cloud);
    let made = acs
        .v3("CreateACL", &[REGION, ("Name", "a")])
        .send()
        .await
        .json();
    let acl = made["AclId"].as_str().unwrap();
    let rule = [
        REGION,
        ("AclId", acl),
        ("DestCidr", "10.0.0.0/8"),
        ("DestPortRange", "-1/-1"),
        ("Direction", "in"),
        ("IpProtocol", "ALL"),
        ("Policy", "accept"),
        ("SourceCidr", "0.0.0.0/0"),
        ("SourcePortRange", "80/80"),
    ];
    let made = acs.v3("AddACLRule", &rule).send().await;
    assert_eq!(made.status, 200, "{}", made.text());
    acs.v3("DeleteACL", &[REGION, ("AclId", acl)]).send().await;
    let left = acs
        .v3("DescribeACLAttribute", &[REGION, ("AclId", acl)])
        .send()
        .await
        .json();
    assert_eq!(left["Acrs"]["Acr"], json!([]));
    let refused = acs.v3("AddACLRule", &rule).send().await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (403, "InvalidId.ACL")
    );
}

#[tokio::test]
async fn what_is_there_already_is_refused_with_the_documented_code() {
    let cloud = LocalCloud::start().await;
    let user = [
        REGION,
        ("SmartAGId", "sag-1"),
        ("UserName", "doe"),
        ("UserMail", "doe@example.com"),
        ("Bandwidth", "2000"),
    ];
    let job = [REGION, ("SourceId", "s-1"), ("Name", "nightly")];
    let (acs, smc) = (smartag(&cloud), smc(&cloud));
    let create = "CreateSmartAccessGatewayClientUser";
    for (first, again, expected) in [
        (
            acs.v3(create, &user),
            acs.v3(create, &user),
            "ClientUser.UserExist",
        ),
        (
            smc.v3("CreateReplicationJob", &job),
            smc.v3("CreateReplicationJob", &job),
            "ReplicationJobName.Duplicate",
        ),
    ] {
        let made = first.send().await;
        assert_eq!(made.status, 200, "{}", made.text());
        let refused = again.send().await;
        assert_eq!(
            (refused.status, code(&refused).as_str()),
            (400, expected),
            "{}",
            refused.text()
        );
    }
    // Elsewhere the name is free.
    let mut other = user;
    other[1].1 = "sag-2";
    let made = acs.v3(create, &other).send().await;
    assert_eq!(made.status, 200, "{}", made.text());
}

#[tokio::test]
async fn conditions_order_and_pages_count_on_what_is_there() {
    let cloud = LocalCloud::start().await;
    for name in ["web-1", "web-2", "db-1"] {
        made(&cloud, "/zones", json!({ "name": name })).await;
    }
    for (query, names) in [
        ("", json!(["web-1", "web-2", "db-1"])),
        ("?q=name~%3Dweb%25", json!(["web-1", "web-2"])),
        ("?q=name%3Ddb-1", json!(["db-1"])),
        (
            "?q=description%20is%20null&sort=%2Bname&limit=2",
            json!(["db-1", "web-1"]),
        ),
        ("?sort=-name&start=1", json!(["web-1", "db-1"])),
    ] {
        let found = node(&cloud, "GET", &format!("/zones{query}"), Value::Null)
            .await
            .json();
        let found: Vec<&Value> = found["inventories"]
            .as_array()
            .unwrap()
            .iter()
            .map(|zone| &zone["name"])
            .collect();
        assert_eq!(json!(found), names, "{query}");
    }
}

#[tokio::test]
async fn both_sides_show_what_is_attached() {
    let cloud = LocalCloud::start().await;
    let cluster = json!({"name": "c", "zoneUuid": "0".repeat(32), "hypervisorType": "KVM"});
    let cluster = made(&cloud, "/clusters", cluster).await;
    let l2 = json!({"name": "l2", "zoneUuid": "0".repeat(32), "physicalInterface": "eth0"});
    let l2 = made(&cloud, "/l2-networks/no-vlan", l2).await;
    let path = format!("/l2-networks/{l2}/clusters/{cluster}");
    let shown = || async {
        let l2 = node(&cloud, "GET", &format!("/l2-networks/{l2}"), Value::Null)
            .await
            .json();
        l2["inventories"][0]["attachedClusterUuids"].clone()
    };
    let joined = node(&cloud, "POST", &path, json!({"params": {}})).await;
    assert_eq!(joined.status, 200, "{}", joined.text());
    assert_eq!(shown().await, json!([cluster]));
    node(&cloud, "DELETE", &path, Value::Null).await;
    assert_eq!(shown().await, json!([]));

    // Alibaba Cloud writes the same ids as a list and as one text.
    let seed = r#"{"smartag": {"gateway": [{"SmartAGId": "sag-1"}]}}"#;
    cloud.seed(seed).unwrap();
    let acs = smartag(&cloud);
    let here = [REGION, ("SmartAGId", "sag-1")];
    let created = acs
        .v3("CreateQos", &[REGION, ("QosName", "q")])
        .send()
        .await;
    let qos = created.json()["QosId"].as_str().unwrap().to_owned();
    let both = [REGION, ("SmartAGId", "sag-1"), ("QosId", qos.as_str())];
    for (operation, list, text) in [
        ("AssociateQos", json!([qos]), (qos.as_str(), "sag-1")),
        ("DisassociateQos", json!([]), ("", "")),
    ] {
        let done = acs.v3(operation, &both).send().await;
        assert_eq!(done.status, 200, "{}", done.text());
        let one = acs
            .v3("DescribeSmartAccessGatewayAttribute", &here)
            .send()
            .await;
        assert_eq!(one.json()["QosIds"]["QosId"], list, "{operation}");
        let all = acs
            .v3("DescribeSmartAccessGateways", &[REGION])
            .send()
            .await
            .json();
        let gateway = &all["SmartAccessGateways"]["SmartAccessGateway"][0];
        assert_eq!(gateway["QosIds"], text.0, "{operation}");
        let all = acs.v3("DescribeQoses", &[REGION]).send().await.json();
        assert_eq!(all["Qoses"]["Qos"][0]["SmartAGIds"], text.1, "{operation}");
    }

    // What parts need not say from what.
    let nic = "1".repeat(32);
    let eip = made(
        &cloud,
        "/eips",
        json!({"name": "e", "vipUuid": "0".repeat(32)}),
    )
    .await;
    let shown = || async {
        let eip = node(&cloud, "GET", &format!("/eips/{eip}"), Value::Null).await;
        eip.json()["inventories"][0]["vmNicUuid"].clone()
    };
    let nics = format!("/eips/{eip}/vm-instances/nics");
    let joined = node(&cloud, "POST", &format!("{nics}/{nic}"), Value::Null).await;
    assert_eq!(joined.status, 200, "{}", joined.text());
    assert_eq!(shown().await, json!(nic));
    let parted = node(&cloud, "DELETE", &nics, Value::Null).await;
    assert_eq!(parted.status, 200, "{}", parted.text());
    assert_eq!(shown().await, Value::Null);
}

#[tokio::test]
async fn names_and_things_of_another_account() {
    let cloud = LocalCloud::start().await;
    let env = json!({"name": "DEV"});
    let first = gateway(apig(&cloud, "POST", "/envs").json(&env)).await;
    assert_eq!(first.status, 201);
    let again = gateway(apig(&cloud, "POST", "/envs").json(&env)).await;
    assert_eq!(
        (again.status, huawei::code(&again).as_str()),
        (400, "APIG.3205")
    );
    let lost = gateway(apig(&cloud, "DELETE", "/envs/none")).await;
    assert_eq!(
        (lost.status, huawei::code(&lost).as_str()),
        (404, "APIG.3003")
    );

    let group = smc(&cloud)
        .v3("CreateWorkgroup", &[("Name", "mine")])
        .send()
        .await
        .json();
    let id = group["WorkgroupId"].as_str().unwrap();
    let mut other = smc(&cloud);
    other.key = cumulo_localcloud::accounts::ALIBABA_OTHER_KEY_ID;
    other.secret = cumulo_localcloud::accounts::ALIBABA_OTHER_SECRET;
    let lost = other
        .v3("DeleteWorkgroup", &[("WorkgroupId", id)])
        .send()
        .await;
    assert_eq!(
        (lost.status, code(&lost).as_str()),
        (404, "InvalidWorkgroupId.NotFound")
    );
    assert_eq!(
        other.v3("DescribeWorkgroups", &[]).send().await.json()["TotalCount"],
        0
    );
}

#[tokio::test]
async fn lists_filter_by_members() {
    let cloud = LocalCloud::start().await;
    let acs = smartag(&cloud);
    for name in ["a", "b", "a"] {
        acs.v3("CreateACL", &[REGION, ("Name", name)]).send().await;
    }
    let list = |filter: (&'static str, &'static str)| {
        let acs = acs.clone();
        async move {
            acs.v3("DescribeACLs", &[REGION, filter])
                .send()
                .await
                .json()
        }
    };
    assert_eq!(list(("Name", "a")).await["TotalCount"], 2);
    let page = list(("PageSize", "2")).await;
    assert_eq!(
        (
            &page["TotalCount"],
            page["Acls"]["Acl"].as_array().unwrap().len()
        ),
        (&json!(3), 2)
    );
}

#[tokio::test]
async fn states_move_as_it_was_chosen() {
    let cloud = LocalCloud::start().await;
    let acs = smc(&cloud);
    let state = |id: String| {
        let acs = acs.clone();
        async move {
            let jobs = acs
                .v3("DescribeReplicationJobs", &[("JobId.1", id.as_str())])
                .send()
                .await
                .json();
            jobs["ReplicationJobs"]["ReplicationJob"][0]["Status"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    };
    let create = || {
        let acs = acs.clone();
        async move {
            let job = acs
                .v3("CreateReplicationJob", &[REGION, ("SourceId", "s-1")])
                .send()
                .await
                .json();
            job["JobId"].as_str().unwrap().to_owned()
        }
    };
    let start = |job: String| {
        let acs = acs.clone();
        async move {
            let job = [("JobId", job.as_str())];
            let answer = acs.v3("StartReplicationJob", &job).send().await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    };
    let job = create().await;
    assert_eq!(state(job.clone()).await, "Ready");
    start(job.clone()).await;
    assert_eq!(state(job).await, "Finished");

    let slow = Transition::new("replication-job", Moves::AfterReads(2)).passing("Elsewhere");
    cloud.transitions(Service::Smc, slow).unwrap_err();
    let slow = Transition::new("replication-job", Moves::AfterReads(2)).ending("InError");
    cloud.transitions(Service::Smc, slow).unwrap();
    let job = create().await;
    start(job.clone()).await;
    let mut states = Vec::new();
    for _ in 0..3 {
        states.push(state(job.clone()).await);
    }
    assert_eq!(states, ["Running", "Running", "InError"]);

    let timed = Transition::new("replication-job", Moves::After(Duration::from_secs(600)));
    cloud.transitions(Service::Smc, timed).unwrap();
    let job = create().await;
    start(job.clone()).await;
    assert_eq!(state(job.clone()).await, "Running");
    cloud.set_time_offset(601);
    let moved = acs.clone();
    let moved = crate::common::Acs {
        seconds: 601,
        ..moved
    };
    let jobs = moved
        .v3("DescribeReplicationJobs", &[("JobId.1", job.as_str())])
        .send()
        .await
        .json();
    assert_eq!(
        jobs["ReplicationJobs"]["ReplicationJob"][0]["Status"],
        "Finished"
    );
    cloud.set_time_offset(0);

    let broken = Transition::new("zone", Moves::AtOnce).failing("SYS.1006", "no licence");
    cloud.transitions(Service::Zstack, broken).unwrap();
    let failed = node(&cloud, "POST", "/zones", json!({"params": {"name": "z"}})).await;
    assert_eq!(zstack::code(&failed), "SYS.1006");
}

#[tokio::test]
async fn an_empty_cloud_and_one_where_nothing_is_missing() {
    let list = |samples| async move {
        let cloud = LocalCloud::builder()
            .samples(samples)
            .start()
            .await
            .unwrap();
        let acs = smartag(&cloud);
        let listed = acs.v3("DescribeACLs", &[REGION]).send().await.json()["TotalCount"].clone();
        acs.v3("CreateACL", &[REGION, ("Name", "a")]).send().await;
        let lost = acs
            .v3("DeleteACL", &[REGION, ("AclId", "acl-none")])
            .send()
            .await;
        (listed.as_i64().unwrap(), lost.status)
    };
    assert_eq!(list(Samples::Never).await, (0, 403));
    assert_eq!(list(Samples::UntilCreated).await, (25, 403));
    assert_eq!(list(Samples::Always).await, (25, 200));
}

/// Making, listing by pages, finding and removing cost no more for each because of the others.
#[tokio::test]
async fn a_hundred_thousand_things() {
    const COUNT: usize = 100_000;
    let cloud = LocalCloud::start().await;
    let groups: Vec<Value> = (0..COUNT)
        .map(|number| json!({"WorkgroupId": format!("w-{number}"), "Name": format!("n-{number}")}))
        .collect();
    cloud
        .seed(&json!({"smc": {"workgroup": groups}}).to_string())
        .unwrap();
    let acs = smc(&cloud);
    let mut found = 0;
    for page in [1, 500, 1000, 2000, 2001] {
        let number = page.to_string();
        let parameters = [("PageNumber", number.as_str()), ("PageSize", "50")];
        let listed = acs
            .v3("DescribeWorkgroups", &parameters)
            .send()
            .await
            .json();
        assert_eq!(listed["TotalCount"], COUNT);
        found += listed["Workgroups"]["Workgroup"].as_array().unwrap().len();
    }
    assert_eq!(found, 200);
    let last = format!("w-{}", COUNT - 1);
    let deleted = acs
        .v3("DeleteWorkgroup", &[("WorkgroupId", last.as_str())])
        .send()
        .await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!(
        acs.v3("DescribeWorkgroups", &[]).send().await.json()["TotalCount"],
        COUNT - 1
    );
}
