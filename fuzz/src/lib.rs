//! What fuzz targets share: bytes taken apart, memory counted, a record with members of every kind.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cumulo_core::record::{Json, Secret, Timestamp};
use cumulo_core::{input, output};

/// Counts what is allocated, and the most that ever was at once.
struct Meter;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn more(bytes: usize) {
    let now = NOW.fetch_add(bytes, Relaxed).wrapping_add(bytes);
    MOST.fetch_max(now, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; counting touches no memory of others.
unsafe impl GlobalAlloc for Meter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        more(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static METER: Meter = Meter;

/// What `work` gives, and how many bytes it held at most.
pub fn metered<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let result = work();
    (result, MOST.load(Relaxed).saturating_sub(before))
}

/// Takes a byte off the front; zero at the end.
pub fn byte(data: &mut &[u8]) -> u8 {
    match data.split_first() {
        Some((first, rest)) => {
            *data = rest;
            *first
        }
        None => 0,
    }
}

/// Takes a text off the front, up to a line break.
pub fn line<'a>(data: &mut &'a str) -> &'a str {
    let (line, rest) = data.split_once('\n').unwrap_or((data, ""));
    *data = rest;
    line
}

output! {
    /// A member of every kind, nested in itself.
    Everything {
        "Id" id: Option<String>,
        "Size" size: Option<i64>,
        "Ratio" ratio: Option<f64>,
        "Ready" ready: Option<bool>,
        "Code" code: Option<Secret>,
        "Made" made: Option<Timestamp>,
        "State" state: Option<String> [named("name")],
        "Any" any: Option<Json>,
        "Tags" tags: BTreeMap<String, String>,
        "Sizes" sizes: BTreeMap<String, i64>,
        "Names" names: Vec<String>,
        "Codes" codes: Vec<Secret>,
        "Items" items: Vec<Everything> [wrapped("Item")],
        "Plain" plain: Vec<Everything>,
        "ByName" by_name: BTreeMap<String, Everything>,
        "Inner" inner: Option<Box<Everything>>,
    }
}

input! {
    /// What a caller gives: members that must be there.
    Given;
    required {
        "Name" name: String,
        "Size" size: i64,
    }
    optional {
        "Ratio" ratio: f64,
        "Ready" ready: bool,
        "Password" password: Secret,
        "Any" any: Json,
        "Ids" ids: Vec<String> [comma()],
        "Items" items: Vec<Given> [wrapped("Item")],
        "More" more: BTreeMap<String, Given>,
    }
}
