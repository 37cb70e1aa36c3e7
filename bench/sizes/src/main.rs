//! What grows with what? A table of the clients at 1, 10 and 100 times as much of everything, and one of
//! the local cloud with 1,000, 10,000 and 100,000 things.
//!
//! `cumulo-sizes` prints both; `cumulo-sizes client` and `cumulo-sizes cloud [SERVICE..] [THINGS..]` one of
//! them. Times are those of the processor, as Linux counts them, and so nearly the same on a busy machine.

mod client;
mod cloud;
mod process;

/// Whatever goes wrong ends a measure.
type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["serve", service, count] = arguments[..] {
        return cloud::serve(service, count.parse()?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments.split_first() {
            None => {
                client::table().await?;
                cloud::table(&[]).await
            }
            Some((&"client", _)) => client::table().await,
            Some((&"cloud", rest)) => cloud::table(rest).await,
            Some((other, _)) => Err(format!(
                "no such table: {other}; there are `client` and `cloud [SERVICE..] [THINGS..]`"
            )
            .into()),
        }
    })
}
