//! The checks: a run is stopped somewhere and resumed; both together must be the one run's output.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::log::At;
use super::world::{Case, Limit, Out, World, saved};
use crate::common::*;
use crate::property::random::Random;

/// What is tried.
#[derive(Debug, Clone)]
pub enum Check {
    /// Resumed from this line.
    FromLine(usize),
    /// Resumed from a line, or from the start, and stopped at another.
    Slice(Option<usize>, usize),
    /// Stopped at a place, from the start or from a line.
    Until(Option<usize>, At),
    /// Begun at a place, as it was given by hand.
    From(At),
    /// Files that end at a place, or so many bytes after it.
    Cut(Option<usize>, At, u64),
    /// A full disk after so many bytes.
    Bytes(Option<usize>, u64),
    /// A reader that goes away after so many lines.
    Close(usize),
    /// Transactions up to the one of this line are in `gtid_set`, but perhaps for a hole; stopped at a place.
    GtidSet(usize, Option<usize>, At),
}

impl World<'_> {
    /// So many of each kind, or all of it.
    pub fn choose(&self, random: &mut Random, each: usize) -> Vec<Check> {
        let lines = self.reference.len();
        let places: Vec<At> =
            self.log.places().into_iter().filter(|at| self.start <= *at && *at <= self.end).collect();
        let mut checks = Vec::new();
        checks.extend(sample(random, lines, each).into_iter().map(Check::FromLine));
        checks.extend(sample(random, lines, each).into_iter().map(|i| Check::Slice(None, i)));
        for i in sample(random, lines, each / 2) {
            checks.push(Check::Slice(Some(i), i + random.below((lines - i) as u64) as usize));
        }
        for i in sample(random, places.len(), each) {
            checks.push(Check::Until(self.line_before(random, places[i]), places[i]));
        }
        checks.extend(sample(random, places.len(), each).into_iter().map(|i| Check::From(places[i])));
        if self.is_files {
            for i in sample(random, places.len(), each) {
                let more = if random.one_in(4) { random.between(1, 25) } else { 0 };
                checks.push(Check::Cut(self.line_before(random, places[i]), places[i], more));
            }
        }
        let bytes: usize = self.reference.iter().map(|line| line.len() + 1).sum();
        for _ in 0..each / 2 {
            checks.push(Check::Bytes(None, random.below(bytes as u64 + 1)));
            if lines > 0 {
                checks.push(Check::Close(random.below(lines as u64 + 1) as usize));
            }
        }
        let has_gtids =
            self.server.is_mysql() && self.reference.first().is_some_and(|line| line.contains("\"gtid\":"));
        for i in sample(random, if has_gtids { lines } else { 0 }, each / 2) {
            let hole = random.one_in(2).then(|| random.below(i as u64 + 1) as usize);
            let at = places[random.below(places.len() as u64) as usize];
            checks.push(Check::GtidSet(i, hole, at));
        }
        checks
    }

    /// A line whose place is not beyond this one; or none, for the start.
    fn line_before(&self, random: &mut Random, at: At) -> Option<usize> {
        let count = self.lines.iter().filter(|line| line.end <= at).count();
        (count > 0 && random.one_in(2)).then(|| random.below(count as u64) as usize)
    }

    pub fn check(&self, check: &Check) {
        match *check {
            Check::FromLine(i) => self.after_line(i),
            Check::Slice(from, until) => self.slice(from, until),
            Check::Until(from, at) => self.until(from, at),
            Check::From(at) => self.begun_at(at),
            Check::Cut(from, at, more) => self.cut(from, at, more),
            Check::Bytes(from, count) => self.bytes(from, count),
            Check::Close(count) => self.close(count),
            Check::GtidSet(last, hole, at) => self.gtid_set(last, hole, at),
        }
    }

    fn begin(&self, from: Option<usize>) -> (Case, usize) {
        match from {
            Some(i) => (self.case(self.line_file(i)), i + 1),
            None => (self.case(self.log.text(self.start)), 0),
        }
    }

    /// Whether a run printed exactly this, and ended without an error.
    fn is(&self, check: &str, out: &Out, code: i32, wanted: &[String], what: &str) -> bool {
        let good = out.code == Some(code) && out.lines == wanted;
        if !good {
            self.fail(check, out, what, wanted);
        }
        good
    }

    /// What was saved is a place from which all the rest follows.
    fn saved_resumes(&self, check: &str, out: &Out, rest: &[String]) {
        let Some(position) = saved(&out.saved) else {
            return self.fail(check, out, "no position was saved", rest);
        };
        let again = self.run(&self.to_end(out.saved.to_string_lossy()));
        let what = format!("resumed from what was saved, {position}, by {}", out.command);
        if self.is(check, &again, 0, rest, &what) {
            self.saved_the_end(check, &again);
        }
    }

    /// A run to the end saves what the one run saved, however it began.
    fn saved_the_end(&self, check: &str, out: &Out) {
        let of = |key: &str| saved(&out.saved).map(|saved| saved[key].clone());
        let same = ["file", "position", "row", "line"]
            .iter()
            .all(|key| of(key) == Some(self.saved_end[key].clone()));
        if !same {
            self.fail(check, out, &format!("the end that is saved is another than {}", self.saved_end), &[]);
        }
    }

    fn after_line(&self, i: usize) {
        let line = &self.reference[i];
        let out = self.run(&self.to_end(self.line_file(i)));
        if self.is("from-line", &out, 0, &self.reference[i + 1..], &format!("resumed from line {i}, {line}"))
        {
            self.saved_the_end("from-line", &out);
        }
        if self.is_files {
            let out = self.run(&self.case(self.line_file(i)));
            let what = format!("resumed from line {i} to the end of the files, {line}");
            if self.end_is_the_files_end() && self.is("from-line", &out, 0, &self.reference[i + 1..], &what) {
                self.saved_resumes("from-line", &out, &[]);
            }
        }
    }

    fn end_is_the_files_end(&self) -> bool {
        let last = self.log.paths.last().expect("a file");
        fs::metadata(last).expect("a file").len() == self.end.offset
    }

    fn slice(&self, from: Option<usize>, until: usize) {
        let (case, begun) = self.begin(from);
        let out = self.run(&Case { until: Some(self.line_file(until)), ..case });
        let wanted = self.reference.get(begun..=until).unwrap_or_default();
        let what = format!("from line {from:?} until line {until}, {}", self.reference[until]);
        if self.is("until-line", &out, 0, wanted, &what) {
            self.saved_resumes("until-line", &out, &self.reference[until + 1..]);
        }
    }

    /// How many lines are of transactions that end at or before a place, and how many of those that begin before it.
    fn counts(&self, at: At) -> (usize, usize) {
        let ended = self.lines.iter().filter(|line| line.end <= at).count();
        let begun = self.lines.iter().filter(|line| line.start < at).count();
        (ended, begun)
    }

    fn until(&self, from: Option<usize>, at: At) {
        let (case, done) = self.begin(from);
        let out = self.run(&Case { until: Some(self.log.text(at)), ..case });
        let (ended, begun) = self.counts(at);
        let reached = done + out.lines.len();
        // One that begins before the place and ends behind it is printed, or it is not.
        let is_boundary = reached == ended.max(done) || reached == begun.max(done);
        let wanted =
            if is_boundary { &self.reference[done..reached] } else { &self.reference[done..begun.max(done)] };
        if self.is("until-event", &out, 0, wanted, &format!("from line {from:?} until {}", self.log.text(at)))
        {
            self.saved_resumes("until-event", &out, &self.reference[reached..]);
        }
    }

    fn begun_at(&self, at: At) {
        let place = self.log.text(at);
        let out = self.run(&self.to_end(&place));
        if !self.is_files {
            let verdict = Dumpa::without_db(self.server).args(["validate-pos", &place]).run();
            if verdict.code != out.code {
                let what =
                    format!("validate-pos exits with {:?}, tail does not: {}", verdict.code, verdict.text());
                self.fail("validate-pos", &out, &what, &[]);
            }
        }
        let is_outside = self.log.is_outside(at);
        let (ended, begun) = self.counts(at);
        let content = |lines: &[String]| -> Vec<String> {
            lines.iter().map(|line| Tuple::parse(line).without_metadata()).collect()
        };
        match out.code {
            Some(0) if is_outside => {
                if self.is("from-event", &out, 0, &self.reference[begun..], &format!("begun at {place}")) {
                    self.saved_the_end("from-event", &out);
                }
            }
            // Inside of a transaction, but before its rows: lines before it may be missing.
            Some(0) => {
                let got = content(&out.lines);
                let all = content(&self.reference);
                if got != all[ended..] {
                    self.fail(
                        "from-event",
                        &out,
                        &format!("begun inside, at {place}"),
                        &self.reference[ended..],
                    );
                }
            }
            Some(3) if !is_outside && out.lines.is_empty() => {}
            _ => self.fail("from-event", &out, &format!("begun at {place}"), &self.reference[begun..]),
        }
    }

    fn cut(&self, from: Option<usize>, at: At, more: u64) {
        let (case, done) = self.begin(from);
        let folder = self.home.file(&format!("cut{}", self.count()));
        fs::create_dir(&folder).expect("a folder");
        let source = &self.log.paths[at.file];
        let copy = folder.join(source.file_name().expect("a name"));
        let mut bytes = fs::read(source).expect("a log file");
        let len = (at.offset + more) as usize;
        let more = if len < bytes.len() { more } else { 0 };
        bytes.truncate(len.min(bytes.len()));
        fs::write(&copy, bytes).expect("a copy");
        let mut files = self.log.paths[..at.file].to_vec();
        files.push(copy);
        let out = self.run(&Case { files: Some(files), ..case });
        let _ = fs::remove_dir_all(folder);
        let outside = self.log.is_outside(at) && !self.ends_inside_an_event(at, more);
        let (ended, begun) = self.counts(at);
        let reached = done + out.lines.len();
        // Of a large transaction the first lines may be there, of which none is known to be the last.
        let may_be = (ended.max(done)..=begun.max(done)).contains(&reached);
        let mut wanted = self.reference[done..if may_be { reached } else { ended.max(done) }].to_vec();
        if let (true, Some(got), Some(last)) =
            (reached > ended.max(done), out.lines.last(), wanted.last_mut())
            && Tuple::parse(got).without_metadata() == Tuple::parse(last).without_metadata()
        {
            last.clone_from(got);
        }
        let what = format!("from line {from:?}, the file ends at {} + {more}", self.log.text(at));
        if self.is("cut", &out, if outside { 0 } else { 4 }, &wanted, &what) {
            match saved(&out.saved) {
                Some(_) => self.saved_resumes("cut", &out, &self.reference[reached..]),
                None if reached > done => self.fail("cut", &out, "no position was saved", &wanted),
                None => {}
            }
        }
    }

    /// Whether a file that ends so many bytes behind a place ends in the middle of an event.
    fn ends_inside_an_event(&self, at: At, more: u64) -> bool {
        let ends = |event: &&super::log::Event| event.at.file == at.file && event.end == at.offset + more;
        more > 0 && self.log.events.iter().find(ends).is_none()
    }

    fn bytes(&self, from: Option<usize>, count: u64) {
        let (_, done) = self.begin(from);
        let case = Case { limit: Limit::Bytes(count), ..self.to_end(self.begin(from).0.from) };
        let out = self.run(&case);
        let rest = &self.reference[done..];
        let all: usize = rest.iter().map(|line| line.len() + 1).sum();
        let whole = out.lines.len();
        if out.lines != rest[..whole.min(rest.len())] || out.bytes != all.min(count as usize) {
            return self.fail("bytes", &out, &format!("{count} bytes fit, {} came", out.bytes), rest);
        }
        self.goes_on("bytes", &out, done + whole);
    }

    fn close(&self, count: usize) {
        let case = self.to_end(self.log.text(self.start));
        let out = self.run(&Case { limit: Limit::Lines(count), ..case });
        if self.is("close", &out, 0, &self.reference[..count], &format!("closed after {count} lines")) {
            // What is in the pipe has been written, though nobody reads it.
            if saved(&out.saved).is_some() {
                let again = self.run(&self.to_end(out.saved.to_string_lossy()));
                let rest = &self.reference[self.reference.len().saturating_sub(again.lines.len())..];
                self.is("close", &again, 0, rest, "resumed from what was saved before the reader went");
            }
            self.last_line_resumes("close", &out, count);
        }
    }

    /// After `reached` lines: the last of them is a place to go on from, and what was saved is none beyond it.
    fn goes_on(&self, check: &str, out: &Out, reached: usize) {
        if saved(&out.saved).is_some() {
            let again = self.run(&self.to_end(out.saved.to_string_lossy()));
            let count = again.lines.len().clamp(self.reference.len() - reached, self.reference.len());
            let rest = &self.reference[self.reference.len() - count..];
            self.is(check, &again, 0, rest, &format!("resumed from what was saved, by {}", out.command));
        }
        self.last_line_resumes(check, out, reached);
    }

    fn last_line_resumes(&self, check: &str, out: &Out, reached: usize) {
        if reached > 0 {
            let again = self.run(&self.to_end(self.line_file(reached - 1)));
            let what = format!("resumed from the last line of {}", out.command);
            self.is(check, &again, 0, &self.reference[reached..], &what);
        }
    }

    fn gtid_set(&self, last: usize, hole: Option<usize>, at: At) {
        let gtid = |i: usize| {
            let metadata = Tuple::parse(&self.reference[i]).metadata;
            let (uuid, number) =
                metadata["gtid"].as_str().and_then(|text| text.split_once(':')).expect("a GTID");
            (uuid.to_string(), number.parse::<u64>().expect("a number"))
        };
        let (uuid, until) = gtid(last);
        let mut done: BTreeSet<u64> = (gtid(0).1..=until).collect();
        if let Some(hole) = hole {
            done.remove(&gtid(hole).1);
        }
        let parts: Vec<String> = done.iter().map(|n| format!("{n}-{n}")).collect();
        if parts.is_empty() {
            return;
        }
        let from = self.home.file(&format!("set{}.json", self.count()));
        let position = json!({
            "file": self.log.names[self.start.file], "position": self.start.offset,
            "gtid_set": format!("{uuid}:{}", parts.join(":"))
        });
        fs::write(&from, position.to_string()).expect("a file");
        let mut out = self.run(&Case { until: Some(self.log.text(at)), ..self.case(from.to_string_lossy()) });
        let last_line = out.lines.last().cloned();
        out.lines.iter_mut().for_each(without_set);
        let left: Vec<usize> = (0..self.reference.len()).filter(|i| !done.contains(&gtid(*i).1)).collect();
        let lines =
            |all: &[usize]| -> Vec<String> { all.iter().map(|i| self.reference[*i].clone()).collect() };
        let (ended, begun) = self.counts(at);
        let before = |count: usize| left.partition_point(|i| *i < count);
        let split = before(if out.lines.len() > before(ended) { begun } else { ended });
        let what = format!("without {position} until {}", self.log.text(at));
        if !self.is("gtid-set", &out, 0, &lines(&left[..split]), &what) {
            return;
        }
        // Both the saved position and the last line have the `gtid_set`.
        let last = self.home.file(&format!("last{}.json", self.count()));
        let mut places = vec![out.saved.clone()];
        if let Some(line) = last_line {
            fs::write(&last, line).expect("a file");
            places.push(last);
        }
        for place in places {
            let mut again = self.run(&self.to_end(place.to_string_lossy()));
            again.lines.iter_mut().for_each(without_set);
            let what = format!("resumed from what was saved or printed by {}", out.command);
            self.is("gtid-set", &again, 0, &lines(&left[split..]), &what);
        }
    }
}

/// A line without the transactions that are done behind it.
fn without_set(line: &mut String) {
    const BEGIN: &str = ",\"gtid_set\":\"";
    if let Some(at) = line.rfind(BEGIN)
        && let Some(len) = line[at + BEGIN.len()..].find('"')
    {
        line.replace_range(at..at + BEGIN.len() + len + 1, "");
    }
}

/// So many of the numbers below a limit.
fn sample(random: &mut Random, below: usize, count: usize) -> BTreeSet<usize> {
    if below <= count {
        return (0..below).collect();
    }
    (0..count).map(|_| random.below(below as u64) as usize).collect()
}
