//! Order, bounds and every way to end.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::*;

fn text(number: usize) -> Line {
    Line::Text(number.to_string().into_bytes())
}

fn echo(line: &[u8]) -> Done {
    Done {
        failed: None,
        text: String::from_utf8_lossy(line).into_owned(),
        fatal: None,
    }
}

fn limits(concurrency: usize) -> Limits {
    Limits {
        concurrency,
        held: HELD,
        grace: Duration::from_secs(3600),
    }
}

/// Runs to the end of the input, without signals.
async fn run<F>(
    lines: mpsc::Receiver<Line>,
    limits: Limits,
    start: impl Fn(u64, Vec<u8>) -> F,
    sink: impl FnMut(Output<'_>) -> io::Result<()>,
) -> Summary
where
    F: Future<Output = Done> + Send + 'static,
{
    let (_silent, mut signals) = mpsc::channel(1);
    let start = |number, line, _| start(number, line);
    super::run(lines, &mut signals, limits, start, sink).await
}

/// Lets everything else run until nothing can go on.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_slow_first_call_stops_the_input_at_the_window() {
    let (sender, lines) = mpsc::channel(1);
    let (release, held) = oneshot::channel::<()>();
    let held = Arc::new(Mutex::new(Some(held)));
    let started = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&started);
    let work = move |_, line: Vec<u8>| {
        counter.fetch_add(1, Ordering::SeqCst);
        let first = (line == b"0").then(|| held.lock().unwrap().take().unwrap());
        async move {
            if let Some(first) = first {
                first.await.unwrap();
            }
            echo(&line)
        }
    };
    let written = Arc::new(Mutex::new(Vec::new()));
    let output = Arc::clone(&written);
    let sink = move |event: Output<'_>| {
        if let Output::Line(text) = event {
            output.lock().unwrap().push(text.to_owned());
        }
        Ok(())
    };
    tokio::spawn(async move {
        for number in 0..1000 {
            sender.send(text(number)).await.unwrap();
        }
    });
    let engine = tokio::spawn(run(lines, limits(3), work, sink));
    settle().await;
    // Each line's work is made at once, and begun when it is its turn.
    assert_eq!(started.load(Ordering::SeqCst), 3 * AHEAD);
    assert!(written.lock().unwrap().is_empty());
    release.send(()).unwrap();
    let summary = engine.await.unwrap();
    assert_eq!((summary.ok, summary.failed()), (1000, 0));
    let expected: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    assert_eq!(*written.lock().unwrap(), expected);
}

#[tokio::test]
async fn no_more_calls_than_asked_for_are_under_way() {
    let (sender, lines) = mpsc::channel(1);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (under_way, peak) = (Arc::clone(&now), Arc::clone(&most));
    let work = move |_, line: Vec<u8>| {
        let (under_way, peak) = (Arc::clone(&under_way), Arc::clone(&peak));
        async move {
            peak.fetch_max(
                under_way.fetch_add(1, Ordering::SeqCst) + 1,
                Ordering::SeqCst,
            );
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            under_way.fetch_sub(1, Ordering::SeqCst);
            echo(&line)
        }
    };
    tokio::spawn(async move {
        for number in 0..100 {
            sender.send(text(number)).await.unwrap();
        }
    });
    let summary = run(lines, limits(3), work, |_| Ok(())).await;
    assert_eq!(summary.ok, 100);
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_result_is_written_before_the_next_line_comes() {
    let (sender, lines) = mpsc::channel(1);
    let (written, mut results) = mpsc::unbounded_channel();
    let sink = move |event: Output<'_>| {
        if let Output::Line(text) = event {
            written.send(text.to_owned()).unwrap();
        }
        Ok(())
    };
    let engine = tokio::spawn(run(
        lines,
        limits(8),
        |_, line| async move { echo(&line) },
        sink,
    ));
    for number in 0..3 {
        sender.send(text(number)).await.unwrap();
        assert_eq!(results.recv().await.unwrap(), number.to_string());
    }
    drop(sender);
    assert_eq!(engine.await.unwrap().ok, 3);
}

#[tokio::test]
async fn a_panic_costs_one_line() {
    let (sender, lines) = mpsc::channel(4);
    for number in 0..3 {
        sender.send(text(number)).await.unwrap();
    }
    drop(sender);
    let work = |number, line: Vec<u8>| async move {
        assert_ne!(number, 2, "on purpose");
        echo(&line)
    };
    let summary = run(lines, limits(2), work, |_| Ok(())).await;
    // It was not sent when it broke down.
    assert_eq!((summary.ok, summary.not_sent), (2, 1));
}

