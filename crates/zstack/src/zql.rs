//! What conditions of a query cannot say, `or` above all, is said in ZQL: text that looks like SQL, and an
//! answer with a result for each of its statements.

use cumulo_core::record::{self, Record};
use cumulo_core::{Error, Kind};

use crate::management::{ZQLQuery, ZQLQueryReturn};

/// A query in ZQL; several stand apart by `;`. `and` binds before `or`. Values that are not your own go through [`quoted`].
///
/// ```no_run
/// # #[cfg(feature = "vm-instance")] {
/// # use cumulo_zstack::{Client, Error};
/// use cumulo_zstack::{types::VmInstanceInventory, zql};
///
/// # async fn demo(zstack: Client, name: &str) -> Result<(), Error> {
/// let text = format!(
///     "query vminstance where name={} or state='Stopped' return with (total) order by name asc limit 10",
///     zql::quoted(name)
/// );
/// let answer = zql::zql(text).send(&zstack).await?;
/// for result in &answer.results {
///     let machines: Vec<VmInstanceInventory> = result.typed()?;
///     println!("{} of {:?}", machines.len(), result.total);
/// }
/// # Ok(())
/// # }
/// # }
/// ```
pub fn zql(text: impl Into<String>) -> ZQLQuery {
    ZQLQuery::new().zql(text.into())
}

/// `text` as a value of ZQL: in single quotes, those in it doubled.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl ZQLQueryReturn {
    /// The things of this result as what they are: the inventory type of what the statement asks for.
    /// Members of another type than `T` says stay empty, as in all answers.
    ///
    /// Something that is no object is an error (`Kind::InvalidResponse`).
    pub fn typed<T: Record + Default>(&self) -> Result<Vec<T>, Error> {
        let typed = |row: &cumulo_core::Json| {
            let mut thing = T::default();
            record::decode(&mut thing, row.to_string().as_bytes()).map_err(|error| {
                let message = format!("a thing of the result cannot be read: {error}");
                Error::new(Kind::InvalidResponse, "ZQLQuery", message)
            })?;
            Ok(thing)
        };
        self.inventories.iter().map(typed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_in_a_value_are_doubled() {
        assert_eq!(quoted("it's"), "'it''s'");
        assert_eq!(quoted(""), "''");
    }
}
