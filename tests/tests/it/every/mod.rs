//! What the every-operation test is made of: the model, inputs and answers made from it, what must
//! stand on the wire, the driver, and the report.

pub(crate) mod compare;
pub(crate) mod drive;
pub(crate) mod expect;
pub(crate) mod model;
pub(crate) mod report;
pub(crate) mod seen;
pub(crate) mod special;
pub(crate) mod values;
