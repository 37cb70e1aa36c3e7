//! Does the local cloud do what the real services do? One program, so that it links once.

mod alibaba;
mod alibaba_gateway;
mod alibaba_modelled;
mod common;
mod control;
mod front;
mod huawei;
mod huawei_bound;
mod huawei_gateway;
mod huawei_identity;
mod huawei_modelled;
mod kept;
mod rows;
mod zstack;
mod zstack_modelled;
mod zstack_rest;