#[tokio::test]
async fn a_closed_output_ends_it_and_loses_no_result() {
    let (sender, lines) = mpsc::channel(4);
    for number in 0..3 {
        sender.send(text(number)).await.unwrap();
    }
    // The input stays open.
    let mut lost = Vec::new();
    let sink = |event: Output<'_>| match event {
        Output::Line(_) => Err(io::ErrorKind::BrokenPipe.into()),
        Output::Lost(text) => {
            lost.push(text.to_owned());
            Ok(())
        }
        _ => Ok(()),
    };
    let summary = run(lines, limits(1), |_, line| async move { echo(&line) }, sink).await;
    let Some(Stop::Output(error)) = summary.stop else {
        panic!("{summary:?}");
    };
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(lost.len() as u64, summary.ok);
    assert_eq!(summary.ok + summary.not_sent, summary.last);
    assert_eq!(lost.first().map(String::as_str), Some("0"));
    drop(sender);
}

#[tokio::test]
async fn what_is_lost_to_the_user_ends_it() {
    let (sender, lines) = mpsc::channel(4);
    sender.send(text(0)).await.unwrap();
    let work = |_, line: Vec<u8>| async move {
        Done {
            fatal: Some("disk full".into()),
            ..echo(&line)
        }
    };
    let summary = run(lines, limits(2), work, |_| Ok(())).await;
    assert!(
        matches!(&summary.stop, Some(Stop::Fatal(why)) if why == "disk full"),
        "{summary:?}"
    );
    drop(sender);
}

#[tokio::test]
async fn large_results_stop_input_and_calls_until_they_are_handed_out() {
    let (sender, lines) = mpsc::channel(1);
    let (release, held) = oneshot::channel::<()>();
    let held = Arc::new(Mutex::new(Some(held)));
    let started = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&started);
    let work = move |_, line: Vec<u8>| {
        let (counter, held) = (Arc::clone(&counter), Arc::clone(&held));
        async move {
            counter.fetch_add(1, Ordering::SeqCst);
            if line == b"0" {
                let first = held.lock().unwrap().take().unwrap();
                first.await.unwrap();
            }
            Done {
                text: "x".repeat(1000),
                ..echo(&line)
            }
        }
    };
    tokio::spawn(async move {
        for number in 0..1000 {
            sender.send(text(number)).await.unwrap();
        }
    });
    let bounds = Limits {
        held: 2500,
        ..limits(8)
    };
    let engine = tokio::spawn(run(lines, bounds, work, |_| Ok(())));
    settle().await;
    // The head of the line, what fills the space, and the others that were under way by then.
    let begun = started.load(Ordering::SeqCst);
    assert!((4..=8 + 2).contains(&begun), "{begun}");
    release.send(()).unwrap();
    assert_eq!(engine.await.unwrap().ok, 1000);
}
#[tokio::test]
async fn a_signal_answers_every_line_that_was_taken_in() {
    let (sender, lines) = mpsc::channel(1);
    let (signal, mut signals) = mpsc::channel(2);
    let (begun, mut seen) = mpsc::unbounded_channel();
    let work = move |_, _, _| {
        let begun = begun.clone();
        async move {
            begun.send(()).unwrap();
            std::future::pending::<Done>().await
        }
    };
    let written = Arc::new(Mutex::new(0));
    let output = Arc::clone(&written);
    let sink = move |event: Output<'_>| {
        if let Output::Line(text) = event {
            assert!(text.contains(r#""outcome":"NotSent""#), "{text}");
            *output.lock().unwrap() += 1;
        }
        Ok(())
    };
    let bounds = limits(3);
    let engine =
        tokio::spawn(async move { super::run(lines, &mut signals, bounds, work, sink).await });
    for number in 0..3 * AHEAD {
        sender.send(text(number)).await.unwrap();
    }
    for _ in 0..3 {
        seen.recv().await.unwrap();
    }
    settle().await;
    signal.send(Signal::Interrupt).await.unwrap();
    signal.send(Signal::Interrupt).await.unwrap();
    let summary = engine.await.unwrap();
    assert!(matches!(
        summary.stop,
        Some(Stop::Signal(Signal::Interrupt))
    ));
    assert_eq!(summary.last, 3 * AHEAD as u64);
    assert_eq!(
        (summary.not_sent, *written.lock().unwrap()),
        (summary.last, summary.last)
    );
    assert!(seen.try_recv().is_err(), "no other began");
    assert!(sender.is_closed());
}
