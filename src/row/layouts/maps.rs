//! Table maps that are cached, with the layouts that were made for them.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Layouts, Mapping};
use crate::binlog::table_map::TableMap;
use crate::schema::known::FullName;

/// Limit of the cache: the columns of all its table maps, which take some 10 MB. It needs a limit, because a server
/// gives a table a new id each time it opens it.
const MAX_CACHED_COLUMNS: usize = 1 << 15;

/// A cached table map, and what was made of it.
pub(super) struct CachedMap {
    pub(super) table: FullName,
    pub(super) body: Vec<u8>,
    pub(super) mapping: Rc<Mapping>,
    /// The statement that it was last logged for.
    pub(super) statement: u64,
}

/// Table maps of a reading of the log: see [`Layouts::take_maps`].
pub struct Maps(HashMap<u64, CachedMap>);

impl Layouts {
    pub(super) fn forget_maps(&mut self) {
        self.maps.clear();
        self.cached_columns = 0;
    }

    /// A statement has ended, and with it its table maps. The server logs them again before the next rows, so cached ones
    /// only save work, and may be dropped.
    pub fn statement_ended(&mut self) {
        self.statement += 1;
    }

    /// The mapping of a table id by its last table map.
    pub fn get(&self, table_id: u64) -> Option<Rc<Mapping>> {
        self.maps.get(&table_id).map(|known| known.mapping.clone())
    }

    /// Whether this is the last table map of its id again.
    #[inline]
    pub fn is_same(&mut self, map: &TableMap<'_>, body: &[u8]) -> bool {
        match self.maps.get_mut(&map.table_id) {
            Some(known) if known.body == body => {
                known.statement = self.statement;
                true
            }
            _ => false,
        }
    }

    /// Takes the cached table maps out, for another reading of the log: there, the same map may have another meaning.
    pub fn take_maps(&mut self) -> Maps {
        self.cached_columns = 0;
        Maps(std::mem::take(&mut self.maps))
    }

    /// Goes on with the table maps of a reading, whose log was written by a server of this version.
    pub fn put_maps_back(&mut self, maps: Maps, version: &str) {
        self.written_by(version);
        self.maps = maps.0;
        self.count_columns();
    }

    /// Caches a table map, and drops those of earlier statements once there are too many.
    pub(super) fn keep(&mut self, table_id: u64, known: CachedMap) {
        self.cached_columns += known.mapping.column_count();
        if let Some(old) = self.maps.insert(table_id, known) {
            self.cached_columns -= old.mapping.column_count();
        }
        if self.cached_columns > MAX_CACHED_COLUMNS {
            self.maps.retain(|_, known| known.statement == self.statement);
            self.count_columns();
        }
    }

    pub(super) fn count_columns(&mut self) {
        self.cached_columns = self.maps.values().map(|known| known.mapping.column_count()).sum();
    }
}
