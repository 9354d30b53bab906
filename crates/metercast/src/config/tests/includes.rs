//! Files that include others.

use super::folder::Folder;
use super::*;

#[test]
fn an_included_file_lies_below_the_one_that_includes_it_and_later_over_earlier() {
    let folder = Folder::new("includes");
    folder.write("sub/one.toml", "[telemetry.exporters.it]\ntype = 'otlp'\ninterval = '1s'\ntimeout = '1s'\nauth = { bearer = 'one' }\nheaders = { a = '1', b = '1' }\n[telemetry.resource]\nfrom = 'one'\n");
    folder.write("sub/two.toml", "[telemetry]\nviews = [{ name = 'a', unit = 's' }]\n[telemetry.exporters.it]\ninterval = '2s'\ntimeout = '2s'\nheaders = { b = '2' }\n");
    let text = "[telemetry]\ninclude = ['sub/*.toml']\nviews = [{ name = 'a', unit = 'ms' }]\n\
                [telemetry.exporters.it]\ninterval = '3s'\nauth = { basic = { user = 'u', password = 'p' } }\n";
    let path = folder.write("main.toml", text);
    let config = bare().file(&path).build().unwrap();
    let it = otlp(&config, "it");
    assert_eq!((it.interval().as_secs(), it.timeout().unwrap().as_secs()), (3, 2));
    assert_eq!(headers(&config, "it"), [("a", "1"), ("b", "2"), ("authorization", "Basic dTpw")]);
    assert_eq!(attribute(&config, "from"), "one");
    let (seconds, millis) = (crate::view::View::of("a").unit("s"), crate::view::View::of("a").unit("ms"));
    assert_eq!(*it.projection(), crate::view::Projection::new().view(seconds).view(millis));
    let files = config.files().iter().map(|path| folder.without(path.display())).collect::<Vec<_>>();
    assert_eq!(files[0], "main.toml");
    assert_eq!(files[2..], ["sub/one.toml", "sub/two.toml"]);
}

#[test]
fn a_type_may_stand_in_any_of_the_files() {
    let folder = Folder::new("types");
    folder.write("low.toml", "[telemetry.exporters.it]\ninterval = '1s'\n");
    let path = folder.write(
        "main.toml",
        "[telemetry]\ninclude = ['low.toml']\n[telemetry.exporters.it]\ntype = 'stdout'\n",
    );
    assert_eq!(names(&bare().file(&path).build().unwrap()), "it");
    folder.write("low.toml", "\n[telemetry.exporters.it]\ntype = 'otlp'\n");
    assert_eq!(
        folder.without(bare().file(&path).build().unwrap_err()),
        "main.toml:4: telemetry.exporters.it.type: \"stdout\" contradicts low.toml:3: telemetry.exporters.it.type, \
         which makes this exporter \"otlp\"; keep one type"
    );
}

#[test]
fn what_is_wrong_in_an_included_file_is_said_of_that_file() {
    let folder = Folder::new("wrong");
    folder.write("low.toml", "[telemetry]\nself_metrics = 1\n");
    let path = folder.write("main.toml", "[telemetry]\ninclude = ['low.toml']\non_sigterm = 1\n");
    assert_eq!(
        folder.without(bare().file(path).build().unwrap_err()),
        "low.toml:2: telemetry.self_metrics: expected true or false, found an integer\n\
         main.toml:3: telemetry.on_sigterm: expected \"auto\", \"flush\", \"exit\" or \"ignore\", found an integer"
    );
}

#[test]
fn files_that_include_each_other_in_a_circle_are_refused_with_the_circle() {
    let folder = Folder::new("circle");
    folder.write("b.toml", "\n[telemetry]\ninclude = ['sub/../a.toml']\n");
    folder.write("sub/empty.toml", "");
    let path = folder.write("a.toml", "[telemetry]\ninclude = ['b.toml']\n");
    assert_eq!(
        folder.without(bare().file(path).build().unwrap_err()),
        "b.toml:3: telemetry.include: goes round in a circle: a.toml -> b.toml -> sub/../a.toml; leave one of these out"
    );
    let path = folder.write("self.toml", "[telemetry]\ninclude = ['self.toml']\n");
    assert_eq!(
        folder.without(bare().file(path).build().unwrap_err()),
        "self.toml:2: telemetry.include: goes round in a circle: self.toml -> self.toml; leave one of these out"
    );
}

#[test]
fn files_that_include_each_other_too_deep_are_refused_with_the_way() {
    let folder = Folder::new("deep");
    let write = |last: usize| {
        for n in 0..=last {
            let include = if n < last { format!("include = ['{}.toml']\n", n + 1) } else { String::new() };
            folder.write(&format!("{n}.toml"), &format!("[telemetry]\n{include}"));
        }
    };
    write(8);
    assert!(bare().file(folder.path("0.toml")).build().is_ok());
    write(9);
    assert_eq!(
        folder.without(bare().file(folder.path("0.toml")).build().unwrap_err()),
        "8.toml:2: telemetry.include: is more than 8 files deep: 0.toml -> 1.toml -> 2.toml -> 3.toml -> 4.toml -> \
         5.toml -> 6.toml -> 7.toml -> 8.toml -> 9.toml"
    );
}

