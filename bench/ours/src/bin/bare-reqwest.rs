//! Beneath ours: reqwest, nothing signed, nothing decoded.

use cumulo_bench::QUERY;

cumulo_bench::bare!(|client, address| client.post(format!("http://{address}/?{QUERY}")));
