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
  std::string name;
  std::string url;
  std::string host;  // what is resolved
  std::uint16_t port = 0;
  bool tls = true;
  std::string server_name;
  std::string host_header;
  std::string public_url;
  std::optional<net::Address> address;
};

// The addresses of a name that we use: IPv4 if there are any, else IPv6. A host with both is one node, not two.
[[nodiscard]] std::vector<net::Address> usable_addresses(const std::vector<net::Address>& found);

// The nodes of the configuration, given what each of its names resolved to (nothing: not yet). A name with several
// addresses becomes several nodes NAME/ADDRESS; kInvalid if the configuration gives that node a name of its own, for
// then it has been said to be one.
[[nodiscard]] Result<std::vector<NodePlan>> plan_nodes(const std::vector<config::Node>& nodes,
                                                       const std::vector<std::vector<net::Address>>& found);

// Whether who connects to `node` comes back to one of our listeners: by that address, or by any of this machine's where
// the listener takes them all.
[[nodiscard]] bool leads_back(const net::Address& node, const std::vector<config::Listen>& listen);

// kInvalid, naming it, if a node's name has led to one of our listeners: its health would be the leader's, and it would
// be led to.
[[nodiscard]] Result<void> check_no_loop(const std::vector<NodePlan>& plans, const std::vector<config::Listen>& listen);

// Asks for the addresses of all names at once and turns the loop until all have answered or `patience` is over; what
// has no answer by then is empty. REQUIRES: not called from within the loop.
[[nodiscard]] std::vector<std::vector<net::Address>> resolve_all(net::Loop& loop, net::Resolver& resolver,
                                                                 const std::vector<config::Node>& nodes,
                                                                 Duration patience);

// Keeps asking for the names of nodes that have no address, or have been down for a while. The last good address stays
// until there is another. Control thread.
class AddressKeeper {
 public:
  using IsDown = std::function<bool(NodeId)>;
  using OnAddress = std::function<void(NodeId, const net::Address&)>;

  AddressKeeper(net::Loop& loop, net::Resolver& resolver, std::vector<NodePlan>& plans, IsDown is_down,
                OnAddress on_address);
  ~AddressKeeper();
  AddressKeeper(const AddressKeeper&) = delete;
  AddressKeeper& operator=(const AddressKeeper&) = delete;

 private:
  void look();
  void on_found(std::size_t index, const std::vector<net::Address>& found);
  [[nodiscard]] bool is_siblings(std::size_t index, const net::Address& address) const;

  net::Resolver& resolver_;
  std::vector<NodePlan>& plans_;
  IsDown is_down_;
  OnAddress on_address_;
  std::vector<int> rounds_down_;
  std::shared_ptr<AddressKeeper*> alive_;  // the resolver may answer when we are gone
  net::Timer timer_;
};

}  // namespace bellwether::app
