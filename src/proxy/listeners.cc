#include "listeners.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "bellwether/net/inherited.h"
#include "bellwether/net/listener.h"

namespace bellwether::proxy {
namespace {

// Nothing that is decided when a connection comes differs.
bool is_same(const KnownListener& known, const ListenerOptions& wanted) {
  const ListenerOptions& a = known.options;
  return a.mode == wanted.mode && a.accept_proxy == wanted.accept_proxy && a.fresh == wanted.fresh &&
         known.speaks_tls == (wanted.tls != nullptr);
}

// What is under way at that address follows the listener that is there now, also where it came by another one of
// before.
void set_own(ListenerTable& table, const net::Address& address, const std::shared_ptr<const SessionSettings>& own) {
  for (KnownListener& each : table) {
    if (each.address == address) each.options.own = own;
  }
}

// A number that nobody has.
bool is_free(const KnownListener& known) { return known.address == net::Address(); }

// Its place in the table is there. nullopt: there is none.
std::optional<ListenerNumber> free_number(ListenerTable& table) {
  const auto found = std::find_if(table.begin(), table.end(), is_free);
  const auto number = found - table.begin();
  if (number > std::numeric_limits<ListenerNumber>::max()) return std::nullopt;
  if (found == table.end()) table.emplace_back();
  return static_cast<ListenerNumber>(number);
}

// Another process of the same user would join those that share a port, unnoticed: first bind as one that shares with
// nobody.
Result<void> nobody_else_listens(const net::Address& address) {
  auto alone = net::bind_listener(address, {});
  if (!alone) return tl::unexpected(alone.error());
  return {};
}

// `address` becomes the real one. A socket for each worker in turn, open where it accepts.
Result<std::vector<net::Socket>> bind_new(net::Address& address, std::size_t workers, const net::TcpOptions& tcp) {
  const bool several = workers > 1 && !address.is_unix();
  const bool is_inherited = net::InheritedSockets::process().has(address);
  if (several && !is_inherited) {
    if (auto ours = nobody_else_listens(address); !ours) return tl::unexpected(ours.error());
  }
  std::vector<net::Socket> sockets;
  for (std::size_t i = 0; i < workers; ++i) {
    if (i > 0 && address.is_unix()) {
      sockets.emplace_back();
      continue;
    }
    net::ListenOptions options;
    options.reuse_port = several;
    options.tcp = tcp;
    auto socket = net::bind_listener(address, options);
    if (!socket) return tl::unexpected(socket.error());
    if (i == 0) {
      auto real = socket->local_address();
      if (!real) return tl::unexpected(real.error());
      address = *real;  // the others share the port that was given
    }
    sockets.push_back(std::move(*socket));
  }
  // Of a predecessor that had more workers: clients wait there too.
  while (is_inherited) {
    net::Socket another = net::InheritedSockets::process().take_untaken(address);
    if (!another.is_open()) break;
    sockets.push_back(std::move(another));
  }
  return sockets;
}

}  // namespace

// The file of a unix socket that was bound for nothing would be in the way of the next one.
ListenerChange::~ListenerChange() {
  for (std::vector<OpenListener>& listeners : told) {
    for (OpenListener& each : listeners) {
      if (each.socket.is_open()) net::discard_listener(std::move(each.socket));
    }
  }
}

// Two may have been configured alike, with port 0.
std::optional<ListenerNumber> Listeners::at(const net::Address& configured,
                                            const std::vector<ListenerNumber>& taken) const {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](ListenerNumber number) {
    const bool is_taken = std::find(taken.begin(), taken.end(), number) != taken.end();
    return !is_taken && (*table_)[number].options.address == configured;
  });
  return found == open_.end() ? std::nullopt : std::optional(*found);
}

Error Listeners::cannot_bind(const Error& why, const net::Address& address) const {
  const auto found = std::find_if(addresses_.begin(), addresses_.end(), [&](const net::Address& own) {
    return !own.is_unix() && !address.is_unix() && own.port() == address.port();
  });
  if (found == addresses_.end()) return why;
  return {why.kind, fmt::format("listen: {} and {}, where this process listens, have a port in common: only a restart "
                                "can put one in place of the other",
                                address.to_string(), found->to_string())};
}

// What was of one that no connection came by is let go; the numbers at the end are, too.
ListenerTable Listeners::table_without_unused(std::size_t workers) const {
  ListenerTable table = *table_;
  for (const auto& [number, closed] : closed_) {
    if (closed.unused_by.size() == workers) table[number] = KnownListener{};
  }
  while (!table.empty() && is_free(table.back())) table.pop_back();
  return table;
}

Result<std::shared_ptr<ListenerChange>> Listeners::bind(const std::vector<ListenerOptions>& wanted, std::size_t workers,
                                                        const net::TcpOptions& tcp) const {
  auto change = std::make_shared<ListenerChange>();
  auto table = std::make_shared<ListenerTable>(table_without_unused(workers));
  for (KnownListener& each : *table) each.options.own = nullptr;
  std::vector<ListenerNumber> taken;
  change->told.resize(workers);
  for (const ListenerOptions& each : wanted) {
    const auto before = at(each.address, taken);
    if (before) taken.push_back(*before);
    if (before && is_same((*table_)[*before], each)) {
      change->open.push_back(*before);
      for (auto& told : change->told) told.push_back({*before, *before, {}, each.tls});
      set_own(*table, (*table)[*before].address, each.own);
      continue;
    }
    const auto number = free_number(*table);
    if (!number) {
      return fail(ErrorKind::kLimit, "listen: connections have come by 65536 listeners; restart for more");
    }
    KnownListener known{each, before ? (*table_)[*before].address : each.address, each.tls != nullptr};
    const auto tls = std::exchange(known.options.tls, nullptr);
    if (before) {
      for (auto& told : change->told) told.push_back({*number, before, {}, tls});
    } else {
      auto sockets = bind_new(known.address, workers, tcp);
      if (!sockets) return tl::unexpected(cannot_bind(sockets.error(), each.address));
      for (std::size_t i = 0; i < sockets->size(); ++i) {
        change->told[i % workers].push_back({*number, std::nullopt, std::move((*sockets)[i]), tls});
      }
    }
    set_own(*table, known.address, known.options.own);
    (*table)[*number] = std::move(known);
    change->open.push_back(*number);
  }
  change->table = std::move(table);
  return change;
}

void Listeners::use(const ListenerChange& change) {
  table_ = change.table;
  ++round_;
  for (const ListenerNumber number : std::exchange(open_, change.open)) closed_[number].since = round_;
  for (const ListenerNumber number : open_) closed_.erase(number);
  std::erase_if(closed_, [this](const auto& each) { return each.first >= table_->size(); });
  addresses_.clear();
  for (const ListenerNumber number : open_) addresses_.push_back((*table_)[number].address);
}

// One that was opened again since, or closed again, is not meant.
void Listeners::on_unused(std::size_t worker, std::uint64_t round, const std::vector<ListenerNumber>& numbers) {
  for (const ListenerNumber number : numbers) {
    const auto found = closed_.find(number);
    if (found != closed_.end() && found->second.since <= round) found->second.unused_by.insert(worker);
  }
}

}  // namespace bellwether::proxy
