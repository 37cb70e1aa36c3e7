//! Answers every request on loopback with the same small JSON. The measured programs call it, so that
//! no server's instructions are counted with theirs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

const BODY: &str = r#"{"RequestId":"DB4A7EA2-6FDA-5655-B067-854532FB1234","AccessTokenCode":"B57QoTXEA2Tytr0uZWoNY5Aju5Jt1234","AccessTokenId":"at-bp1akz2zp67r0k6r1234"}"#;

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\nx-acs-request-id: DB4A7EA2-6FDA-5655-B067-854532FB1234\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    for stream in listener.incoming() {
        let stream = stream?;
        let answer = answer.clone();
        std::thread::spawn(move || -> std::io::Result<()> {
            stream.set_nodelay(true)?;
            let mut writer = stream.try_clone()?;
            let mut reader = BufReader::new(stream);
            loop {
                let mut length = 0;
                let mut line = String::new();
                loop {
                    line.clear();
                    if reader.read_line(&mut line)? == 0 {
                        return Ok(());
                    }
                    if line == "\r\n" {
                        break;
                    }
                    let lower = line.to_ascii_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap_or(0);
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body)?;
                writer.write_all(answer.as_bytes())?;
            }
        });
    }
    Ok(())
}
