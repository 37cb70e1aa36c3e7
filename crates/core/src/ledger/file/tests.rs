use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::*;
use crate::ledger::State;

/// A directory of one test's own, removed at its end.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cumulo-ledger-{}-{number}", std::process::id());
        let place = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&place).unwrap();
        Self(place)
    }

    fn file(&self) -> PathBuf {
        self.0.join("ledger")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A disk that fills up, and whose power can be cut.
#[derive(Clone, Default)]
struct FakeDisk(Arc<Mutex<Platter>>);

#[derive(Default)]
struct Platter {
    text: Vec<u8>,
    /// So much of it is safe from a loss of power.
    synced: usize,
    beside: Vec<u8>,
    /// So many bytes fit; no limit when `None`.
    room: Option<usize>,
    sync_fails: bool,
    beside_fails: bool,
}

impl FakeDisk {
    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }

    fn open(&self) -> Result<FileJournal, JournalError> {
        let text = self.platter().text.clone();
        FileJournal::start("fake".into(), Box::new(self.clone()), &text)
    }
}

impl Disk for FakeDisk {
    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let mut platter = self.platter();
        let free = platter
            .room
            .map_or(usize::MAX, |room| room.saturating_sub(platter.text.len()));
        platter.text.extend(&text[..free.min(text.len())]);
        if free < text.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        let mut platter = self.platter();
        if platter.sync_fails {
            return Err(io::ErrorKind::Other.into());
        }
        platter.synced = platter.text.len();
        Ok(())
    }
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut platter = self.platter();
        platter.text.truncate(length as usize);
        platter.synced = platter.synced.min(length as usize);
        Ok(())
    }
    fn write_beside(&mut self, text: &[u8]) -> io::Result<()> {
        let mut platter = self.platter();
        if platter.beside_fails {
            return Err(io::ErrorKind::StorageFull.into());
        }
        platter.beside = text.to_owned();
        Ok(())
    }
    fn put_in_place(&mut self) -> io::Result<()> {
        let mut platter = self.platter();
        platter.text = std::mem::take(&mut platter.beside);
        platter.synced = platter.text.len();
        Ok(())
    }
}

fn entry(number: i64) -> Entry {
    let state = match number % 4 {
        0 => State::Begun,
        1 => State::Unknown,
        2 => State::Rejected,
        _ => State::Done {
            request_id: Some("r-1".into()),
            answer: Some(serde_json::json!({ "Id": "x\n\"y" })),
        },
    };
    let token = (number % 3 > 0).then(|| format!("t-{number}"));
    Entry::new("smc.CreateAccessToken", "00ff", token, state, number)
}

async fn table(journal: &FileJournal) -> Table {
    journal.all().await.unwrap().into_iter().collect()
}

#[derive(Debug, Clone)]
enum Act {
    Put(u8, i64),
    Remove(u8),
    /// The disk has room for so many bytes more, or as many as it likes.
    Room(Option<u16>),
    /// The process ends and another one opens the file.
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..6u8, 0..1000i64).prop_map(|(key, number)| Act::Put(key, number)),
        1 => (0..6u8).prop_map(Act::Remove),
        1 => proptest::option::of(0..400u16).prop_map(Act::Room),
        1 => Just(Act::Reopen),
    ]
}

proptest! {
    /// What was told to be kept is kept, and what was told to have failed has changed nothing,
    /// whenever the disk is full and wherever the power goes.
    #[test]
    fn nothing_that_was_told_is_untrue(acts in proptest::collection::vec(act(), 1..60), torn in 0..300usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let disk = FakeDisk::default();
            let mut journal = disk.open().unwrap();
            let mut told = Table::new();
            for act in acts {
                match act {
                    Act::Put(key, number) => {
                        let key = format!("k{key}");
                        if journal.put(&key, entry(number)).await.is_ok() {
                            told.insert(key, entry(number));
                        }
                    }
                    Act::Remove(key) => {
                        let key = format!("k{key}");
                        if journal.remove(&key).await.is_ok() {
                            told.remove(&key);
                        }
                    }
                    Act::Room(more) => {
                        let mut platter = disk.platter();
                        let now = platter.text.len();
                        platter.room = more.map(|more| now + usize::from(more));
                    }
                    Act::Reopen => {
                        drop(journal);
                        journal = disk.open().unwrap();
                    }
                }
                assert_eq!(table(&journal).await, told);
            }
            // The power goes while a further line is being written: a part of it is there.
            drop(journal);
            let further = line::write("further", Some(&entry(1)));
            {
                let mut platter = disk.platter();
                let synced = platter.synced;
                platter.text.truncate(synced);
                platter.text.extend(&further[..torn % further.len()]);
            }
            let journal = disk.open().unwrap();
            assert_eq!(table(&journal).await, told);
            assert_eq!(journal.torn().is_some(), torn % further.len() > 0);
        });
    }

    /// No bytes make the reader panic, and nothing that is not ours is cut away.
    #[test]
    fn any_file_is_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let disk = FakeDisk::default();
        disk.platter().text.clone_from(&text);
        if disk.open().is_err() {
            assert_eq!(disk.platter().text, text);
        }
    }
}

