//! Where does the CPU of a call go? `cargo bench` in this folder: microseconds of a thread, the median of
//! rounds that take turns.

use bytes::Bytes;
use cumulo_bench::{CreateAccessToken, QUERY, hand};
use cumulo_bench_driver::answers::Answers;
use cumulo_bench_driver::{Failure, bodies, usage};
use cumulo_core::record;
use cumulo_smc::access_token::ListAccessTokensOutput;
use cumulo_smc::clock::BoxFuture;
use cumulo_smc::credentials::Static;
use cumulo_smc::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use cumulo_smc::{AcsSignature, Client};

const ROUNDS: usize = 15;

/// Answers at once, so that a call is what it does itself: encode, sign, decode.
#[derive(Debug)]
struct AtOnce(Bytes);

impl Transport for AtOnce {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(std::future::ready(Ok(HttpResponse {
            status: 200,
            headers: http::HeaderMap::new(),
            body: self.0.clone(),
        })))
    }
}

async fn small(client: &Client) -> Result<(), Failure> {
    let call = CreateAccessToken::new()
        .name("web-servers")
        .description("a rack of servers")
        .count(10)
        .time_to_live_in_days(30);
    call.send(client)
        .await?
        .access_token_id
        .as_ref()
        .ok_or("no id")?;
    Ok(())
}

/// What takes its turn in each round: a name, how often, and the code.
macro_rules! rounds {
    ($($name:literal, $times:literal => $code:expr;)+) => {{
        let names = [$($name),+];
        let mut figures = vec![Vec::new(); names.len()];
        for _ in 0..=ROUNDS {
            let mut figure = figures.iter_mut();
            $({
                let before = usage::thread();
                for _ in 0..$times {
                    $code;
                }
                let spent = (usage::thread() - before) / f64::from($times);
                figure.next().expect("one for each name").push(spent);
            })+
        }
        for (name, mut figures) in names.into_iter().zip(figures) {
            // The first round warms up.
            figures.remove(0);
            figures.sort_by(f64::total_cmp);
            println!("{name:<44} {:>9.2} us", figures[ROUNDS / 2]);
        }
    }};
}

fn main() -> Result<(), Failure> {
    let page = bodies::body("smc", true).ok_or("no such shape")?.0;
    let (answer, _) = bodies::body("smc", false).ok_or("no such shape")?;
    let client = |endpoint: String| {
        Client::builder()
            .endpoint(endpoint)
            .credentials(Static::keys("testid", "testsecret"))
    };
    let at_once =
        || client("http://127.0.0.1:1".to_owned()).transport(AtOnce(answer.clone().into()));
    let v3 = at_once().build()?;
    let v1 = at_once().signature(AcsSignature::V1).build()?;
    let form = at_once()
        .signature(AcsSignature::V1)
        .form_body(true)
        .build()?;
    let bare = hand::client()?;

    // The server has a thread of its own, whose CPU is not counted.
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?.to_string();
    std::thread::spawn(move || -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let answers = Answers::parse(["smc".to_owned()].into_iter())?;
        match runtime.block_on(async {
            answers
                .serve(tokio::net::TcpListener::from_std(listener)?)
                .await
        })? {}
    });
    let called = client(format!("http://{address}")).build()?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        rounds! {
            "encode, sign and decode: ours, V3", 300 => small(&v3).await?;
            "encode, sign and decode: ours, V1", 300 => small(&v1).await?;
            "encode, sign and decode: ours, V1 as a form", 300 => small(&form).await?;
            "encode and sign: by hand, V3", 300 => hand::v3(&bare, &address, hand::SMALL)?.build()?;
            "encode and sign: by hand, V1", 300 => hand::v1(&bare, &address, hand::SMALL)?.build()?;
            "call over loopback: ours, V3", 300 => small(&called).await?;
            "call over loopback: by hand, V3", 300 => {
                let request = hand::v3(&bare, &address, hand::SMALL)?;
                hand::send::<hand::Made>(request).await?.access_token_id.ok_or("no id")?
            };
            "call over loopback: bare reqwest", 300 => {
                let request = bare.post(format!("http://{address}/?{QUERY}"));
                request.send().await?.bytes().await?
            };
            "decode a list of 1,000 items: ours", 5 => {
                let mut found = ListAccessTokensOutput::default();
                let problems = record::decode(&mut found, page.as_bytes())?;
                assert!(problems.is_empty() && found.access_tokens.len() == 1000);
            };
            "decode a list of 1,000 items: serde derive", 5 => {
                let found: hand::Page = serde_json::from_str(&page)?;
                assert!(found.access_tokens.access_token.len() == 1000);
            };
        }
        Ok(())
    })
}
