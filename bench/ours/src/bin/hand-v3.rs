//! The calls of SMC without a client, signed by V3.

cumulo_bench::by_hand!(v3);
