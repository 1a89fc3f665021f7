//! Geometries: `load` and `tail` print them as the server's own ST_AsText does.

use crate::common::*;
use crate::json::{Start, loaded_and_tailed};

const TEXTS: &[&str] = &[
    "POINT(1 2)",
    "POINT(-0.1 85.06)",
    "POINT(0.000001 -89.99999999999999)",
    "LINESTRING(0 0,1.5 -2,3 4)",
    "POLYGON((0 0,4 0,4 4,0 0),(1 0.5,2 0.5,2 1,1 0.5))",
    "MULTILINESTRING((0 0,1 1),(2 2,3 3,4 4))",
    "MULTIPOLYGON(((0 0,4 0,4 4,0 0)),((10 10,14 10,14 14,10 10)))",
    "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))",
];

fn geometries(server: &Server) -> (Db<'_>, Start) {
    let db = server.fresh_db("geometry");
    db.sql("create table shapes (id int primary key auto_increment, g geometry)");
    let start = Start::here(&db);
    (db, start)
}

/// Compares the table `shapes` with what the server says of it.
#[track_caller]
fn check(db: &Db, start: &Start) {
    let query = "select id, st_srid(g), st_astext(g) from shapes order by id";
    let rows: Vec<(u32, u32, String)> = db.conn().query(query).expect("the server's text");
    let wanted: Vec<String> = rows
        .into_iter()
        .map(|(id, srid, wkt)| format!(r#"{{"id":{id},"g":{{"srid":{srid},"wkt":"{wkt}"}}}}"#))
        .collect();
    let printed = loaded_and_tailed(db, "shapes", start);
    let printed: Vec<_> = printed.iter().map(|tuple| tuple.content_text.as_str()).collect();
    assert_eq!(printed, wanted);
}

on_each_server! {
    fn shapes_print_as_the_server_prints_them(server) {
        let (db, start) = geometries(server);
        for srid in [0, 4326, 3857] {
            for text in TEXTS {
                db.sql(&format!("insert into shapes (g) values (st_geomfromtext('{text}', {srid}))"));
            }
        }
        // MySQL 5.6 and 5.7 have no empty ones.
        if server.version() >= (8, 0) {
            db.sql("insert into shapes (g) values (st_geomfromtext('GEOMETRYCOLLECTION EMPTY'))");
        }
        check(&db, &start);
    }

    /// 5.6 and MariaDB print it without the inner parentheses; the same bytes have one text here.
    fn a_multipoint_is_the_same_on_all_servers(server) {
        let (db, start) = geometries(server);
        db.sql("insert into shapes (g) values (st_geomfromtext('MULTIPOINT(1 1,2.5 -2)')), (null)");
        let printed = loaded_and_tailed(&db, "shapes", &start);
        let printed: Vec<_> = printed.iter().map(|tuple| tuple.content_text.as_str()).collect();
        let wanted = [r#"{"id":1,"g":{"srid":0,"wkt":"MULTIPOINT((1 1),(2.5 -2))"}}"#, r#"{"id":2,"g":null}"#];
        assert_eq!(printed, wanted);
    }
}

on_servers!([mysql_9_7] fn spatial_reference_systems(server) {
    let (db, start) = geometries(server);
    db.sql("insert into shapes (g) select st_geomfromtext('POINT(1 2)', srs_id)
        from information_schema.st_spatial_reference_systems");
    check(&db, &start);
});

on_servers!([mysql_9_7] fn coordinates_of_every_size(server) {
    let (db, start) = geometries(server);
    let mut points: Vec<String> = vec!["-0 0".into()];
    for digits in ["1", "-1", "2.5", "-1.2345678901234567", "123456789.1"] {
        points.extend((-323..300).map(|power| format!("{digits}e{power} 0.1e{power}")));
    }
    for points in points.chunks(100) {
        db.sql(&format!("insert into shapes (g) values (st_geomfromtext('LINESTRING({})'))", points.join(",")));
    }
    check(&db, &start);
});

// What a NOT NULL column without a value holds: no bytes at all, which ST_AsText takes for NULL.
on_servers!([mysql_5_6, mariadb_10_11, mariadb_11_4, mariadb_11_8] fn a_geometry_of_no_bytes_is_null(server) {
    let db = server.fresh_db("geometry");
    db.sql("create table shapes (id int primary key, g geometry not null)");
    let start = Start::here(&db);
    db.sql("set sql_mode = '';\ninsert ignore into shapes (id) values (1)");
    assert_eq!(loaded_and_tailed(&db, "shapes", &start)[0].content_text, r#"{"id":1,"g":null}"#);
});
