//! As bare-reqwest, with the parameters as a form.

use cumulo_bench::QUERY;

cumulo_bench::bare!(|client, address| {
    client
        .post(format!("http://{address}/"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(QUERY)
});
