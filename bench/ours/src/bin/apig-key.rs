//! APIG, signed by access key and secret.

cumulo_bench::apig!(cumulo_apig::credentials::Static::keys(
    "testid",
    "testsecret"
));
