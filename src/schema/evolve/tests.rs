use super::*;
use crate::schema::Generated;
use crate::sql::ddl::{Ddl, read};
use crate::version::Release;

fn session(version: &str) -> Session {
    Session { writer: Release::parse(version, ""), ..Session::default() }
}

/// A definition after these statements: the first creates the table.
fn after(version: &str, statements: &[&str]) -> Understood<Definition> {
    let session = session(version);
    let setting = Setting { session: &session, database_charset: Some("latin1") };
    let mut definition = None;
    for statement in statements {
        definition = Some(match (read(statement.as_bytes(), session)?, definition) {
            (Ddl::Create(body), None) => created(&body, &setting)?,
            (Ddl::Alter(steps), Some(before)) => altered(&before, &steps, &setting)?,
            other => panic!("{other:?}"),
        });
    }
    Ok(definition.expect("a statement"))
}

fn columns(definition: &Definition) -> String {
    let column = |column: &DefinedColumn| {
        let charset = column.charset.as_ref().map(|charset| format!(" {charset}")).unwrap_or_default();
        format!("{} {}{charset}{}", column.name, column.kind, if column.nullable { "" } else { "!" })
    };
    definition.columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

fn keys(definition: &Definition) -> String {
    let key = |key: &DefinedKey| {
        let columns: Vec<&str> = key.columns.iter().flatten().map(String::as_str).collect();
        format!("{}{}({})", key.name, if key.is_unique { "!" } else { "" }, columns.join(","))
    };
    definition.keys.iter().map(key).collect::<Vec<_>>().join(" ")
}

const MYSQL: &str = "8.0.15";

#[test]
fn types_in_every_spelling() {
    let text = "create table t (a serial, b bool, c national varchar(3), d char(4) byte, e float(25), f real, \
         g double precision, h long varchar, i dec, j numeric(4), k int1 zerofill, l middleint unsigned, \
         m character varying(5) character set utf8, n text(300), o text(100) character set utf8mb4, p varchar(70000), \
         q enum('x ', 'it''s', '\\'\\n') collate utf8_bin, r bit, s year, t datetime(3), u geomcollection, v binary, \
         w nchar varchar(2), x char ascii, y varchar(2) unicode, z tinyblob)";
    let definition = after(MYSQL, &[text]).unwrap();
    assert_eq!(
        columns(&definition),
        "a bigint unsigned!, b tinyint, c varchar(3) utf8mb3, d binary(4), e double, f double, g double, \
         h mediumtext latin1, i decimal(10,0), j decimal(4,0), k tinyint unsigned zerofill, l mediumint unsigned, \
         m varchar(5) utf8mb3, n text latin1, o text utf8mb4, p mediumtext latin1, q enum utf8mb3, r bit(1), \
         s year, t datetime(3), u geometrycollection, v binary(1), w varchar(2) utf8mb3, x char(1) latin1, \
         y varchar(2) ucs2, z tinyblob"
    );
    let labels: Vec<_> = definition.columns[16].labels.iter().flatten().map(String::as_str).collect();
    assert_eq!(labels, ["x", "it's", "'\n"]);
    assert_eq!(keys(&definition), "a!(a)");
}

#[test]
fn attributes_of_columns() {
    let text = "create table t (a int not null default -1 comment 'b', b timestamp(2) null default now(2) on update now(2), \
         c int generated always as (a + 1) stored not null, d int as (a) , e varchar(3) default _utf8'x' collate latin2_bin \
         references p (id) on delete set null on update no action, f int default (uuid()) check (f > 0) not enforced, \
         g int invisible default 0.5, h datetime default current_timestamp unique key, i int auto_increment key) engine=innodb \
         default charset utf8mb4 collate utf8mb4_bin comment='x' partition by hash (a) partitions 2";
    let definition = after(MYSQL, &[text]).unwrap();
    assert_eq!(
        columns(&definition),
        "a int!, b timestamp(2), c int!, d int, e varchar(3) latin2, f int, g int, h datetime, i int!"
    );
    let generated: Vec<_> = definition.columns.iter().map(|column| column.generated).collect();
    assert_eq!(generated[2..4], [Some(Generated::Stored), Some(Generated::Virtual)]);
    assert!(definition.columns[6].invisible);
    assert_eq!(keys(&definition), "PRIMARY!(i) h!(h)");
    assert_eq!((&*definition.charset, &*definition.engine), ("utf8mb4", "innodb"));
}

#[test]
fn timestamps_are_not_null_unless_told() {
    let text = "create table t (a timestamp, b timestamp null, c timestamp default null)";
    assert_eq!(columns(&after("5.7.22", &[text]).unwrap()), "a timestamp!, b timestamp, c timestamp!");
    assert_eq!(columns(&after("8.0.15", &[text]).unwrap()), "a timestamp, b timestamp, c timestamp");
}

#[test]
fn keys_get_names_and_an_order() {
    let create = "create table t (a int, b int, c int not null, h text, unique(b), key(a), key(a,b), key(a), unique(c), \
         fulltext(h), e int unique, g int unique key, primary key(c))";
    assert_eq!(
        keys(&after(MYSQL, &[create]).unwrap()),
        "PRIMARY!(c) c!(c) b!(b) e!(e) g!(g) a(a) a_2(a,b) a_3(a) h(h)"
    );
    let create = "create table t (a int, c int not null, d int not null, e text not null, unique u1(a), unique u2(c), \
         unique u3(a,c), key k1(a), unique u4(d,c), unique u5(e(2)))";
    let alter = "alter table t add unique u6(d), add key k2(c), add primary key(d), drop index u2";
    let definition = after(MYSQL, &[create, alter]).unwrap();
    assert_eq!(keys(&definition), "PRIMARY!(d) u4!(d,c) u6!(d) u5!(e) u1!(a) u3!(a,c) k1(a) k2(c)");
    let foreign = "create table t (a int, b int, foreign key (b) references p (id), constraint cc foreign key fk (a) references p (id))";
    assert_eq!(keys(&after(MYSQL, &[foreign]).unwrap()), "b(b) cc(a)");
    assert_eq!(
        keys(&after(MYSQL, &[foreign, "alter table t add key other (b, a)"]).unwrap()),
        "cc(a) other(b,a)"
    );
}

#[test]
fn columns_move_as_in_the_server() {
    let create = "create table t (a int primary key, b int, c int)";
    let alter = |clauses: &str| {
        let definition = after(MYSQL, &[create, &format!("alter table t {clauses}")]).unwrap();
        (columns(&definition), keys(&definition))
    };
    assert_eq!(
        alter("add c2 int first, add c3 int first, modify b int first").0,
        "b int, c3 int, c2 int, a int!, c int"
    );
    assert_eq!(alter("modify c int after a").0, "a int!, c int, b int");
    assert_eq!(alter("rename column b to c, rename column c to b").0, "a int!, c int, b int");
    assert_eq!(alter("change a x bigint, drop b"), ("x bigint!, c int".into(), "PRIMARY!(x)".into()));
    assert_eq!(alter("drop primary key, add unique (a), add (d int, key (d))").1, "a!(a) d(d)");
    assert_eq!(alter("drop a"), ("b int, c int".into(), String::new()));
    assert_eq!(
        alter("alter column c set invisible, alter b set default 3, order by c, force, algorithm=inplace").0,
        "a int!, b int, c int"
    );
}

#[test]
fn character_sets_of_tables_and_conversions() {
    let create = "create table t (a tinytext, b text, c varchar(10), d char(2) character set utf8, e blob, f enum('x'))";
    let convert = "alter table t convert to character set utf8mb4, add g varchar(3)";
    assert_eq!(
        columns(&after(MYSQL, &[create, convert]).unwrap()),
        "a text utf8mb4, b mediumtext utf8mb4, c varchar(10) utf8mb4, d char(2) utf8mb4, e blob, f enum utf8mb4, \
         g varchar(3) utf8mb4"
    );
    let default =
        ["alter table t default charset utf8mb4, engine = myisam", "alter table t add g text, modify c text"];
    assert_eq!(
        columns(&after(MYSQL, &[&[create], &default[..]].concat()).unwrap()),
        "a tinytext latin1, b text latin1, c text utf8mb4, d char(2) utf8mb3, e blob, f enum latin1, g text utf8mb4"
    );
    let binary = "alter table t convert to character set binary";
    assert_eq!(
        columns(&after(MYSQL, &[create, binary]).unwrap()),
        "a tinyblob, b blob, c varbinary(10), d binary(2), e blob, f enum"
    );
}

#[test]
fn indexes_of_foreign_keys() {
    let inline = "create table t (a int references p (id), b int)";
    assert_eq!(keys(&after("8.0.15", &[inline]).unwrap()), "");
    assert_eq!(keys(&after("9.7.0", &[inline]).unwrap()), "a(a)");
    assert_eq!(keys(&after("11.4.5-MariaDB", &[inline]).unwrap()), "a(a)");
    let named = "create table t (a int constraint cc references p (id), b int)";
    assert_eq!(keys(&after("11.4.5-MariaDB", &[named]).unwrap()), "cc(a)");
    // The index that gives way leaves its name.
    let two = ["create table t (a int, foreign key (a) references p (id))", "alter table t add unique (a)"];
    assert_eq!(keys(&after(MYSQL, &two).unwrap()), "a!(a)");
    let two = "create table t (a int, foreign key (a) references p (id), constraint c foreign key (a) references q (id))";
    assert_eq!(keys(&after(MYSQL, &[two]).unwrap()), "c(a)");
}

#[test]
fn servers_differ_in_when_they_sort_indexes() {
    let create = "create table t (a int, b int, unique ua (a), unique ub (b))";
    let modify = "alter table t modify b int not null";
    assert_eq!(keys(&after(MYSQL, &[create, modify]).unwrap()), "ub!(b) ua!(a)");
    let mariadb = |statements: &[&str]| keys(&after("11.4.5-MariaDB", statements).unwrap());
    assert_eq!(mariadb(&[create, modify]), "ua!(a) ub!(b)");
    assert_eq!(mariadb(&[create, modify, "alter table t add key (a)"]), "ub!(b) ua!(a) a(a)");
    assert_eq!(
        mariadb(&["create table t (a text not null, b int, unique (a), unique (b), unique x (a(5)))"]),
        "x!(a) b!(b) a!(a)"
    );
    let keep = "create table t (d int not null, f int not null, unique i10 (f), unique i9 (d)";
    let null = "alter table t modify f int null";
    assert_eq!(mariadb(&[&format!("{keep})"), null]), "i9!(d) i10!(f)");
    assert_eq!(mariadb(&[&format!("{keep}, primary key (d))"), null]), "PRIMARY!(d) i10!(f) i9!(d)");
    let second =
        "create table t (d int not null, f int not null, g int not null, unique (d), unique (f), unique (g))";
    assert_eq!(mariadb(&[second, null]), "d!(d) f!(f) g!(g)");
    // PRIMARY KEY among a column's attributes makes it NOT NULL at once.
    let inline = "create table t (d char(9) not null, unique (e), e int primary key, unique (d(2)))";
    assert_eq!(keys(&after("5.7.22", &[inline]).unwrap()), "PRIMARY!(e) e!(e) d!(d)");
    // The primary key comes after an index on its column.
    let late = "create table t (a int, b int not null, unique ua (a), unique ub (b), primary key (a))";
    assert_eq!(mariadb(&[late]), "PRIMARY!(a) ub!(b) ua!(a)");
    assert_eq!(keys(&after("5.6.24", &[late]).unwrap()), "PRIMARY!(a) ub!(b) ua!(a)");
    assert_eq!(keys(&after(MYSQL, &[late]).unwrap()), "PRIMARY!(a) ub!(b) ua!(a)");
}

#[test]
fn a_dropped_column_takes_its_prefix_along() {
    let create = "create table t (a int not null, b text not null, c char(9), d text not null, unique x (c(3)), \
         unique y (a, b(5)), unique z (b(5), d(5)))";
    let without = |column: &str| after(MYSQL, &[create, &format!("alter table t drop {column}")]);
    assert_eq!(keys(&without("b").unwrap()), "y!(a) z!(d) x!(c)");
    assert_eq!(keys(&without("d").unwrap()), "y!(a,b) z!(b) x!(c)");
    let other = "create table t (a char(3), b text, unique (a, b(5)))";
    assert!(after(MYSQL, &[other, "alter table t drop b"]).is_err());
}

#[test]
fn labels_are_converted_as_in_the_server() {
    let labels = |session: Session, statements: &[&str]| {
        let setting = Setting { session: &session, database_charset: Some("latin1") };
        let mut definition = None;
        for statement in statements {
            definition = Some(match (read(statement.as_bytes(), session)?, definition) {
                (Ddl::Create(body), None) => created(&body, &setting)?,
                (Ddl::Alter(steps), Some(before)) => altered(&before, &steps, &setting)?,
                other => panic!("{other:?}"),
            });
        }
        let labels = definition.expect("a statement").columns.swap_remove(0).labels;
        Ok::<_, NotUnderstood>(labels.into_iter().flatten().collect::<Vec<_>>())
    };
    let utf8 = session(MYSQL);
    let create = "create table t (a enum('é', 'Жя') character set utf8mb4)";
    assert_eq!(labels(utf8, &["create table t (a enum('é', 'Жя'))"]).unwrap(), ["é", "??"]);
    let connection = Session { connection_collation: 8, ..utf8 };
    assert_eq!(labels(connection, &[create]).unwrap(), ["é", "??"]);
    let convert = "alter table t convert to character set latin2";
    assert_eq!(
        labels(utf8, &["create table t (a enum('é') character set utf8mb4)", convert]).unwrap(),
        ["ĂŠ"]
    );
    assert!(labels(utf8, &[create, "alter table t convert to character set utf16"]).is_err());
    let gbk = Session { charset: Some(crate::value::Charset::Gbk), ..utf8 };
    assert!(labels(gbk, &["CREATE TABLE `t` (\n  `a` enum('?'))"]).is_err());
    let ansi = Session { ansi_quotes: true, ..gbk };
    assert!(labels(ansi, &["CREATE TABLE \"t\" (\n  \"a\" enum('?'))"]).is_err());
    // Trailing spaces go, but not of bytes.
    for (end, label) in [
        ("enum('e '))", "e"),
        ("enum('e ') binary)", "e"),
        ("enum('e ')) charset binary", "e "),
        ("enum('e ') collate binary)", "e "),
        ("enum('e ') byte)", "e "),
    ] {
        assert_eq!(labels(utf8, &[&format!("create table t (a {end}")]).unwrap(), [label], "{end}");
    }
}

#[test]
fn first_is_behind_a_primary_key_that_the_server_made() {
    let create = "create table t (my_row_id bigint unsigned not null auto_increment invisible, a int, primary key (my_row_id))";
    let definition = after("9.7.0", &[create, "alter table t add b int first"]).unwrap();
    assert_eq!(columns(&definition), "my_row_id bigint unsigned!, b int, a int");
}

#[test]
fn what_is_not_followed_is_said() {
    let create = "create table t (a int, b int)";
    for alter in [
        "alter table t drop column z",
        "alter table t add b int",
        "alter table t add c int after z",
        "alter table t drop index z",
        "alter table t add index ((a + b))",
        "alter table t add system versioning",
        "alter table t add c sometype",
        "alter table t add c int somehow",
        "alter table t add c varchar(3) character sets utf8",
    ] {
        assert!(after("11.4.5-MariaDB", &[create, alter]).is_err(), "{alter}");
    }
    let nothing =
        "alter table t drop column if exists z, add column if not exists b text, drop index if exists z";
    assert_eq!(columns(&after("11.4.5-MariaDB", &[create, nothing]).unwrap()), "a int, b int");
}

/// Back and forth: the definition before the last statement.
fn undone(version: &str, statements: &[&str], last: &str) -> Understood<Definition> {
    let all: Vec<&str> = statements.iter().copied().chain([last]).collect();
    let session = session(version);
    let setting = Setting { session: &session, database_charset: None };
    let Ddl::Alter(steps) = read(last.as_bytes(), session)? else { panic!("{last}") };
    let after = Partial { definition: after(version, &all)?, unknown: Vec::new() };
    before(&after, &steps, &setting).map(|partial| partial.definition)
}

#[test]
fn what_a_statement_added_or_renamed_is_undone() {
    let create =
        "create table t (a int primary key, b int, c varchar(3), unique (b), key k (c, b)) engine=innodb";
    let wanted = after(MYSQL, &[create]).unwrap();
    for last in [
        "alter table t add d int first",
        "alter table t add d int unique after a, add (e int, index (e, b)), add unique (c), engine=innodb, comment 'x'",
        "alter table t rename column b to c, rename column c to b",
        "alter table t rename column b to d, add b int first",
        "alter table t rename index k to l, add index k (a)",
    ] {
        assert_eq!(undone(MYSQL, &[create], last).as_ref(), Ok(&wanted), "{last}");
    }
    for last in [
        "alter table t modify b bigint",
        "alter table t change b d int",
        "alter table t drop key k",
        "alter table t drop primary key",
        "alter table t convert to character set utf8mb4",
        "alter table t add constraint f foreign key (b) references u (a)",
        "alter table t drop c, add c int",
    ] {
        assert!(undone(MYSQL, &[create], last).is_err(), "{last}");
    }
}
