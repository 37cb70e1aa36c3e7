//! Answers every request on loopback with the same body, however large: a process of its own, so that
//! no server's work is counted with a client's.
//!
//! ```text
//! answers SHAPE [list] [OPTION=NUMBER..]
//!     delay=MS    waits before each answer
//!     hold=N      keeps all answers back until N requests are there, 20 seconds at most
//!     drop=N      closes the connection instead of answering, once in N requests
//!     busy=N      answers 503, once in N requests
//! ```
//!
//! It prints its address and the bytes of its answer, and ends with its standard input.

use std::io::Read;

use cumulo_bench_driver::Failure;
use cumulo_bench_driver::answers::Answers;

fn main() -> Result<(), Failure> {
    let answers = Answers::parse(std::env::args().skip(1))?;
    // Whoever started it is gone when its input ends, killed or not.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind("127.0.0.1:0".parse()?)?;
        let listener = socket.listen(4096)?;
        println!("{} {}", listener.local_addr()?, answers.body.len());
        match answers.serve(listener).await? {}
    })
}
