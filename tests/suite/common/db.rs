//! A database for one test.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use mysql::prelude::{FromRow, Queryable};
use mysql::{Conn, OptsBuilder};

use super::Server;
use super::server::run_script;

#[derive(Debug)]
pub struct Db<'a> {
    pub server: &'a Server,
    pub name: String,
}

impl<'a> Db<'a> {
    #[track_caller]
    pub(super) fn new(server: &'a Server, hint: &str) -> Db<'a> {
        // Tests of one process, and of several, share a server.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{hint}_{}_{count}", process::id());
        server.sql(&format!("create database `{name}`"));
        Db { server, name }
    }

    /// How root connects to it.
    pub fn opts(&self) -> OptsBuilder {
        self.server.opts().db_name(Some(&self.name))
    }

    #[track_caller]
    pub fn conn(&self) -> Conn {
        Conn::new(self.opts()).unwrap_or_else(|why| panic!("cannot connect to {}: {why}", self.server.name))
    }

    /// Runs a script on a fresh connection: statements that end in `;` at the end of a line.
    #[track_caller]
    pub fn sql(&self, script: &str) {
        run_script(&mut self.conn(), script);
    }

    /// The first row of a query's result.
    #[track_caller]
    pub fn ask<T: FromRow>(&self, query: &str) -> T {
        let row = self.conn().query_first(query);
        row.unwrap_or_else(|why| panic!("{query}: {why}")).unwrap_or_else(|| panic!("no row: {query}"))
    }
}

impl Drop for Db<'_> {
    fn drop(&mut self) {
        // The test may have stopped the server; and a lock held by a failed test must not hang this one.
        if let Ok(mut conn) = Conn::new(self.server.opts()) {
            let _ = conn.query_drop("set lock_wait_timeout = 5");
            let _ = conn.query_drop(format!("drop database `{}`", self.name));
        }
    }
}
