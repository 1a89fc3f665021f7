//! MERGE tables: each shows the rows of the tables in its UNION. A change through one of them is logged for that one only.

use std::collections::HashMap;

use anyhow::{Context, Result};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use super::known::FullName;
use super::quoting::{quoted, quoted_name};
use super::selection::Selection;

/// The MERGE tables known, with the tables of their UNIONs.
#[derive(Debug, Default)]
pub struct MergeTables {
    unions: HashMap<FullName, Vec<FullName>>,
}

impl MergeTables {
    pub fn add(&mut self, table: FullName, union: Vec<FullName>) {
        self.unions.insert(table, union);
    }

    pub fn gone(&mut self, table: &FullName) {
        self.unions.remove(table);
    }

    pub fn renamed(&mut self, from: &FullName, to: &FullName) {
        self.unions.remove(to);
        if let Some(union) = self.unions.remove(from) {
            self.unions.insert(to.clone(), union);
        }
    }

    pub fn database_gone(&mut self, database: &str) {
        self.unions.retain(|table, _| table.0 != database);
    }

    /// The tables of a MERGE table's UNION; `None` if it is not known to be one.
    pub fn union(&self, table: &FullName) -> Option<&Vec<FullName>> {
        self.unions.get(table)
    }

    /// Whether a table is a MERGE table, or in the UNION of one.
    pub fn concerns(&self, table: &FullName) -> bool {
        self.union(table).is_some() || self.unions.values().any(|union| union.contains(table))
    }

    /// The selected tables of a MERGE table's UNION, for messages; `None` if there are none.
    pub fn selected_members(&self, table: &FullName, selection: &Selection) -> Option<String> {
        let selected = self.unions.get(table).into_iter().flatten();
        let selected = selected.filter(|(database, table)| selection.selects(database, table));
        let names: Vec<String> =
            selected.map(|(database, table)| selection.printed(database, table)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// Asks the catalog for the MERGE tables of a database, and their UNIONs.
pub fn ask(conn: &mut Conn, database: &str) -> Result<Vec<(FullName, Vec<FullName>)>> {
    let query = "SELECT TABLE_NAME FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = ? AND ENGINE = 'MRG_MYISAM'";
    let names: Vec<String> = conn
        .exec(query, (database,))
        .with_context(|| format!("cannot list the MERGE tables of {database}"))?;
    let mut tables = Vec::new();
    for name in names {
        let create = format!("SHOW CREATE TABLE {}", quoted(database, &name));
        let union = match conn.query_first::<Row, _>(create) {
            Ok(row) => row.and_then(|row| row.get::<String, _>(1)).unwrap_or_default(),
            // Some table of the UNION is missing, or another kind of table.
            Err(mysql::Error::MySqlError(_)) => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot ask for the UNION of {database}.{name}"));
            }
        };
        let union = union_of(&union, database);
        tables.push(((database.to_string(), name), union));
    }
    Ok(tables)
}

/// The tables in ``UNION=(`a`,`d`.`b`)``, which SHOW CREATE TABLE writes at its end.
fn union_of(create: &str, database: &str) -> Vec<FullName> {
    let mut rest = create.rsplit_once("UNION=(").map_or("", |(_, rest)| rest);
    let mut tables = Vec::new();
    while let Some((first, after)) = quoted_name(rest) {
        let second = after.strip_prefix('.').and_then(quoted_name);
        let (table, after) = match second {
            Some((second, after)) => ((first, second), after),
            None => ((database.to_string(), first), after),
        };
        tables.push(table);
        rest = after.strip_prefix(',').unwrap_or_default();
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_union_of_a_merge_table() {
        let of = |text| union_of(text, "d");
        let name = |database: &str, table: &str| (database.to_string(), table.to_string());
        let text = "CREATE TABLE `m` (\n) ENGINE=MRG_MyISAM INSERT_METHOD=LAST UNION=(`a`,`e``f`.`b`)";
        assert_eq!(of(text), [name("d", "a"), name("e`f", "b")]);
        assert_eq!(of("CREATE TABLE `m` (\n) ENGINE=MRG_MyISAM"), []);
    }
}
