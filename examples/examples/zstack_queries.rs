//! ZStack: finding virtual machines by what they are joined with, counting and grouping them, and ZQL.

use cumulo_examples::{Stage, unique};
use cumulo_zstack::cluster::CreateCluster;
use cumulo_zstack::types::VmInstanceInventory;
use cumulo_zstack::vm_instance::{CreateVmInstance, QueryVmInstance};
use cumulo_zstack::zone::{CreateZone, DeleteZone};
use cumulo_zstack::{Error, Kind, Query, zql};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::local().await;
    if stage.is_live() {
        println!("This example makes virtual machines: it runs against the local cloud alone.");
        return Ok(());
    }
    let zstack = stage.zstack().await?;

    let made = CreateZone::new(unique("zone")).send(&zstack).await?;
    let zone = made.into_output().inventory.and_then(|zone| zone.uuid);
    let zone = zone.unwrap_or_default();
    for (cluster, machines) in [("gold", 3), ("silver", 2)] {
        let create = CreateCluster::new(zone.as_str(), cluster, "KVM");
        let made = create.send(&zstack).await?.into_output();
        let uuid = made.inventory.and_then(|one| one.uuid).unwrap_or_default();
        for number in 0..machines {
            CreateVmInstance::new(format!("{cluster}-{number}"))
                .zone_uuid(zone.as_str())
                .cluster_uuid(uuid.as_str())
                .send(&zstack)
                .await?;
        }
    }

    // By what they are joined with: the cluster that `clusterUuid` names.
    let query = Query::new()
        .eq("cluster.name", "gold")
        .like("name", "gold-%")
        .sort_desc("name")
        .fields(["uuid", "name"]);
    let gold = QueryVmInstance::new().query(query).items(&zstack);
    for machine in gold.collect().await? {
        println!("{}", machine.name.unwrap_or_default());
    }

    let query = Query::new().eq("zone.uuid", zone.as_str()).count();
    let counted = QueryVmInstance::new().query(query).send(&zstack).await?;
    println!("{} in the zone", counted.total.unwrap_or_default());

    let query = Query::new().group_by("clusterUuid").fields(["clusterUuid"]);
    let groups = QueryVmInstance::new().query(query).send(&zstack).await?;
    println!("in {} clusters", groups.inventories.len());

    // Conditions of a query must all hold; ZQL has `or`.
    let text = format!(
        "query vminstance where name={} or name={} return with (total) order by name asc limit 10",
        zql::quoted("gold-0"),
        zql::quoted("silver-1")
    );
    for result in &zql::zql(text).send(&zstack).await?.results {
        let machines: Vec<VmInstanceInventory> = result.typed()?;
        let names = machines.into_iter().filter_map(|machine| machine.name);
        let total = result.total.unwrap_or_default();
        println!("{total}: {}", names.collect::<Vec<_>>().join(", "));
    }

    let nobody = QueryVmInstance::one("0123456789ab4def8123456789abcdef");
    match nobody.send(&zstack).await {
        Err(error) if error.kind() == Kind::NotFound => println!("no such machine"),
        other => println!("{other:?}"),
    }
    DeleteZone::new(zone).send(&zstack).await?;
    zstack.close().await;
    Ok(())
}
