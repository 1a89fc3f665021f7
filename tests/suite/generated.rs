//! man/ and completions/ are made of the command line's own definition, and committed: this finds out when they are
//! stale, and with DUMPA_RENEW=1 in the environment makes them anew.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::{Man, roff};
use dumpa::cli::Cli;

const RENEW: &str = "DUMPA_RENEW=1 cargo test --test suite generated";

#[test]
fn man_pages_and_completions_are_those_of_the_command_line() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir().expect("a temporary folder");
    let (man, completions) = (fresh.path().join("man"), fresh.path().join("completions"));
    man_pages(&man);
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        fs::create_dir_all(&completions).unwrap();
        clap_complete::generate_to(shell, &mut Cli::command(), "dumpa", &completions).unwrap();
    }
    for (folder, made) in [("man", man), ("completions", completions)] {
        let kept = repository.join(folder);
        if std::env::var_os("DUMPA_RENEW").is_some() {
            let _ = fs::remove_dir_all(&kept);
            fs::create_dir(&kept).unwrap();
            for path in files(&made) {
                fs::copy(&path, kept.join(path.file_name().unwrap())).unwrap();
            }
        }
        let names = |folder: &Path| {
            files(folder).iter().map(|path| path.file_name().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&kept), names(&made), "{folder}/ holds other files; renew it: {RENEW}");
        for name in names(&made) {
            let (kept, made) = (fs::read(kept.join(&name)).unwrap(), fs::read(made.join(&name)).unwrap());
            assert!(kept == made, "{folder}/{} is stale; renew it: {RENEW}", name.display());
        }
    }
}

/// The files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect());
    let mut files: Vec<PathBuf> = entries.unwrap_or_default();
    files.sort();
    files
}

fn man_pages(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut dumpa = Cli::command();
    dumpa.build();
    let commands: Vec<Command> = dumpa.get_subcommands().cloned().collect();
    let pages: Vec<String> = commands.iter().map(|command| page_name(command) + "(1)").collect();
    for command in commands.iter().chain([&dumpa]) {
        let others = if command.get_name() == "dumpa" { pages.clone() } else { vec!["dumpa(1)".to_owned()] };
        let page = man_page(command, &others);
        fs::write(folder.join(page_name(command) + ".1"), page).unwrap();
    }
}

fn page_name(command: &Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

fn man_page(command: &Command, see_also: &[String]) -> Vec<u8> {
    let source = concat!("dumpa ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone().after_long_help("")).source(source);
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    man.render_options_section(&mut page).unwrap();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page).unwrap();
    }
    let more = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let mut sections = roff::Roff::new();
    for section in more.split("\n\n").filter(|section| !section.is_empty()) {
        let (title, lines) = section.split_once(":\n").expect("a section begins with its title");
        sections.control("SH", [title.to_uppercase().as_str()]);
        // As it stands on the screen.
        sections.control("nf", []);
        for line in lines.lines() {
            sections.text([roff::roman(line.strip_prefix("  ").expect("two blanks"))]);
        }
        sections.control("fi", []);
    }
    sections.control("SH", ["SEE ALSO"]);
    sections.text([roff::roman(see_also.join(", "))]);
    page.write_all(sections.to_roff().as_bytes()).unwrap();
    page
}
