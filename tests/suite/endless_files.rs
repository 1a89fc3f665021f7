//! Files that never end where a small one is expected: refused quickly, and without all of the memory.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::common::*;

/// What a run may take: the program itself, and a buffer. Without a limit it would take gigabytes.
const MEMORY_KB: u64 = 256 << 10;

/// Runs it in a shell that limits its memory, and stops the time.
#[track_caller]
fn limited(dumpa: &Dumpa, memory_kb: u64) -> (Option<i32>, String) {
    let inner = dumpa.command();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -v {memory_kb} && exec \"$0\" \"$@\""));
    command.arg(inner.get_program()).args(inner.get_args()).current_dir(dumpa.dir()).env("HOME", dumpa.dir());
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(begun.elapsed().as_secs() < 20, "it took {:?}: {said}", begun.elapsed());
    assert!(said.len() < 1000, "{said}");
    (output.status.code(), said)
}

/// Expects exit 2, and one line that says this.
#[track_caller]
fn refused(dumpa: &Dumpa, says: &[&str]) {
    let (code, said) = limited(dumpa, MEMORY_KB);
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    assert!(says.iter().all(|word| said.contains(word)), "{says:?}: {said}");
}

/// A fifo in its folder into which this text is written over and over, for as long as it is read.
fn endless(dumpa: &Dumpa, name: &str, begin: &'static str, again: &'static str) {
    let path = dumpa.file(name);
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
    thread::spawn(move || {
        let mut fifo = File::options().write(true).open(path).expect("it opens");
        let piece = again.repeat(65536 / again.len());
        let mut written = fifo.write_all(begin.as_bytes());
        while written.is_ok() {
            written = fifo.write_all(piece.as_bytes());
        }
    });
}

#[test]
fn a_position_file_that_never_ends_is_refused() {
    let files = [
        ("", "\0"),
        ("", "x"),
        ("", " "),
        ("", "\n"),
        ("", "1"),
        ("", "\""),
        ("", "["),
        ("", "{\"a\":"),
        ("[\"", "x"),
        ("[\"upsert\",\"", "x"),
        ("[", "1,"),
        ("{\"", "x"),
        ("{\"file\":\"", "x"),
        ("{\"file\":\"bin.000001\",\"position\":4,", "\"more\":1,"),
        ("{\"file\":\"bin.000001\",\"position\":4}", "\n"),
        ("{\"file\":\"bin.000001\",\"position\":4}\n", "{\"file\":\"bin.000001\",\"position\":4}\n"),
        ("[\"upsert\",\"t\",1,{},{\"next_file\":\"", "x"),
        ("[\"upsert\",\"t\",1,{},{\"next_file\":\"b.1\",\"next_position\":4,\"gtid\":\"", "x"),
    ];
    let connection = ["-H", "127.0.0.1", "-P", "1", "-D", "d"];
    for (begin, again) in files {
        let dumpa = Dumpa::bare().args(["tail", "--from", "fifo"]).args(connection);
        endless(&dumpa, "fifo", begin, again);
        refused(&dumpa, &["fifo does not hold a position"]);
    }
    for args in [
        &["tail", "--from", "/dev/zero"][..],
        &["tail", "--from", "now", "--until", "/dev/zero"],
        &["validate-pos", "/dev/zero"],
    ] {
        refused(&Dumpa::bare().args(args).args(connection), &["/dev/zero does not hold a position"]);
    }
}

#[test]
fn a_huge_line_is_a_position_and_takes_no_memory() {
    let dumpa = Dumpa::bare().args(["tail", "--from", "line.json", "-S", "no-such-socket", "-D", "d"]);
    let mut file = File::create(dumpa.file("line.json")).expect("a file");
    let piece = "x".repeat(1 << 20);
    let mut write = |text: &str| file.write_all(text.as_bytes()).expect("it is written");
    write("[\"upsert\",\"t\",[1,\"a\"],{\"id\":1,\"t\":\"");
    (0..8).for_each(|_| write(&piece));
    write("\"},{\"ts\":\"x\",\"next_file\":\"bin.000001\",\"next_position\":4,\"old\":{\"t\":\"");
    (0..8).for_each(|_| write(&piece));
    write("\"}}]\n");
    let (code, said) = limited(&dumpa, 40 << 10);
    // The position is taken, and only then there is no server.
    assert!(code == Some(1) && said.contains("no-such-socket"), "{said}");
}

#[test]
fn option_files_passwords_and_certificates_that_never_end_are_refused() {
    let position = || Dumpa::bare().args(["position", "-H", "127.0.0.1", "-P", "1"]);
    refused(&position().args(["--password-file", "/dev/zero"]), &["--password-file", "/dev/zero", "64 KiB"]);
    refused(&position().args(["--defaults-file", "/dev/zero"]), &["/dev/zero", "16 MiB"]);
    refused(&position().args(["--defaults-extra-file", "/dev/zero"]), &["/dev/zero", "16 MiB"]);
    for flag in ["--ssl-ca", "--ssl-cert", "--ssl-key"] {
        let dumpa = position().args(["--ssl-mode", "required"]);
        fs::write(dumpa.file("other.pem"), "").expect("a file");
        let dumpa = match flag {
            "--ssl-cert" => dumpa.args(["--ssl-key", "other.pem"]),
            "--ssl-key" => dumpa.args(["--ssl-cert", "other.pem"]),
            _ => dumpa,
        };
        refused(&dumpa.args([flag, "/dev/zero"]), &[flag, "/dev/zero", "not a regular file"]);
        let large = position().args(["--ssl-ca", "large"]);
        File::create(large.file("large")).and_then(|file| file.set_len(1 << 40)).expect("a large file");
        refused(&large, &["--ssl-ca", "large", "16 MiB"]);
    }
    // Files that include each other: 2^10 readings, or many more.
    let dumpa = position().args(["--defaults-file", "a.cnf"]);
    let own = format!("!include {}\n", dumpa.file("a.cnf").display());
    fs::write(dumpa.file("a.cnf"), own.repeat(100)).expect("a file");
    refused(&dumpa, &["a.cnf", "deeper than 10"]);
    let dumpa = position().args(["--defaults-file", "a.cnf"]);
    fs::create_dir(dumpa.file("many")).expect("a folder");
    for i in 0..1001 {
        fs::write(dumpa.file(&format!("many/{i}.cnf")), "").expect("a file");
    }
    fs::write(dumpa.file("a.cnf"), format!("!includedir {}\n", dumpa.file("many").display()))
        .expect("a file");
    refused(&dumpa, &["more than 1000 option files"]);
}

#[test]
fn an_included_option_file_that_never_ends_is_passed_over_with_a_warning() {
    let dumpa = Dumpa::bare().args(["position", "--defaults-file", "a.cnf", "-S", "no-such-socket"]);
    symlink("/dev/zero", dumpa.file("zero")).expect("a link");
    fs::write(dumpa.file("a.cnf"), format!("!include {}\n", dumpa.file("zero").display())).expect("a file");
    let (code, said) = limited(&dumpa, MEMORY_KB);
    assert!(code == Some(1) && said.contains("zero is ignored") && said.contains("16 MiB"), "{said}");
}

#[test]
fn a_password_is_read_of_a_pipe_that_stays_open() {
    let dumpa = Dumpa::bare().args(["position", "-S", "no-such-socket", "--password-file", "fifo"]);
    endless(&dumpa, "fifo", "secret\n", "more\n");
    let (code, said) = limited(&dumpa, MEMORY_KB);
    assert!(code == Some(1) && said.contains("no-such-socket"), "{said}");
}
