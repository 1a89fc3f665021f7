//! Statements that add and drop foreign keys: those that delete or change rows do so without row events on most servers, and
//! give one warning.

use super::Steps;
use super::full_effect::FullEffect;
use crate::position::Position;
use crate::schema::foreign_keys::ForeignKey;
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::effect::{self, Effect, Identifier, TableChange, TableName};

impl Steps<'_> {
    /// Records what a statement did to the foreign keys of selected tables, and warns of those that change rows.
    pub(super) fn take_in_foreign_keys(&mut self, effects: &[FullEffect], place: &Place) {
        for effect in effects {
            let Effect::Table(table, change) = effect else { continue };
            let is_wanted = self.is_wanted(table);
            let keys = &mut self.layouts.foreign_keys;
            match change {
                TableChange::Created { if_not_exists: false, .. } if is_wanted => keys.table_created(table),
                TableChange::Gone => keys.table_gone(table),
                TableChange::RenamedTo(to) => keys.table_renamed(table, to),
                TableChange::ForeignKeysAdded(added) if is_wanted => {
                    let honors_inline =
                        self.layouts.writer().is_some_and(|writer| writer.honors_inline_keys());
                    let added = added.iter().filter(|key| honors_inline || !key.is_inline);
                    self.layouts.foreign_keys_added(table, &added.map(converted).collect::<Vec<_>>());
                }
                TableChange::ForeignKeyDropped { name, may_be_other } if is_wanted => {
                    self.foreign_key_dropped(table, name, *may_be_other, place);
                }
                _ => {}
            }
        }
    }

    fn foreign_key_dropped(
        &mut self,
        table: &FullName,
        name: &Identifier,
        may_be_other: bool,
        place: &Place,
    ) {
        let name = name.as_deref().unwrap_or("?");
        let here = Position::new(&*place.file, place.start);
        let writer = self.layouts.writer();
        let keys = &self.layouts.foreign_keys;
        if !keys.may_have_changed(table, name, writer, &here, self.cursor.order()) {
            return;
        }
        let (what, condition) = match may_be_other {
            true => ("constraint", "a foreign key with"),
            false => ("foreign key", "one with"),
        };
        let warning = format!(
            "{}: {what} `{name}` was dropped at {place}. If it was {condition} CASCADE or SET NULL, it may have changed rows \
             before, which this server does not log: such changes are not printed",
            self.layouts.selection().printed(&table.0, &table.1)
        );
        self.layouts.warnings.push(warning);
    }
}

fn converted(key: &effect::ForeignKey) -> ForeignKey {
    let shown = |name: &Identifier| name.clone().unwrap_or_else(|| "?".to_string());
    let TableName { database, table } = &key.parent;
    let parent = match database {
        Some(database) => format!("{}.{}", shown(database), shown(table)),
        None => shown(table),
    };
    ForeignKey {
        name: key.name.as_ref().map(shown),
        parent,
        on_delete: key.on_delete.to_string(),
        on_update: key.on_update.to_string(),
    }
}
