//! SMC: a program without async. Hand out activation codes, wait for a workgroup, list all there are.

use std::time::Duration;

use cumulo_examples::{Stage, unique};
use cumulo_smc::access_token::{CreateAccessToken, DeleteAccessToken, ListAccessTokens};
use cumulo_smc::workgroup::{CreateWorkgroup, DeleteWorkgroup, DescribeWorkgroups};
use cumulo_smc::{Blocking, wait};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stage = Stage::local_blocking()?;
    let smc = stage.smc().blocking()?;

    let name = unique("rack-");
    let mut made = Vec::new();
    for number in 1..=3 {
        let create = CreateAccessToken::new().name(format!("{name}-{number}"));
        let code = create.send_blocking(&smc)?;
        made.extend(code.into_output().access_token_id);
    }
    for code in &ListAccessTokens::new().send_blocking(&smc)?.access_tokens {
        println!("{:?} {:?}", code.name, code.status);
    }

    let group = CreateWorkgroup::new().name(name).send_blocking(&smc)?;
    let group = group
        .into_output()
        .workgroup_id
        .ok_or("no workgroup came")?;
    let seen = wait::workgroup_completed(group.as_str())
        .timeout(Duration::from_secs(60))
        .on(&smc)
        .blocking()?;
    println!("the workgroup is {:?} after {:?}", seen.state, seen.elapsed);

    for group in DescribeWorkgroups::new().items(&smc).blocking() {
        println!("{:?}", group?.name);
    }

    DeleteWorkgroup::new(group).send_blocking(&smc)?;
    for id in made {
        DeleteAccessToken::new(id).send_blocking(&smc)?;
    }
    println!("all is gone again");
    Ok(())
}
