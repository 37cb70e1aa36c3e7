//! Do calls by name go the way of typed calls, and say what is wrong with their input?

use cumulo_core::page::End;
use cumulo_core::record::{Record, Wire, to_value};
use cumulo_localcloud::{FaultKind, Service, accounts};
use cumulo_smc::source_server::DescribeSourceServers;
use cumulo_smc::{Error, Kind, Outcome};
use cumulo_tests::{Answer, Bench, LongList, Script};
use serde_json::{Value, json};

fn refused(result: Result<impl Sized, Error>) -> Error {
    let Err(error) = result else {
        panic!("it was accepted");
    };
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::InvalidInput, Outcome::NotSent)
    );
    error
}

#[tokio::test]
async fn the_four_services_by_name() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let made = smc
        .call("CreateAccessToken", &json!({"Name": "web-1", "Count": 5}))
        .unwrap()
        .await
        .unwrap();
    let made = to_value(Wire::redacted(&*made.output));
    assert!(made["AccessTokenId"].as_str().unwrap().starts_with("at-"));
    assert!(
        !made["AccessTokenCode"]
            .as_str()
            .unwrap()
            .chars()
            .all(char::is_alphanumeric),
        "{made}"
    );

    let ids = json!({"AccessTokenId": [made["AccessTokenId"]]});
    let listed = smc.call("ListAccessTokens", &ids).unwrap().await.unwrap();
    // The wire's own shape comes back, wrapper and all.
    let listed = to_value(Wire::clear(&*listed.output));
    assert_eq!(listed["AccessTokens"]["AccessToken"][0]["Name"], "web-1");
    assert_eq!(listed["AccessTokens"]["AccessToken"][0]["Count"], "5");

    let sag = bench.smartag().build().unwrap();
    bench.fault(
        Service::Smartag,
        "CreateEnterpriseCode",
        FaultKind::LoseResponse,
    );
    let made = sag
        .call("CreateEnterpriseCode", &json!({"EnterpriseCode": "a1b2c"}))
        .unwrap()
        .await
        .unwrap();
    assert_eq!(made.attempts().len(), 2);
    assert!(made.client_token().is_some());

    let apig = bench.apig().build().unwrap();
    let app = apig
        .call("CreateAnAppV2", &json!({"name": "shop"}))
        .unwrap()
        .await
        .unwrap();
    let app = to_value(Wire::clear(&*app.output));
    let input = json!({"app_id": app["id"], "app_code": "c".repeat(64)});
    let code = apig.call("CreateAppCodeV2", &input).unwrap().await.unwrap();
    assert_eq!(code.http_status(), 201);
    assert_eq!(
        to_value(Wire::clear(&*code.output))["app_code"],
        "c".repeat(64)
    );

    let zstack = bench.zstack().build().unwrap();
    let input = json!({"uuid": accounts::ZSTACK_KEY_UUID, "stateEvent": "enable"});
    let changed = zstack
        .call("ChangeAccessKeyState", &input)
        .unwrap()
        .await
        .unwrap();
    assert_eq!(
        to_value(Wire::clear(&*changed.output))["inventory"]["state"],
        "Enabled"
    );
    let found = zstack
        .call(
            "QueryAccessKey",
            &json!({"q": ["state=Enabled"], "limit": 1}),
        )
        .unwrap();
    let found = to_value(Wire::clear(&*found.await.unwrap().output));
    assert_eq!(found["inventories"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn unknown_names_get_the_nearest_known_one() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    for (name, near) in [
        ("ListAccessToken", "ListAccessTokens"),
        ("createaccesstoken", "CreateAccessToken"),
        ("CreateAcessToken", "CreateAccessToken"),
    ] {
        let error = refused(smc.call(name, &json!({})));
        assert!(
            error
                .to_string()
                .contains(&format!("smc has no operation `{name}`")),
            "{error}"
        );
        assert!(error.to_string().contains(&format!("`{near}`")), "{error}");
    }
    let error = refused(smc.call("Completely different", &json!({})));
    assert!(error.hint().is_none(), "{error}");

    let error = refused(smc.call(
        "CreateAccessToken",
        &json!({"name": "x", "Cuont": 1, "Zzz": 1}),
    ));
    for part in ["name", "`Name`", "Cuont", "`Count`", "Zzz"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn missing_members_are_all_listed() {
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    let error = refused(apig.call("CreateAppCodeV2", &json!({})));
    assert!(
        error.message().contains("app_id") && error.message().contains("app_code"),
        "{error}"
    );
    assert_eq!(error.operation(), "CreateAppCodeV2");
    let error = refused(apig.call("CreateAppCodeV2", &json!({"app_id": null, "app_code": "x"})));
    assert!(error.message().contains("app_id"), "{error}");
    let sag = bench.smartag().build().unwrap();
    let error = refused(sag.call("CreateServiceAddress", &Value::Null));
    for part in ["Address", "AddressType", "SagId", "Sn"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    assert!(
        !error.message().contains("RegionId"),
        "the client has it: {error}"
    );
}

#[tokio::test]
async fn wrong_shapes_are_refused_with_their_path() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    for (input, path) in [
        (json!({"AccessTokenId": "not a list"}), "AccessTokenId"),
        (
            json!({"AccessTokenId": ["ok", {"a": 1}]}),
            "AccessTokenId[1]",
        ),
        (json!({"Name": ["x"]}), "Name"),
        (json!({"OwnerId": "many"}), "OwnerId"),
        (json!({"OwnerId": 1.5}), "OwnerId"),
    ] {
        let error = refused(smc.call("ListAccessTokens", &input));
        assert!(
            error.message().contains(&format!("{path}: expected")),
            "{input}: {error}"
        );
    }
    for input in [json!([]), json!("text"), json!(7)] {
        refused(smc.call("ListAccessTokens", &input));
    }
    // Numbers for texts, and texts that are numbers, are what people write.
    smc.call("CreateAccessToken", &json!({"Count": 7, "OwnerId": "12"}))
        .unwrap()
        .await
        .unwrap();
    assert_eq!(
        bench
            .only("CreateAccessToken")
            .parameter("OwnerId")
            .as_deref(),
        Some("12")
    );
    assert_eq!(
        bench
            .only("CreateAccessToken")
            .parameter("Count")
            .as_deref(),
        Some("7")
    );
}

#[tokio::test]
async fn nested_members_are_checked_too() {
    let bench = Bench::start().await;
    let script = Script::new([Answer::new(200, "{}")]);
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    let error = refused(smc.call(
        "CreateWorkgroup",
        &json!({"Tag": [{"Key": "a"}, {"Kee": "b"}]}),
    ));
    assert!(
        error.message().contains("Tag[1]") && error.message().contains("`Key`"),
        "{error}"
    );
    smc.call(
        "CreateWorkgroup",
        &json!({"Tag": [{"Key": "a", "Value": "b"}]}),
    )
    .unwrap()
    .await
    .unwrap();
    assert!(
        script.sent()[0]
            .url
            .query()
            .unwrap()
            .contains("Tag.1.Key=a&Tag.1.Value=b")
    );
}

#[tokio::test]
async fn call_options_and_errors_are_those_of_typed_calls() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    let input = json!({"EnterpriseCode": "a1b2c"});
    let made = sag
        .call("CreateEnterpriseCode", &input)
        .unwrap()
        .client_token("order-1")
        .await
        .unwrap();
    assert_eq!(made.client_token().unwrap().as_str(), "order-1");
    let error = sag
        .call("CreateEnterpriseCode", &input)
        .unwrap()
        .await
        .unwrap_err();
    assert!(error.is_already_exists());
    let token = json!({"EnterpriseCode": "a1b2c", "ClientToken": "order-1"});
    sag.call("CreateEnterpriseCode", &token)
        .unwrap()
        .await
        .unwrap();
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let count = |names: Vec<&'static str>| {
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len());
        names.len()
    };
    assert_eq!(
        count(
            cumulo_smc::Client::operations()
                .map(|spec| spec().name)
                .collect()
        ),
        24
    );
    assert_eq!(
        count(
            cumulo_smartag::Client::operations()
                .map(|spec| spec().name)
                .collect()
        ),
        205
    );
    assert_eq!(
        count(
            cumulo_apig::Client::operations()
                .map(|spec| spec().name)
                .collect()
        ),
        216
    );
    assert_eq!(
        count(
            cumulo_zstack::Client::operations()
                .map(|spec| spec().name)
                .collect()
        ),
        2043
    );
}

