#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/result.h"
#include "bellwether/config/config.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/resolver.h"

namespace bellwether::app {

// One node as everybody uses it: one socket address, or none until its name resolves.
struct NodePlan {
  NodeId id;  // its own among the nodes of the process
  std::string name;
  std::string url;
  std::string host;           // what is resolved
  bool is_service = false;    // to the addresses of its SRV records
  bool may_be_local = false;  // see config::Node
  std::uint16_t port = 0;     // of the name, so 0 for a service
  bool tls = true;
  std::string server_name;
  std::string host_header;
  std::string public_url;
  std::optional<net::Address> resolved;  // where its name leads, as far as is known
  std::optional<net::Address> address;   // the same, unless that is another plan's: then nothing, and same_as
  std::string unresolved;                // why there is no address
  bool is_one_of_several = false;        // its name has other addresses too, and `name` and `url` carry this one
  std::optional<std::size_t> same_as;    // the place of the plan whose server this is another name of
};

// What the resolver said of one name.
using ResolvedName = Result<std::vector<net::Address>>;

// The addresses of a name that we use as long as nothing is known of any: IPv4 if there are any, else IPv6. A host with
// both is one node, not two.
[[nodiscard]] std::vector<net::Address> usable_addresses(const std::vector<net::Address>& found);
// Those of each answer.
[[nodiscard]] std::vector<ResolvedName> usable_answers(std::vector<ResolvedName> answers);

// HOST:PORT, with an IPv6 address in brackets, or a service: what a node is called that has no name of its own.
[[nodiscard]] std::string authority(const config::Node& node);
// Whether the host is a name, which may lead elsewhere another time, and not an address.
[[nodiscard]] bool has_name(const config::Node& node);

// The nodes of a configuration, given what each of its names resolved to, with the ids of a first topology. A name with
// several addresses becomes several nodes NAME/ADDRESS; kInvalid if the configuration gives that node a name of
// its own, for then it has been said to be one. Of several that resolve to one address the first has it; the others get
// none and same_as.
[[nodiscard]] Result<std::vector<NodePlan>> plan_nodes(const std::vector<config::Node>& nodes,
                                                       const std::vector<ResolvedName>& found);
// For names that have no answer now: the addresses that they had as `present` nodes. Their names, for a warning.
[[nodiscard]] std::vector<std::string> keep_known_addresses(const std::vector<config::Node>& nodes,
                                                            const std::vector<NodePlan>& present,
                                                            std::vector<ResolvedName>& found);
// The same beside nodes that there are: who has the address of a present one has its id, whatever it is called now; so
// does, as far as an address is not known, who has the same host, port and scheme. The others are new nodes, with the
// ids from `unused` on, which is moved past them. A present node does not lose its address to another name of it.
[[nodiscard]] Result<std::vector<NodePlan>> replan_nodes(const std::vector<config::Node>& nodes,
                                                         const std::vector<ResolvedName>& found,
                                                         const std::vector<NodePlan>& present, NodeId& unused);
// What that changes, in words: "+node vault4 (https://vault4:8200, 10.0.0.4:8200)", "-node vault1 (...)",
// "node vault2 is called v2". Empty: nothing.
[[nodiscard]] std::vector<std::string> node_changes(const std::vector<NodePlan>& present,
                                                    const std::vector<NodePlan>& next);
// "both names lead to 10.0.0.1:8200": why a node is another name of one that has that address.
[[nodiscard]] std::string why_same_server(const net::Address& address);

// Whether who connects to `node` comes back to one of our listeners: by that address, or by any of this machine's where
// the listener takes them all.
[[nodiscard]] bool leads_back(const net::Address& node, const std::vector<config::Listen>& listen);

// kInvalid, naming it, if a node's name has led to one of our listeners: its health would be the leader's, and it would
// be led to.
[[nodiscard]] Result<void> check_no_loop(const std::vector<NodePlan>& plans, const std::vector<config::Listen>& listen);

// What all names lead to, and for how long that may be believed: the least TTL, if any has one.
struct ResolvedNames {
  std::vector<ResolvedName> names;
  std::optional<Duration> ttl;
};

// Asks for the addresses of all names at once; what has no answer when `patience` is over is kTimeout. `on_done` is
// called once, and not before resolve_all_later() has returned.
void resolve_all_later(net::Loop& loop, net::Resolver& resolver, const std::vector<config::Node>& nodes,
                       Duration patience, std::function<void(ResolvedNames)> on_done);
// The same, and turns the loop until then. REQUIRES: not called from within the loop.
[[nodiscard]] std::vector<ResolvedName> resolve_all(net::Loop& loop, net::Resolver& resolver,
                                                    const std::vector<config::Node>& nodes, Duration patience);

// Keeps asking for the names of nodes that have no address, or have been down for a while. The last good address stays
// until there is another. Control thread.
class AddressKeeper {
 public:
  static constexpr Duration kLookInterval = 3s;
  using IsDown = std::function<bool(NodeId)>;
  struct Callbacks {
    // False: it is refused, and the node keeps what it has. What was refused is not offered again while the name leads
    // there.
    std::function<bool(NodeId, const net::Address&)> on_address;
    // The name of a node without an address leads to that of another node.
    std::function<void(NodeId, NodeId same, const net::Address&)> on_same_server;
    std::function<void(NodeId, const std::string& why)> on_unresolved;
  };

  AddressKeeper(net::Loop& loop, net::Resolver& resolver, std::vector<NodePlan>& plans, IsDown is_down,
                Callbacks callbacks, Duration look_interval = kLookInterval);
  ~AddressKeeper();
  // An answer about the name of that node, which has no address or is down: as if it had asked for it.
  void on_answer(NodeId node, const std::vector<net::Address>& found);
  AddressKeeper(const AddressKeeper&) = delete;
  AddressKeeper& operator=(const AddressKeeper&) = delete;

 private:
  void look();
  void on_resolved(std::size_t index, const Result<net::NameAnswer>& found);
  void on_found(std::size_t index, const std::vector<net::Address>& found);
  [[nodiscard]] bool offer(std::size_t index, const net::Address& address);

  net::Resolver& resolver_;
  std::vector<NodePlan>& plans_;
  IsDown is_down_;
  Callbacks callbacks_;
  const Duration look_interval_;
  std::vector<int> rounds_down_;
  std::vector<std::vector<net::Address>> refused_;  // by node: of what its name leads to
  std::shared_ptr<AddressKeeper*> alive_;           // the resolver may answer when we are gone
  net::Timer timer_;
};

}  // namespace bellwether::app
