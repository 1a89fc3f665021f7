//! dumpa beside the programs that people use today, on the same logs and tables: `tests/bench/run` starts the server
//! and runs this. Peak memory is the kernel's count for the process; times are from start to end.

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use mysql::{BinlogDumpFlags, BinlogRequest, Conn, Opts, OptsBuilder};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DUMPA: &str = env!("CARGO_BIN_EXE_dumpa");
/// How often small things are run.
const OFTEN: usize = 30;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [first, socket, file] = &args[..]
        && first == "--floor"
    {
        return floor(socket, file);
    }
    let [dir, rounds] = &args[..] else { return Err("run tests/bench/run instead".into()) };
    let bench = Bench { dir: PathBuf::from(dir).canonicalize()?, rounds: rounds.parse()? };
    println!("dumpa beside others, {} rounds of each, run alternately", bench.rounds);
    bench.logs()?;
    bench.load()?;
    bench.large_transactions()?;
    bench.linearity()?;
    bench.small_things()
}

/// What a run took.
#[derive(Clone, Copy)]
struct Sample {
    wall: f64,
    /// CPU time of all its threads, in user and kernel mode.
    cpu: f64,
    peak_mib: f64,
}

/// A contender: its name, and its command line.
type Contender = (String, Vec<String>);

/// A file of the server's log.
struct Log {
    name: String,
    next: String,
    path: PathBuf,
    mb: f64,
}

struct Bench {
    dir: PathBuf,
    rounds: usize,
}

impl Bench {
    fn logs(&self) -> Result<()> {
        let rows = self.log("call fill('wide', 20)")?;
        let title = format!("log of 1,000,000 rows in 20 statements, {:.0} MB", rows.mb);
        let mut all = self.readers(&rows);
        all.push(("dumpa tail, another table only".into(), self.tail(&rows, &["small"])));
        // Tables before --binlog, which takes all that follows it for files.
        let mut of_file = self.dumpa("tail", &["--quiet", "small"]);
        of_file.extend(["--binlog".into(), rows.path.display().to_string()]);
        all.push(("dumpa tail --binlog, another table only".into(), of_file));
        self.compare(&title, 1_000_000, &all)?;
        let transactions = self.log("call drip(200000)")?;
        let title = format!("log of 200,000 transactions of one row, {:.0} MB", transactions.mb);
        self.compare(&title, 200_000, &self.readers(&transactions))
    }

    /// The programs that read logs, the one to compare with first; and dumpa.
    fn readers(&self, log: &Log) -> Vec<Contender> {
        let path = log.path.display().to_string();
        let decoded = client("mysqlbinlog", &["-v", "--base64-output=decode-rows", &path]);
        let raw_to = format!("--result-file={}/raw-", self.dir.display());
        let socket = format!("--socket={}", self.socket());
        let raw = ["--raw", "--read-from-remote-server", &socket, "--user=root", &raw_to, &log.name];
        vec![
            ("mysqlbinlog -v".into(), decoded),
            ("mysqlbinlog --raw, from the server".into(), client("mysqlbinlog", &raw)),
            ("bare read from the server (crate mysql)".into(), self.floor(log)),
            ("dumpa tail, from the server".into(), self.tail(log, &[])),
            ("dumpa tail --binlog".into(), self.tail_file(log)),
        ]
    }

    fn load(&self) -> Result<()> {
        let socket = format!("--socket={}", self.socket());
        let dump =
            ["--user=root", &socket, "--no-tablespaces", "--skip-lock-tables", "--set-gtid-purged=OFF"];
        let dump = client("mysqldump", &[&dump[..], &["bench", "wide"]].concat());
        let all =
            [("mysqldump".into(), dump), ("dumpa load".into(), self.dumpa("load", &["--quiet", "wide"]))];
        self.compare("table of 1,000,000 rows", 1_000_000, &all)
    }

    fn large_transactions(&self) -> Result<()> {
        let plain = self.log("begin; call fill('wide_again', 20); commit")?;
        let packed = "set binlog_transaction_compression = on; begin; call fill('wide_packed', 4); commit; \
             set binlog_transaction_compression = off";
        let packed = self.log(packed)?;
        let all = [
            ("1,000,000 rows".into(), self.tail(&plain, &[])),
            (format!("200,000 rows, compressed to {:.0} MB", packed.mb), self.tail(&packed, &[])),
        ];
        self.compare("one transaction", 0, &all)
    }

