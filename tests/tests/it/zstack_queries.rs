//! What queries of ZStack can say: one thing, joins, groups, numbers, ZQL.

use cumulo_tests::Bench;
use cumulo_zstack::cluster::{CreateCluster, QueryCluster};
use cumulo_zstack::types::ClusterInventory;
use cumulo_zstack::zone::{CreateZone, QueryZone};
use cumulo_zstack::zql::{quoted, zql};
use cumulo_zstack::{Client, Kind, Query};

/// Two zones, three clusters; the zones' ids.
async fn seeded(zstack: &Client) -> Vec<String> {
    let mut zones = Vec::new();
    for name in ["east", "it's west"] {
        let made = CreateZone::new(name).send(zstack).await.unwrap();
        zones.push(made.output.inventory.unwrap().uuid.unwrap());
    }
    for (name, zone, hypervisor) in [("c1", 0, "KVM"), ("c2", 0, "Simulator"), ("c3", 1, "KVM")] {
        let create = CreateCluster::new(zones[zone].as_str(), name, hypervisor);
        create.send(zstack).await.unwrap();
    }
    zones
}

async fn clusters(zstack: &Client, query: Query) -> Vec<String> {
    let found = QueryCluster::new().query(query.sort_asc("name"));
    let found = found.send(zstack).await.unwrap().into_output();
    found
        .inventories
        .into_iter()
        .filter_map(|one| one.name)
        .collect()
}

#[tokio::test]
async fn one_thing_is_there_or_not_found() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let zones = seeded(&zstack).await;
    let one = QueryZone::one(zones[0].as_str())
        .send(&zstack)
        .await
        .unwrap();
    assert_eq!(one.inventories[0].name.as_deref(), Some("east"));
    // Other addresses than the query's run whatever API they belong to.
    let seen = bench.seen("QueryZone").pop().unwrap();
    assert!(seen.target.contains("/v1/zones?q=uuid%3D"), "{seen:?}");

    let missing = "0123456789ab4def8123456789abcdef";
    let error = QueryZone::one(missing).send(&zstack).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    let by_name = serde_json::json!({ "uuid": missing });
    let error = zstack
        .call("QueryZone", &by_name)
        .unwrap()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    // A condition that nothing meets is no error.
    let none = QueryZone::new().query(Query::new().eq("uuid", missing));
    assert!(none.send(&zstack).await.unwrap().inventories.is_empty());
}

#[tokio::test]
async fn conditions_by_name_are_checked_like_typed_ones() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let misread = serde_json::json!({ "q": ["name=a>=b"] });
    let error = zstack
        .call("QueryZone", &misread)
        .unwrap()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput, "{error}");
    assert!(bench.cloud.requests().is_empty());
}

#[tokio::test]
async fn names_of_joined_things_choose_among_these() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    seeded(&zstack).await;
    let east = clusters(&zstack, Query::new().eq("zone.name", "east")).await;
    assert_eq!(east, ["c1", "c2"]);
    let both = Query::new()
        .eq("zone.name", "east")
        .eq("hypervisorType", "KVM");
    assert_eq!(clusters(&zstack, both).await, ["c1"]);
    assert!(
        clusters(&zstack, Query::new().like("zone.name", "north%"))
            .await
            .is_empty()
    );
    let unknown = QueryCluster::new().query(Query::new().eq("moon.name", "x"));
    let error = unknown.send(&zstack).await.unwrap_err();
    assert_eq!(error.code(), Some("SYS.1007"));
}

#[tokio::test]
async fn numbers_groups_and_fields() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    seeded(&zstack).await;
    let send = |query: Query| QueryCluster::new().query(query).send(&zstack);
    let counted = send(Query::new().eq("zone.name", "east").count())
        .await
        .unwrap();
    assert_eq!((counted.total, counted.inventories.len()), (Some(2), 0));
    let paged = send(Query::new().limit(1).with_total()).await.unwrap();
    assert_eq!((paged.total, paged.inventories.len()), (Some(3), 1));
    let kinds = send(
        Query::new()
            .group_by("hypervisorType")
            .fields(["hypervisorType"]),
    );
    let kinds = kinds.await.unwrap().into_output().inventories;
    let mut kinds: Vec<_> = kinds
        .iter()
        .map(|one| (&one.hypervisor_type, &one.name))
        .collect();
    kinds.sort();
    assert_eq!(
        kinds,
        [
            (&Some("KVM".into()), &None),
            (&Some("Simulator".into()), &None)
        ]
    );
}

#[tokio::test]
async fn zql_gives_a_result_for_each_statement() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    seeded(&zstack).await;
    let text = format!(
        "query cluster where zone.name={} or name='c1' return with (total) order by name desc limit 1 named as 'some'; \
         count zone; query zone.name where name in ('east', 'x')",
        quoted("it's west")
    );
    let answer = zql(text).send(&zstack).await.unwrap();
    let [some, count, fields] = &answer.results[..] else {
        panic!("{answer:?}");
    };
    let found: Vec<ClusterInventory> = some.typed().unwrap();
    let names: Vec<_> = found.iter().filter_map(|one| one.name.as_deref()).collect();
    assert_eq!(names, ["c3"]);
    assert_eq!((some.total, some.name.as_deref()), (Some(2), Some("some")));
    assert_eq!((count.total, count.inventories.len()), (Some(2), 0));
    assert_eq!(fields.inventories, [serde_json::json!({"name": "east"})]);

    for refused in ["query moon", "query zone where", "sum zone by name"] {
        let error = zql(refused).send(&zstack).await.unwrap_err();
        assert_eq!(error.code(), Some("SYS.1007"), "{refused}: {error}");
    }
    let mut odd = cumulo_zstack::management::ZQLQueryReturn::default();
    odd.inventories.push("text".into());
    let error = odd.typed::<ClusterInventory>().unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidResponse);
}
