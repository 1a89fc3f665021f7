//! The order of a log's files.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::Position;

/// The files of a log in order: as the server lists them, or as given on the command line. Unlisted files are ordered by
/// their numbers, if they have any.
#[derive(Debug, Clone, Default)]
pub struct FileOrder(Vec<String>);

impl FileOrder {
    /// Takes the known files, oldest first.
    pub fn new(files: Vec<String>) -> FileOrder {
        FileOrder(files)
    }

    fn index(&self, file: &str) -> Option<usize> {
        self.0.iter().position(|other| other == file)
    }

    /// Notes that reading reached a file. An unlisted one is newer than all listed ones.
    pub fn came_to(&mut self, file: &str) {
        if self.index(file).is_none() {
            self.0.push(file.to_string());
        }
    }

    /// Whether `one` is known to be at or after `other`.
    pub fn is_at_or_after(&self, one: &Position, other: &Position) -> bool {
        let file = self.compare(&one.file, &other.file);
        let inside = |p: &Position| (p.position, p.row, p.line);
        file.is_some_and(|file| file.then_with(|| inside(one).cmp(&inside(other))).is_ge())
    }

    /// Which of two files comes first; `None` if unknown.
    pub fn compare(&self, one: &str, other: &str) -> Option<Ordering> {
        if one == other {
            return Some(Ordering::Equal);
        }
        compare_ranked((one, self.index(one)), (other, self.index(other)))
    }

    /// The number of each file in the list, for [`compare_ranked`]: looking many files up one by one would take long.
    pub fn ranks<'a>(&self, files: impl Iterator<Item = &'a str>) -> Vec<Option<usize>> {
        let listed: HashMap<&str, usize> = self.0.iter().enumerate().map(|(i, file)| (&**file, i)).collect();
        files.map(|file| listed.get(file).copied()).collect()
    }
}

/// [`FileOrder::compare`], with each file's number in the list.
pub fn compare_ranked(one: (&str, Option<usize>), other: (&str, Option<usize>)) -> Option<Ordering> {
    match (one.1, other.1) {
        _ if one.0 == other.0 => Some(Ordering::Equal),
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => by_number(one.0, other.0),
    }
}

/// Compares the numbers after the last dot, if the rest is the same. They have six digits, later more.
fn by_number(one: &str, other: &str) -> Option<Ordering> {
    let ((base, one), (other_base, other)) = (one.rsplit_once('.')?, other.rsplit_once('.')?);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if base != other_base || !is_number(one) || !is_number(other) {
        return None;
    }
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    Some(one.len().cmp(&other.len()).then_with(|| one.cmp(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_ordered_as_listed_and_others_by_their_number() {
        let mut order =
            FileOrder::new(["z.bin", "a.bin", "old.000009", "new.000001"].map(String::from).into());
        assert_eq!(order.compare("z.bin", "a.bin"), Some(Ordering::Less));
        assert_eq!(order.compare("new.000001", "old.000009"), Some(Ordering::Greater));
        assert_eq!(order.compare("new.000001", "new.000002"), Some(Ordering::Less));
        assert_eq!(order.compare("bin.1000000", "bin.999999"), Some(Ordering::Greater));
        assert_eq!(
            order.compare("bin.99999999999999999999", "bin.100000000000000000000"),
            Some(Ordering::Less)
        );
        assert_eq!(order.compare("b.000001", "b.000001"), Some(Ordering::Equal));
        for (one, other) in [("x.000001", "y.000002"), ("z.bin", "c.bin"), ("bin", "bin.000001")] {
            assert_eq!(order.compare(one, other), None, "{one} {other}");
        }
        order.came_to("newer");
        assert_eq!(order.compare("newer", "new.000001"), Some(Ordering::Greater));
    }
}
