#include "program.h"

#include <algorithm>
#include <array>

#include "app/process/exit_code.h"

namespace bellwether::app {

bool is_flag(const ArgumentDoc& argument) { return !argument.flags.empty(); }

const std::vector<ExampleDoc>& examples() {
  static const std::vector<ExampleDoc> all = {
      {"bellwether run https://vault1:8200 https://vault2:8200 https://vault3:8200",
       "follow the leader of three nodes on 127.0.0.1:8200; then: export VAULT_ADDR=https://127.0.0.1:8200"},
      {"bellwether run --ca-file ca.pem --server-name vault.example.com -f /etc/bellwether/bellwether.json", ""},
      {"bellwether check --live -f /etc/bellwether/bellwether.json",
       "connect to every node and say what is wrong, and how to put it right"},
      {"bellwether check --running -f /etc/bellwether/bellwether.json",
       "what a reload with this file would change; changes nothing"},
      {"bellwether init https://vault1.example.com:8200 -o /etc/bellwether/bellwether.json",
       "ask a cluster who belongs to it, and make a configuration file of what it says"},
      {"bellwether import-haproxy /etc/haproxy/haproxy.cfg -o /etc/bellwether/bellwether.json",
       "come over from HAProxy: a configuration with a comment for each line, and a list of what is lost"},
      {"bellwether rehearse --token-file /root/step-down.token --picture drill.svg",
       "change the leader on purpose, and see what clients notice of it"},
      {"bellwether dev", "a simulated cluster with failovers, to look at before there is a real one"},
      {"bellwether status --watch", ""},
  };
  return all;
}

const std::vector<ExitCodeDoc>& exit_codes() {
  static const std::vector<ExitCodeDoc> all = {
      {kExitFine, "fine", "fine"},
      {kExitFailed, "failed",
       "failed: an invalid configuration, an address in use, a check that found something wrong"},
      {kExitUsage, "usage", "usage: an unknown command, flag or argument"},
      {kExitDiffers, "a difference was found",
       "`bellwether check --running`: the file is fine, and a reload or a restart with it would change something; "
       "`bellwether import-haproxy --strict`: the configuration is written, and something that haproxy.cfg says is "
       "lost"},
  };
  return all;
}

const std::vector<SignalDoc>& signals() {
  static const std::vector<SignalDoc> all = {
      {"TERM, INT, QUIT",
       "readiness turns 503 while listeners stay open; ends when no session is left and `shutdown_delay` is over, or "
       "after `hard_stop_after`"},
      {"TERM, INT or QUIT again", "ends at once"},
      {"HUP",
       "the configuration file is read again, and all options that a reload changes are used; a file with an error "
       "changes nothing. Certificates, keys and CA files are read again at once, as they are anyhow when they change "
       "(`tls_reload_interval`)"},
      {"USR1, USR2, ALRM, PIPE",
       "nothing but a log line, `signal_ignored`; USR2 does not replace the program, USR1 does not open a log anew"},
  };
  return all;
}

std::string_view environment_text() {
  return "each option of `run` is also a variable, BELLWETHER_ and its name in capitals (BELLWETHER_INTER); "
         "VAULT_CACERT, BAO_CACERT and their kin are defaults. BELLWETHER_ADMIN and BELLWETHER_CONTROL tell the other "
         "commands whom to ask, BELLWETHER_CLUSTER about which cluster. NO_COLOR turns colours off.";
}

std::string_view format_text() {
  return R"(A flag beats the environment, which beats the file. The variables of Vault's and OpenBao's own tools that are listed behind
an option's own variable serve as its default: the file beats them, and BAO_ beats VAULT_. VAULT_ADDR is not used: it is how
clients find us. An empty variable counts as absent. In variables, lists are separated by commas.

The file is JSON with `//` and `/* */` comments. An unknown or doubled key is an error. Durations are "250ms", "1s", "2m",
"1h"; a plain number is milliseconds. "Reload" tells which options a reload (HUP, `bellwether reload`, `watch`) changes while the process runs; for the
others it says that they need a restart. Flags and environment stay what they were at the start, and names are asked for anew.

`listen` takes an address (`"127.0.0.1:8200"`, `"[::1]:8200"`, `":8200"`, `"unix:/path"`), or a list of such addresses and
objects: `{"address": "127.0.0.1:8201", "mode": "redirect", "accept_proxy": false, "fresh": false}`. `nodes` takes a list of URLs and
objects: `{"url": "https://10.0.0.1:8200", "name": "a", "server_name": "vault.example.com", "public_address": "https://a.example.com:8200"}`.
`clusters` takes a list of objects with `name`, `nodes` and options of their own; each listener then names its `cluster`.
)";
}

std::string_view first_sentence(std::string_view text) {
  constexpr std::array<std::string_view, 3> kEnds = {". ", "; ", ": "};
  for (const std::string_view end : kEnds) {
    // What stands before a colon may be "Turns off", which says nothing alone.
    const std::size_t at = text.find(end, end == ": " ? 24 : 0);
    text = text.substr(0, std::min(at, text.size()));
  }
  const std::size_t variable = text.rfind(" (BELLWETHER_");
  text = text.substr(0, std::min(variable, text.size()));
  return text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
}

}  // namespace bellwether::app