    /// The same number of values, in rows of ten, a hundred and a thousand columns; the same number of rows,
    /// in fifty and in five thousand tables; the same number of bytes, in short and in long strings.
    fn linearity(&self) -> Result<()> {
        let mut all = Vec::new();
        for columns in [10, 100, 1000] {
            let names: Vec<String> = (1..columns).map(|i| format!("c{i}")).collect();
            let rows = 400_000 / columns;
            let values = names.iter().map(|_| "n").collect::<Vec<_>>().join(", ");
            let mut sql =
                format!("create table columns_{columns} (id int primary key, {} int)", names.join(" int, "));
            for part in 0..10 {
                sql += &format!(
                    "; insert into columns_{columns} select n + {part} * 100000, {values} from seed limit {rows}"
                );
            }
            all.push((format!("{columns} columns"), self.tail_file(&self.log(&sql)?)));
        }
        self.compare("4,000,000 numbers in rows of", 0, &all)?;

        let mut all = Vec::new();
        for tables in [50, 5000] {
            let mut conn = self.conn()?;
            for i in 0..tables {
                conn.query_drop(format!("create table bench.t{tables}_{i} (id int primary key, n int)"))?;
            }
            let inserts = (0..5000).map(|i| format!("insert into t{tables}_{} values ({i}, 1)", i % tables));
            let log = self.log(&inserts.collect::<Vec<_>>().join(";"))?;
            all.push((format!("{tables} tables"), self.tail_file(&log)));
        }
        self.compare("5,000 rows in", 0, &all)?;

        let mut all = Vec::new();
        for (bytes, rows) in [(100, 200_000), (10_000, 2_000), (1_000_000, 20)] {
            let sql = format!(
                "create table strings_{bytes} (id int primary key auto_increment, body longtext); \
                 insert into strings_{bytes} (body) select repeat('abcdefghij', {bytes} / 10) \
                 from (select n from seed union all select n from seed union all select n from seed \
                       union all select n from seed) as many limit {rows}"
            );
            all.push((format!("{bytes} bytes"), self.tail_file(&self.log(&sql)?)));
        }
        self.compare("20 MB in strings of", 0, &all)
    }

    fn small_things(&self) -> Result<()> {
        println!("\nsmall things, median of {OFTEN}\n");
        let version = repeated(|| Ok(run(&[DUMPA.into(), "--version".into()])?.wall))?;
        let position = self.dumpa("position", &[]);
        let position = repeated(|| Ok(run(&position)?.wall))?;
        let load = self.dumpa("load", &["--quiet", "wide"]);
        let first_line = repeated(|| {
            let start = Instant::now();
            let mut child = command(&load).stdout(Stdio::piped()).spawn()?;
            child.stdout.take().ok_or("no stdout")?.read_exact(&mut [0])?;
            let taken = start.elapsed().as_secs_f64();
            child.wait()?;
            Ok(taken)
        })?;
        let live = self.live()?;
        let rows = [
            ("--version", version),
            ("position", position),
            ("load, first line", first_line),
            ("live row", live),
        ];
        for (what, seconds) in rows {
            println!("{what:<42} {:>8.1} ms", seconds * 1000.0);
        }
        Ok(())
    }

    /// The time from sending an INSERT to reading its line, on an idle server.
    fn live(&self) -> Result<f64> {
        let mut conn = self.conn()?;
        conn.query_drop("use bench")?;
        let tail = self.dumpa("tail", &["--quiet", "--from", "now", "columns_10"]);
        let mut child = Running(command(&tail).stdout(Stdio::piped()).spawn()?);
        let mut lines = BufReader::new(child.0.stdout.take().ok_or("no stdout")?);
        // Wait until it follows: a row from before would never come.
        std::thread::sleep(Duration::from_secs(1));
        let mut line = String::new();
        repeated(|| {
            std::thread::sleep(Duration::from_millis(50));
            let start = Instant::now();
            conn.query_drop("update columns_10 set c1 = c1 + 1 where id = 1")?;
            line.clear();
            lines.read_line(&mut line)?;
            Ok(start.elapsed().as_secs_f64())
        })
    }

