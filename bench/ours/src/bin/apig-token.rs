//! APIG, with a token of a login.

cumulo_bench::apig!(cumulo_apig::credentials::Static::token("testtoken"));
