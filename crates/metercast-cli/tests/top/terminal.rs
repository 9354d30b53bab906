//! On a real terminal: that of tmux, whose screen can be read.

use std::io::Read;
use std::process::Command;

use conformance::program::{Folder, until};
use conformance::use_programs;

use crate::support::{Server, page};

/// A terminal of a size, in a server of its own.
struct Tmux(Folder);

impl Tmux {
    fn start(size: (u16, u16), command: &str) -> Tmux {
        let tmux = Tmux(Folder::new());
        let (width, height) = (size.0.to_string(), size.1.to_string());
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", &width, "-y", &height, command]);
        tmux
    }

    fn run(&self, arguments: &[&str]) -> String {
        let socket = self.0.path().join("tmux");
        let output =
            Command::new("tmux").arg("-S").arg(socket).args(arguments).env("LC_ALL", "C.UTF-8").output();
        let output = output.expect("tmux runs; `cargo xtask test --only services` installs it");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn screen(&self, escapes: bool) -> String {
        let plain = ["capture-pane", "-p"];
        self.run(if escapes { &["capture-pane", "-p", "-e"] } else { &plain })
    }

    fn wait_for(&self, text: &str) -> String {
        until(text, || Some(self.screen(false)).filter(|screen| screen.contains(text)))
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(self.0.path().join("tmux")).arg("kill-server").output();
    }
}

#[test]
fn it_draws_follows_keys_and_leaves_the_terminal_as_it_was() {
    if !use_programs("it_draws_follows_keys_and_leaves_the_terminal_as_it_was", "tmux") {
        return;
    }
    let server = Server::pages(vec![page("demo/1.txt"), page("demo/2.txt")]);
    let program = env!("CARGO_BIN_EXE_metercast");
    for (size, no_colour) in [((80, 24), ""), ((200, 50), "NO_COLOR=1 ")] {
        let top = format!("{no_colour}NO_PROXY='*' {program} top {} --interval 0.2", server.address);
        let tmux = Tmux::start(size, &format!("echo before; {top}; echo after: $?; cat"));
        let screen = tmux.wait_for("orders_placed_total");
        assert!(screen.starts_with("metercast top  ") && screen.contains("\nEXPORT  ✓ otlp ok"), "{screen}");
        assert!(screen.contains("\nq quit   / filter"), "{screen}");
        // tmux has two ways to say green.
        let has_colours = ["\x1b[32m", "\x1b[38;5;2m"].iter().any(|green| tmux.screen(true).contains(green));
        assert_eq!(has_colours, no_colour.is_empty(), "{}", tmux.screen(true));
        tmux.run(&["send-keys", "/", "placed", "Enter", "Enter"]);
        tmux.wait_for("  orders_placed_total (by rate)");
        tmux.run(&["send-keys", "q"]);
        let screen = tmux.wait_for("after: 0");
        assert!(screen.starts_with("before\n"), "{screen}");
    }
}

#[test]
fn an_address_that_does_not_answer_is_said_and_asked_again() {
    if !use_programs("an_address_that_does_not_answer_is_said_and_asked_again", "tmux") {
        return;
    }
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let program = env!("CARGO_BIN_EXE_metercast");
    let top = format!("NO_PROXY='*' {program} top {address} --interval 0.2 --timeout 0.3");
    let tmux = Tmux::start((80, 24), &format!("{top}; echo after: $?; cat"));
    tmux.wait_for("ERROR   no whole page from");
    // Whoever was asked answers at last.
    std::thread::spawn(move || {
        for mut stream in silent.incoming().map_while(Result::ok) {
            // Who closes before he has read breaks off what he has sent.
            let _ = stream.read(&mut [0; 4096]);
            crate::support::send(&mut stream, "200 OK", "text/plain", "awake 1\n");
        }
    });
    let screen = tmux.wait_for("> awake");
    assert!(!screen.contains("ERROR"), "{screen}");
    tmux.run(&["send-keys", "C-c"]);
    tmux.wait_for("after: 0");
}

#[test]
fn when_its_terminal_is_gone_it_ends() {
    if !use_programs("when_its_terminal_is_gone_it_ends", "tmux") {
        return;
    }
    let server = Server::pages(vec!["awake 1\n".to_owned()]);
    let program = env!("CARGO_BIN_EXE_metercast");
    let top = format!("NO_PROXY='*' {program} top {} --interval 0.2", server.address);
    let tmux = Tmux::start((80, 24), &top);
    tmux.wait_for("> awake");
    assert!(is_asking(&server.address));
    drop(tmux);
    until("its end", || (!is_asking(&server.address)).then_some(()));
}

/// Whether a `metercast top` of this address runs.
fn is_asking(address: &str) -> bool {
    let words = |process: std::fs::DirEntry| std::fs::read(process.path().join("cmdline")).ok();
    let mut all = std::fs::read_dir("/proc").unwrap().filter_map(|process| words(process.ok()?));
    all.any(|words| words.split(|byte| *byte == 0).any(|word| word == address.as_bytes()))
}
