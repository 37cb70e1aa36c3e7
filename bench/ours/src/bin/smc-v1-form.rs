//! SMC, signed by V1, with its parameters as a form.

cumulo_bench::smc!(V1, form: true, cumulo_bench::CreateAccessToken);
