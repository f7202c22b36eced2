//! The one table of natives. Data: a new native is a row here and a function in its module's folder.

use crate::registry::{Class, GrantKind, Kernel, Kind, Native, Param};

const fn must(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, optional: false }
}

const fn may(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, optional: true }
}

macro_rules! natives {
    ($($class:ident $name:literal [$($alias:literal)*] ($($param:expr),*) [$($kernel:ident)*] $grant:ident $doc:literal;)*) => {
        /// Every native there is, in the order of the documentation.
        pub const NATIVES: &[Native] = &[$(Native {
            name: $name,
            aliases: &[$($alias),*],
            class: Class::$class,
            params: &[$($param),*],
            kernel: &[$(Kernel::$kernel),*],
            grant: GrantKind::$grant,
            doc: $doc,
        }),*];
    };
}

use Kind::{Any, Data, Fun, Handle, List, Num, Options, Str};

natives! {
    Stdout "__sys_stdout" ["__sys_prn"] (must("data", Data)) [] None "writes text or bytes to standard output";
    Stdio "__sys_stderr" ["__sys_prne"] (must("data", Data)) [] None "writes text or bytes to standard error";
    Stdio "__sys_stdin" [] (may("opts", Options)) [] None "the next line of standard input, nil at its end; `{all: tru}` reads all of it";

    Time "__sys_time" ["__sys_now" "__sys_get_time"] () [] None "milliseconds of the wall clock since 1970";
    Time "__sys_mono" [] () [] None "milliseconds of a clock that only goes forward";
    Time "__sys_sleep" [] (must("ms", Num)) [Sleep] None "waits, at most until the deadline";

    FsRead "__sys_read_file" ["__sys_read"] (must("path", Str), may("opts", Options)) [OpenRead] DirRead
        "a file's text, or with `{bytes: tru}` its bytes; `{from, len}` reads a part";
    FsRead "__sys_read_dir" ["__sys_ls"] (must("path", Str)) [OpenRead] DirRead "names in a directory, sorted";
    FsRead "__sys_stat" ["__sys_file_meta"] (must("path", Str), may("opts", Options)) [OpenRead] DirRead
        "`{kind, size, mtime}` of what a path names; `{nofollow: tru}` looks at a link itself";
    FsRead "__sys_exists" [] (must("path", Str)) [OpenRead] DirRead "does a path name something?";
    FsRead "__sys_open_read" [] (must("path", Str)) [OpenRead] DirRead "an open file whose lines can be looped over";

    FsWrite "__sys_write_file" ["__sys_write" "__sys_append"] (must("path", Str), must("data", Data), may("opts", Options)) [OpenWrite] DirWrite
        "writes a file anew; `{append: tru}`, `{create_new: tru}`, `{atomic: tru}`";

    FsManage "__sys_mkdir" [] (must("path", Str), may("opts", Options)) [ChangeNames] DirWrite "makes a directory; `{parents: tru}`";
    FsManage "__sys_remove" ["__sys_rm"] (must("path", Str), may("opts", Options)) [ChangeNames] DirWrite
        "removes a file, a link or an empty directory; `{recursive: tru}`";
    FsManage "__sys_rename" [] (must("from", Str), must("to", Str)) [ChangeNames] DirWrite "renames, or moves within one grant";
    FsManage "__sys_copy" [] (must("from", Str), must("to", Str)) [OpenRead OpenWrite] DirWrite "copies one file";
    FsManage "__sys_symlink" [] (must("target", Str), must("path", Str)) [ChangeNames] DirWrite "makes a symbolic link with a relative target";

    Http "__sys_http_get" ["__http_get"] (must("url", Str), may("opts", Options)) [Resolve Connect] Net "an HTTP GET";
    Http "__sys_http_post" ["__http_post"] (must("url", Str), may("body", Any), may("opts", Options)) [Resolve Connect] Net "an HTTP POST";
    Http "__sys_http_put" ["__http_put"] (must("url", Str), may("body", Any), may("opts", Options)) [Resolve Connect] Net "an HTTP PUT";
    Http "__sys_http_patch" ["__http_patch"] (must("url", Str), may("body", Any), may("opts", Options)) [Resolve Connect] Net "an HTTP PATCH";
    Http "__sys_http_delete" ["__http_delete"] (must("url", Str), may("opts", Options)) [Resolve Connect] Net "an HTTP DELETE";

    Tcp "__sys_tcp_dial" [] (must("host", Str), must("port", Num)) [Resolve Connect] Net "a connection to a name and port";
    Tcp "__sys_tcp_connect" ["__sys_tcp_conn"] (must("ip", Str), must("port", Num)) [Connect] Net "a connection to an address and port";
    Tcp "__sys_tcp_send" [] (must("conn", Handle), must("data", Data)) [Connect] Net "sends on a connection";
    Tcp "__sys_tcp_recv" [] (must("conn", Handle), may("max", Num), may("ms", Num)) [Connect] Net
        "bytes from a connection, nil at its end";
    Tcp "__sys_tcp_close" [] (must("conn", Handle)) [] None "closes a connection";

    Serve "__sys_tcp_listen" [] (must("ip", Str), must("port", Num)) [Listen] Net "listens on an address and port";
    Serve "__sys_tcp_accept" [] (must("listener", Handle), may("ms", Num)) [Listen] Net
        "the next connection made to a listener, nil when none came";
    Serve "__sys_http_serve" [] (must("ip", Str), must("port", Num), may("opts", Options)) [Listen] Net "an HTTP server: `{srv, port}`";
    Serve "__sys_http_take" [] (must("server", Handle), may("ms", Num)) [Listen] Net "the next request of a server, nil when none came";
    Serve "__sys_http_reply" [] (must("req", Handle), must("answer", Options)) [Listen] Net "answers a request";
    Serve "__sys_http_stop" [] (must("server", Handle)) [] None "ends a server";

    Dns "__sys_dns" [] (must("host", Str)) [Resolve] Net "the addresses of a name";

    Channel "__sys_chan_new" [] (may("size", Num)) [] None "a channel";
    Channel "__sys_chan_send" [] (must("chan", Handle), must("value", Any)) [] None "puts a value in a channel";
    Channel "__sys_chan_recv" [] (must("chan", Handle), may("ms", Num)) [] None "takes a value from a channel";
    Channel "__sys_chan_close" [] (must("chan", Handle)) [] None "closes a channel";

    Task "__sys_spawn" [] (must("f", Fun)) [Threads] None "starts a task";
    Task "__sys_wait" [] (must("task", Handle)) [Threads] None "waits for a task's result";

    Exec "__os_run" ["__sys_run_command" "__sys_exec"] (must("cmd", Str), may("args", List), may("opts", Options)) [Execute] Run "runs a program";

    Env "__sys_getenv" ["__sys_env" "__sys_get_env"] (must("name", Str)) [] Env "an environment variable's value";
    Env "__sys_secret" [] (must("name", Str)) [] Secret "a secret, to be sent to the hosts it is bound to and nowhere else";
    Env "__sys_argv" ["__sys_args"] () [] None "the script's arguments";

    Observe "__obs_log" [] (must("level", Str), must("message", Str), may("fields", Options)) [] None "a line in the sandbox's log";
    Observe "__obs_span_begin" [] (must("name", Str), may("fields", Options)) [] None "begins a span; gives its number";
    Observe "__obs_span_end" [] (must("span", Num), may("fields", Options)) [] None "ends a span";

    Random "__sys_random" [] (must("n", Num)) [Random] None "that many random bytes, fit for keys";
}
