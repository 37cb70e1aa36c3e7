//! SMC, signed by V3, and each call on a connection of its own: it must not be sent twice.

cumulo_bench::smc!(V3, form: false, cumulo_smc::access_token::CreateAccessToken);
