//! The calls of SMC without a client, signed by V1.

cumulo_bench::by_hand!(v1);
