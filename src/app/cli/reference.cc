#include "reference.h"

#include <fmt/format.h>

#include "bellwether/config/reference.h"
#include "bellwether/metrics/catalogue.h"
#include "commands.h"

namespace bellwether::app {

std::string reference_markdown() {
  return fmt::format(
      R"(# Reference

Derived from the tables in the source; a test compares it with them.

## Options

A flag beats the environment, which beats the file. The variables of Vault's and OpenBao's own tools that are listed behind
an option's own variable serve as its default: the file beats them, and BAO_ beats VAULT_. VAULT_ADDR is not used: it is how
clients find us. An empty variable counts as absent. In variables, lists are separated by commas.

The file is JSON with `//` and `/* */` comments. An unknown or doubled key is an error. Durations are "250ms", "1s", "2m",
"1h"; a plain number is milliseconds. "Reload" tells which options a reload (HUP, `bellwether reload`, `watch`) changes while the process runs; for the
others it says that they need a restart. Flags and environment stay what they were at the start, and names are asked for anew.

`listen` takes an address (`"127.0.0.1:8200"`, `"[::1]:8200"`, `":8200"`, `"unix:/path"`), or a list of such addresses and
objects: `{{"address": "127.0.0.1:8201", "mode": "redirect", "accept_proxy": false, "fresh": false}}`. `nodes` takes a list of URLs and
objects: `{{"url": "https://10.0.0.1:8200", "name": "a", "server_name": "vault.example.com", "public_address": "https://a.example.com:8200"}}`.

{}
## Exit codes

| code | meaning |
|---|---|
| {} | fine |
| {} | failed: an invalid configuration, an address in use, a check that found something wrong |
| {} | usage: an unknown command, flag or argument |
| {} | `bellwether check --running`: the file is fine, and a reload or a restart with it would change something |

## Signals

| signal | effect |
|---|---|
| TERM, INT, QUIT | readiness turns 503 while listeners stay open; ends when no session is left, or after `hard_stop_after` |
| TERM, INT or QUIT again | ends at once |
| HUP | the configuration file is read again, and what has changed of it is used (column "reload" above); a file with an error changes nothing. Certificates, keys and CA files are read again at once, as they are anyhow when they change (`tls_reload_interval`) |
| USR1, USR2, ALRM, PIPE | nothing but a log line, `signal_ignored`; USR2 does not replace the program, USR1 does not open a log anew |

## Behind another balancer

A load balancer or CDN in front of Bellwether hides the clients' addresses: name its addresses in `forwarded_for_trusted`, and http listeners
keep what it says in X-Forwarded-For and append its own address. A balancer that passes TCP on can send a PROXY protocol header instead
(`accept_proxy`; name the balancer in `accept_proxy_from`), and the address in it counts as the client's.

Nodes find the client by the listener's `x_forwarded_for_hop_skips`, counted from the end of the list: 0 where clients come to Bellwether
themselves, 1 behind one balancer. A request whose list is too short gets 400 then, health requests too. So probes carry a list as long as
clients' requests have: `forwarded_for_hops` addresses, where "auto" is 1, or 2 with `forwarded_for_trusted`. Behind a chain of two balancers (`x_forwarded_for_hop_skips = 2`)
set 3. A node that refuses probes for this reason says "hops to skip" in `bellwether check --live`.

## Listeners with options of their own

An object of `listen` has an `address` and any option whose column "listener" above says "its own"; for the rest it is as said for all. With a `tls_cert` of its own it does not take the common `tls_key`; `"tls_cert": ""` is plain HTTP. A `tls_cert` may be
a list, of files or of objects with `cert` and `key`: the first is for clients that ask for no name, or for one that no certificate has (subjectAltName; "*" for the leftmost label). A TLS session is resumed at its own listener only. When options change by a reload, running connections follow the
times of what is then at their address; mode, `fresh` and TLS they keep.

## Client certificates by header

TLS ends at http listeners, so nodes see a client's certificate only if a header tells it, and they believe whatever that header holds. No request header that may
carry a certificate is passed on from clients: names that contain `cert` or `x509`, names with the word `pem`, names with the word `ssl`, `tls` or `mtls` beside `client`, `peer` or `chain`,
names that end with `client-chain`, and those in `dropped_headers`. Letters count in any case, `_` as `-`. Is another name configured on the nodes, add it there.

With `tls_client_ca` and `client_cert_header` http listeners set that header from the certificate that the client has proved to own; nodes need the same name in
`x_forwarded_for_client_cert_header`, the decoders that fit `client_cert_encoding`, and our addresses, and no others, in `x_forwarded_for_authorized_addrs`, with both `x_forwarded_for_reject_...` as they
are by default. Senders in `forwarded_for_trusted` hand on their clients' certificates in that header themselves, in one line; their own certificate is never told. Nodes that clients reach without us must not believe the header.
Tcp listeners pass TLS through, and bytes of plain HTTP as they are: they drop nothing.

## Metrics

On `/metrics` of the admin address. No client address, path, token or mount is ever a label.

{})",
      config::options_markdown(), kExitFine, kExitFailed, kExitUsage, kExitDiffers, metrics::catalogue_markdown());
}

}  // namespace bellwether::app