#[test]
fn a_file_that_is_included_again_counts_once_below_all_that_include_it() {
    let folder = Folder::new("diamond");
    folder.write("low.toml", "[telemetry]\nshutdown_timeout = '1s'\nviews = [{ name = 'a', unit = 's' }]\n");
    folder.write("one.toml", "[telemetry]\ninclude = ['low.toml']\nshutdown_timeout = '2s'\n");
    folder.write("sub/two.toml", "[telemetry]\ninclude = ['../low.toml']\n");
    let text = "[telemetry]\ninclude = ['one.toml', 'sub/two.toml', 'low.toml']\n\
                [telemetry.exporters.it]\ntype = 'stdout'\n";
    let config = bare().file(folder.write("main.toml", text)).build().unwrap();
    assert_eq!(config.shutdown_timeout().as_secs(), 2);
    let once = crate::view::Projection::new().view(crate::view::View::of("a").unit("s"));
    assert_eq!(*config.exporter("it").unwrap().projection(), once);
    // Nor do files that multiply come to many.
    for n in 0..8 {
        let next = format!("'{}.toml'", n + 1);
        let includes = [next.as_str(); 8].join(", ");
        folder.write(&format!("{n}.toml"), &format!("[telemetry]\ninclude = [{includes}]\n"));
    }
    folder.write("8.toml", "");
    assert_eq!(bare().file(folder.path("0.toml")).build().unwrap().files().len(), 9);
}

#[test]
fn too_many_files_are_refused() {
    let folder = Folder::new("many");
    for n in 0..300 {
        folder.write(&format!("sub/{n}.toml"), "");
    }
    folder.write("0.toml", "[telemetry]\ninclude = ['sub/*.toml']\n");
    let error = bare().file(folder.path("0.toml")).build().unwrap_err();
    assert_eq!(error.problems().len(), 1);
    assert!(
        error.problems()[0].message().ends_with("comes to more than 256 files; include fewer"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_there_is_an_error_and_a_pattern_without_files_a_warning() {
    let folder = Folder::new("missing");
    let path = folder.write("a.toml", "[telemetry]\ninclude = [\n'conf.d/*.toml',\n'b.toml']\n");
    assert_eq!(
        folder.without(bare().file(&path).build().unwrap_err()),
        "a.toml:4: telemetry.include: \"b.toml\" cannot be read: No such file or directory (os error 2); mend that, \
         or leave it out"
    );
    folder.write("b.toml", "");
    let config = bare().file(&path).build().unwrap();
    assert_eq!(
        folder.without(config.warnings().join("\n")),
        "a.toml:3: telemetry.include: \"conf.d/*.toml\" matches no file"
    );
    assert!(config.files().contains(&folder.path("conf.d")));
    let path = folder.write("a.toml", "[telemetry]\ninclude = ['*/b.toml']\n");
    assert_eq!(
        folder.without(bare().file(&path).build().unwrap_err()),
        "a.toml:2: telemetry.include: \"*/b.toml\" has a pattern for a folder; only the file's own name may have * \
         and ?"
    );
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused_unread() {
    let folder = Folder::new("huge");
    let path = folder.path("a.toml");
    std::fs::File::create(&path).unwrap().set_len(100 << 20).unwrap();
    assert_eq!(
        folder.without(bare().file(path).build().unwrap_err()),
        "a.toml: cannot be read: it is longer than 4 MiB; write less, or split it into files that it includes"
    );
}

#[test]
fn an_include_is_a_list_of_names() {
    let error = bare().text("a.toml", "[telemetry]\ninclude = 'b.toml'\n").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.toml:2: telemetry.include: expected a list such as [\"conf.d/*.toml\"], found a string"
    );
}

#[test]
fn files_that_are_too_long_together_are_refused_though_none_is() {
    let folder = Folder::new("together");
    for n in 0..6 {
        folder.write(&format!("sub/{n}.toml"), &format!("# {}\n", "x".repeat(3 << 20)));
    }
    let path = folder.write("main.toml", "[telemetry]\ninclude = ['sub/*.toml']\n");
    assert_eq!(
        folder.without(bare().file(path).build().unwrap_err()),
        "main.toml:2: telemetry.include: comes to more than 16 MiB; include less"
    );
}

#[cfg(unix)]
#[test]
fn a_folder_may_be_called_as_a_pattern_would_be_written() {
    let folder = Folder::new("what?");
    folder.write("conf*/low.toml", "[telemetry]\nself_metrics = false\n");
    let path = folder.write("conf*/main.toml", "[telemetry]\ninclude = ['l*.toml']\n");
    assert!(!bare().file(path).build().unwrap().self_metrics());
}

#[test]
fn a_file_that_is_too_long_is_refused_with_its_own_limit() {
    let folder = Folder::new("long-files");
    let long = |mebibytes: usize| "#".repeat((mebibytes << 20) + 1);
    let refused =
        |name: &str, text: &str| folder.without(bare().file(folder.write(name, text)).build().unwrap_err());
    let mend = "; write less, or split it into files that it includes";
    assert_eq!(refused("a.toml", &long(4)), format!("a.toml: cannot be read: it is longer than 4 MiB{mend}"));
    assert!(bare().file(folder.write("b.toml", &long(3))).build().is_ok());
    if cfg!(feature = "yaml") {
        assert_eq!(
            refused("a.yaml", &long(1)),
            format!("a.yaml: cannot be read: it is longer than 1 MiB{mend}")
        );
    }
}