#[tokio::test]
async fn entries_outlive_the_process() {
    let place = Place::new();
    let journal = FileJournal::open(place.file()).await.unwrap();
    for number in 0..8 {
        journal
            .put(&format!("k{number}"), entry(number))
            .await
            .unwrap();
    }
    journal.remove("k0").await.unwrap();
    let before = table(&journal).await;
    drop(journal);
    let journal = FileJournal::open(place.file()).await.unwrap();
    assert_eq!(table(&journal).await, before);
    assert_eq!(journal.get("k3").await.unwrap(), Some(entry(3)));
    assert_eq!(journal.get("k0").await.unwrap(), None);
    assert_eq!(journal.torn(), None);
}

#[tokio::test]
async fn a_second_opening_is_refused() {
    let place = Place::new();
    let first = FileJournal::open(place.file()).await.unwrap();
    let error = FileJournal::open(place.file()).await.unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    drop(first);
    FileJournal::open(place.file()).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    std::fs::write(place.file(), b"").unwrap();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(place.file(), open).unwrap();
    let journal = FileJournal::open(place.file()).await.unwrap();
    for number in 0..3000 {
        journal.put("k", entry(number)).await.unwrap();
    }
    let mode = std::fs::metadata(place.file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // Written anew on the way: one entry does not fill a file.
    let lines = std::fs::read_to_string(place.file())
        .unwrap()
        .lines()
        .count();
    assert!(lines <= SPARE + 3, "{lines}");
    drop(journal);
    let journal = FileJournal::open(place.file()).await.unwrap();
    assert_eq!(journal.get("k").await.unwrap(), Some(entry(2999)));
}

#[tokio::test]
async fn a_cut_off_line_is_told_and_a_damaged_one_refused() {
    let place = Place::new();
    let whole = line::write("k1", Some(&entry(0)));
    let cut = [&whole[..], &whole[..20]].concat();
    std::fs::write(place.file(), &cut).unwrap();
    let journal = FileJournal::open(place.file()).await.unwrap();
    assert!(journal.torn().unwrap().contains("20 bytes"));
    assert_eq!(journal.get("k1").await.unwrap(), Some(entry(0)));
    journal.put("k2", entry(1)).await.unwrap();
    drop(journal);
    let journal = FileJournal::open(place.file()).await.unwrap();
    assert_eq!(table(&journal).await.len(), 2);
    drop(journal);

    for (text, why) in [
        ([b"{\"v\":1}\n", &whole[..]].concat(), "line 1"),
        ([&whole[..], b"{}\n"].concat(), "line 2"),
        (
            b"{\"v\":2,\"key\":\"k\",\"state\":\"begun\"}\n".to_vec(),
            "version 2",
        ),
        (b"my thesis".to_vec(), "no entry of a ledger"),
    ] {
        std::fs::write(place.file(), &text).unwrap();
        let error = FileJournal::open(place.file()).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(std::fs::read(place.file()).unwrap(), text);
    }
}

#[tokio::test]
async fn what_is_no_file_is_refused_at_once() {
    let place = Place::new();
    let error = FileJournal::open(&place.0).await.unwrap_err();
    assert!(error.to_string().contains("is no file"), "{error}");
    let error = FileJournal::open(place.0.join("a/b")).await.unwrap_err();
    assert!(error.to_string().contains("cannot open"), "{error}");
}

#[tokio::test]
async fn after_a_failed_sync_nothing_more_is_promised() {
    let disk = FakeDisk::default();
    let journal = disk.open().unwrap();
    journal.put("k1", entry(0)).await.unwrap();
    disk.platter().sync_fails = true;
    let error = journal.put("k2", entry(0)).await.unwrap_err();
    assert!(error.to_string().contains("cannot sync"), "{error}");
    disk.platter().sync_fails = false;
    let error = journal.put("k2", entry(0)).await.unwrap_err();
    assert!(error.to_string().contains("open it again"), "{error}");
    assert_eq!(table(&journal).await.len(), 1);
}

#[tokio::test]
async fn a_disk_too_full_to_compact_goes_on() {
    let disk = FakeDisk::default();
    let journal = disk.open().unwrap();
    disk.platter().beside_fails = true;
    let lines = || {
        let platter = disk.platter();
        platter.text.split_inclusive(|byte| *byte == b'\n').count()
    };
    let limit = i64::try_from(SPARE).unwrap() + 2;
    for number in 0..=limit {
        journal.put("k", entry(number)).await.unwrap();
    }
    assert_eq!(lines(), SPARE + 3);
    disk.platter().beside_fails = false;
    for number in 0..=limit {
        journal.put("k", entry(number)).await.unwrap();
    }
    drop(journal);
    assert!(lines() <= SPARE + 3, "{}", lines());
    let journal = disk.open().unwrap();
    assert_eq!(journal.get("k").await.unwrap(), Some(entry(limit)));
}
