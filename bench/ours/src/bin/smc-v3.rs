//! SMC, signed by V3, which is the default.

cumulo_bench::smc!(V3, form: false, cumulo_bench::CreateAccessToken);
