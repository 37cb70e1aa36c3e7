//! SMC, signed by V1.

cumulo_bench::smc!(V1, form: false, cumulo_bench::CreateAccessToken);