    /// Runs all of them in rounds. Prints the median of each, and how many times it fits into the first one's time.
    fn compare(&self, title: &str, rows: u32, all: &[Contender]) -> Result<()> {
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); all.len()];
        for _ in 0..self.rounds {
            for (of, (_, args)) in samples.iter_mut().zip(all) {
                of.push(run(args)?);
            }
        }
        println!("\n{title:<42} {:>9} {:>9} {:>9} {:>9} {:>9}", "time", "ratio", "CPU", "peak", "rows/s");
        for ((name, _), of) in all.iter().zip(&samples) {
            let wall = median(of.iter().map(|sample| sample.wall));
            let ratio = median(samples[0].iter().zip(of).map(|(first, sample)| first.wall / sample.wall));
            let cpu = median(of.iter().map(|sample| sample.cpu));
            let peak = median(of.iter().map(|sample| sample.peak_mib));
            let rate = if rows > 0 { format!("{:.0}", f64::from(rows) / wall) } else { String::new() };
            println!("{name:<42} {wall:>7.3} s {ratio:>8.1}x {cpu:>7.3} s {peak:>5.0} MiB {rate:>9}");
        }
        Ok(())
    }

    fn socket(&self) -> String {
        self.dir.join("s").display().to_string()
    }

    fn conn(&self) -> Result<Conn> {
        Ok(Conn::new(self.opts())?)
    }

    fn opts(&self) -> Opts {
        OptsBuilder::default().socket(Some(self.socket())).user(Some("root")).into()
    }

    /// Runs statements so that they have a log file to themselves.
    fn log(&self, sql: &str) -> Result<Log> {
        let mut conn = self.conn()?;
        conn.query_drop("use bench")?;
        let current = |conn: &mut Conn| -> Result<String> {
            conn.query_drop("flush binary logs")?;
            let row: Option<mysql::Row> = conn.query_first("show binary log status")?;
            Ok(row.and_then(|row| row.get(0)).ok_or("no log")?)
        };
        let name = current(&mut conn)?;
        for statement in sql.split(';') {
            conn.query_drop(statement)?;
        }
        let next = current(&mut conn)?;
        let path = self.dir.join("data").join(&name);
        let mb = path.metadata()?.len() as f64 / 1e6;
        Ok(Log { name, next, path, mb })
    }

    fn dumpa(&self, subcommand: &str, args: &[&str]) -> Vec<String> {
        let socket = self.socket();
        let connection = [DUMPA, subcommand, "--socket", &socket, "--user", "root", "--database", "bench"];
        connection.iter().chain(args).map(ToString::to_string).collect()
    }

    fn tail(&self, log: &Log, tables: &[&str]) -> Vec<String> {
        let (from, until) = (format!("{}:4", log.name), format!("{}:4", log.next));
        self.dumpa("tail", &[&["--quiet", "--from", &from, "--until", &until], tables].concat())
    }

    /// Without a server to wait for, but for names: the log has none of its columns.
    fn tail_file(&self, log: &Log) -> Vec<String> {
        self.dumpa("tail", &["--quiet", "--from", "earliest", "--binlog", &log.path.display().to_string()])
    }

    /// This program itself, as [`floor`].
    fn floor(&self, log: &Log) -> Vec<String> {
        let this = std::env::current_exe().unwrap_or_default().display().to_string();
        vec![this, "--floor".into(), self.socket(), log.name.clone()]
    }
}

/// Ends the child, however the measurement ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program of MySQL's.
fn client(program: &str, args: &[&str]) -> Vec<String> {
    let bin = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/bin");
    let words = [&bin.display().to_string(), program].map(ToString::to_string).into_iter();
    words.chain(args.iter().map(ToString::to_string)).collect()
}

fn command(args: &[String]) -> Command {
    let mut command = Command::new(&args[0]);
    command.args(&args[1..]).stdin(Stdio::null());
    command
}

/// Runs it into a pipe, at whose other end `cat` reads for nobody.
fn run(args: &[String]) -> Result<Sample> {
    let start = Instant::now();
    let mut child = command(args).stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or("no stdout")?;
    let mut cat = Command::new("cat").stdin(stdout).stdout(Stdio::null()).spawn()?;
    cat.wait()?;
    let (mut status, mut usage) = (0, unsafe { std::mem::zeroed::<libc::rusage>() });
    // SAFETY: the child is waited for here alone, and both places are written to only.
    let pid = unsafe { libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage) };
    let wall = start.elapsed().as_secs_f64();
    if pid < 0 || status != 0 {
        return Err(format!("{args:?} failed ({status})").into());
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    Ok(Sample { wall, cpu, peak_mib: usage.ru_maxrss as f64 / 1024.0 })
}

/// The median of a small measurement that is repeated.
fn repeated(mut once: impl FnMut() -> Result<f64>) -> Result<f64> {
    Ok(median((0..OFTEN).map(|_| once()).collect::<Result<Vec<f64>>>()?))
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What every reader over the network has to do at least: reads all events of a file, and prints how many bytes.
fn floor(socket: &str, file: &str) -> Result<()> {
    let conn = Conn::new(OptsBuilder::default().socket(Some(socket)).user(Some("root")))?;
    let request = BinlogRequest::new(u32::MAX - 1)
        .with_filename(file.as_bytes())
        .with_pos(4u64)
        .with_flags(BinlogDumpFlags::BINLOG_DUMP_NON_BLOCK);
    let mut bytes = 0;
    for event in conn.get_binlog_stream(request)? {
        bytes += event?.data().len();
    }
    println!("{bytes}");
    Ok(())
}
