//! MySQL's GTID sets: `uuid:1-5:7,uuid:tag:1-3`.

use std::collections::HashMap;

/// A set of transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GtidSet {
    /// First and last number of each interval, by `uuid` or `uuid:tag`.
    intervals: HashMap<String, Vec<(u64, u64)>>,
}

impl GtidSet {
    /// Parses a set; `None` if it is invalid.
    pub fn parse(text: &str) -> Option<GtidSet> {
        let mut set = GtidSet::default();
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        for one in text.split(',').filter(|one| !one.is_empty()) {
            let (uuid, rest) = one.split_once(':')?;
            let mut source = uuid.to_ascii_lowercase();
            for part in rest.split(':') {
                if part.starts_with(|c: char| c.is_ascii_digit()) {
                    let (first, last) = part.split_once('-').unwrap_or((part, part));
                    let interval = (first.parse().ok()?, last.parse().ok()?);
                    set.intervals.entry(source.clone()).or_default().push(interval);
                } else {
                    source = format!("{}:{}", uuid.to_ascii_lowercase(), part.to_ascii_lowercase());
                }
            }
        }
        Some(set)
    }

    /// Whether the set contains a transaction, given as `uuid:number` or `uuid:tag:number`.
    pub fn contains(&self, gtid: &str) -> bool {
        let Some((source, number)) = gtid.rsplit_once(':') else { return false };
        let Ok(number) = number.parse::<u64>() else { return false };
        let intervals = self.intervals.get(source);
        intervals
            .is_some_and(|intervals| intervals.iter().any(|(first, last)| (*first..=*last).contains(&number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_single_numbers_and_tags() {
        let set = GtidSet::parse("AB-1:1-5:7,\nab-2:3:blue:4-6").unwrap();
        for gtid in ["ab-1:1", "ab-1:5", "ab-1:7", "ab-2:3", "ab-2:blue:6"] {
            assert!(set.contains(gtid), "{gtid}");
        }
        for gtid in ["ab-1:6", "ab-2:4", "ab-3:1", "ab-2:blue:7", "0-1-5", ""] {
            assert!(!set.contains(gtid), "{gtid}");
        }
        assert_eq!(GtidSet::parse("nonsense"), None);
        assert_eq!(GtidSet::parse("ab-1:x-y"), Some(GtidSet::default()));
    }
}
