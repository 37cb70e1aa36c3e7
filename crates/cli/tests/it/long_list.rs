//! A server of API Gateway on loopback behind which a list of any length stands, made up page by page.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use cumulo_localcloud::accounts;

use crate::common::bare;

/// What is served instead of a page.
pub(crate) type Instead = fn(offset: u64) -> Option<(u16, &'static str)>;

/// It serves `apps` by offset.
pub(crate) struct LongList {
    address: String,
    asked: Arc<AtomicU64>,
    /// The last page waits for a word.
    last: (Receiver<()>, Sender<()>),
}

impl LongList {
    /// A list of so many items.
    pub(crate) fn start(length: u64, instead: Instead) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicU64::new(0));
        let (reached, at_last) = channel();
        let (go, going) = channel();
        let (counter, going) = (Arc::clone(&asked), Arc::new(Mutex::new(going)));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (counter, reached) = (Arc::clone(&counter), reached.clone());
                let going = Arc::clone(&going);
                std::thread::spawn(move || {
                    serve(stream, &mut |target| {
                        counter.fetch_add(1, Ordering::SeqCst);
                        let (offset, limit) = (number(target, "offset"), number(target, "limit"));
                        let offset = offset.unwrap_or(0);
                        let end = length.min(offset + limit.unwrap_or(20));
                        if length > 10_000 && end == length {
                            // The test may have ended.
                            let _ = reached.send(());
                            let _ = going.lock().unwrap().recv();
                        }
                        match instead(offset) {
                            Some((status, body)) => (status, body.to_owned()),
                            None => (200, page(offset..end, length)),
                        }
                    });
                });
            }
        });
        Self {
            address,
            asked,
            last: (at_last, go),
        }
    }

    /// How many pages were asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Runs `look` when all pages but the last were read.
    pub(crate) fn before_the_last<T>(&self, look: impl FnOnce() -> T) -> T {
        self.last.0.recv().unwrap();
        let seen = look();
        self.last.1.send(()).unwrap();
        seen
    }

    /// The command with keys, for this server.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = bare();
        command
            .env("HUAWEICLOUD_SDK_AK", accounts::HUAWEI_AK)
            .env("HUAWEICLOUD_SDK_SK", accounts::HUAWEI_SK)
            .args(words)
            .args(["--endpoint-url", &self.address, "--region", "eu-de"])
            .args(["--project-id", "p", "--instance-id", "i"]);
        command
    }
}

fn page(ids: std::ops::Range<u64>, total: u64) -> String {
    let apps: Vec<String> = ids
        .map(|id| {
            format!(
                r#"{{"id":"{id}","name":"app_{id}","remark":"{}"}}"#,
                "r".repeat(200)
            )
        })
        .collect();
    format!(
        r#"{{"total":{total},"size":{},"apps":[{}]}}"#,
        apps.len(),
        apps.join(",")
    )
}

fn number(target: &str, name: &str) -> Option<u64> {
    let (_, query) = target.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name)?.1.parse().ok()
}

/// Answers requests without bodies until the other side has enough.
fn serve(stream: TcpStream, answer: &mut dyn FnMut(&str) -> (u16, String)) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut target = None;
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line == "\r\n" => break,
                Ok(_) if target.is_none() => {
                    target = line.split(' ').nth(1).map(str::to_owned);
                }
                Ok(_) => {}
            }
        }
        let (status, body) = answer(&target.unwrap_or_default());
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}
