//! SMC, signed by V3, from a thread without async: `smc-v3-blocking ADDRESS call TIMES 1`.

use cumulo_bench::CreateAccessToken;
use cumulo_bench_driver::Failure;
use cumulo_smc::Client;
use cumulo_smc::credentials::Static;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("no address")?;
    let times: u32 = arguments.nth(1).ok_or("no times")?.parse()?;
    let client = Client::builder()
        .endpoint(format!("http://{address}"))
        .credentials(Static::keys("testid", "testsecret"))
        .build()?;
    for _ in 0..times {
        let call = CreateAccessToken::new()
            .name("web-servers")
            .description("a rack of servers")
            .count(10)
            .time_to_live_in_days(30);
        let made = call.send_blocking(&client)?;
        made.access_token_id.as_ref().ok_or("no id")?;
    }
    Ok(())
}
