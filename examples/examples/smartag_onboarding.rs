//! Smart Access Gateway: take a new branch office in. Enterprise code, network, gateway, rules, a user.

use std::time::Duration;

use cumulo_examples::{Stage, unique};
use cumulo_localcloud::{Moves, Service, Transition};
use cumulo_smartag::acl::{AddACLRule, AddACLRuleRequired, AssociateACL, CreateACL};
use cumulo_smartag::client_user::{
    CreateSmartAccessGatewayClientUser, DescribeSmartAccessGatewayClientUsers,
};
use cumulo_smartag::cloud_connect_network::CreateCloudConnectNetwork;
use cumulo_smartag::enterprise_code::{CreateEnterpriseCode, ListEnterpriseCode};
use cumulo_smartag::smart_access_gateway::{BindSmartAccessGateway, DescribeSmartAccessGateways};
use cumulo_smartag::software::{
    CreateSmartAccessGatewaySoftware, CreateSmartAccessGatewaySoftwareRequired,
};
use cumulo_smartag::{ClientToken, Error, Kind, Outcome, wait};

#[tokio::main]
async fn main() -> Result<(), Error> {
    // A gateway is a purchase, so this one is made on this machine only.
    let stage = Stage::local().await;
    if let Some(cloud) = stage.cloud() {
        let slow = Transition::new("gateway", Moves::AfterReads(2));
        cloud
            .transitions(Service::Smartag, slow)
            .expect("gateways take a while");
    }
    let sag = stage.smartag().await?;

    // The code by which people's apps find the company. It has a client token: repeated, it is one.
    let code = "Acme7";
    let made = CreateEnterpriseCode::new(code)
        .send(&sag)
        .client_token(ClientToken::derived("enterprise code Acme7"))
        .await;
    match made {
        Ok(_) => println!("enterprise code {code}"),
        // Somebody else may have it, or this program an hour ago: the list knows.
        Err(error) if error.kind() == Kind::AlreadyExists => {
            let mine = ListEnterpriseCode::new()
                .enterprise_code(code)
                .send(&sag)
                .await?;
            if mine.enterprise_codes.is_empty() {
                return Err(error);
            }
        }
        Err(error) => return Err(error),
    }

    let name = unique("branches-");
    let network = CreateCloudConnectNetwork::new()
        .name(name.as_str())
        .cidr_block("10.20.0.0/16")
        .send(&sag)
        .await?;
    let network = network.into_output().ccn_id.unwrap_or_default();

    // A purchase has no client token, so that it is never sent twice: what nobody knows is looked up.
    let order = CreateSmartAccessGatewaySoftware::new(CreateSmartAccessGatewaySoftwareRequired {
        auto_pay: true,
        charge_type: CreateSmartAccessGatewaySoftware::CHARGE_TYPE_PREPAY.to_owned(),
        data_plan: 5,
        period: 1,
        user_count: 20,
    });
    let bought = order.send(&sag).await;
    let gateway = match bought {
        Ok(bought) => bought.into_output().smart_ag_id.unwrap_or_default(),
        Err(error) if error.outcome() == Outcome::Unknown => {
            println!("{error}\nIt may have been bought. The gateways that there are:");
            let mut gateways = DescribeSmartAccessGateways::new().items(&sag);
            while let Some(gateway) = gateways.next().await.transpose()? {
                println!("  {:?} {:?}", gateway.smart_ag_id, gateway.name);
            }
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let limits = |waiter: wait::Waiter| {
        waiter
            .interval(Duration::from_millis(20))
            .timeout(Duration::from_secs(1800))
    };
    limits(wait::gateway_active(gateway.as_str()))
        .on_progress(|seen| println!("gateway {}", seen.state.as_deref().unwrap_or("-")))
        .on(&sag)
        .await?;

    BindSmartAccessGateway::new(network.as_str(), gateway.as_str())
        .send(&sag)
        .await?;
    limits(wait::gateway_in_cloud_connect_network(
        gateway.as_str(),
        network.as_str(),
    ))
    .on(&sag)
    .await?;
    println!("{gateway} is in {network}");

    // Only the web server of the head office is reached from the branch.
    let acl = CreateACL::new(unique("branch-"))
        .acl_type(CreateACL::ACL_TYPE_ACL_SOFTWARE)
        .send(&sag)
        .await?;
    let acl = acl.into_output().acl_id.unwrap_or_default();
    AddACLRule::new(AddACLRuleRequired {
        acl_id: acl.clone(),
        dest_cidr: "10.0.0.80/32".to_owned(),
        dest_port_range: "443/443".to_owned(),
        direction: AddACLRule::DIRECTION_OUT.to_owned(),
        ip_protocol: "tcp".to_owned(),
        policy: AddACLRule::POLICY_ACCEPT.to_owned(),
        source_cidr: "10.20.0.0/16".to_owned(),
        source_port_range: "-1/-1".to_owned(),
    })
    .send(&sag)
    .await?;
    AssociateACL::new(acl.as_str(), gateway.as_str())
        .send(&sag)
        .await?;

    CreateSmartAccessGatewayClientUser::new(4000, gateway.as_str(), "ann@example.com")
        .user_name("ann.example")
        .password("correct-horse-battery")
        .send(&sag)
        .await?;
    let mut users = DescribeSmartAccessGatewayClientUsers::new(gateway.as_str()).items(&sag);
    while let Some(user) = users.next().await.transpose()? {
        println!(
            "{} may use it, {} kbit/s",
            user.user_name.as_deref().unwrap_or("-"),
            user.bandwidth.unwrap_or_default()
        );
    }
    Ok(())
}
