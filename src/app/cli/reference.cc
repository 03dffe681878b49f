#include "reference.h"

#include <fmt/format.h>

#include "app/docs/program.h"
#include "bellwether/config/reference.h"
#include "bellwether/metrics/catalogue.h"

namespace bellwether::app {
namespace {

std::string exit_code_rows() {
  std::string rows;
  for (const ExitCodeDoc& each : exit_codes()) rows += fmt::format("| {} | {} |\n", each.code, each.meaning);
  return rows;
}

std::string signal_rows() {
  std::string rows;
  for (const SignalDoc& each : signals()) rows += fmt::format("| {} | {} |\n", each.names, each.effect);
  return rows;
}

}  // namespace

std::string reference_markdown() {
  return fmt::format(
      R"(# Reference

Derived from the tables in the source; a test compares it with them.

## Options

{}
{}
## Exit codes

| code | meaning |
|---|---|
{}
## Signals

| signal | effect |
|---|---|
{}
## Behind another balancer

A load balancer or CDN in front of Bellwether hides the clients' addresses: name its addresses in `forwarded_for_trusted`, and http listeners
keep what it says in X-Forwarded-For and append its own address. A balancer that passes TCP on can send a PROXY protocol header instead
(`accept_proxy`; name the balancer in `accept_proxy_from`), and the address in it counts as the client's.

Nodes find the client by the listener's `x_forwarded_for_hop_skips`, counted from the end of the list: 0 where clients come to Bellwether
themselves, 1 behind one balancer. A request whose list is too short gets 400 then, health requests too. So probes carry a list as long as
clients' requests have: `forwarded_for_hops` addresses, where "auto" is 1, or 2 with `forwarded_for_trusted`. Behind a chain of two balancers (`x_forwarded_for_hop_skips = 2`)
set 3. A node that refuses probes for this reason says "hops to skip" in `bellwether check --live`.

## Several clusters

One process may serve several clusters, each with nodes and a leader of its own. An object of `clusters` has a `name`, its `nodes`, and any option whose column "may differ by" above
names the cluster; it goes before what is said for all, also by a flag or in the environment, as a listener's own option goes before its cluster's. With a `tls_cert` or `client_cert` of its own a cluster does not take the common key.
Each listener names its `cluster`; with one cluster it need not. `maxconn`, `hold_max`, `hold_bytes` and `threads` count for each cluster by itself. There is no `nodes` beside `clusters`, and no node in two of them.

```json
{}```

## Listeners with options of their own

An object of `listen` has an `address` and any option whose column "may differ by" above names the listener; for the rest it is as said for its cluster, or for all. With a `tls_cert` of its own it does not take the common `tls_key`; `"tls_cert": ""` is plain HTTP. A `tls_cert` may be
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

On `/metrics` of the admin address. No client address, path, token or mount is ever a label. With `clusters` every metric of a cluster has a first label more, `cluster`, and every line of the log about one a field `cluster`.

{})",
      format_text(), config::options_markdown(), exit_code_rows(), signal_rows(), config::two_clusters_example(),
      metrics::catalogue_markdown());
}

}  // namespace bellwether::app
