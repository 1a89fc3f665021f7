//! dumpa's definitions, folded from its `schema` lines, against the server's after each statement.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::shape::Shape;
use super::snapshot::Name;

/// A statement that the server took, and what it changed. A row of the marker table, with the step's number, comes after it.
pub struct Step {
    pub sql: String,
    pub changes: BTreeMap<Name, Option<Shape>>,
}

#[derive(Default)]
pub struct Outcome {
    /// Definitions that were the same, each after a statement that changed it.
    pub same: u64,
    /// Statements after which dumpa did not know a table's definition: its line has no columns.
    pub not_followed: Vec<String>,
    pub differences: Vec<String>,
    /// Steps whose marker was seen.
    pub steps: usize,
}

struct Fold<'a> {
    steps: &'a [Step],
    marker: &'a str,
    ours: BTreeMap<Name, Shape>,
    /// Tables whose definition dumpa does not know.
    unknown: BTreeSet<Name>,
    /// Of those, the ones that the step at hand took away: by another name they may stay.
    left: BTreeSet<Name>,
    servers: BTreeMap<Name, &'a Shape>,
    /// Tables that differ, each told once.
    told: BTreeSet<Name>,
    outcome: Outcome,
}

/// `lines` as dumpa prints them; `marker` is the name of the marker table as it prints it.
pub fn compare<'a>(lines: impl Iterator<Item = &'a str>, steps: &[Step], marker: &str) -> Outcome {
    let mut fold = Fold {
        steps,
        marker,
        ours: BTreeMap::new(),
        unknown: BTreeSet::new(),
        left: BTreeSet::new(),
        servers: BTreeMap::new(),
        told: BTreeSet::new(),
        outcome: Outcome::default(),
    };
    for line in lines {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        fold.line(&line);
    }
    fold.outcome
}

impl Fold<'_> {
    fn line(&mut self, line: &Value) {
        let table = line[1].as_str().expect("a table's name");
        match line[0].as_str() {
            Some("upsert") if table == self.marker => {
                let step = line[3]["n"].as_u64().expect("a step's number") as usize;
                self.check(step);
            }
            Some("schema") if table != self.marker => {
                let name = name_of(table);
                if line[3]["columns"].is_null() {
                    self.ours.remove(&name);
                    // A statement about a table that is not known already is not followed for that reason.
                    let was_known = !self.takes_unknown_name(&name);
                    if self.unknown.insert(name) && was_known {
                        let sql = line[3]["sql"].as_str().expect("the statement");
                        self.outcome.not_followed.push(sql.to_string());
                    }
                    return;
                }
                let shape = Shape::from_line(&line[3]).unwrap_or_else(|| panic!("not a definition: {line}"));
                self.unknown.remove(&name);
                self.ours.insert(name, shape);
            }
            Some("truncate") if table != self.marker => {
                let emptied = |name: &Name| {
                    // Its rows are gone, and the table too if the server says so: a line of TRUNCATE looks alike.
                    let next = self.steps.get(self.outcome.steps);
                    next.is_none_or(|step| matches!(step.changes.get(name), Some(None)))
                };
                let name = name_of(table);
                if emptied(&name) {
                    self.ours.remove(&name);
                    if self.unknown.remove(&name) {
                        self.left.insert(name);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the step gives this name to a table that is not known: then that was counted before.
    fn takes_unknown_name(&self, name: &Name) -> bool {
        let Some(step) = self.steps.get(self.outcome.steps) else { return false };
        let sql = step.sql.to_lowercase();
        let names = |table: &Name| table != name && sql.contains(&table.1);
        let is_other = self.unknown.iter().any(names) && sql.contains("like");
        is_other || !self.left.is_empty() && sql.contains("rename")
    }

    fn check(&mut self, number: usize) {
        assert_eq!(number, self.outcome.steps, "the markers come one after another");
        self.outcome.steps += 1;
        self.left.clear();
        let step = &self.steps[number];
        for (name, shape) in &step.changes {
            match shape {
                Some(shape) => self.servers.insert(name.clone(), shape),
                None => self.servers.remove(name),
            };
        }
        let names: BTreeSet<Name> = self.ours.keys().chain(self.servers.keys()).cloned().collect();
        for name in names.into_iter().filter(|name| !self.unknown.contains(name)).collect::<Vec<_>>() {
            let difference = match (self.ours.get(&name), self.servers.get(&name)) {
                (Some(ours), Some(server)) => ours.differences(server),
                (None, Some(_)) => "    dumpa has no definition of it\n".to_string(),
                _ => "    dumpa has it still, the server does not\n".to_string(),
            };
            if difference.is_empty() {
                self.told.remove(&name);
                self.outcome.same += u64::from(step.changes.contains_key(&name));
            } else if self.told.insert(name.clone()) {
                let history = self.history(&name, number);
                let text = format!("step {number}, table {}.{}\n{difference}{history}", name.0, name.1);
                self.outcome.differences.push(text);
            }
        }
    }

    /// The statements that made the table what it is: since it was there, and under its names before.
    fn history(&self, name: &Name, last: usize) -> String {
        let mut names = BTreeSet::from([name.clone()]);
        let mut kept = vec![last];
        for number in (0..last).rev() {
            let changes = &self.steps[number].changes;
            if !changes.keys().any(|changed| names.contains(changed)) {
                continue;
            }
            kept.push(number);
            // A renamed table takes a name where another goes.
            let sql = self.steps[number].sql.to_lowercase();
            let is_rename = sql.contains("rename");
            if is_rename {
                names.extend(changes.keys().cloned());
            }
            let is_new = changes.iter().any(|(name, shape)| names.contains(name) && shape.is_some());
            if is_new && !is_rename && sql.contains("create") && !sql.contains("index") {
                // A copy is what the other was then.
                let is_copy = sql.contains("like") || sql.contains("select");
                let all = self.steps.iter().flat_map(|step| step.changes.keys());
                let others = all.filter(|(_, table)| is_copy && sql.contains(table));
                let before = names.len();
                names.extend(others.cloned());
                if names.len() == before {
                    break;
                }
            }
        }
        let lines = kept.iter().rev().map(|number| format!("    {number}: {}\n", self.steps[*number].sql));
        lines.collect()
    }
}

/// A line's table: `database.table`. No name here has a dot.
fn name_of(table: &str) -> Name {
    let (db, name) = table.split_once('.').expect("a table with its database");
    (db.to_string(), name.to_string())
}
