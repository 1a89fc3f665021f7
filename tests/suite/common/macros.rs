//! One test body, a test for each server.

/// What [`on_each_server!`] runs on: `all_servers` in `tests/servers/lib.sh`.
pub const ALL_SERVERS: [&str; 7] =
    ["mariadb-10.11", "mariadb-11.4", "mariadb-11.8", "mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9.7"];

/// `on_each_server! { fn name(server) { … } }` makes a test for each of `all_servers` in `tests/servers/lib.sh`:
/// `name::mariadb_10_11`, `name::mysql_5_7` …; in the body `server` is a [`&Server`](super::Server), the one that
/// all tests share.
macro_rules! on_each_server {
    ($($(#[$meta:meta])* fn $name:ident($server:ident) $body:block)+) => {
        $crate::common::on_servers!(
            $([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_5_6, mysql_5_7, mysql_8_0, mysql_9_7]
            $(#[$meta])* fn $name($server) $body)+
        );
    };
}

/// The same for some of them: `on_servers!([mysql_9_7, mysql_5_6] fn name(server) { … })`.
macro_rules! on_servers {
    ($([$($id:ident),+ $(,)?] $(#[$meta:meta])* fn $name:ident($server:ident) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[$meta])*
            fn body($server: &$crate::common::Server) $body

            $(
                #[test]
                #[ignore = "needs a server: run tests/run"]
                fn $id() {
                    body(&$crate::common::Server::get(&$crate::common::Server::name_of(stringify!($id))));
                }
            )+
        })+
    };
}

pub(crate) use {on_each_server, on_servers};
