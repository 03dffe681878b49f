#!/usr/bin/python3
"""Checks the rules of the house that no compiler checks. Usage: check_house.py [ROOT] | check_house.py --self-test

Prints "file:line: what is wrong; what to do instead" for each violation and ends with 1 if there is one.
How to add a rule: one row in PURE_BANS, HOUSE_BANS or UNIT_TEST_BANS, and a planted violation in self_test.py.
"""

import pathlib
import re
import sys

MAX_LINES = 800
# As many as LogCabin's RaftConsensus has. A table (no functions) may have more members.
MAX_FUNCTIONS, MAX_MEMBERS = 45, 41

# (pattern, what to do instead). Matched on code without comments and string contents.
PURE_BANS = [
    (r"#\s*include\s*<(thread|mutex|condition_variable|future|atomic|shared_mutex)>", "PURE modules know no threads"),
    (r"#\s*include\s*<(sys/|netinet/|arpa/|unistd\.h|fcntl\.h|poll\.h|netdb\.h|signal\.h|csignal)", "PURE modules know no system"),
    (r"#\s*include\s*<(fstream|iostream|cstdio|filesystem)>", "PURE modules read and write no files"),
    (r"#\s*include\s*<(event2/|openssl/|CLI/)", "PURE modules use no I/O library"),
    (r"#\s*include\s*<random>", "use base::Prng, handed in with its seed"),
    (r"\b(steady_clock|system_clock|high_resolution_clock)::now\b", "take `now` as a parameter"),
    (r"\b(std::)?(secure_)?getenv\s*\(", "take the environment as a parameter"),
    (r"(?<![\w.>])s?rand\s*\(", "use base::Prng, handed in with its seed"),
    (r"\btime\s*\(\s*(nullptr|NULL|0|&)", "take `now` as a parameter"),
]

