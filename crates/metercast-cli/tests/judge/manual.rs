//! What is made from the definition of the commands knows all of them.

use std::process::{Command, Stdio};

use crate::support::{file, run};

const COMMANDS: [&str; 14] = [
    "alerts",
    "compare",
    "completions",
    "demo",
    "diff",
    "docs",
    "doctor",
    "grafana",
    "k8s",
    "lint",
    "man",
    "preview",
    "reload",
    "top",
];

#[test]
fn each_shell_gets_a_script_with_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell]);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{shell}");
        for command in COMMANDS {
            assert!(ran.stdout.contains(command), "{shell}: {command}");
        }
        assert!(ran.stdout.contains("max-series"), "{shell}");
    }
    assert_eq!(run(&["completions", "tcsh"]).status, 2);
}

#[test]
fn bash_completes_a_command_by_the_script() {
    let script = file("completions.bash", &run(&["completions", "bash"]).stdout);
    let asked = format!(
        "source {script}; COMP_WORDS=(metercast to); COMP_CWORD=1; _metercast metercast to metercast; echo ${{COMPREPLY[@]}}"
    );
    let output = Command::new("bash").args(["-c", &asked]).stderr(Stdio::inherit()).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "top\n");
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = file("man", "").replace("judge-man", "judge-man1");
    let ran = run(&["man", &folder]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    for command in COMMANDS {
        let page = std::fs::read_to_string(format!("{folder}/metercast-{command}.1")).unwrap();
        assert!(page.contains(&format!(".TH metercast-{command} 1")), "{page}");
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
    let whole = std::fs::read_to_string(format!("{folder}/metercast.1")).unwrap();
    assert!(COMMANDS.iter().all(|command| whole.contains(&format!("metercast\\-{command}(1)"))), "{whole}");
    let ran = run(&["man", &format!("{folder}/metercast.1")]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.starts_with("error: cannot write "), "{}", ran.stderr);
}
