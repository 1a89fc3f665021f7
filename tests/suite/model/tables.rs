//! The tables of a round, by what their server does.

/// What is selected; the script changes `x` and `gone_…` too.
pub const TABLES: [&str; 5] = ["a", "b", "k", "m", "r"];
/// What the server does and does not.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    pub is_mariadb: bool,
    pub version: (u32, u32),
    pub gtids: bool,
}

impl Facts {
    pub fn is_mysql_from(self, version: (u32, u32)) -> bool {
        !self.is_mariadb && self.version >= version
    }

    /// A table that is no InnoDB's may be changed within a transaction.
    pub fn mixes_engines(self) -> bool {
        self.is_mariadb || !self.gtids
    }

    /// The log says at the beginning of a transaction when it was committed.
    pub fn times_are_known(self) -> bool {
        self.version != (5, 6)
    }
}

/// The statements that make the tables.
pub fn create(facts: Facts) -> Vec<String> {
    let json = if facts.is_mysql_from((8, 0)) { ", j json" } else { "" };
    vec![
        "create table a (id int primary key, n int, t varchar(40)) engine=innodb".into(),
        format!(
            "create table b (x int, n int, y varchar(10), t varchar(40){json}, primary key (y, x)) engine=innodb"
        ),
        "create table k (n int, u int, t varchar(40), key (n)) engine=innodb".into(),
        "create table m (id int primary key, n int, t varchar(40)) engine=myisam".into(),
        CREATE_R.into(),
        "create table x (id int primary key, n int, t varchar(40)) engine=innodb".into(),
    ]
}

pub const CREATE_R: &str = "create table r (id int primary key, n int, t varchar(40)) engine=innodb";