HOUSE_BANS = [
    (r"\bstd::w?(regex|smatch|cmatch)\b", "write the few lines of parsing that are needed"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(", "wait for a condition or arm a timer"),
    (r"(?<![\w.>:])sleep\s*\(", "wait for a condition or arm a timer"),
    (r"(?<!operator)(?<![\w.])\bnew\b\s+[\w:(]", "std::make_unique; every object has one owner"),
    (r"(?<!operator)(?<![\w.=])(?<!= )\bdelete\b(\s*\[\s*\])?\s+\w", "std::unique_ptr; every object has one owner"),
    (r"(?<!static_)(?<![\w.])assert\s*\(", "BW_ASSERT, which stays on in release builds"),
    (r"\bshared_from_this\b", "the table owns it, everyone else holds its id"),
    (r"\bdelete\s+this\b", "retire it at the end of the turn"),
    (r"\bstd::(format|expected|print|println)\b", "fmt and tl::expected: g++ 12 has none of these"),
]

# Where a banned thing is right, with the reason.
ALLOWED = {
    ("src/base/assert.cc", "<cstdio>"): "the last words of a process that must not go on",
    ("src/app/process/log_writer.cc", "<poll.h>"): "waits for room on standard error, which is no socket",
    ("include/bellwether/base/prng.h", "<random>"): "base::Prng itself",
}

UNIT_TEST_BANS = [
    (r"#\s*include\s*<(sys/socket\.h|sys/epoll\.h|event2/|thread)", "unit tests use no sockets and no threads"),
    (r"\b(socket|connect|accept4?|bind|listen)\s*\(\s*(AF_|fd|sock)", "a test with sockets is a component test"),
    (r'#\s*include\s*"bellwether/(net/(loop|listener|socket|stream|watch|tls)|wire/)', "a test with sockets is a component test"),
    (r"\b(steady_clock|system_clock)::now\b", "give the code under test its time"),
]

# net owns the system's clock, app the log; everybody else is given them.
CLOCK_OWNERS = {"net", "app", "base"}
LIBRARY_OWNERS = [
    (r"#\s*include\s*<event2/", {"net"}, "only net uses libevent"),
    (r"#\s*include\s*<openssl/", {"net"}, "only net uses OpenSSL"),
    (r"#\s*include\s*<(sys/socket\.h|sys/epoll\.h|netinet/|arpa/|netdb\.h|poll\.h|sys/un\.h)", {"net"}, "only net uses sockets"),
    (r"#\s*include\s*<CLI/", {"app/cli"}, "only app/cli reads the command line"),
    (r'#\s*include\s*"bellwether/config/(?!traffic_options\.h")', {"config", "app"}, "only app sees the whole configuration: take traffic_options.h"),
]

CXX = {".cc", ".h", ".hpp"}


def strip(text):
    """The same text with comments and the contents of strings blanked; lines stay where they are.
    The quotes of an #include stay too: they are what the arrows are read from."""
    pattern = re.compile(r'(?P<inc>^[ \t]*#[ \t]*include[^\n]*)|//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"'
                         r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S | re.M)

    def blank(match):
        if match.group("inc"):
            return match.group("inc")
        return re.sub(r"[^\n]", " ", match.group(0))

    return pattern.sub(blank, text)


def class_bodies(code):
    """Name, line and body of each class and struct in code that was stripped."""
    for match in re.finditer(r"\b(?:class|struct)\s+([\w:]+)\s*(?:final\s*)?(?::[^;{}()]*)?\{", code):
        depth, at = 1, match.end()
        while depth and at < len(code):
            depth += {"{": 1, "}": -1}.get(code[at], 0)
            at += 1
        yield match.group(1), code.count("\n", 0, match.start()) + 1, code[match.end():at - 1]


def declarations(body):
    """What a class declares itself, one string each, with all that is in braces taken out."""
    text, depth, parens = "", 0, 0
    for char in body:
        if char == "{":
            depth += 1
        if depth == 0:
            parens += {"(": 1, ")": -1}.get(char, 0)
            if char == ";" and parens == 0:
                yield re.sub(r"\b(public|private|protected)\s*:(?!:)", "", text).strip()
                text = ""
            else:
                text += char
        if char == "}":
            depth -= 1
            is_function = re.search(r"\)\s*(const|noexcept|override|final|->[\w:<>&*\s]+|\s|:.*)*$", text, re.S)
            if depth == 0 and is_function and parens == 0:
                yield re.sub(r"\b(public|private|protected)\s*:(?!:)", "", text).strip()
                text = ""


def width(body):
    """How many functions and how many members a class declares itself."""
    functions = members = 0
    for text in declarations(body):
        text = re.sub(r"^template\s*<[^>]*>\s*", "", text)
        if not text or re.match(r"(using|friend|enum|static_assert|class|struct)\b", text) or re.search(r"=\s*delete$", text):
            continue
        head = text.split("=")[0]
        is_function = re.search(r"\w\s*\(|\boperator\b", head) and not re.search(r"std::function<", head)
        functions, members = (functions + 1, members) if is_function else (functions, members + 1)
    return functions, members


class House:
    """One tree, the table of its arrows, and what was found wrong in it."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.problems = []
        self.arrows = {}
        self.pure = set()
        self._read_table()

    def check(self):
        for path in self._sources("src", "include/bellwether"):
            self._check_source(path)
        for path in self._sources("tests"):
            self._check_test(path)
        for path in self._sources("src", "include/bellwether", "tests", "bench"):
            self._check_text(path)
        self._check_architecture()
        return self.problems

    def _report(self, path, line, message):
        self.problems.append(f"{path.relative_to(self.root)}:{line}: {message}")

    def _sources(self, *folders):
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in CXX and path.is_file():
                    yield path

    def _read_table(self):
        table = self.root / "src/CMakeLists.txt"
        text = re.sub(r"#[^\n]*", "", table.read_text(encoding="utf-8"))
        for match in re.finditer(r"^bw_module\(\s*([\w/]+)([^)]*)\)", text, re.M):
            name, words = match.group(1), match.group(2).split()
            self.arrows[name] = self._section(words, "DEPS")
            if "PURE" in words:
                self.pure.add(name)
        if not self.arrows:
            self._report(table, 1, "no bw_module row found: the table of arrows has moved")
        declared = set()
        for name, deps in self.arrows.items():
            for dep in deps - declared:
                self._report(table, 1, f"{name} depends on {dep}, which is not declared above it: arrows point down only")
            for dep in deps & set(self.arrows):
                if name in self.pure and dep not in self.pure:
                    self._report(table, 1, f"{name} is PURE and depends on {dep}, which is not")
            declared.add(name)

    @staticmethod
    def _section(words, keyword):
        if keyword not in words:
            return set()
        rest = words[words.index(keyword) + 1:]
        ends = [rest.index(word) for word in ("LIBS", "DEPS", "PURE") if word in rest]
        return set(rest[:min(ends)] if ends else rest)

    def _module_of(self, path):
        """The module of a source, or the room within it: "proxy/core"."""
        parts = path.relative_to(self.root).parts
        at = 2 if parts[0] == "include" else 1
        if len(parts) <= at + 1:
            return None
        room = "/".join(parts[at:at + 2])
        return room if len(parts) > at + 2 and room in self.arrows else parts[at]

    def _check_source(self, path):
        module = self._module_of(path)
        if module is None:
            return
        if module not in self.arrows:
            self._report(path, 1, f"module {module} is not in the table of src/CMakeLists.txt")
            return
        code = strip(path.read_text(encoding="utf-8"))
        self._check_includes(path, module, code)
        self._check_bans(path, code, HOUSE_BANS)
        if module in self.pure:
            self._check_bans(path, code, PURE_BANS)
        if not self._is_one_of(module, CLOCK_OWNERS):
            self._check_bans(path, code, [(r"\b(steady|system)_clock::now\b", "take `now` from the loop")])
        for pattern, owners, rule in LIBRARY_OWNERS:
            if not self._is_one_of(module, owners):
                self._check_bans(path, code, [(pattern, rule)])
        self._check_widths(path, code)

    def _check_widths(self, path, code):
        for name, line, body in class_bodies(code):
            functions, members = width(body)
            if functions > MAX_FUNCTIONS or (functions > 0 and members > MAX_MEMBERS):
                self._report(path, line, f"{name} has {functions} functions and {members} members: split it where its"
                                         f" subject splits (limits {MAX_FUNCTIONS} and {MAX_MEMBERS})")

    @staticmethod
    def _is_one_of(module, owners):
        """By its own name, or as a room of one of them."""
        return module in owners or module.split("/")[0] in owners

    def _check_includes(self, path, module, code):
        for number, line in enumerate(code.splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not match:
                continue
            target = match.group(1)
            face = re.match(r"bellwether/(\w+)/", target)
            if face and face.group(1) != module.split("/")[0] and face.group(1) not in self.arrows[module]:
                self._report(path, number, f"{module} must not include {target}: no arrow in src/CMakeLists.txt")
            if not face and '"' in line:
                self._check_inner(path, number, module, target)

    def _check_inner(self, path, number, module, target):
        """A private header, by a path: of a room of the same module, if there is an arrow to it."""
        inner = re.match(r"(?:\.\./)*(?:src/)?(\w+)/(?:(\w+)/)?", target)
        if not inner or inner.group(1) not in {name.split("/")[0] for name in self.arrows}:
            return
        room = f"{inner.group(1)}/{inner.group(2)}"
        owner = room if room in self.arrows else inner.group(1)
        if owner == module:
            return
        if owner.split("/")[0] != module.split("/")[0]:
            self._report(path, number, f"{target} is a private header of {owner}: use its face")
        elif owner not in self.arrows[module]:
            self._report(path, number, f"{module} must not include {target}: no arrow in src/CMakeLists.txt")

    def _check_bans(self, path, code, bans):
        relative = path.relative_to(self.root).as_posix()
        for pattern, instead in bans:
            for match in re.finditer(pattern, code):
                if any(relative == file and text in match.group(0) for file, text in ALLOWED):
                    continue
                line = code.count("\n", 0, match.start()) + 1
                self._report(path, line, f"`{match.group(0).strip()}`: {instead}")

    def _check_architecture(self):
        """Every file and every name in backticks exists, and `Class::function` is declared so."""
        path = self.root / "src/ARCHITECTURE.md"
        if not path.is_file():
            return
        code = "\n".join(strip(source.read_text(encoding="utf-8")) for source in self._sources("src", "include/bellwether"))
        words = set(re.findall(r"\w+", code)) | set(self.arrows)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for name in re.findall(r"`([^`]+)`", line):
                if "/" in name:
                    is_known = " " in name or name.startswith("/") or "ROOM" in name or (self.root / name).exists()
                elif "." in name:
                    is_known = any(self.root.glob(f"src/**/{name}"))
                else:
                    is_known = self._is_declared(name, code, words)
                if not is_known:
                    self._report(path, number, f"`{name}` is not in the source: say where the way goes now")

    @staticmethod
    def _is_declared(name, code, words):
        parts = re.findall(r"\w+", name)
        if not all(part in words for part in parts):
            return False
        owner = re.fullmatch(r"([A-Z]\w+)::(\w+)", name)
        if not owner or re.search(rf"\b{owner[1]}::{owner[2]}\b", code):
            return True
        body = re.search(rf"\b(?:class|struct) {owner[1]}\b[^;{{]*\{{(.*?)^\}};", code, re.S | re.M)
        return body is not None and re.search(rf"\b{owner[2]}\b", body[1]) is not None

    def _check_test(self, path):
        code = strip(path.read_text(encoding="utf-8"))
        sleeps = [row for row in HOUSE_BANS if "sleep" in row[0] or "regex" in row[0]]
        self._check_bans(path, code, sleeps)
        if "unit" in path.relative_to(self.root).parts:
            self._check_bans(path, code, UNIT_TEST_BANS)

    def _check_text(self, path):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        if len(lines) > MAX_LINES:
            self._report(path, len(lines), f"{len(lines)} lines: split it where its subject splits (limit {MAX_LINES})")
        for number, line in enumerate(lines, 1):
            if "TODO(now)" in line:
                self._report(path, number, "TODO(now) must not be delivered")
            if "\t" in line:
                self._report(path, number, "a tab: this house indents with spaces")
        if path.suffix in {".h", ".hpp"} and "#pragma once" not in text:
            self._report(path, 1, "a header without #pragma once")


def main(words):
    if words == ["--self-test"]:
        from self_test import run_self_test
        return run_self_test()
    problems = House(words[0] if words else ".").check()
    for problem in problems:
        print(problem)
    print(f"{len(problems)} violations of the house rules" if problems else "the house is tidy")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