#[test]
fn the_operations_of_a_group_stand_in_the_order_of_their_names() {
    // Calls by name search for them so.
    for groups in [
        cumulo_smc::GROUPS,
        cumulo_smartag::GROUPS,
        cumulo_apig::GROUPS,
        cumulo_zstack::GROUPS,
    ] {
        for (group, specs) in groups {
            let names: Vec<&str> = specs.iter().map(|spec| spec().name).collect();
            assert!(names.is_sorted(), "{group}: {names:?}");
        }
    }
}

#[tokio::test]
async fn a_list_by_name_comes_whole_and_goes_on_where_it_ended() {
    let list = LongList::new(|_| (120, Some(120)));
    let bench = Bench::start().await;
    let smc = bench.smc().transport(list.clone()).build().unwrap();
    let smc = AsRef::<cumulo_core::Client>::as_ref(&smc);
    let pages = |input: &Value| smc.pages(DescribeSourceServers::operation(), input);
    let ids = || {
        Box::new(|page: cumulo_smc::Response<Box<dyn Record>>| {
            let page = to_value(Wire::redacted(&*page.output));
            let servers = page["SourceServers"]["SourceServer"].as_array().cloned();
            servers.unwrap_or_default()
        })
    };
    let mut first = pages(&json!({})).unwrap().items_by(ids()).max_items(70);
    let mut all = Vec::new();
    while let Some(item) = first.next().await {
        all.push(item.unwrap());
    }
    assert_eq!(first.end(), Some(End::MaxItems));
    let position = first.position().unwrap();
    let rest = pages(&json!({})).unwrap().items_by(ids()).resume(&position);
    all.extend(rest.unwrap().collect().await.unwrap());
    let ids: Vec<&str> = all
        .iter()
        .filter_map(|item| item["SourceId"].as_str())
        .collect();
    assert!(ids.into_iter().eq((0..120).map(|id| id.to_string())));
    let error = refused(pages(&json!({"PageSiz": 1})));
    assert!(error.to_string().contains("PageSize"), "{error}");
}
