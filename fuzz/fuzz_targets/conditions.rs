//! ZStack conditions, as the server takes them apart: every accepted one means what was asked.

#![no_main]

use cumulo_core::record::Record as _;
use cumulo_fuzz::line;
use cumulo_localcloud::fuzzing::condition;
use cumulo_zstack::Query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut rest = text;
    let field = line(&mut rest);
    let value = rest;
    let listed = || value.split('\n');
    let made = [
        ("=", Query::new().eq(field, value)),
        ("!=", Query::new().ne(field, value)),
        (">", Query::new().gt(field, value)),
        (">=", Query::new().ge(field, value)),
        ("<", Query::new().lt(field, value)),
        ("<=", Query::new().le(field, value)),
        ("~=", Query::new().like(field, value)),
        ("!~=", Query::new().not_like(field, value)),
        ("?=", Query::new().in_(field, listed())),
        ("!?=", Query::new().not_in(field, listed())),
        ("is null", Query::new().is_null(field)),
        ("not null", Query::new().not_null(field)),
    ];
    for (operator, query) in made {
        if query.refused().is_some() {
            continue;
        }
        let [made] = &query.conditions[..] else {
            panic!("one condition: {query:?}")
        };
        let wanted = match operator {
            "is null" | "not null" => String::new(),
            "?=" | "!?=" => value.replace('\n', ","),
            _ => value.to_owned(),
        };
        let (read_field, read_operator, read_value) = condition(made).expect("it has an operator");
        assert_eq!((read_operator, read_value), (operator, &*wanted), "{made}");
        // The server overlooks white space around a field.
        assert_eq!(read_field, field.trim(), "{made}");
    }
});
