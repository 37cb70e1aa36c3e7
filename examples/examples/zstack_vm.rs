//! ZStack: a virtual machine from its first start to its end, with a disk, a snapshot and a way back.

use std::time::Duration;

use cumulo_examples::{Stage, unique};
use cumulo_localcloud::{Moves, Service, Transition};
use cumulo_zstack::vm_instance::{
    CreateVmInstance, DestroyVmInstance, ExpungeVmInstance, QueryVmInstance, StartVmInstance,
    StopVmInstance,
};
use cumulo_zstack::volume::{
    AttachDataVolumeToVm, CreateDataVolume, CreateVolumeSnapshot, DeleteDataVolume,
};
use cumulo_zstack::volume_snapshot::{QueryVolumeSnapshot, RevertVolumeFromSnapshot};
use cumulo_zstack::{Error, Kind, Query, wait};

const IMAGE: &str = "36c27e8ff05c4780bf6d2fa65700f22e";
const NETWORK: &str = "7a4b6f2c51d84e0f9a3b8c6d2e1f0a95";

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::local().await;
    let zstack = stage.zstack().await?;

    // `send` waits for the server's job; who has other things to do takes `submit`.
    let name = unique("web-");
    let vm = CreateVmInstance::new(name.as_str())
        .cpu_num(2)
        .memory_size(4 << 30)
        .image_uuid(IMAGE)
        .l3_network_uuids([NETWORK])
        .system_tags(["ha::NeverStop"])
        .send(&zstack)
        .await?;
    let vm = vm.into_output().inventory.unwrap_or_default();
    let id = vm.uuid.unwrap_or_default();
    patient(wait::vm_instance_running(id.as_str()))
        .on(&zstack)
        .await?;
    println!("{name} runs");

    let disk = CreateDataVolume::new(unique("data-"))
        .disk_size(20 << 30)
        .send(&zstack)
        .await?;
    let disk = disk.into_output().inventory.unwrap_or_default();
    let disk = disk.uuid.unwrap_or_default();
    AttachDataVolumeToVm::new(id.as_str(), disk.as_str())
        .send(&zstack)
        .await?;

    // A snapshot that one can go back to, before something risky.
    let snapshot = CreateVolumeSnapshot::new(disk.as_str(), unique("before-upgrade-"))
        .send(&zstack)
        .await?;
    let snapshot = snapshot.into_output().inventory.unwrap_or_default();
    let snapshot = snapshot.uuid.unwrap_or_default();
    patient(wait::volume_snapshot_ready(snapshot.as_str()))
        .on(&zstack)
        .await?;

    // It went wrong: a disk is only put back while its machine stands still.
    StopVmInstance::new(id.as_str())
        .r#type(StopVmInstance::TYPE_GRACE)
        .send(&zstack)
        .await?;
    patient(wait::vm_instance_stopped(id.as_str()))
        .on(&zstack)
        .await?;
    RevertVolumeFromSnapshot::new(snapshot.as_str())
        .send(&zstack)
        .await?;
    println!("back at {snapshot}");

    // The start fails this time: the machine is Starting, and then Stopped again.
    if let Some(cloud) = stage.cloud() {
        let failing = Transition::new("vm-instance", Moves::AfterReads(1)).ending("Stopped");
        cloud
            .transitions(Service::Zstack, failing)
            .expect("the next start fails");
    }
    StartVmInstance::new(id.as_str()).send(&zstack).await?;
    match patient(wait::vm_instance_running(id.as_str()))
        .on(&zstack)
        .await
    {
        Ok(_) => println!("runs again"),
        Err(error) if error.kind() == Kind::OperationFailed => println!("{error}"),
        Err(error) => return Err(error),
    }

    // What there is, as the server keeps it.
    let stopped = Query::new().eq("state", "Stopped").like("name", "web-%");
    for vm in &QueryVmInstance::new()
        .query(stopped)
        .send(&zstack)
        .await?
        .inventories
    {
        println!("stopped: {}", vm.name.as_deref().unwrap_or("-"));
    }
    let snapshots = Query::new().eq("volumeUuid", &disk).sort_desc("createDate");
    for kept in &QueryVolumeSnapshot::new()
        .query(snapshots)
        .send(&zstack)
        .await?
        .inventories
    {
        println!("snapshot: {}", kept.name.as_deref().unwrap_or("-"));
    }

    // Destroying puts it into the bin, from which `RecoverVmInstance` has it back; expunging is for good.
    DestroyVmInstance::new(id.as_str()).send(&zstack).await?;
    ExpungeVmInstance::new(id.as_str()).send(&zstack).await?;
    DeleteDataVolume::new(disk).send(&zstack).await?;
    println!("gone");
    Ok(())
}

/// Shorter waits than a real server would be asked with.
fn patient(waiter: wait::Waiter) -> wait::Waiter {
    waiter
        .interval(Duration::from_millis(20))
        .timeout(Duration::from_secs(600))
}
