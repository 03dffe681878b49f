"""Plants one violation of each rule in a small tree and sees that the checker finds it, and nothing else."""

import pathlib
import tempfile

from check_house import MAX_FUNCTIONS, MAX_LINES, MAX_MEMBERS, House

TABLE = """
bw_module(base    PURE LIBS tl::expected)
bw_module(cluster PURE DEPS base)
bw_module(config  PURE DEPS base)
bw_module(net     DEPS base LIBS openssl)
bw_module(probe   DEPS net cluster base)
bw_module(proxy/core DEPS net base)
bw_module(proxy/tcp  DEPS proxy/core net base)
bw_module(proxy   DEPS proxy/core proxy/tcp net cluster config base)
"""

# file, text, a part of the message; None: must be accepted.
PLANTED = [
    ("src/cluster/a.cc", '#include "bellwether/net/loop.h"\n', "no arrow"),
    ("src/probe/b.cc", '#include "bellwether/proxy/proxy.h"\n', "no arrow"),
    ("src/probe/c.cc", '#include "proxy/hold.h"\n', "private header"),
    ("src/probe/c2.cc", '#include "proxy/core/hold.h"\n', "private header of proxy/core"),
    ("src/proxy/core/c3.cc", '#include "proxy/tcp/session.h"\n', "proxy/core must not include proxy/tcp/session.h: no arrow"),
    ("src/proxy/core/c4.cc", '#include "proxy/worker.h"\n', "proxy/core must not include proxy/worker.h: no arrow"),
    ("src/proxy/core/c5.cc", '#include "bellwether/cluster/view.h"\n', "no arrow"),
    ("include/bellwether/cluster/d.h", '#pragma once\n#include "bellwether/probe/prober.h"\n', "no arrow"),
    ("src/cluster/e.cc", "#include <thread>\n", "no threads"),
    ("src/cluster/f.cc", "#include <unistd.h>\n", "no system"),
    ("src/cluster/g.cc", "#include <fstream>\n", "no files"),
    ("src/cluster/h.cc", "auto t = std::chrono::steady_clock::now();\n", "`now`"),
    ("src/cluster/i.cc", 'auto e = std::getenv("HOME");\n', "environment"),
    ("src/cluster/j.cc", "int r = rand();\n", "Prng"),
    ("src/probe/k.cc", "#include <event2/event.h>\n", "only net uses libevent"),
    ("src/probe/l.cc", "#include <openssl/ssl.h>\n", "only net uses OpenSSL"),
    ("src/probe/m.cc", "#include <sys/socket.h>\n", "only net uses sockets"),
    ("src/proxy/n.cc", '#include "bellwether/config/config.h"\n', "the whole configuration"),
    ("src/proxy/n2.cc", '#include "bellwether/config/traffic_options.h"\n', None),
    ("src/proxy/o.cc", "std::regex r;\n", "parsing"),
    ("src/proxy/p.cc", "void f() { usleep(3); }\n", "condition"),
    ("src/proxy/q.cc", "auto* p = new Session(3);\n", "make_unique"),
    ("src/proxy/r.cc", "void f(int* p) { delete p; }\n", "unique_ptr"),
    ("src/proxy/s.cc", "void f(int x) { assert(x > 0); }\n", "BW_ASSERT"),
    ("src/proxy/t.cc", "// TODO(now): finish\n", "TODO(now)"),
    ("src/proxy/u.cc", "int x;\n" * (MAX_LINES + 1), "split it"),
    ("src/proxy/wide.h", "#pragma once\nclass Wide {\n" + "".join(f"  void f{i}(int a) const {{ g({i}); }}\n" for i in range(MAX_FUNCTIONS + 1))
     + "};\n", f"Wide has {MAX_FUNCTIONS + 1} functions and 0 members"),
    ("src/proxy/deep.h", "#pragma once\nclass Deep {\n  void f();\n" + "".join(f"  int m{i} = {i};\n" for i in range(MAX_MEMBERS + 1))
     + "};\n", f"Deep has 1 functions and {MAX_MEMBERS + 1} members"),
    ("src/proxy/table.h", "#pragma once\nstruct Table {\n" + "".join(f"  std::vector<int> m{i}{{}};\n" for i in range(MAX_MEMBERS + 1))
     + "};\n", None),
    ("src/cellar/v.cc", "int x;\n", "not in the table"),
    ("include/bellwether/net/w.h", "int x;\n", "#pragma once"),
    ("src/probe/x.cc", "auto t = std::chrono::steady_clock::now();\n", "from the loop"),
    ("tests/unit/y_test.cc", "#include <sys/socket.h>\n", "no sockets"),
    ("tests/unit/z_test.cc", "void f() { std::this_thread::sleep_for(1ms); }\n", "condition"),
    ("tests/component/a_test.cc", "void f() { usleep(3); }\n", "condition"),
    ("src/ARCHITECTURE.md", "By `probe_all`.\n", "`probe_all` is not in the source"),
    ("src/ARCHITECTURE.md", "In `src/gone.cc`.\n", "`src/gone.cc` is not in the source"),
    ("src/net/ok.cc", '#include <openssl/ssl.h>\n#include "bellwether/base/time.h"\n'
     'auto t = std::chrono::steady_clock::now(); // new things, never delete them, assert(1)\n'
     'const char* s = "new x; rand() usleep(3)";\nstruct A { A(const A&) = delete; };\n'
     'static_assert(sizeof(int) == 4);\nint big = 1\'000\'000; int brand(int); int y = brand(3);\n', None),
    ("src/proxy/tcp/ok.cc", '#include "session.h"\n#include "proxy/core/hold.h"\n#include "bellwether/proxy/proxy.h"\n', None),
    ("src/proxy/ok.cc", '#include "worker.h"\n#include "proxy/tcp/session.h"\n', None),
    ("src/cluster/ok.cc", '#include "tracker.h"\n#include "bellwether/base/time.h"\nint new_leader; void f(int strand);\n', None),
]


def problems_of(rows, table=TABLE):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "src").mkdir()
        (root / "src/CMakeLists.txt").write_text(table, encoding="utf-8")
        for name, text, _ in rows:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return House(root).check()


def run_self_test():
    failures = []
    for row in PLANTED:
        name, _, expected = row
        found = problems_of([row])
        if expected is None and found:
            failures.append(f"{name} is fine, but: {found}")
        if expected is not None and not any(name in line and expected in line for line in found):
            failures.append(f"{name}: nothing says {expected!r}: {found}")
    upward = problems_of([], "bw_module(base PURE DEPS net)\nbw_module(net DEPS base)\n")
    if not any("arrows point down" in line for line in upward) or not any("is PURE and" in line for line in upward):
        failures.append(f"an arrow that points up went unseen: {upward}")
    for failure in failures:
        print(failure)
    print(f"{len(failures)} of {len(PLANTED) + 1} planted violations went wrong" if failures
          else f"all {len(PLANTED) + 1} planted trees were judged right")
    return 1 if failures else 0
