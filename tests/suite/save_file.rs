//! The file of `--save`: what happens to an existing file.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Output, Stdio};

use crate::common::*;

fn mode(path: &std::path::Path) -> u32 {
    path.metadata().expect("a file").mode() & 0o7777
}

/// Runs it with stdout, or stderr, going to this file of its folder, as a shell's `>` and `>>` open it.
fn into_file(dumpa: &Dumpa, name: &str, append: bool, stderr: bool) -> Output {
    let mut options = File::options();
    let file = options.create(true).write(true).append(append).truncate(!append).open(dumpa.file(name));
    let file = file.expect("it opens");
    let mut command = dumpa.command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if stderr { command.stderr(file) } else { command.stdout(file) }.output().expect("it runs")
}

on_servers!([mysql_8_0, mariadb_11_4] fn a_saved_position_keeps_mode_and_owner(server) {
    let db = server.fresh_db("save");
    db.sql("create table t (id int primary key) engine=innodb");
    let start = place(server);
    db.sql("insert into t values (1)");
    for args in [&["load", "--quiet"][..], &["tail", "--from", &start, "--until", "now"], &["position"]] {
        let dumpa = Dumpa::new(server, &db).args(args).args(["--save", "pos.json"]);
        let path = dumpa.file("pos.json");
        for wanted in [0o640, 0o600, 0o666, 0o444] {
            fs::write(&path, "old").expect("a file");
            fs::set_permissions(&path, Permissions::from_mode(wanted)).expect("a mode");
            // Only root may give a file away.
            let given_away = chown(&path, Some(12345), Some(54321)).is_ok();
            dumpa.run().expect_code(0);
            assert!(fs::read_to_string(&path).expect("a file").starts_with("{\"file\":"), "{args:?}");
            assert_eq!(mode(&path), wanted, "{args:?}");
            if given_away {
                let meta = path.metadata().expect("a file");
                assert_eq!((meta.uid(), meta.gid()), (12345, 54321), "{args:?}");
            }
            fs::remove_file(&path).expect("it was there");
        }
        // A new file is like one that the shell makes.
        dumpa.run().expect_code(0);
        File::create(dumpa.file("like")).expect("a file");
        assert_eq!(mode(&path), mode(&dumpa.file("like")), "{args:?}");
    }
});

on_servers!([mysql_8_0, mariadb_11_4] fn a_saved_position_goes_where_a_link_points_to(server) {
    let db = server.fresh_db("save");
    let dumpa = Dumpa::new(server, &db).args(["position", "--save", "link"]);
    fs::create_dir(dumpa.file("folder")).expect("a folder");
    symlink("folder/second", dumpa.file("link")).expect("a link");
    symlink("../target", dumpa.file("folder/second")).expect("a link");
    // First there is no target, then there is.
    for _ in 0..2 {
        dumpa.run().expect_code(0);
        assert!(dumpa.file("link").symlink_metadata().expect("a link").is_symlink());
        assert!(dumpa.file("folder/second").symlink_metadata().expect("a link").is_symlink());
        assert!(fs::read_to_string(dumpa.file("target")).expect("a file").starts_with("{\"file\":"));
    }
    assert_eq!(fs::read_dir(dumpa.dir()).expect("a folder").count(), 4, "the schema history, and nothing else");
});

/// The folder is synced to disk after each position, which needs permission to read it.
#[test]
fn a_folder_that_cannot_be_read_is_refused_at_the_start() {
    let dumpa = Dumpa::bare().args(["position", "-H", "127.0.0.1", "-P", "1", "--save", "folder/pos.json"]);
    let folder = dumpa.file("folder");
    fs::create_dir(&folder).expect("a folder");
    let mut command = dumpa.command();
    // Root may read any, by these capabilities: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH. Other users have none to
    // drop. SAFETY: prctl is a plain system call.
    unsafe {
        command.pre_exec(|| {
            for capability in [1, 2] {
                libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0);
            }
            Ok(())
        });
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o300)).expect("a mode");
    let run = command.stdin(Stdio::null()).output().expect("it runs");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("a mode");
    let says = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{says}");
    assert!(says.contains("--save folder/pos.json") && says.contains("permission to read it"), "{says}");
}

#[test]
fn a_link_that_leads_nowhere_is_refused() {
    let dumpa = Dumpa::bare().args(["position", "-H", "127.0.0.1", "-P", "1", "--save", "loop"]);
    symlink("loop", dumpa.file("loop")).expect("a link");
    let run = dumpa.run().expect_code(2);
    assert!(run.stderr.contains("--save loop"), "{}", run.stderr);
    fs::remove_file(dumpa.file("loop")).expect("it was there");
    symlink("missing/pos.json", dumpa.file("loop")).expect("a link");
    dumpa.run().expect_code(2);
}

#[test]
fn a_position_does_not_replace_a_log_that_is_read() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mysql-8.0/types.bin");
    for (binlog, save) in [("log", "./log"), ("log", "link"), ("-", "log")] {
        let dumpa = Dumpa::bare().args(["tail", "-D", "d", "--binlog", binlog, "--save", save]);
        fs::copy(log, dumpa.file("log")).expect("a copy");
        symlink("log", dumpa.file("link")).expect("a link");
        let stdin = fs::File::open(dumpa.file("log")).expect("a file");
        let run = dumpa.command().stdin(stdin).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{binlog} {save}: {stderr}");
        assert!(stderr.contains(&format!("would replace {binlog}, which is read")), "{stderr}");
        assert!(fs::read(dumpa.file("log")).expect("a file").starts_with(b"\xfebin"));
    }
}

#[test]
fn a_position_is_not_saved_to_the_file_that_rows_go_to() {
    for args in [&["load", "-D", "d"][..], &["tail", "-D", "d", "--from", "now"], &["position"]] {
        let connection = ["-H", "127.0.0.1", "-P", "1"];
        for (save, append, stderr) in [
            ("out", false, false),
            ("out", true, false),
            ("link", false, false),
            ("hard", true, false),
            ("./out", true, true),
        ] {
            let dumpa = Dumpa::bare().args(args).args(connection).args(["--save", save]);
            fs::write(dumpa.file("out"), "rows\n").expect("a file");
            symlink("out", dumpa.file("link")).expect("a link");
            fs::hard_link(dumpa.file("out"), dumpa.file("hard")).expect("a link");
            let output = into_file(&dumpa, "out", append, stderr);
            assert_eq!(output.status.code(), Some(2), "{args:?} --save {save}");
            let kept = fs::read_to_string(dumpa.file("out")).expect("a file");
            if stderr {
                assert!(
                    kept.starts_with("rows\n") && kept.contains("stderr goes to the same file"),
                    "{kept}"
                );
            } else {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(said.contains("stdout goes to the same file"), "{args:?} --save {save}: {said}");
                assert_eq!(
                    kept,
                    if append { "rows\n" } else { "" },
                    "no more is truncated than the shell did"
                );
            }
            assert_eq!(fs::read_dir(dumpa.dir()).expect("a folder").count(), 3, "nothing is left behind");
        }
    }
}
